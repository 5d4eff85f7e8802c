"""The trade-off of age K and kept variance omega2: many settings of E, the best E of each age, and the best filter."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger.effort import Effort
from theory.method.filters import Filter
from theory.plotting import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("age-and-variance",)
TITLE = "Age against variance"
SEE = (
    r"No setting of E (dots) gets below the best filter of any kind, and one plain average (black line) is within a "
    r"factor 1.125 of it: E cannot make the worst case much better, and often makes it worse."
)

SEED, SETTINGS = 0, 3000
NAMED = ((-5.0, 0.99, 0.9), (0.5, 0.01, 0.9), (-50.0, 0.99, 0.9), (-80.0, 0.99, 0.95), (-20.0, 0.98, 0.9),
         (-50.0, 0.99, 0.99), (5.0, 0.99, 0.9))  # fmt: skip
AGES = (1.0, 2.0, 4.0, 9.0, 19.0, 29.0)


def _best_filter(age: float) -> float:
    """The least sum w^2 over all signed filters with sum w = 1 and sum |t| <= age, by a convex program.

    The optimum is a window that decreases linearly over 3 age + 1 steps, so that a window of 6 age cuts nothing off.
    """
    import cvxpy as cp

    n = int(6 * age) + 8
    t = cp.Variable(n)
    w = cp.hstack([1 - t[0], t[:-1] - t[1:], t[-1]])
    problem = cp.Problem(cp.Minimize(cp.sum_squares(w)), [cp.norm1(t) <= age])
    problem.solve(solver=cp.CLARABEL)
    w_found = np.asarray(w.value, dtype=float)
    return float((w_found**2).sum())


def compute(effort: Effort) -> dict[str, Any]:
    """Ages and variances of random settings with |c| < 1, of settings in use, and the least variance at some ages."""
    rng = np.random.default_rng(SEED)
    count = SETTINGS if effort.thorough else SETTINGS // 2
    beta1, beta2 = (1 - 10 ** rng.uniform(-2.2, -0.05, count) for _ in range(2))
    c = rng.uniform(-0.95, 0.95, count)
    random = [Filter(-ci / (1 - b1), b1, b2) for ci, b1, b2 in zip(c, beta1, beta2, strict=True)]
    in_use = [Filter(alpha, b1, b2) for alpha, b1, b2 in NAMED]
    named = [{"alpha": F.alpha, "beta1": F.beta1, "beta2": F.beta2, "K": F.K, "omega2": F.omega2} for F in in_use]
    return {
        "config": {"settings": count, "ages": AGES},
        "seeds": [SEED],
        "K": [F.K for F in random],
        "omega2": [F.omega2 for F in random],
        "c": c,
        "named": named,
        "ages": AGES,
        "least": [_best_filter(age) for age in AGES],
    }


def draw(data: Mapping[str, Any]) -> "Figure":
    """Variance kept over age, times 2 K + 1, so that one average is 1 everywhere."""
    study = data["age-and-variance"]
    figure = style.figure(style.PAGE, 3.0)
    axes = figure.subplots()
    K, omega2, c = (style.array(study[key]) for key in ("K", "omega2", "c"))
    for sign, colour, label in ((c > 0, style.SKY, r"E, $\alpha<0$"), (c < 0, style.ORANGE, r"E, $\alpha>0$")):
        axes.plot(K[sign], omega2[sign] * (2 * K[sign] + 1), ".", color=colour, markersize=1.5, alpha=0.6, label=label,
                  rasterized=True)  # fmt: skip
    axes.axhline(1, color=style.BLACK, label="one average: 1")
    n = 3 * np.geomspace(0.5, 300, 200) + 1
    window = 2 * (2 * n + 1) / (3 * n * (n + 1))  # weights falling linearly to 0 over n steps; its age is (n - 1) / 3
    axes.plot((n - 1) / 3, window * (2 * (n - 1) / 3 + 1), "--", color=style.VERMILION, label="linear window")
    ages = style.array(study["ages"])
    axes.plot(ages, style.array(study["least"]) * (2 * ages + 1), "o", color=style.VERMILION, label="best filter (QP)")
    for number, named in enumerate(study["named"], start=1):
        y = named["omega2"] * (2 * named["K"] + 1)
        axes.plot(named["K"], y, "o", color="white", markeredgecolor=style.BLACK, markersize=8, zorder=4)
        axes.annotate(str(number), (named["K"], y), ha="center", va="center_baseline", fontsize=6, zorder=5)
        label = rf"$\alpha={named['alpha']:g},\ \beta_1={named['beta1']:g},\ \beta_2={named['beta2']:g}$"
        axes.plot(
            [],
            [],
            marker=f"${number}$",
            color=style.BLACK,
            markersize=4,
            markeredgewidth=0.2,
            linestyle="none",
            label=label,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(0.3, 300)
    axes.set_ylim(0.8, 4)
    axes.tick_params(axis="y", which="minor", left=False, labelleft=False)
    axes.set_yticks([0.8, 1, 2, 4], ["0.8", "1", "2", "4"])
    axes.set_xlabel(r"age $K=\sum|t_i|$ (steps)")
    axes.set_ylabel(r"variance kept $\times$ age: $\omega_2\,(2K+1)$")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
    return figure
