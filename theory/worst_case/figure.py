"""Worst cases over smooth convex functions: alpha as a head start, and what tuning the step leaves of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.plotting import style
from theory.worst_case import closed_forms
from theory.worst_case.method import Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STUDIES = ("worst-case/rows",)
TITLE = "In the worst case alpha is a head start"
SEE = (
    r"The numerical worst cases (dots) lie on the conjectured closed form (lines) for moderate $c$: at $\eta=1/L$ "
    r"$\alpha$ is worth at most $\alpha$ extra steps, good for $\alpha>0$; with the step tuned nothing gains over 5 %."
)


_BETAS = ((0.5, style.GREEN, "^"), (0.9, style.BLUE, "s"), (0.99, style.BLACK, "o"))
_NUMBERS = ((-0.5, style.VERMILION, "^"), (0.05, style.SKY, "s"), (0.5, style.BLUE, "v"))


def draw(data: Mapping[str, Any]) -> "Figure":
    """The worst case over c, the head start over N, and the tuned worst cases."""
    stored = data["worst-case/rows"]
    rows = [dict(zip(stored["columns"], row, strict=True)) for row in stored["rows"]]
    convex = [r for r in rows if r["problem"] == "smooth convex" and r["beta2"] == 0 and r["trusted"]]
    figure = style.figure(style.PAGE, 2.9)
    by_c, by_n, tuned = figure.subplots(1, 3)
    _by_c(by_c, [r for r in convex if r["N"] == 10])
    _by_n(by_n, [r for r in convex if r["beta1"] == 0.9])
    _tuned(tuned, stored["tuned"])
    return figure


def _by_c(axes: "Axes", rows: list[dict[str, Any]]) -> None:
    """The worst case after 10 steps over gradient descent's."""
    base = 1 / (4 * 10 + 2)
    dense = np.linspace(-0.95, 0.97, 97)
    for beta1, colour, shape in _BETAS:
        line = [_closed_form(Method(c, beta1, 0.0, 1.0, 10)) / base for c in dense]
        axes.plot(dense, line, color=colour, linewidth=0.9, label=rf"$\beta_1={beta1:g}$")
        dots = [r for r in rows if r["beta1"] == beta1]
        axes.plot([r["c"] for r in dots], [r["dual"] / base for r in dots], shape, color=colour, markersize=3)
    axes.axvline(0, color=style.GREY, linewidth=0.6, linestyle=":")
    axes.set_yscale("log")
    axes.set_ylim(0.4, 12)
    axes.set_yticks([0.5, 1, 2, 5, 10], ["0.5", "1", "2", "5", "10"])
    axes.tick_params(axis="y", which="minor", labelleft=False)
    axes.set_xlabel(r"$c=-\alpha(1-\beta_1)$")
    axes.set_ylabel(r"$\tau_{10}$ / gradient descent's")
    axes.legend(loc="lower right")
    style.panel_letter(axes, "a", r"$N=10$, $\eta=1/L$")


def _closed_form(method: Method) -> float:
    """The conjecture, its quadratic part for all curvatures at once."""
    l = np.linspace(0, 1, 2001)
    return max(float(closed_forms.huber(method)), float((l * method.residual(l) ** 2 / 2).max()))


def _by_n(axes: "Axes", rows: list[dict[str, Any]]) -> None:
    """What the worst case is worth in steps of gradient descent: the N' with tau = 1 / (4 N' + 2), minus N."""
    dense = np.arange(1, 31)
    for c, colour, shape in _NUMBERS:
        alpha = -c / (1 - 0.9)
        axes.plot(dense, -c * (1 - 0.9**dense) / (1 - 0.9), color=colour, linewidth=0.9)
        axes.annotate(style.name(alpha), (30, alpha), xytext=(0, 3 if alpha > -1 else -3), textcoords="offset points",
                      ha="right", va="bottom" if alpha > -1 else "top", color=colour)  # fmt: skip
        axes.axhline(alpha, color=colour, linewidth=0.6, linestyle=":")
        dots = [r for r in rows if r["c"] == c]
        gained = [(1 / r["dual"] - 2) / 4 - r["N"] for r in dots]
        axes.plot([r["N"] for r in dots], gained, shape, color=colour)
    axes.set_xlabel("steps $N$")
    axes.set_ylabel("head start (steps)")
    axes.set_ylim(-6.5, 6.5)
    style.panel_letter(axes, "b", r"$\beta_1=.9$; dotted: $\alpha$")


def _tuned(axes: "Axes", found: list[dict[str, Any]]) -> None:
    """The worst case at the best step over gradient descent's at its best step."""
    for N, colour, shape, shift in ((2, style.SKY, "o", -0.12), (5, style.BLUE, "s", 0.12)):
        rows = [t for t in found if t["N"] == N]
        base = next(t["worst_case"] for t in rows if t["c"] == 0)
        others = sorted((t for t in rows if t["c"] != 0), key=lambda t: (t["c"], t["beta1"]))
        axes.plot([t["worst_case"] / base for t in others], np.arange(len(others)) + shift, shape, color=colour,
                  label=f"$N={N}$")  # fmt: skip
        axes.set_yticks(range(len(others)),
                        [rf"$c={t['c']:g},\ \beta_1={t['beta1']:g}$" for t in others])  # fmt: skip
    axes.axvline(1, color=style.BLACK, linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xlabel(r"$\tau_N$ / gradient descent's")
    axes.legend(loc="lower right")
    style.panel_letter(axes, "c", "best step for each")
