"""Escape from a sharp and a flat well of equal depth, by alpha."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from theory.plotting import style

STUDIES = ("double-well",)
TITLE = "A sharp and a flat well of equal depth"
SEE = (
    r"The share of time in the flat well falls as $\alpha$ goes negative, for ESGD because the sharp well is cooled "
    r"and hardly left, for EAdam although both wells are left sooner; at $\alpha=-5$ neither differs from $\alpha=0$."
)


def draw(data: Mapping[str, Any]) -> Figure:
    """Occupancy and the exit times, ESGD beside EAdam."""
    study = data["double-well"]
    figure = style.figure(style.PAGE, 2.6)
    occupancy, *times = figure.subplots(1, 3)
    for family, look in zip(study["families"], ((style.BLUE, "o"), (style.VERMILION, "s")), strict=True):
        alpha = [row["alpha"] for row in family["rows"]]
        occupancy.errorbar(alpha, [row["occupancy"] for row in family["rows"]], [row["half"] for row in family["rows"]],
                           color=look[0], marker=look[1], label=family["label"])  # fmt: skip
    # at one temperature for both, wells of equal depth are occupied in proportion to their widths
    sharp, flat = study["config"]["widths"]
    occupancy.axhline(flat / (flat + sharp), color=style.GREY, linestyle="--", linewidth=0.8, label="equal temperature")
    occupancy.set_ylim(0, 1)
    occupancy.set_ylabel("share of time in the flat well")
    occupancy.legend(loc="lower right")
    style.panel_letter(occupancy, "a", "occupancy")
    for letter, axes, family in zip("bc", times, study["families"], strict=True):
        alpha = [row["alpha"] for row in family["rows"]]
        for well, colour, shape in (("sharp", style.PURPLE, "^"), ("flat", style.GREEN, "v")):
            mean = style.array([row[f"exit_{well}"] for row in family["rows"]])
            low, high = style.array([row[f"exit_{well}_interval"] for row in family["rows"]]).T
            axes.errorbar(alpha, mean, [mean - low, high - mean], color=colour, marker=shape, label=f"{well} well")
        axes.set_yscale("log")
        style.panel_letter(axes, letter, f"{family['label']}: steps to leave")
        axes.legend(loc="best")
    for axes in (occupancy, *times):
        axes.set_xlabel(r"$\alpha$")
    return figure
