"""One look for all figures: column widths, colours that differ for every kind of colour vision, small helpers."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN, PAGE = 3.25, 6.75
"""Widths in inches of one column and of a page of two."""

# Okabe and Ito's palette: https://jfly.uni-koeln.de/color/
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#7F7F7F"
WINE = "#882255"  # of Paul Tol's palette: a colour more than Okabe and Ito have

# Every alpha has one colour and one marker in all figures: warm above 0, black at 0, cool below.
_ALPHA = {
    80.0: (ORANGE, "v"),
    50.0: (VERMILION, "^"),
    20.0: (ORANGE, "<"),
    5.0: (ORANGE, ">"),
    0.5: (ORANGE, "P"),
    0.0: (BLACK, "o"),
    -5.0: (SKY, "s"),
    -20.0: (GREEN, "D"),
    -50.0: (BLUE, "v"),
    -80.0: (PURPLE, "X"),
    -90.0: (WINE, "p"),
    -91.0: (SKY, "s"),
    -93.0: (BLUE, "v"),
    -95.0: (PURPLE, "X"),
}


def rc() -> Any:
    """The settings that every figure is drawn and written under."""
    from tueplots import axes as axes_style
    from tueplots import fontsizes

    return {
        **fontsizes.icml2024(),
        **axes_style.lines(),
        **axes_style.grid(),
        "axes.titlesize": 8,
        "axes.labelsize": 8,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "legend.fontsize": 7,
        "legend.frameon": False,
        "legend.handlelength": 1.8,
        "axes.grid": True,
        "axes.grid.which": "major",
        "figure.constrained_layout.use": True,
        "pdf.fonttype": 42,  # text stays text
        "savefig.dpi": 200,
        "lines.markersize": 3.5,
    }


def figure(width: float, height: float) -> "Figure":
    """An empty figure.

    Args:
        width: in inches, :data:`COLUMN` or :data:`PAGE`.
        height: in inches.

    Returns:
        The figure, with constrained layout.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def colour(alpha: float) -> str:
    """The colour of this alpha; one without a colour of its own gets the mixture of its two neighbours'."""
    if alpha in _ALPHA:
        return _ALPHA[alpha][0]
    known = sorted(_ALPHA)
    ends = [
        max((a for a in known if a < alpha), default=known[0]),
        min((a for a in known if a > alpha), default=known[-1]),
    ]
    share = (alpha - ends[0]) / (ends[1] - ends[0]) if ends[1] > ends[0] else 0.0
    low, high = ([int(_ALPHA[end][0][i : i + 2], 16) for i in (1, 3, 5)] for end in ends)
    return "#" + "".join(f"{round(a + share * (b - a)):02X}" for a, b in zip(low, high, strict=True))


def marker(alpha: float) -> str:
    """The marker of this alpha; a hexagon for one without a marker of its own."""
    return _ALPHA[alpha][1] if alpha in _ALPHA else "h"


def name(alpha: float, beta1: float | None = None) -> str:
    """Alpha as a label, with beta1 where it is not the figure's."""
    sign = f"{alpha:+g}" if alpha else "0"
    text = rf"$\alpha={sign}$".replace("-", "{-}").replace("+", "{+}")
    return text if beta1 is None else text[:-1] + rf",\ \beta_1={beta1:g}$"


def number(value: float) -> str:
    """A number with a true minus sign."""
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def array(values: Any) -> np.ndarray:
    """Stored numbers as floats; null is NaN."""
    return np.array(values, dtype=float)


def legend_below(figure: "Figure", axes: "Axes", columns: int) -> None:
    """One legend for the whole figure, under the panels, so that it hides no data."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)


def panel_letter(axes: "Axes", letter: str, title: str) -> None:
    """A left-aligned title that starts with the panel's letter."""
    axes.set_title(rf"$\bf{{({letter})}}$ {title}", loc="left")


@contextmanager
def context() -> "Iterator[None]":
    """Matplotlib's defaults with :func:`rc`, to draw and write a figure: the user's matplotlibrc must not show."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(rc())
        yield
