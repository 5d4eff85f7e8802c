"""Flattening by noise: along a valley in closed form, and on a fitted network under label noise."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from theory.plotting import style

STUDIES = ("valley-drift", "label-noise")
TITLE = "At equal step, negative alpha flattens more slowly"
SEE = (
    r"Along a valley the mean log-sharpness (dots, 48 seeds) falls as the theory's line says, slower for $\alpha<0$; "
    r"on a fitted network under label noise the trace of the Hessian is ordered the same way."
)


def draw(data: Mapping[str, Any]) -> Figure:
    """Two valleys (without and with momentum) and the network."""
    figure = style.figure(style.PAGE, 2.8)
    *valleys, network = figure.subplots(1, 3)
    study = data["valley-drift"]
    steps = np.linspace(0, study["config"]["steps"], study["config"]["points"] + 1) / 1000
    for letter, axes, panel in zip("ab", valleys, study["panels"], strict=True):
        for curve in panel["curves"]:
            alpha, beta1 = curve["alpha"], curve["beta1"]
            axes.plot(steps, curve["predicted"], color=style.colour(alpha), linewidth=0.9)
            axes.errorbar(steps[4::6], curve["mean"][4::6], curve["half"][4::6], fmt=style.marker(alpha), markersize=3,
                          color=style.colour(alpha), elinewidth=0.8,
                          label=style.name(alpha, beta1 if beta1 != 0.99 else None))  # fmt: skip
        axes.set_xlabel("step / 1000")
        style.panel_letter(axes, letter, rf"valley, $\beta_2={panel['beta2']:g}$")
    valleys[0].set_ylabel(r"log-sharpness $y$")
    study = data["label-noise"]
    for run in study["runs"]:
        alpha, mean, half = run["alpha"], style.array(run["trace"]), style.array(run["half"])
        at = style.array(study["steps"]) / 1000
        network.plot(at, mean, color=style.colour(alpha), linewidth=0.9)
        network.fill_between(at, mean - half, mean + half, color=style.colour(alpha), alpha=0.25, linewidth=0)
        network.plot(at[5::12], mean[5::12], style.marker(alpha), color=style.colour(alpha), markersize=3)
    network.set_xlabel("step / 1000")
    network.set_ylabel("trace of the Hessian")
    count = study["config"]["noise_sequences"]
    style.panel_letter(network, "c", f"label noise, {count} seeds")
    style.legend_below(figure, valleys[0], 7)
    return figure
