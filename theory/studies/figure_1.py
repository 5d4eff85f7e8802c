"""The paper's figure 1 with fair controls: the squared cardioid and Rosenbrock's valley."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STUDIES = ("cardioid", "rosenbrock")
TITLE = "The paper's figure 1, with controls"
SEE = (
    r"Strongly negative $\alpha$ does walk along the valley, but so do its controls: ESGD(-90) is heavy ball(.99), "
    r"Adam(.99) with a larger step ends as flat, and ESGD is shown to end flatter than SGD at $\alpha=-90$ alone."
)


PATHS = {
    "Adam": (style.BLACK, "-"), "EAdam(-5)": (style.SKY, "-"), "EAdam(-50)": (style.BLUE, "-"),
    "EAdam(-90)": (style.WINE, "-"), "Adam(.99), 10 eta": (style.GREEN, "--"),
}  # fmt: skip
RUNS = {
    "SGD": (style.GREY, "-"), "ESGD(-5)": (style.SKY, "-"), "ESGD(-50)": (style.BLUE, "-"),
    "ESGD(-90)": (style.WINE, "-"), "heavy ball(.99), eta/10": (style.ORANGE, ":"),
}  # fmt: skip

WIDTHS = {"SGD": 3, "heavy ball(.99), eta/10": 2.2}
"""Of lines that lie under another one."""


def pretty(label: str) -> str:
    """A method's label with a proper eta and minus."""
    return label.replace("eta", r"$\eta$").replace("(-", "(\N{MINUS SIGN}")


def draw(data: Mapping[str, Any]) -> "Figure":
    """Paths in the cardioid, the loss on Rosenbrock, and where 100 runs end, for EAdam and ESGD."""
    study = data["cardioid"]
    figure = style.figure(style.PAGE, 5.4)
    (paths, rosenbrock), (adam, sgd) = figure.subplots(2, 2, height_ratios=(1.15, 1))
    _cardioid(paths, study)
    for row in data["rosenbrock"]["sgd"]:
        if row["label"] in RUNS:
            colour, dash = RUNS[row["label"]]
            loss = np.maximum(style.array(row["loss"]), 1e-16)
            rosenbrock.plot(data["rosenbrock"]["step"], loss, color=colour, linestyle=dash, label=pretty(row["label"]),
                            linewidth=WIDTHS.get(row["label"], 1))  # fmt: skip
    rosenbrock.axhline(data["rosenbrock"]["config"]["target"], color=style.GREY, linewidth=0.6, linestyle="--")
    rosenbrock.set_xscale("log")
    rosenbrock.set_yscale("log")
    rosenbrock.set_ylim(1e-14, 1e3)
    rosenbrock.set_xlabel("step")
    rosenbrock.set_ylabel("loss")
    rosenbrock.legend(loc="lower left")
    style.panel_letter(rosenbrock, "b", "Rosenbrock, ESGD")
    for letter, axes, family, title in (("c", adam, study["adam"], "EAdam"), ("d", sgd, study["sgd"], "ESGD")):
        _ends(axes, family)
        style.panel_letter(axes, letter, f"cardioid, {title}: {family['starts']} starts, paired")
    return figure


def _cardioid(axes: "Axes", study: Mapping[str, Any]) -> None:
    angle = np.linspace(-np.pi, np.pi, 300)
    radius = 1 + np.cos(angle)
    axes.plot(radius * np.cos(angle), radius * np.sin(angle), color=style.GREY, linewidth=3.5, alpha=0.35)
    for place, shown in enumerate(row for row in study["adam"]["shown"] if row["label"] in PATHS):
        colour, dash = PATHS[shown["label"]]
        for i, path in enumerate(style.array(shown["paths"])):
            label = pretty(shown["label"]) if i == 0 else None
            axes.plot(path[:, 0], path[:, 1], color=colour, linestyle=dash, linewidth=0.9, label=label)
            # rings of different sizes: some methods end at the same point
            axes.plot(path[-1, 0], path[-1, 1], "o", color=colour, markersize=9 - 1.4 * place, markerfacecolor="none",
                      markeredgewidth=1.3)  # fmt: skip
    for start in study["shown"]:
        axes.plot(start[0], start[1], "*", color=style.ORANGE, markeredgecolor="black", markersize=8)
    axes.set_aspect("equal")
    axes.set_xlim(-0.4, 2.6)
    axes.set_ylim(-0.75, 1.9)
    axes.legend(loc="lower left", bbox_to_anchor=(0.12, 0.02))
    axes.set_xlabel("$x$")
    axes.set_ylabel("$y$")
    style.panel_letter(axes, "a", "cardioid: stars start, rings end")


def _ends(axes: "Axes", family: Mapping[str, Any]) -> None:
    """The change of the end's sharpness against the base optimizer, with 95 % intervals; controls in another colour."""
    rows = family["rows"][1:]
    for place, row in enumerate(rows):
        control = row["alpha"] == 0
        axes.errorbar(row["difference"], place, xerr=row["difference_half"], fmt="D" if control else "o",
                      color=style.GREEN if control else style.BLUE, capsize=2)  # fmt: skip
    axes.axvline(0, color=style.BLACK, linewidth=0.8)
    axes.set_yticks(range(len(rows)), [pretty(row["label"]).replace("ball(.99), ", "ball(.99),\n") for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("sharpness at the end, minus the base's")
