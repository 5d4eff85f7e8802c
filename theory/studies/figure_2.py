"""The paper's picture of a crossing: a well in four stages, and the signs of Table 1."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.plotting import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("crossing",)
TITLE = "Crossing a minimum in four stages (Table 1)"
SEE = (
    "On a walk to the left over a well the four quantities change sign exactly at the inflections and at the minimum, "
    "as Table 1 says (its signs stand at the curves; the share of steps that agree stands at the right)."
)


NAMES = {
    "-g": r"$-g_k$", "-grad |g|^2": r"$-\nabla|\nabla f|^2$", "g - g before": r"$g_k-g_{k-1}$",
    "<move, change>": r"$\langle\Delta\theta, \Delta g\rangle$",
}  # fmt: skip


def draw(data: Mapping[str, Any]) -> "Figure":
    """The well above, the four quantities below, stages divided by lines."""
    study = data["crossing"]
    x = style.array(study["x"])
    figure = style.figure(style.COLUMN, 3.7)
    well, *rows = figure.subplots(5, 1, sharex=True, height_ratios=(2, 1, 1, 1, 1))
    well.plot(x, study["f"], color=style.BLACK)
    for number, at in enumerate((2.3, 1, 0, -1, -2.3), start=1):
        well.plot(at, -np.exp(-(at**2) / 2), "o", color=style.VERMILION)
        well.annotate(str(number), (at, -np.exp(-(at**2) / 2)), xytext=(0, 5), textcoords="offset points", ha="center")
    well.set_ylabel("$f$")
    well.set_ylim(-1.1, 0.25)
    for axes, quantity in zip(rows, study["quantities"], strict=True):
        values = style.array(quantity["values"])
        axes.fill_between(x, values, where=list(values > 0), color=style.VERMILION, alpha=0.5, linewidth=0)
        axes.fill_between(x, values, where=list(values < 0), color=style.BLUE, alpha=0.5, linewidth=0)
        axes.plot(x, values, color=style.BLACK, linewidth=0.7)
        axes.axhline(0, color=style.BLACK, linewidth=0.4)
        for sign, middle in zip(quantity["expected"], (1.75, 0.5, -0.5, -1.75), strict=True):
            axes.text(
                middle, -0.6 if sign == "+" else 0.6, sign.replace("-", "\N{MINUS SIGN}"), ha="center", va="center"
            )
        axes.set_ylim(-1.15, 1.15)
        axes.set_yticks([])
        axes.set_ylabel(NAMES[quantity["name"]], rotation=0, ha="right", va="center")
        share = f"{100 * min(quantity['agree']):.0f} %"
        axes.annotate(share, (1.02, 0.5), xycoords="axes fraction", va="center", annotation_clip=False)
    for axes in (well, *rows):
        axes.grid(False)
        for edge in (-1, 0, 1):
            axes.axvline(edge, color=style.GREY, linewidth=0.6, linestyle=":")
    rows[-1].set_xlim(2.5, -2.5)
    rows[-1].set_xlabel(r"$\theta$ (moving left)")
    return figure
