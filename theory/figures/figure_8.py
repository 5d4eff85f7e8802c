"""The paper's figure 8 with fair controls."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from theory.plotting import style

STUDIES = ("figure-8",)
TITLE = "The paper's figure 8, with controls"
SEE = (
    r"EAdam at $\alpha=-80$ passes minima that hold Adam(.95), as the paper shows; Adam with E's own retention .99 and "
    r"effective step $\eta/(1-c)$ goes as far or farther at most step sizes, and no alpha reaches the flat hole of "
    r"$f_2$ at more step sizes than its base."
)
LOOKS = {
    "Adam(.95)": (style.BLACK, "-", "o"),
    "EAdam(-80)": (style.PURPLE, "-", "X"),
    "Adam(.99)": (style.BLUE, "--", "s"),
    "Adam(.99), 5 eta": (style.GREEN, "--", "D"),
}


def draw(data: Mapping[str, Any]) -> Figure:
    """The first function with paths' ends, the paths, the ends by step size, and the second function's counts."""
    study = data["figure-8"]
    figure = style.figure(style.PAGE, 4.6)
    (landscape, paths), (sweep, holes) = figure.subplots(2, 2)
    x, f = style.array(study["landscape"]["x"]), style.array(study["landscape"]["f"])
    landscape.plot(x, f, color=style.GREY, linewidth=0.9)
    minima = x[1:-1][(f[1:-1] < f[:-2]) & (f[1:-1] < f[2:])]
    for label, path in zip(study["methods"], study["paths"], strict=True):
        colour, dash, shape = LOOKS[label]
        steps = study["keep"] * np.arange(len(path))
        name = label.replace("5 eta", r"$5\eta$").replace("(-80)", r"($\alpha{=}{-}80$)")
        paths.plot(steps, path, color=colour, linestyle=dash, label=name)
        landscape.plot(path[-1], np.interp(path[-1], x, f), shape, color=colour, markersize=6)
    landscape.set_xlabel(r"$x$")
    landscape.set_ylabel(r"$f_1(x)$")
    style.panel_letter(landscape, "a", "where each ends")
    for minimum in minima:
        paths.axhline(minimum, color=style.GREY, linewidth=0.4, linestyle=":")
        sweep.axhline(minimum, color=style.GREY, linewidth=0.4, linestyle=":")
    paths.set_xlabel("step")
    paths.set_ylabel(r"$x_k$")
    style.panel_letter(paths, "b", rf"$\eta={study['config']['eta']:g}$; dotted: minima")
    eta = style.array(study["eta"])
    for label, ends in zip(study["methods"], study["ends"], strict=True):
        colour, dash, _ = LOOKS[label]
        sweep.plot(eta, ends, color=colour, linestyle=dash)
    sweep.set_xscale("log")
    sweep.set_yscale("log")
    sweep.set_ylim(3, 70)
    sweep.tick_params(axis="y", which="minor", left=False, labelleft=False)
    sweep.set_yticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
    sweep.set_xlabel(r"nominal $\eta$")
    sweep.set_ylabel("end point")
    style.panel_letter(sweep, "c", "over all step sizes")
    _counts(holes, study["holes"])
    style.legend_below(figure, paths, 4)
    return figure


def _counts(axes: Axes, holes: Mapping[str, Any]) -> None:
    colours = (style.BLACK, style.BLUE, style.SKY, style.GREEN, style.ORANGE, style.PURPLE, style.WINE)
    width, names = 0.12, ("retention .9", "retention .99", "retention .9999", r"retention .99, $10\eta$",
                          r"E, $\alpha=-5$", r"E, $\alpha=-50$", r"E, $\alpha=-90$")  # fmt: skip
    for i, (name, colour) in enumerate(zip(names, colours, strict=True)):
        counts = [share["reached"][i] for share in holes["shares"]]
        axes.bar(np.arange(len(counts)) + (i - 3) * width, counts, width, color=colour, label=name)
    labels = [share["label"].replace(", ", ",\n") for share in holes["shares"]]
    axes.set_xticks(range(len(labels)), labels)
    axes.set_ylim(0, 40)
    axes.grid(visible=False, axis="x")
    axes.set_ylabel(f"of {holes['etas']} step sizes")
    axes.legend(loc="upper left", ncols=2, fontsize=6)
    style.panel_letter(axes, "d", r"$f_2$: runs that end in the flat hole")
