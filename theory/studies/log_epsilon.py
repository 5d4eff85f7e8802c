"""EAdam at batch 1 with 1 - beta3 = 1/T: its mean squared gradient by T, and its bound by eps1 (ours)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger.effort import Effort
from theory.method.algorithms import ALTO
from theory.method.filters import Filter
from theory.plotting import style
from theory.studies.intervals import t_interval
from theory.theorems import bounds
from theory.theorems import log_epsilon as theorem
from theory.theorems.skewed_noise import NOISE, PROBABILITY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("log-epsilon",)
TITLE = "EAdam at batch 1 without the factor chi"
SEE = (
    r"(a) On $f=\sqrt{1+x^2}$ in skewed noise with $\eta=T^{-1/2}$ and $1-\beta_3=1/T$ the mean squared gradient falls "
    r"with T below its bound (dashed), and the line is $T^{-1/2}$; (b) from $\epsilon_1=1$ on the bound at $T=10^6$ "
    r"grows like a logarithm, and Theorem N's factor $\chi$ (dotted) like $1/\epsilon_1$."
)

CASES = ((0.0, 0.99), (-5.0, 0.99), (0.5, 0.01))
"""(alpha, beta1), at beta2 = .9."""
BETA2, EPS1, START, SEED, CHAINS = 0.9, 1e-8, 5.0, 0, 64
G = 1 + max(np.abs(NOISE))


def bound(case: tuple[float, float], T: int, eps1: float) -> float:
    """The theorem's right-hand side on this problem."""
    gap = float(np.sqrt(1 + START**2)) - 1
    F = Filter(*case, BETA2)
    return theorem.mean_square_gradient(F, 1 - 1 / T, eps1, L=1.0, eta=T**-0.5, T=T, gap=gap, d=1, G=G)


def mean_square(case: tuple[float, float], T: int) -> np.ndarray:
    """The mean of f'^2 over T steps, of each run; shape (CHAINS,)."""
    rng = np.random.default_rng([SEED, T])
    rule = ALTO(*case, BETA2, 1 - 1 / T, EPS1, 1.0, 1.0, 0.0, bias_correction=False, layerwise=False)
    theta = rule.init([np.full((CHAINS, 1), START)])
    total = np.zeros((CHAINS, 1))
    for _ in range(T):
        slope = theta[0] / np.sqrt(1 + theta[0] ** 2)
        total += slope**2
        theta = rule.step(theta, [slope + rng.choice(NOISE, p=PROBABILITY, size=(CHAINS, 1))], T**-0.5)
    return total[:, 0] / T


def run(case: tuple[float, float], Ts: list[int], eps1: np.ndarray) -> dict[str, Any]:
    """The means by T with 95 % intervals, and the bounds by T and by eps1."""
    mean, half = np.array([t_interval(mean_square(case, T)) for T in Ts]).T
    chi = [bounds.eadam(Filter(*case, BETA2), float(x), G).chi for x in eps1]
    return {
        "alpha": case[0], "beta1": case[1], "T": Ts, "mean": mean, "half": half,
        "bound": [bound(case, T, EPS1) for T in Ts], "eps1": eps1, "chi": chi,
        "by_eps1": [bound(case, 10**6, float(x)) for x in eps1],
    }  # fmt: skip


def compute(effort: Effort) -> dict[str, Any]:
    """Every case."""
    Ts = [1000, 3162, 10_000, 31_623, 100_000] if effort.thorough else [1000, 3162]
    config = {"beta2": BETA2, "eps1": EPS1, "start": START, "chains": CHAINS, "steps": Ts[-1]}
    runs = [run(case, Ts, np.geomspace(1e-12, 1, 25)) for case in CASES]
    return {"config": config, "seeds": [SEED], "runs": runs}


def draw(data: Mapping[str, Any]) -> "Figure":
    """The means by T, and how the bound grows as eps1 falls."""
    figure = style.figure(style.PAGE, 2.5)
    left, right = figure.subplots(1, 2)
    for one in data["log-epsilon"]["runs"]:
        colour, beta1 = style.colour(one["alpha"]), None if one["beta1"] == CASES[0][1] else one["beta1"]
        T, mean, eps1, grown, chi = (style.array(one[key]) for key in ("T", "mean", "eps1", "by_eps1", "chi"))
        left.errorbar(
            T, mean, style.array(one["half"]), color=colour, marker="o", label=style.name(one["alpha"], beta1)
        )
        left.plot(T, style.array(one["bound"]), "--", color=colour)
        right.plot(eps1, grown / grown[-1], "--", color=colour)
        right.plot(eps1, chi / chi[-1], ":", color=colour)
    T, mean = (style.array(data["log-epsilon"]["runs"][0][key]) for key in ("T", "mean"))
    left.plot(T, mean[0] / 2 * (T / T[0]) ** -0.5, color=style.GREY, linewidth=0.8, label="$T^{-1/2}$")
    for axes, letter, title in ((left, "a", "runs at batch 1"), (right, "b", r"growth from $\epsilon_1=1$")):
        axes.set_xscale("log")
        axes.set_yscale("log")
        style.panel_letter(axes, letter, title)
    right.invert_xaxis()
    left.set_xlabel("number of steps T")
    left.set_ylabel("mean of $f'^2$")
    right.set_xlabel(r"$\epsilon_1$")
    right.set_ylabel(r"quotient")
    style.legend_below(figure, [left], 4)
    return figure
