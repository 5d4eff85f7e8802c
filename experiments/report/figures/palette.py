"""The looks and the sizes that all figures share."""

import contextlib
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tueplots import axes as axes_style
from tueplots import fontsizes

from experiments.analysis import names
from experiments.analysis.comparison import Metric
from experiments.analysis.statistics import Interval
from experiments.config.schema import Experiment
from experiments.io.plain_style import plain_style

# Okabe and Ito's colours, which all kinds of colour vision tell apart; a grey in place of their yellow, a pale line.
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1)), (0, (8, 2, 1, 2, 1, 2)))
PAGE = 6.75  # inches: a page's text
COLUMNS = 4  # panels side by side; more are wrapped


@contextlib.contextmanager
def house_style() -> Iterator[None]:
    """Font sizes, lines and grids."""
    style: Any = {**fontsizes.neurips2024(default_smaller=1), **axes_style.lines(), **axes_style.grid()}
    with plain_style(style):
        yield


def sheet(height: float) -> Figure:
    """An empty figure as wide as a page.

    Args:
        height: In inches.

    Returns:
        The figure.
    """
    return Figure(figsize=(PAGE, height), layout="constrained", dpi=160)


def panels(figure: Figure, count: int, most: int = COLUMNS, **options: Any) -> list[Axes]:
    """Panels in rows of at most ``most``.

    Args:
        figure: Where.
        count: How many.
        most: How many side by side.
        **options: As for ``Figure.subplots``, such as ``sharex``.

    Returns:
        The panels, row by row.
    """
    across = min(count, most)
    grid = figure.subplots(-(-count // across), across, squeeze=False, **options).ravel()
    for spare in grid[count:]:
        spare.remove()
    return list(grid[:count])


def titled(panel: Axes, name: str, side_by_side: int) -> None:
    """Write a panel's title, wrapped to its width.

    Args:
        panel: Where.
        name: The title.
        side_by_side: How many panels share the width of the page.
    """
    panel.set_title("\n".join(textwrap.wrap(name, 80 // side_by_side)), fontsize="medium")


def heading(figure: Figure, experiment: Experiment) -> None:
    """Write above a figure which networks ran on which data, and with how many seeds."""
    figure.suptitle(f"{names.what_ran(experiment)}; {len(experiment.final.seeds)} seeds", fontsize="medium")


def band(
    panel: Axes,
    places: Sequence[float],
    ends: Sequence[tuple[float, float, float]],
    look: dict[str, Any],
    limits: tuple[float, float] = (-np.inf, np.inf),
) -> None:
    """A line through means and a band between the ends of their intervals.

    Args:
        panel: Where.
        places: Abscissae.
        ends: Mean, lower and upper end at each.
        look: From `looks_of`, and the label.
        limits: The least and the largest possible value; a band stops there.
    """
    means, lows, highs = zip(*ends, strict=True)
    panel.plot(places, means, **{"linewidth": 1.4, **look})
    inside = np.clip([lows, highs], *limits)
    panel.fill_between(places, *inside, color=look["color"], alpha=0.15, linewidth=0)


def ends_of(interval: Interval) -> tuple[float, float, float]:
    """Mean, lower and upper end; a single seed has no interval, and its ends are the mean."""
    low, high = interval.low, interval.high
    return interval.mean, interval.mean if low is None else low, interval.mean if high is None else high


def limits_of(metric: Metric) -> tuple[float, float]:
    """The least and the largest value that a test metric can have."""
    return (0.0, 100.0) if metric in {"accuracy", "f1"} else (-np.inf, np.inf)


def dot(panel: Axes, x: float, y: float, interval: Interval, color: str, *, upright: bool = False) -> None:
    """A mean with its 95 % interval: filled where the interval excludes 0, hollow where it contains 0.

    Where all seeds tie there is no interval to draw: a hollow diamond, and words beside it.

    Args:
        panel: Where.
        x: Abscissa of the mean.
        y: Ordinate of the mean.
        interval: The interval.
        color: Of both.
        upright: The interval is along the ordinate.
    """
    mean, low, high = ends_of(interval)
    fill = color if low > 0 or high < 0 else "white"
    look: Any = {"color": color, "markersize": 4, "markerfacecolor": fill, "linewidth": 1.1}
    if interval.tied:
        panel.plot([x], [y], "D", **{**look, "markerfacecolor": "white"})
        if not upright:
            panel.annotate(f"all {interval.n} seeds tie", (x, y), (6, 0), textcoords="offset points", va="center",
                           fontsize="x-small", color="0.35")  # fmt: skip
        return
    reach = [[mean - low], [high - mean]]
    panel.errorbar(x, y, fmt="o", capsize=2, **{"yerr" if upright else "xerr": reach}, **look)


def columns(labels: Sequence[str], width: float) -> int:
    """How many columns of a legend fit: thirteen characters per inch, and six for the line.

    Args:
        labels: Of the legend.
        width: In inches.

    Returns:
        Their number, at least 1.
    """
    return max(1, min(len(labels), int(13 * width / (max(map(len, labels)) + 6))))


def legend(figure: Figure, panel: Axes) -> None:
    """Put one legend for all panels below them."""
    handles, labels = panel.get_legend_handles_labels()
    if handles:
        ncols = columns(labels, figure.get_figwidth())
        figure.legend(handles, labels, loc="outside lower center", ncols=ncols, frameon=False)


def looks_of(count: int) -> list[dict[str, Any]]:
    """Colours and dashes, all pairs different: beyond eight competitors a colour comes again with other dashes.

    Args:
        count: How many competitors, at most 64.

    Returns:
        Keyword arguments of each line.
    """
    kinds = len(COLOURS)
    return [{"color": COLOURS[i % kinds], "linestyle": _DASHES[(i + i // kinds) % kinds]} for i in range(count)]
