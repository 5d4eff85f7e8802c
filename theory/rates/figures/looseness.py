"""How loose the theorems are: bound over measured, by theorem and method."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.plotting import style
from theory.rates.figures import curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("rates/convex", "rates/regret", "rates/nonconvex", "rates/batch", "rates/pl")
TITLE = "How loose the bounds are"
SEE = (
    r"No measured curve passes its proved bound (a ratio of 1; one dot per setting): ESGD's are the tightest on smooth "
    r"functions, a preconditioner or a layer factor costs orders of magnitude, and regret bounds are loose for all."
)


NAMES = {
    "convex": "convex, smooth",
    "regret": "regret",
    "nonconvex": "non-convex",
    "batch": "floor by batch",
    "pl": "PL",
}


def draw(data: Mapping[str, Any]) -> "Figure":
    """One row per study and method: the smallest ratio in each curve's fit window as a dot, and their range."""
    figure = style.figure(style.COLUMN, 3.6)
    axes = figure.subplots()
    labels: list[str] = []
    for study in STUDIES:
        name = study.partition("/")[2]
        rows = [r for r in data[study]["rows"] if r["bound_over_measured"] is not None and r["proved"]]
        for method in curves.LOOKS:
            ratios = np.array([r["bound_over_measured_late"] for r in rows if r["method"] == method])
            if len(ratios) == 0:
                continue
            place = len(labels)
            axes.plot([ratios.min(), ratios.max()], [place, place], color=style.BLUE, linewidth=0.8)
            axes.plot(ratios, np.full(len(ratios), place), "o", color=style.BLUE, markersize=3, alpha=0.5)
            labels.append(f"{NAMES[name]}: {method}")
    axes.axvline(1, color=style.BLACK)
    axes.text(1.5, -0.9, "1: tight", ha="left", va="center")
    axes.set_xscale("log")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -1.5)
    axes.set_ylabel("study: method")
    axes.set_xlabel("bound / measured")
    return figure
