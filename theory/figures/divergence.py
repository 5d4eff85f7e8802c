"""Divergence inside the paper's allowed set: the loss near the cliff."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from theory.plotting import style

STUDIES = ("divergence",)
TITLE = r"Divergence inside the allowed set"
SEE = (
    r"With $\beta_1=.99$, $\beta_2=.9$ the paper allows $|\alpha|<100$, yet $\alpha=-93$ and $-95$ blow up and $-91$ "
    r"trains: the exact limit $x^*/\eta$ falls below the sharpness that the network has."
)


def draw(data: Mapping[str, Any]) -> Figure:
    """The loss by step on logarithmic axes."""
    study = data["divergence"]
    figure = style.figure(style.COLUMN, 2.6)
    axes = figure.subplots()
    for run in study["runs"]:
        alpha = run["alpha"]
        label = rf"{style.name(alpha)}: bears {run['bears']:.3g}"
        axes.plot(run["step"], run["loss"], color=style.colour(alpha), label=label)
    start = next(run["sharpness"] for run in study["runs"] if run["alpha"] == -91.0)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("training loss")
    axes.set_title(rf"the network's sharpness is about {start:.1f}", loc="left")
    style.legend_below(figure, axes, 2)
    return figure
