"""The paper's figure 8 with controls: two functions of one variable, E beside Adam of equal decay rate and step."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger.effort import Effort
from theory.objectives import one_dimensional
from theory.plotting import style
from theory.simulate.batch import Method, simulate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STUDIES = ("figure-8",)
TITLE = "The paper's figure 8, with controls"
SEE = (
    r"EAdam at $\alpha=-80$ passes minima that hold Adam(.95), as the paper shows; Adam with decay rate .99 and E's "
    r"effective step $\eta/(1-c)$ goes as far or farther at most step sizes, and no alpha reaches the flat hole of "
    r"$f_2$ at more step sizes than its base."
)

SHOWN_ETA, STEPS = 0.1, 4000
ORIGIN = 2.0
"""How far the second function is moved to see what the layer factor makes of the origin."""
ALPHA, ALPHAS, BETA1 = -80.0, (-5.0, -50.0, -90.0), 0.99
"""E on the first function, and on the second."""


def _longer(alpha: float) -> float:
    """E's effective step over eta: 1 / (1 - c)."""
    return round(1 / (1 + alpha * (1 - BETA1)), 6)


def _rate(beta: float) -> str:
    return f"{beta:g}".removeprefix("0")


def _on_ripples(eta: float) -> list[Method]:
    """The figure's pair, and the controls: E's own decay rate in Adam, and E's effective step eta / (1 - c) too."""
    slow, longer = f"Adam({_rate(BETA1)})", _longer(ALPHA)
    return [
        Method("Adam(.95)", "adam", 0.0, BETA1, 0.95, eta),
        Method(f"EAdam({ALPHA:g})", "adam", ALPHA, BETA1, 0.95, eta),
        Method(slow, "adam", 0.0, BETA1, BETA1, eta),
        Method(f"{slow}, {longer:.3g} eta", "adam", 0.0, BETA1, BETA1, longer * eta),
    ]


def _on_holes(rule: str, eta: float) -> list[Method]:
    name = {"adam": "Adam", "alto": "LAMB"}[rule]
    base = [Method(f"{name}({_rate(b)})", rule, 0.0, BETA1, b, eta) for b in (0.9, BETA1, 0.9999)]
    longer = _longer(max(ALPHAS, key=abs))  # E's own decay rate and the effective step of its largest alpha
    base.append(Method(f"{name}({_rate(BETA1)}), {longer:.3g} eta", rule, 0.0, BETA1, BETA1, longer * eta))
    return base + [Method(f"E({alpha:g})", rule, alpha, BETA1, 0.9, eta) for alpha in ALPHAS]


def _ends(etas: np.ndarray, methods: Callable[[float], Sequence[Method]], slope: Any, start: float) -> np.ndarray:
    """Where each method ends at each eta after 5000 steps; shape (methods, etas)."""
    lists = [methods(eta) for eta in etas]
    flat = [method for row in lists for method in row]
    final = simulate(flat, slope, np.full((1, 1), start), steps=5000, keep=5000)[-1, :, 0, 0]
    return final.reshape(len(etas), -1).T


def compute(_: Effort) -> dict[str, Any]:
    """Paths and end points on the first function, and which share of step sizes reaches the flat hole of the second."""
    ripples, holes = one_dimensional.ripples(), one_dimensional.three_holes()
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


LOOKS = (
    (style.BLACK, "-", "o"),
    (style.PURPLE, "-", "X"),
    (style.BLUE, "--", "s"),
    (style.GREEN, "--", "D"),
)
"""Colour, line and marker of each method on the first function."""


def _words(label: str) -> str:
    """A method's stored label as the figure says it."""
    if found := re.fullmatch(r"(E|EAdam)\((.+)\)", label):
        alpha = style.name(float(found[2]))
        return f"E, {alpha}" if found[1] == "E" else f"EAdam({alpha})"
    return re.sub(r"([\d.]+) eta", r"$\1\\eta$", label)


def draw(data: Mapping[str, Any]) -> "Figure":
    """The first function with paths' ends, the paths, the ends by step size, and the second function's counts."""
    study = data["figure-8"]
    figure = style.figure(style.PAGE, 4.6)
    (landscape, paths), (sweep, holes) = figure.subplots(2, 2)
    x, f = style.array(study["landscape"]["x"]), style.array(study["landscape"]["f"])
    landscape.plot(x, f, color=style.GREY, linewidth=0.9)
    minima = x[1:-1][(f[1:-1] < f[:-2]) & (f[1:-1] < f[2:])]
    for label, path, (colour, dash, shape) in zip(study["methods"], study["paths"], LOOKS, strict=True):
        steps = study["keep"] * np.arange(len(path))
        paths.plot(steps, path, color=colour, linestyle=dash, label=_words(label))
        landscape.plot(path[-1], np.interp(path[-1], x, f), shape, color=colour, markersize=6)
    landscape.set_xlabel(r"$x$")
    landscape.set_ylabel(r"$f_1(x)$")
    style.panel_letter(landscape, "a", "where each ends")
    for minimum in minima:
        paths.axhline(minimum, color=style.GREY, linewidth=0.4, linestyle=":")
        sweep.axhline(minimum, color=style.GREY, linewidth=0.4, linestyle=":")
    paths.set_xlabel("step")
    paths.set_ylabel(r"$x_k$")
    style.panel_letter(paths, "b", rf"$\eta={study['config']['eta']:g}$; dotted: minima")
    eta = style.array(study["eta"])
    for reached, (colour, dash, _) in zip(study["ends"], LOOKS, strict=True):
        sweep.plot(eta, reached, color=colour, linestyle=dash)
    sweep.set_xscale("log")
    sweep.set_yscale("log")
    sweep.set_ylim(3, 100)
    sweep.tick_params(axis="y", which="minor", left=False, labelleft=False)
    sweep.set_yticks([5, 10, 20, 50, 100], ["5", "10", "20", "50", "100"])
    ends = style.array(study["ends"])
    if ends.max() > 100:
        at = eta[np.unravel_index(ends.argmax(), ends.shape)[1]]
        sweep.annotate(f"to {ends.max():.0f}", (at, 80), xytext=(-4, 0), textcoords="offset points", ha="right")
    sweep.set_xlabel(r"nominal $\eta$")
    sweep.set_ylabel("end point")
    style.panel_letter(sweep, "c", "over all step sizes")
    _counts(holes, study["holes"])
    style.legend_below(figure, paths, 4)
    return figure


def _counts(axes: "Axes", holes: Mapping[str, Any]) -> None:
    """One row per method, one mark per base optimizer."""
    names = [_words(re.sub(r"^Adam\((.+?)\)", r"decay rate \1", label)) for label in holes["shares"][0]["methods"]]
    looks = (("o", style.BLACK), ("s", style.GREY), ("D", "white"))
    for share, (shape, face), shift in zip(holes["shares"], looks, (-0.16, 0, 0.16), strict=True):
        axes.plot(share["reached"], np.arange(len(names)) + shift, shape, color=face, markeredgecolor=style.BLACK,
                  markersize=4.5, linestyle="none", label=share["label"], clip_on=False, zorder=3)  # fmt: skip
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -1.6)  # room for the legend
    axes.set_xlim(0, 32)
    axes.set_xlabel(f"of {holes['etas']} step sizes")
    axes.legend(loc="upper center", ncols=3, columnspacing=1, handletextpad=0.2)
    style.panel_letter(axes, "d", r"$f_2$: runs that end in the flat hole")
