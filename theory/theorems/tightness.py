"""Extremal runs: for each term of Theorem C, and each stage of Theorem N, a run on which it is attained.

They show that the constants cannot be improved term by term, and they catch a wrong constant that random runs would
hide in their slack. A ratio is left / right of a stage; it must reach at least ``SHARP`` and never exceed 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np

from theory.ledger.evidence import Finding, Outcome
from theory.method.algorithms import ALTO, ESGD
from theory.method.filters import Filter
from theory.method.trajectory import record
from theory.theorems import nonconvex_chain
from theory.theorems.bounds import Online, esgd, largest_step, tracking_by_recursion
from theory.theorems.noise_paths import Problem, noisy_gradient, sign_paths, starts
from theory.theorems.regret_chain import Stream, stages
from theory.theorems.stage import Stage
from theory.theorems.varying_alpha import Envelope

SHARP = 0.97
LONG = 1500  # steps after which sum 1/sqrt(k) is 0.98 of 2 sqrt(T)


@dataclass(frozen=True)
class Case:
    """A run against the same gradient in every coordinate, 1 by default.

    Attributes:
        start, comparator: the same in every coordinate.
        box: clipping interval.
        eta, decay, steps, layers, layerwise: as in Theorem C.
        alpha: constant, or a function of k.
        eps1, eps2, eps3: the algorithm's.
        gradient: of step k.
    """

    start: float
    comparator: float
    box: tuple[float, float] = (-10.0, 10.0)
    eta: float = 1e-9
    decay: float = 0.0
    steps: int = LONG
    layers: tuple[int, ...] = (1,)
    layerwise: bool = False
    alpha: float | Callable[[int], float] = 0.0
    beta1: float = 0.5
    beta2: float = 0.0
    eps1: float = 1e-9
    eps2: float = 1e-9
    eps3: float = 0.1
    gradient: Callable[[int], float] = lambda _: 1.0


def convex_stages(case: Case) -> dict[str, Stage]:
    """The chain S1 ... S6 of a case, by name."""
    varying = callable(case.alpha)
    alphas = [case.alpha(k) if callable(case.alpha) else case.alpha for k in range(1, case.steps + 1)]
    d, eps1, beta3 = sum(case.layers), case.eps1, 1e-9
    F = Envelope(alphas, case.beta1, case.beta2) if varying else Filter(alphas[0], case.beta1, case.beta2)
    alto = ALTO(F.alpha, F.beta1, F.beta2, beta3, eps1, case.eps2, case.eps3, case.decay, False, case.layerwise)
    stream = Stream(
        lambda k, theta: case.gradient(k) * theta.sum(-1),
        lambda k, theta: np.full_like(theta, case.gradient(k)),
        np.full((1, d), case.comparator),
    )
    run = record(
        alto, stream.gradient, np.full((1, d), case.start), steps=case.steps, eta=lambda k: case.eta / np.sqrt(k),
        layers=case.layers, box=case.box,
        vary=lambda k: {"weight_decay": case.decay / np.sqrt(k), "alpha": alphas[k - 1]},
    )  # fmt: skip

    def constants(measured: dict[str, float]) -> Online:
        return Online(
            cast("Filter", F), beta3, eps1, case.eps2, case.eps3, case.eta, case.decay, case.layers, case.layerwise,
            varying=varying, corrected=False, **measured,
        )  # fmt: skip

    return {stage.name: stage for stage in stages(run, stream, constants)}


def _late_drop(k: int) -> float:
    return -1.0 if k <= 100 else 0.0


def _late_change_of_sign(k: int) -> float:
    return -1.9 if k < 200 else 1.89


CONVEX: dict[str, tuple[str, Case]] = {
    # pushed against the wall at 0 by the gradient, the comparator at 2: x = -2 throughout
    "distance, no layer factor": ("S6 distance", Case(0, 2, box=(0, 2), layers=(2,), eta=0.5, steps=200)),
    "distance, layer at zero": ("S6 distance", Case(0, 2, box=(0, 2), layerwise=True, eta=0.5, steps=200)),
    # u reaches kappa = 2 when the sign changes, at the last step
    "distance, alpha > 0": ("S6 distance", Case(
        0, -2, box=(-2, 0), alpha=1.0, eta=0.5, steps=200, gradient=lambda k: 1.0 if k == 200 else -1.0)),
    # the largest |alpha_k| has kappa = 1: 2.89 is reached with the other sign
    "distance, alpha changes its sign": ("S6 distance", Case(
        0, -2, box=(-2, 0), alpha=_late_change_of_sign, eta=0.5, steps=200,
        gradient=lambda k: 1.0 if k == 200 else -1.0)),
    "distance, weight decay in the factor": (
        "S6 distance", Case(0, 2, box=(0, 2), layerwise=True, eta=0.5, steps=200, eps2=3.0, eps3=5.0)),
    "distance, weight decay in the direction": (
        "S6 distance", Case(1e3, 0, box=(-1e4, 1e4), decay=1e3, steps=1, layerwise=True, eps3=1.0)),
    "steps, no layer factor": ("S6 steps", Case(0, 1, layers=(2,))),
    "steps, large eps1": ("S6 steps", Case(0, 1, eps1=1e9)),
    "steps, layer of norm 3": ("S6 steps", Case(3, 1, layerwise=True, eps3=1e-6)),
    "steps, layers at zero": ("S6 steps", Case(0, 1, layerwise=True, layers=(1, 1, 1))),
    "decay": ("S6 decay", Case(0, 2, decay=1.0)),
    "decay, half way to the comparator": ("S5 decay", Case(1, 2, decay=1.0, steps=50)),
    "age, two averages": ("S3 age", Case(0, 1, alpha=-1.0, beta1=0.2, beta2=0.2, eta=0.5)),
    "age, varying alpha": ("S3 age", Case(0, 1, alpha=lambda _: -1.0, beta1=0.2, beta2=0.2, eta=0.5)),
    "path": ("S6 age", Case(0, 1, layers=(2,), alpha=-1.0, eta=0.01)),
    "boundary": ("S3 boundary", Case(0, 1, alpha=-1.0, beta2=0.8, steps=200)),
    "boundary, every coordinate": ("S6 boundary", Case(0, 1, layers=(3,), alpha=-1.0, steps=200)),
    "variation of alpha": (
        "S3 variation of alpha", Case(0, 2, box=(0, 2), layers=(2,), alpha=_late_drop, eta=0.5, steps=200)),
    "distance, one step to the comparator": ("S5 distance", Case(1, 0, eta=1.0, steps=1)),
}  # fmt: skip


def convex_ratios() -> dict[str, float]:
    """Left / right of each extremal case. One step of strong weight decay attains half: sum 1/sqrt(k) = 1, not 2."""
    ratios = {name: _ratio(stage, case) for name, (stage, case) in CONVEX.items()}
    strong = Case(1, 0, decay=1e4, steps=1)
    doubled = 2 * _ratio("S6 steps", strong)
    return {**ratios, "steps, strong weight decay (doubled)": doubled, "three points, unclipped": _three_points()}


def _ratio(stage_name: str, case: Case) -> float:
    stage = convex_stages(case)[stage_name]
    return float(np.max(np.asarray(stage.left) / np.asarray(stage.right)))


def _three_points() -> float:
    """S4 is an equality without clipping: 1 - |left - right| over the size of the terms."""
    stage = convex_stages(Case(1.0, -0.5, eta=0.3, decay=0.7, steps=50, alpha=-1.0, beta2=0.5))["S4 three points"]
    return 1 - float(np.max(np.abs(np.asarray(stage.left) - np.asarray(stage.right)) / np.asarray(stage.scale)))


def nonconvex_ratios() -> dict[str, float]:
    """N-a and N-b are equalities for SGD on a quadratic; N-c is one for SGD; N-d one at the largest step."""
    L, sigma = 2.0, 0.7
    quadratic = Problem(
        value=lambda x: L / 2 * (x**2).sum(-1),
        gradient=lambda x: L * x,
        L=L,
        slope=np.inf,
        floor=0.0,
        start=np.array([1.0]),
        sigma=sigma,
    )
    F, signs = Filter(0.0, 0.5, 0.0), sign_paths(6)
    tracking = tracking_by_recursion(F)
    eta = largest_step(tracking, esgd(), L)
    run = record(
        ESGD(0.0, 0.5, 0.0), noisy_gradient(quadratic, signs), starts(quadratic, signs), steps=6, eta=lambda _: eta
    )
    found = {stage.name: stage for stage in nonconvex_chain.stages(run, quadratic, esgd(), tracking, Wmax=1.0)}
    ratios = {
        name: float(np.min(np.asarray(found[name].left) / np.asarray(found[name].right)))
        for name in ("N-b drift", "N-b error in Q", "N-c tracking")
    }
    descended = found["N-a descent"]
    gap = np.abs(np.asarray(descended.left) - np.asarray(descended.right)) / np.asarray(descended.scale)
    ratios["N-a descent"] = 1 - float(gap.max())
    slow = Filter(
        0.0, 0.5, np.sqrt(2) / (1 + np.sqrt(2))
    )  # b = sqrt(2), so drift = 2 and x = 1/2 meets both conditions
    triple = tracking_by_recursion(slow)
    x = largest_step(triple, esgd(), L) * L
    ratios["N-d closure"] = triple.drift * x**2 / (1 - x)
    return ratios


def attained(ratios: dict[str, float]) -> Finding:
    """Whether each ratio reaches ``SHARP``; one above 1 (beyond rounding) contradicts the bound itself."""
    exceeded = {name: round(ratio, 4) for name, ratio in ratios.items() if not ratio <= 1 + 1e-7}
    if exceeded:
        return Finding(Outcome.CONTRADICTS, f"exceeded: {exceeded}")
    missed = {name: round(ratio, 4) for name, ratio in ratios.items() if ratio < SHARP}
    if missed:
        return Finding(Outcome.INCONCLUSIVE, f"not attained: {missed}")
    return Finding(Outcome.SUPPORTS, f"{len(ratios)} extremal cases, smallest left/right {min(ratios.values()):.3f}")
