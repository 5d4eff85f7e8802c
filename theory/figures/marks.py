"""The reader's settings, marked in figures that have an axis for alpha or c, or a point for every setting."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Place = tuple[Axes, float | None, float | None]

Setting = tuple[float, float | None, float | None]
"""alpha, beta1, beta2; None where the reader gave none."""


def draw(name: str, figure: "Figure", data: Mapping[str, Any], marks: Sequence[Setting]) -> None:
    """Mark settings by a line across each axes that has a place for them, or by a point.

    Args:
        name: of the figure, a key of :data:`PLACES`.
        figure: as it was drawn.
        data: each study's data by name.
        marks: the settings.

    Raises:
        ValueError: no axes of the figure reaches a setting.
    """
    for mark in marks:
        reached = [place for place in PLACES[name](figure, data, *mark) if _inside(*place)]
        if not reached:
            given = ", ".join(f"{key}={value:g}" for key, value in zip(("alpha", "beta1", "beta2"), mark, strict=True)
                              if value is not None)  # fmt: skip
            raise ValueError(f"{name}: mark {given} lies outside every axis of this figure")
        for axes, x, y in reached:
            _line(axes, x, y, style.name(mark[0]))


def _inside(axes: "Axes", x: float | None, y: float | None) -> bool:
    ends = ((x, axes.get_xlim()), (y, axes.get_ylim()))
    return all(value is None or min(end) <= value <= max(end) for value, end in ends)


def _line(axes: "Axes", x: float | None, y: float | None, label: str) -> None:
    look = {"color": style.BLACK, "linestyle": "-.", "linewidth": 0.9}
    text = {"fontsize": 6, "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8}}
    if x is not None and y is not None:
        axes.plot(x, y, "P", color="white", markeredgecolor=style.BLACK, markersize=7, zorder=5)
        axes.annotate(label, (x, y), xytext=(5, 5), textcoords="offset points", **text)
    elif x is not None:
        axes.axvline(x, **look)
        axes.annotate(label, (x, 0.98), (-1, 0), axes.get_xaxis_transform(), "offset points", rotation=90, ha="right",
                      va="top", **text)  # fmt: skip
    elif y is not None:
        axes.axhline(y, **look)
        axes.annotate(label, (0.02, y), xycoords=axes.get_yaxis_transform(), va="center", **text)


def _map(
    figure: "Figure", data: Mapping[str, Any], alpha: float, beta1: float | None, beta2: float | None
) -> "list[Place]":
    panels = zip(
        figure.axes, data["stability-map"]["panels"], strict=False
    )  # the axes that follow are the colour bar's
    return [
        (axes, alpha, None) for axes, own in panels if beta1 in {None, own["beta1"]} and beta2 in {None, own["beta2"]}
    ]


def _alphas(figure: "Figure", _: Mapping[str, Any], alpha: float, *__: Any) -> "list[Place]":
    return [(axes, alpha, None) for axes in figure.axes if axes.get_xlabel() == r"$\alpha$"]


def _between(axes: "Axes", alpha: float) -> "Place":
    """On an axis with one place per alpha: between those of its neighbours."""
    known = [float(label.get_text().replace("\N{MINUS SIGN}", "-")) for label in axes.get_xticklabels()]
    order = np.argsort(known)
    found = np.interp(alpha, np.take(known, order), axes.get_xticks()[order], left=math.nan, right=math.nan)
    return axes, float(found), None


def _dips(figure: "Figure", _: Mapping[str, Any], alpha: float, *__: Any) -> "list[Place]":
    return [_between(axes, alpha) for axes in figure.axes if axes.get_xlabel() == r"$\alpha$"]


def _figure_5(figure: "Figure", data: Mapping[str, Any], alpha: float, beta1: float | None, _: Any) -> "list[Place]":
    panels = [axes for axes in figure.axes if axes.get_xlabel() == r"$\alpha$"]
    betas = data["figure-5"]["config"]["beta1"]
    return [_between(axes, alpha) for axes, own in zip(panels, betas, strict=True) if beta1 in {None, own}]


def _worst_case(figure: "Figure", _: Mapping[str, Any], alpha: float, beta1: float | None, __: Any) -> "list[Place]":
    return [(figure.axes[0], -alpha * (1 - (0.99 if beta1 is None else beta1)), None)]


def _variance(figure: "Figure", data: Mapping[str, Any], alpha: float, beta1: float | None, _: Any) -> "list[Place]":
    own = data["stationary-variance"]["config"]["beta1"]
    return [(figure.axes[2], None, -alpha * (1 - (own if beta1 is None else beta1)))]


def _point(
    figure: "Figure", _: Mapping[str, Any], alpha: float, beta1: float | None, beta2: float | None
) -> "list[Place]":
    from theory.method.filters import Filter

    F = Filter(alpha, 0.99 if beta1 is None else beta1, 0.9 if beta2 is None else beta2)
    return [(figure.axes[0], F.K, F.omega2 * (2 * F.K + 1))]


PLACES: dict[str, "Callable[..., list[Place]]"] = {
    "stability-map": _map, "dips": _dips, "figure-5": _figure_5, "double-well": _alphas, "primal-averaging": _alphas,
    "worst-case": _worst_case, "stationary-variance": _variance, "age-and-variance": _point,
}  # fmt: skip
"""Where a setting lies in each figure."""
