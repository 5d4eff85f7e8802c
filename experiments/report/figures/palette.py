"""The looks that all figures share."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from tueplots import axes as axes_style
from tueplots import fontsizes

# Okabe and Ito's colours, which all kinds of colour vision tell apart; the subject is first and thickest.
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1)), "-")


@contextlib.contextmanager
def house_style() -> Iterator[None]:
    """Font sizes, lines and grids."""
    style: Any = {**fontsizes.neurips2024(default_smaller=0), **axes_style.lines(), **axes_style.grid()}
    with mpl.rc_context(style):
        yield


def band(
    panel: Axes, places: Sequence[float], ends: Sequence[tuple[float, float, float]], look: dict[str, Any]
) -> None:
    """A line through means and a band between the ends of their intervals.

    Args:
        panel: Where.
        places: Abscissae.
        ends: Mean, lower and upper end at each.
        look: From `looks_of`, and the label.
    """
    means, lows, highs = zip(*ends, strict=True)
    panel.plot(places, means, linewidth=1.4, **look)
    panel.fill_between(places, lows, highs, color=look["color"], alpha=0.15, linewidth=0)


def columns(labels: Sequence[str], width: float) -> int:
    """How many columns of a legend fit: eleven characters an inch, and six for the line.

    Args:
        labels: Of the legend.
        width: In inches.

    Returns:
        Their number, at least 1.
    """
    return max(1, min(len(labels), int(11 * width / (max(map(len, labels)) + 6))))


def looks_of(count: int) -> list[dict[str, Any]]:
    """Colours and dashes, all different; beyond eight competitors the colours follow their order.

    Args:
        count: How many competitors.

    Returns:
        Keyword arguments of a line each.
    """
    if count <= len(COLOURS):
        return [{"color": COLOURS[i], "linestyle": _DASHES[i]} for i in range(count)]
    shades = mpl.colormaps["viridis"](np.linspace(0, 0.95, count))
    return [{"color": to_hex(shades[i]), "linestyle": _DASHES[i % len(_DASHES)]} for i in range(count)]
