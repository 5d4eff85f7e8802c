"""The linear rate on quadratics against the condition number."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from theory.plotting import style

STUDIES = ("rate-and-condition",)
TITLE = "E accelerates only by being heavy ball"
SEE = (
    r"The best E found by search (dots) lies on heavy ball's line and never above; the recommended $\alpha=-5$ stays "
    r"at its floor $z_0$, and $\alpha=.5$ with momentum is near Nesterov."
)


def draw(data: Mapping[str, Any]) -> Figure:
    """1 - rate on logarithmic axes: higher is faster."""
    study = data["rate-and-condition"]
    kappa = style.array(study["kappa"])
    dense = np.geomspace(kappa[0], kappa[-1], 300)
    figure = style.figure(style.COLUMN, 3.5)
    axes = figure.subplots()
    for label, rate, colour, dash in (
        ("heavy ball", (np.sqrt(dense) - 1) / (np.sqrt(dense) + 1), style.BLACK, "-"),
        ("Nesterov, tuned", 1 - 2 / np.sqrt(3 * dense + 1), style.BLUE, "--"),
        ("gradient descent", (dense - 1) / (dense + 1), style.GREY, "-."),
    ):
        axes.plot(dense, 1 - rate, dash, color=colour, label=label, linewidth=1)
    for curve in study["curves"]:
        found = 1 - style.array(curve["rate"])
        if curve["label"] == "best E":
            axes.plot(kappa, found, "o", color=style.BLACK, label="best E (search)")
            continue
        momentum = r", best $\beta_2$" if curve["momentum"] else r", $\beta_2=0$"
        face = style.colour(curve["alpha"]) if curve["momentum"] else "white"
        axes.plot(kappa, found, style.marker(curve["alpha"]), color=style.colour(curve["alpha"]),
                  markerfacecolor=face, label=style.name(curve["alpha"]) + momentum)  # fmt: skip
    c = 0.05
    axes.axhline(1 - (0.99 - c) / (1 - c), color=style.colour(-5.0), linestyle=":", label=r"$1-z_0$ at $\alpha=-5$")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(r"condition number $\kappa$")
    axes.set_ylabel(r"$1-$ rate a step (higher is faster)")
    style.legend_below(figure, axes, 2)
    return figure
