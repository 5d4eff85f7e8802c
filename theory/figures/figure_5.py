"""Accuracy over (beta1, alpha) on handwritten digits, in the manner of the paper's figure 5."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from theory.plotting import style
from theory.studies.intervals import t_interval

STUDIES = ("figure-5",)
TITLE = r"Accuracy over $(\beta_1, \alpha)$, a small stand-in for the paper's figure 5"
SEE = (
    r"On digits with one learning rate, not the paper's setting, the differences to $\alpha=0$ are small beside the "
    r"spread of the seeds up to the cliff (dashed); beyond it, at large $c=-\alpha(1-\beta_1)$, accuracy falls."
)


def draw(data: Mapping[str, Any]) -> Figure:
    """Boxes over the seeds above, paired differences to alpha = 0 with 95 % intervals below."""
    study = data["figure-5"]
    accuracy, c = style.array(study["accuracy"]), style.array(study["config"]["c"])
    zero = int(np.flatnonzero(c == 0)[0])
    figure = style.figure(style.PAGE, 4.4)
    panels = figure.subplots(2, 3, sharex="col", sharey="row")
    for column, beta1 in enumerate(study["config"]["beta1"]):
        top, bottom = panels[:, column]
        values = accuracy[:, column]
        boxes = top.boxplot(values, positions=range(len(c)), widths=0.6, patch_artist=True,
                            flierprops={"markersize": 2}, medianprops={"color": style.BLACK})  # fmt: skip
        for box, strength in zip(boxes["boxes"], c, strict=True):
            box.set_facecolor(style.GREY if strength == 0 else style.ORANGE if strength < 0 else style.SKY)
        mean, half = t_interval(values - values[:, zero : zero + 1])
        bottom.errorbar(np.arange(len(c)), mean, half, fmt="o", color=style.BLUE, capsize=2)
        bottom.axhline(0, color=style.BLACK, linewidth=0.8)
        # the cliff: c0, beyond which oscillation limits the step
        beta2 = study["config"]["beta2"]
        cliff = beta1 * (1 - beta2) / (1 - beta1 * beta2)
        place = float(np.interp(cliff, c, np.arange(len(c)), right=np.nan))
        for axes in (top, bottom):
            axes.axvline(place, color=style.VERMILION, linestyle="--", linewidth=0.9)
        labels = [f"{-strength / (1 - beta1) + 0.0:.3g}" for strength in c]
        bottom.set_xticks(range(len(c)), labels, rotation=60)
        bottom.set_xlabel(r"$\alpha$")
        style.panel_letter(top, "abc"[column], rf"$\beta_1={beta1:g}$")
    panels[0, 0].set_ylim(45, 100)
    panels[1, 0].set_yscale("symlog", linthresh=2)
    panels[1, 0].set_ylim(-50, 3)
    panels[1, 0].set_yticks([-30, -10, -4, -2, 0, 2], ["-30", "-10", "-4", "-2", "0", "2"])
    panels[0, 0].set_ylabel("test accuracy (%)")
    panels[1, 0].set_ylabel(r"minus $\alpha=0$, paired")
    panels[0, 0].plot([], [], "--", color=style.VERMILION, label=r"cliff $c_0=\beta_1(1-\beta_2)/(1-\beta_1\beta_2)$")
    style.legend_below(figure, panels[0, 0], 1)
    return figure
