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
    r"No measured curve passes its proved bound (the black line is 1): ESGD's are the tightest on smooth functions, a "
    r"preconditioner or a layer factor costs orders of magnitude, and regret bounds are loose for all."
)


NAMES = {
    "convex": "convex, smooth",
    "regret": "regret",
    "nonconvex": "non-convex",
    "batch": "floor by batch",
    "pl": "PL",
}


def draw(data: Mapping[str, Any]) -> "Figure":
    """One row a study and method: the smallest ratio in each curve's fit window as a dot, and their range."""
    figure = style.figure(style.COLUMN, 3.4)
    axes = figure.subplots()
    labels: list[str] = []
    for study in STUDIES:
        name = study.partition("/")[2]
        rows = [r for r in data[study]["rows"] if r["bound_over_measured"] is not None and r["proved"]]
        for method, (colour, marker) in curves.LOOKS.items():
            ratios = np.array([r["bound_over_measured_late"] for r in rows if r["method"] == method])
            if len(ratios) == 0:
                continue
            place = len(labels)
            axes.plot([ratios.min(), ratios.max()], [place, place], color=colour, linewidth=0.8)
            axes.plot(ratios, np.full(len(ratios), place), marker, color=colour, markersize=3, alpha=0.6)
            labels.append(f"{NAMES[name]}: {method}")
    axes.axvline(1, color=style.BLACK)
    axes.set_xscale("log")
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set_ylabel("study: method")
    axes.set_xlabel("smallest bound / measured")
    return figure
