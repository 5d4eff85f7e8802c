"""How often ESGD's mean squared gradient exceeds its bound: bounded noise, and rare draws of that variance (ours)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from theory.ledger.effort import Effort
from theory.method.algorithms import ESGD
from theory.method.filters import Filter
from theory.plotting import style
from theory.theorems import high_probability as theorem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("high-probability",)
TITLE = "ESGD with high probability"
SEE = (
    r"On $f = \theta^2/2$ from its minimum, noise of variance 1: what a share $\delta$ of the runs exceeds, and the "
    r"bound at $\sigma = 1$ (dashed): (a) with noise $\pm1$ every run stays below; (b) with rare draws the bound is "
    r"passed at small $\delta$, because $\sigma$ does not bound their size."
)

CASES = ((0.0, 0.99), (-5.0, 0.99), (0.5, 0.01))
"""(alpha, beta1), at beta2 = .9."""
BETA2, ETA, STEPS, RARE = 0.9, 0.01, 400, 2e-5
DELTAS = (0.1, 0.01, 0.001)
"""Where exceedances are counted."""
NOISES = {"sign": (np.array([1.0, -1.0]), np.array([0.5, 0.5])), "rare": theorem.rare_draws(RARE)}


def means(case: tuple[float, float], noise: str, seeds: int) -> np.ndarray:
    """The mean of |grad f(theta_k)|^2 over each run, sorted; shape (seeds,)."""
    esgd, rng = ESGD(*case, BETA2), np.random.default_rng(CASES.index(case))
    values, chances = NOISES[noise]
    (theta,) = esgd.init([np.zeros((seeds, 1))])
    total = np.zeros((seeds, 1))
    for _ in range(STEPS):
        total += theta**2
        drawn = values[np.searchsorted(np.cumsum(chances)[:-1], rng.random((seeds, 1)), side="right")]
        (theta,) = esgd.step([theta], [theta + drawn], ETA * (1 - BETA2))  # momentum is normalised
    return np.sort(total[:, 0] / STEPS)


def bound(case: tuple[float, float], delta: Any) -> np.ndarray:
    """The theorem's right-hand side with sigma = 1, at each delta; NaN where it does not allow the learning rate."""
    F = Filter(*case, BETA2)
    given: Any = {"L": 1.0 if theorem.largest_step(F, 1.0) >= ETA else np.nan, "eta": ETA, "T": STEPS, "gap": 0.0}
    return np.array([theorem.mean_square_gradient(F, delta=d, sigma=1.0, **given) for d in np.atleast_1d(delta)])


def run(case: tuple[float, float], noise: str, seeds: int) -> dict[str, Any]:
    """Quantiles and exceedances, these with exact (Clopper and Pearson) intervals of 95 %."""
    found = means(case, noise, seeds)
    counts = seeds - np.searchsorted(found, bound(case, DELTAS), side="right")
    ends = [stats.binomtest(int(count), seeds).proportion_ci(0.95, method="exact") for count in counts]
    deltas = np.geomspace(0.5, 20 / seeds, 40)
    return {
        "alpha": case[0], "beta1": case[1], "noise": noise, "exceed": counts, "low": [end.low for end in ends],
        "high": [end.high for end in ends], "delta": deltas, "bound": bound(case, deltas),
        "quantile": found[seeds - np.ceil(deltas * seeds).astype(int)],
    }  # fmt: skip


def compute(effort: Effort) -> dict[str, Any]:
    """Every case with both noises."""
    seeds = 2**17 if effort.thorough else 2**13
    config = {"beta2": BETA2, "eta": ETA, "steps": STEPS, "rare": RARE, "deltas": DELTAS, "replicas": seeds}
    runs = [run(case, noise, seeds) for noise in NOISES for case in CASES]
    return {"config": config, "seeds": list(range(len(CASES))), "runs": runs}


def draw(data: Mapping[str, Any]) -> "Figure":
    """What a share delta of the runs exceeds, and the bound."""
    study = data["high-probability"]
    figure = style.figure(style.PAGE, 2.4)
    panels = figure.subplots(1, 2, sharey=True)
    titles = r"noise $\pm1$", "rare draws, variance 1"
    for axes, letter, noise, title in zip(panels, "ab", NOISES, titles, strict=True):
        for one in (one for one in study["runs"] if one["noise"] == noise):
            colour, beta1 = style.colour(one["alpha"]), None if one["beta1"] == CASES[0][1] else one["beta1"]
            delta = style.array(one["delta"])
            axes.plot(delta, style.array(one["quantile"]), color=colour, label=style.name(one["alpha"], beta1))
            axes.plot(delta, style.array(one["bound"]), "--", color=colour)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.invert_xaxis()
        axes.set_xlabel(r"probability $\delta$")
        style.panel_letter(axes, letter, title)
    panels[0].set_ylabel(r"mean of $\|\nabla f(\theta_k)\|^2$")
    style.legend_below(figure, list(panels), 3)
    return figure
