"""The mean squared gradient with its bounds: small step, large batch, and EAdam's floor."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from theory.figures import rates, style

STUDIES = ("rates/nonconvex", "rates/batch")
TITLE = "The mean squared gradient and its bounds"
SEE = (
    r"With batch 1 and $\eta \propto T^{-1/2}$ the mean squared gradient falls like $T^{-1/2}$, with batch $T$ like "
    r"$1/T$: both cost of the order $\epsilon^{-4}$ samples; dashed bounds are never passed, and those of the "
    r"preconditioned methods are loose."
)


def _slope(axes: Axes, x: np.ndarray, y: float, power: float, label: str | None) -> None:
    """A grey line of this slope that ends at height y."""
    axes.plot(x, y * (x / x[-1]) ** power, color=style.GREY, linewidth=0.9, label=label)


def draw(data: Mapping[str, Any]) -> Figure:
    """Batch 1, batch T, and the floor by batch, all at alpha = -5 (alpha = -.5, 0, .5 for the floor)."""
    study = data["rates/nonconvex"]
    figure = style.figure(style.PAGE, 2.9)
    single, many, floor = figure.subplots(1, 3)
    for axes, variant, power in (
        (single, "eta ~ T^(-1/2), batch 1", -0.5),
        (many, "batch = T, constant eta", -1.0),
    ):
        for curve in rates.curves(study, objective="waves", variants=(variant,), setting=rates.LARGE_BATCH):
            colour, marker = rates.LOOKS[curve["method"]]
            rates.draw(axes, curve, colour=colour, marker=marker, label=curve["method"])
            if curve["method"] == "ESGD":
                x, y = style.array(curve["x"]), style.array(curve["measured"])
                _slope(axes, x, 0.5 * y[-1], power, "predicted slope")
        axes.set_xlabel("steps $T$")
    for curve, colour in zip(data["rates/batch"]["curves"], (style.SKY, style.BLACK, style.ORANGE), strict=True):
        rates.draw(floor, curve, colour=colour, marker="s", label=style.name(curve["alpha"]))
    x = style.array(data["rates/batch"]["curves"][0]["x"])
    y = style.array(data["rates/batch"]["curves"][0]["measured"])
    _slope(floor, x, y[-1] * 0.3, -1.0, None)
    floor.set_xlabel("batch")
    floor.legend(loc="center right", bbox_to_anchor=(1, 0.5))
    for axes in (single, many, floor):
        axes.set_xscale("log")
        axes.set_yscale("log")
    single.plot([], [], "--", color=style.GREY, linewidth=0.8, label="bound of Theorem N")
    style.legend_below(figure, single, 6)
    single.set_ylabel(r"mean of $|\nabla f|^2$")
    style.panel_letter(single, "a", r"batch 1, $\eta\propto T^{-1/2}$")
    style.panel_letter(many, "b", r"batch $T$, $\eta$ constant")
    style.panel_letter(floor, "c", r"EAdam's floor$/\delta^2$")
    return figure
