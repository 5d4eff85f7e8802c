"""ESGD on convex functions as primal averaging: the steps that its bounds allow, and runs beside them (ours)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger.effort import Effort
from theory.method.algorithms import ESGD
from theory.method.filters import Filter
from theory.plotting import style
from theory.stability import linear
from theory.theorems import primal_averaging as theorem
from theory.theorems.virtual_iterate_bounds import largest_step_convex

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("primal-averaging",)
TITLE = "ESGD on convex functions as primal averaging"
SEE = (
    r"(a, b) The largest step that each bound allows, in units of $1/L$: the one by the momentum's age "
    r"$1/(1+2K)$, the one for either sign of $\alpha$, the one for $\alpha \le 0$, and what is stable on quadratics; "
    r"(c) on a quadratic with curvatures from $10^{-4}$ to 1, at the largest step, the mean gap stays below its bound."
)

BETA1, BETA2S, REACH = 0.99, (0.0, 0.9), (-95.0, 50.0)
CASES = ((0.0, 0.99), (-5.0, 0.99), (-80.0, 0.99), (0.5, 0.01))
"""(alpha, beta1) of the runs, at beta2 = .9."""
CURVATURES, LARGEST_T = 30, 10_000


def steps(beta2: float) -> dict[str, Any]:
    """The largest eta L by alpha; None where a bound does not apply."""
    alphas = np.concatenate([-np.geomspace(-REACH[0], 0.1, 60), [0.0], np.geomspace(0.1, REACH[1], 60)])
    filters = [Filter(float(alpha), BETA1, beta2) for alpha in alphas]
    return {
        "beta2": beta2, "alpha": alphas,
        "age": [largest_step_convex(F, 1.0) for F in filters],
        "any": [theorem.largest_step_any(F, 1.0) for F in filters],
        "mixing": [theorem.largest_step(F, 1.0) if F.c >= 0 else None for F in filters],
        "stable": [linear.largest_stable(F.c, BETA1, beta2) / (1 - beta2) for F in filters],  # momentum is normalised
    }  # fmt: skip


def run(alpha: float, beta1: float, largest: int) -> dict[str, Any]:
    """The mean gap by T from theta_1 = (1, ..., 1), and its bound, at the larger of the two steps."""
    F, curvature = Filter(alpha, beta1, BETA2S[-1]), np.geomspace(1e-4, 1, CURVATURES)
    steps = {theorem.mean_gap_any: theorem.largest_step_any(F, 1.0)}
    if F.c >= 0:
        steps[theorem.mean_gap] = theorem.largest_step(F, 1.0)
    formula, eta = max(steps.items(), key=lambda item: item[1])
    esgd = ESGD(alpha, beta1, F.beta2)
    (theta,) = esgd.init([np.ones((1, CURVATURES))])
    gaps = []
    for _ in range(largest):
        gaps.append(float((curvature * theta**2).sum() / 2))
        (theta,) = esgd.step([theta], [curvature * theta], eta * (1 - F.beta2))
    T = np.unique(np.geomspace(1, largest, 40).astype(int))
    bound = formula(F, eta=eta, T=T, distance2=float(CURVATURES), gap=gaps[0])
    means = (np.cumsum(gaps) / np.arange(1, largest + 1))[T - 1]
    return {"alpha": alpha, "beta1": beta1, "eta": eta, "T": T, "mean": means, "bound": bound}


def compute(effort: Effort) -> dict[str, Any]:
    """The steps and the runs; nothing is random."""
    largest = LARGEST_T if effort.thorough else LARGEST_T // 10
    config = {"beta1": BETA1, "beta2": BETA2S, "curvatures": CURVATURES, "steps": largest}
    runs = [run(*case, largest) for case in CASES]
    return {"config": config, "seeds": [], "steps": [steps(beta2) for beta2 in BETA2S], "runs": runs}


def draw(data: Mapping[str, Any]) -> "Figure":
    """Allowed steps for two beta2, and the mean gap over T."""
    study = data["primal-averaging"]
    figure = style.figure(style.PAGE, 2.6)
    panels = figure.subplots(1, 3)
    for letter, axes, panel in zip("ab", panels, study["steps"], strict=False):
        for key, colour, line, label in (
            ("stable", style.BLACK, "-", "stable on quadratics"), ("mixing", style.BLUE, "-", r"for $0 \leq c < 1$"),
            ("any", style.GREEN, "--", r"$1/(1+2|\alpha|)$"), ("age", style.GREY, ":", "$1/(1+2K)$"),
        ):  # fmt: skip
            axes.plot(style.array(panel["alpha"]), style.array(panel[key]), line, color=colour, label=label)
        axes.set_xscale("symlog", linthresh=0.3)
        ticks = [tick for tick in (-50, -5, 0, 5, 50) if panel["alpha"][0] <= tick <= panel["alpha"][-1]]
        axes.set_xticks(ticks, [style.number(tick) for tick in ticks])
        axes.set_yscale("log")
        axes.set_xlabel(r"$\alpha$")
        style.panel_letter(axes, letter, rf"$\beta_2={panel['beta2']:g}$")
    panels[0].set_ylabel(r"largest $\eta L$")
    for one in study["runs"]:
        colour, beta1 = style.colour(one["alpha"]), None if one["beta1"] == BETA1 else one["beta1"]
        T = style.array(one["T"])
        panels[2].plot(T, style.array(one["mean"]), color=colour, label=style.name(one["alpha"], beta1))
        panels[2].plot(T, style.array(one["bound"]), "--", color=colour)
    panels[2].set_xscale("log")
    panels[2].set_yscale("log")
    panels[2].set_xlabel("number of steps T")
    panels[2].set_ylabel(r"mean of $f - f^*$")
    style.panel_letter(panels[2], "c", "runs, bounds dashed")
    style.legend_below(figure, list(panels), 4)
    return figure
