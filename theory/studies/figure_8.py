"""The paper's figure 8 with controls: two functions of one variable, E beside Adam with the same retention and step."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theory import objectives
from theory.ledger.evidence import Effort
from theory.simulate.batch import Method, simulate

SHOWN_ETA, STEPS = 0.1, 4000
ORIGIN = 2.0
"""How far the second function is moved to see what the layerwise factor makes of the origin."""


def _on_ripples(eta: float) -> list[Method]:
    """The figure's pair, and the controls: E's own retention in Adam, and E's effective step eta / (1 - c) too."""
    return [
        Method("Adam(.95)", "adam", 0.0, 0.99, 0.95, eta),
        Method("EAdam(-80)", "adam", -80.0, 0.99, 0.95, eta),
        Method("Adam(.99)", "adam", 0.0, 0.99, 0.99, eta),
        Method("Adam(.99), 5 eta", "adam", 0.0, 0.99, 0.99, 5 * eta),
    ]


def _on_holes(rule: str, eta: float) -> list[Method]:
    name = {"adam": "Adam", "alto": "LAMB"}[rule]
    base = [Method(f"{name}({str(b)[1:]})", rule, 0.0, 0.99, b, eta) for b in (0.9, 0.99, 0.9999)]
    # E's own retention and, at alpha = -90 (c = .9), its effective step eta / (1 - c)
    base.append(Method(f"{name}(.99), 10 eta", rule, 0.0, 0.99, 0.99, 10 * eta))
    return base + [Method(f"E({alpha:g})", rule, alpha, 0.99, 0.9, eta) for alpha in (-5.0, -50.0, -90.0)]


def _ends(etas: np.ndarray, methods: Callable[[float], Sequence[Method]], slope: Any, start: float) -> np.ndarray:
    """Where each method ends at each eta after 5000 steps; shape (methods, etas)."""
    lists = [methods(eta) for eta in etas]
    flat = [method for row in lists for method in row]
    final = simulate(flat, slope, np.full((1, 1), start), steps=5000, keep=5000)[-1, :, 0, 0]
    return final.reshape(len(etas), -1).T


def compute(_: Effort) -> dict[str, Any]:
    """Paths and end points on the first function, and which share of step sizes reaches the flat hole of the second."""
    ripples, holes = objectives.make("ripples"), objectives.make("three-holes")
    paths = simulate(_on_ripples(SHOWN_ETA), ripples.gradient, np.full((1, 1), 2.3), steps=STEPS, keep=20)[:, :, 0, 0]
    x = np.linspace(1.8, 22, 700)
    etas = np.geomspace(0.01, 0.6, 60)
    ends = _ends(etas, _on_ripples, ripples.gradient, 2.3)

    grid = np.geomspace(1e-4, 1.0, 121)
    shares = []
    for label, rule, origin in (("Adam", "adam", 0.0), ("LAMB", "alto", 0.0), ("LAMB, origin moved", "alto", ORIGIN)):
        final = _ends(
            grid,
            lambda eta, rule=rule: _on_holes(rule, eta),
            lambda theta, origin=origin: holes.gradient(theta - origin),
            0.95 + origin,
        )
        reached = np.abs(final - origin) < 0.25
        shares.append({"label": label, "reached": reached.sum(1), "methods": [m.label for m in _on_holes(rule, 1.0)]})
    config = {"beta3": 0.99, "eps": 1e-8, "eta": SHOWN_ETA, "steps": STEPS, "sweep_steps": 5000, "origin": ORIGIN}
    return {
        "config": config, "seeds": [],
        "landscape": {"x": x, "f": ripples.value(x[:, None])},
        "methods": [m.label for m in _on_ripples(1.0)], "paths": paths.T, "keep": 20,
        "eta": etas, "ends": ends,
        "holes": {"etas": len(grid), "shares": shares},
    }  # fmt: skip
