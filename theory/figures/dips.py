"""How deep a dip each alpha crosses."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from theory.figures import style

STUDIES = ("dips",)
TITLE = "Crossing a narrow dip"
SEE = (
    r"Negative $\alpha$ does cross deeper dips, about $1/(1-c)$ times as deep with momentum (line); at the recommended "
    r"$\alpha=-5$ that is 5 %, and with noise and no momentum even that is gone."
)


def _quantile(depths: np.ndarray, share: np.ndarray, level: float) -> float:
    """The first depth at which the share of crossing runs falls to ``level``, linear in between; NaN if outside."""
    below = np.nonzero(share <= level)[0]
    if len(below) == 0 or below[0] == 0:
        return np.nan
    i = below[0]
    weight = (share[i - 1] - level) / (share[i - 1] - share[i])
    return float(depths[i - 1] + weight * (depths[i] - depths[i - 1]))


def draw(data: Mapping[str, Any]) -> Figure:
    """Critical depth over 1 / (1 - c), one panel a base optimizer."""
    study = data["dips"]
    figure = style.figure(style.PAGE, 2.8)
    panels = figure.subplots(1, 3, sharey=True, sharex=True)
    factor, beta1, width = style.array(study["factor"]), study["config"]["beta1"], study["config"]["width"]
    gains = np.geomspace(0.6, 12, 50)
    for letter, axes, family in zip("abc", panels, study["families"], strict=True):
        base = next(row["first_failure"] for row in family["rows"] if row["alpha"] == 0)
        axes.plot(gains, base * gains, color=style.BLACK, linewidth=0.9, label=r"theory: $\propto 1/(1-c)$")
        # a dip whose largest force exceeds 0.9493 of the bowl's is a barrier to slow runs
        axes.axhline(0.9493 * width * np.sqrt(np.e), color=style.GREY, linestyle="--", linewidth=0.8,
                     label="static barrier")  # fmt: skip
        for row in family["rows"]:
            alpha, depth = row["alpha"], row["first_failure"]
            gain = 1 / (1 + alpha * (1 - beta1))
            share = style.array(row["share"])
            half, most, few = (_quantile(depth * factor, share, level) for level in (0.5, 0.9, 0.1))
            axes.plot(gain, depth, style.marker(alpha), color=style.colour(alpha), markersize=5,
                      label=style.name(alpha))  # fmt: skip
            if np.isfinite([half, most, few]).all():
                axes.errorbar(gain * 1.12, half, [[half - most], [few - half]], fmt="_", color=style.colour(alpha),
                              elinewidth=0.9, capsize=1.5)  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks([1, 2, 5, 10], ["1", "2", "5", "10"])
        axes.set_xlabel(r"$1/(1-c)$")
        style.panel_letter(axes, letter, family["label"])
    panels[0].errorbar([], [], [], fmt="_", color=style.GREY, capsize=1.5, label="with noise: 10-50-90 % cross")
    panels[0].set_ylabel("first depth that stops it")
    style.legend_below(figure, panels[0], 6)
    return figure
