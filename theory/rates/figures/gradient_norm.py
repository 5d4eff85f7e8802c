"""The mean squared gradient with its bounds: small step, large batch, and EAdam's floor."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.plotting import style
from theory.rates.figures import curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STUDIES = ("rates/nonconvex", "rates/batch")
TITLE = "The mean squared gradient and its bounds"
SEE = (
    r"With batch 1 and $\eta \propto T^{-1/2}$ the mean squared gradient falls like $T^{-1/2}$, with batch $T$ like "
    r"$1/T$: both cost of the order $\epsilon^{-4}$ samples; dashed bounds are never passed, and those of the "
    r"preconditioned methods are loose; EAdam's floor at a constant step (c) falls like $1/n$ where $\epsilon_1$ is "
    r"above the noise and like $n^{-1/2}$ where the noise is above $\epsilon_1$; in skewed noise the mean step "
    r"vanishes beside the minimiser, at batch 1 nowhere, and all three lie on their predictions (lines)."
)


QUADRATIC = "quadratic, symmetric noise"
FLOORS = (
    (QUADRATIC, "eps1 above the noise", curves.LARGE_BATCH, style.BLUE, "s", r"$\epsilon_1$ above noise"),
    (QUADRATIC, "noise above eps1", curves.LARGE_BATCH, style.GREEN, "^", r"noise above $\epsilon_1$"),
    ("pseudo-Huber, skewed noise", "", (0.0, 0.5), style.VERMILION, "o", r"skewed noise$\,/\,\delta^2$"),
)  # fmt: skip
"""What panel (c) shows: objective, variant, (alpha, beta1), and how."""


def _slope(axes: "Axes", x: np.ndarray, y: float, power: float, label: str | None) -> None:
    """A grey line of this slope that ends at height y."""
    axes.plot(x, y * (x / x[-1]) ** power, color=style.GREY, linewidth=0.9, label=label)


def draw(data: Mapping[str, Any]) -> "Figure":
    """Batch 1, batch T, and the floor by batch, all at alpha = -5 (0 in skewed noise)."""
    study = data["rates/nonconvex"]
    figure = style.figure(style.PAGE, 2.9)
    single, many, floor = figure.subplots(1, 3)
    for axes, variant, power in (
        (single, "eta ~ T^(-1/2), batch 1", -0.5),
        (many, "batch = T, constant eta", -1.0),
    ):
        for curve in curves.curves(study, objective="waves", variants=(variant,), setting=curves.LARGE_BATCH):
            colour, marker = curves.LOOKS[curve["method"]]
            curves.draw(axes, curve, colour=colour, marker=marker, label=curve["method"])
            if curve["method"] == "ESGD":
                x, y = style.array(curve["x"]), style.array(curve["measured"])
                _slope(axes, x, 0.5 * y[-1], power, "predicted slope")
        axes.set_xlabel("steps $T$")
    for objective, variant, setting, colour, marker, label in FLOORS:
        (curve,) = curves.curves(data["rates/batch"], objective=objective, variants=(variant,), setting=setting)
        curves.draw(floor, curve, colour=colour, marker=marker, bound=False, label=label)
        floor.plot(curve["x"], style.array(curve["predicted"]), color=colour, linewidth=0.9)
    floor.set_xlabel("batch $n$")
    floor.legend(loc="lower left", fontsize=6)
    for axes in (single, many, floor):
        axes.set_xscale("log")
        axes.set_yscale("log")
    single.plot([], [], "--", color=style.GREY, linewidth=0.8, label="bound of Theorem N")
    style.legend_below(figure, single, 6)
    single.set_ylabel(r"mean of $|\nabla f|^2$")
    style.panel_letter(single, "a", r"batch 1, $\eta\propto T^{-1/2}$")
    style.panel_letter(many, "b", r"batch $T$, $\eta$ constant")
    style.panel_letter(floor, "c", r"EAdam's floor, $\eta$ constant")
    return figure
