"""Drawn online problems and the chain of the regret bound along them, for the claims on convex regret."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from theory.ledger.evidence import About, Evidence, holds_for
from theory.method import strategies
from theory.method.algorithms import ALTO
from theory.method.filters import Filter
from theory.method.trajectory import Trajectory, record
from theory.theorems import stage
from theory.theorems.bounds import Online
from theory.theorems.regret_chain import BOX, Stream, draw_stream, stages
from theory.theorems.varying_alpha import Envelope


@dataclass(frozen=True)
class Variant:
    """Which algorithm runs: with or without layer factor, enforced monotonicity, varying alpha, bias correction."""

    layerwise: bool
    monotone: bool
    varying: bool = False
    corrected: bool = False


def draw_setting(rng: np.random.Generator) -> tuple[tuple[int, ...], int, Filter]:
    """The first draws of a problem: the sizes of its layers, its steps, and the filter."""
    layers = tuple(int(n) for n in rng.integers(1, 3, size=rng.integers(1, 4)))
    steps = int(rng.integers(2, 60))
    beta1, c = rng.uniform(0, 0.95), rng.uniform(-0.95, 0.95)
    return layers, steps, Filter(-c / (1 - beta1), beta1, rng.uniform(0, 0.95))


def _strengths(rng: np.random.Generator, F: Filter, steps: int) -> np.ndarray:
    """alpha_k: alpha / sqrt(k), the same with signs that alternate, one change of sign, or any c_k in (-1, 1)."""
    ends = -rng.uniform(-0.99, 0.99, size=steps) / (1 - F.beta1)
    decaying = F.alpha / np.sqrt(np.arange(1, steps + 1))
    once = np.where(np.arange(steps) < rng.integers(1, steps), -1, 1) * abs(ends[0])
    alternating = decaying * (-1.0) ** np.arange(steps)
    return (decaying, alternating, once, ends)[rng.integers(4)]


def run_stream(seed: int, variant: Variant) -> tuple[Trajectory, Stream, list[stage.Stage]]:
    """A drawn online problem, solved with eta / sqrt(k), and its chain S1 ... S6."""
    rng = np.random.default_rng(seed)
    layers, steps, F = draw_setting(rng)
    eta, decay = 10 ** rng.uniform(-2, 1), float(rng.choice([0.0, 0.1, 1.0]))
    alto = ALTO(
        F.alpha, F.beta1, F.beta2, rng.uniform(0.3, 0.999),
        eps1=10 ** rng.uniform(-6, 0), eps2=10 ** rng.uniform(-3, 0), eps3=10 ** rng.uniform(-3, 0),
        weight_decay=decay, bias_correction=variant.corrected, layerwise=variant.layerwise,
    )  # fmt: skip
    stream = draw_stream(rng, steps=steps, replicas=4, dimension=sum(layers))

    alphas = _strengths(rng, F, steps) if variant.varying else np.full(steps, F.alpha)

    def vary(k: int) -> dict[str, float]:
        return {"weight_decay": decay / np.sqrt(k), "alpha": alphas[k - 1]}

    run = record(
        alto, stream.gradient, rng.uniform(*BOX, size=stream.comparator.shape), steps=steps,
        eta=lambda k: eta / np.sqrt(k), layers=layers, vary=vary, box=BOX, monotone=variant.monotone,
    )  # fmt: skip

    gains = Envelope(tuple(alphas), F.beta1, F.beta2) if variant.varying else F

    def constants(measured: dict[str, float]) -> Online:
        return Online(
            cast("Filter", gains), alto.beta3, alto.eps1, alto.eps2, alto.eps3, eta, decay, layers, variant.layerwise,
            varying=variant.varying, corrected=variant.corrected, **measured,
        )  # fmt: skip

    return run, stream, stages(run, stream, constants)


def regret_chains(name: str, *variants: Variant, about: About = About.STATEMENT, only: str = "") -> Evidence:
    """A property: the chain's stages (those whose name starts with ``only``) on drawn problems, tolerance 1e-9."""

    def check(seed: int) -> None:
        for variant in variants:
            _, _, found = run_stream(seed, variant)
            chosen = [stage for stage in found if stage.name.startswith(only)]
            assert chosen
            stage.check(chosen)

    return holds_for(f"{name}, tolerance 1e-9 of the terms", check, about=about, share=0.5, seed=strategies.seeds)


ENFORCED = (Variant(layerwise=False, monotone=True), Variant(layerwise=True, monotone=True))
FREE = (Variant(layerwise=False, monotone=False), Variant(layerwise=True, monotone=False))
