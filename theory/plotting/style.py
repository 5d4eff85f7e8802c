"""One look for all figures: column widths, colours that differ for every kind of colour vision, small helpers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

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


@dataclass(frozen=True)
class Look:
    """How a figure is drawn.

    Attributes:
        width: in inches, or None for the figure's own.
        style: a bundle of tueplots, such as ``neurips2024``; empty for ours.
        usetex: whether LaTeX sets the text.
        place: a part of another figure to draw into, or None for a new figure.
    """

    width: float | None = None
    style: str = ""
    usetex: bool = False
    place: "SubFigure | None" = None

    def rc(self) -> dict[str, Any]:
        """The settings of matplotlib that a figure is drawn and written under.

        Raises:
            ValueError: tueplots has no such bundle.
        """
        settings = _ours()
        if self.style:
            settings |= _bundle(self.style, self.usetex)
            sizes = {"axes.titlesize": 8, "axes.labelsize": 8, "legend.fontsize": 7}  # small panels hold no larger ones
            settings |= {key: min(size, settings[key]) for key, size in sizes.items()}
            # Times and Helvetica are on few machines; matplotlib brings these
            for family, own in (("font.serif", "STIXGeneral"), ("font.sans-serif", "DejaVu Sans")):
                settings[family] = [*settings.get(family, ()), own]
        return settings | {"text.usetex": self.usetex, "figure.autolayout": False}

    def inches(self, width: float) -> float:
        """The width of a figure that is ``width`` wide in our style; a style's page is its own."""
        if self.width is not None:
            return self.width
        return _bundle(self.style)["figure.figsize"][0] if self.style and width > COLUMN else width


_LOOK: ContextVar[Look] = ContextVar("look", default=Look())  # noqa: B039 (frozen)


def _ours() -> dict[str, Any]:
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
        "svg.hashsalt": "alto",  # equal data give equal files
        "savefig.dpi": 200,
        "lines.markersize": 3.5,
    }


def _bundle(name: str, usetex: bool = False) -> dict[str, Any]:
    """A bundle of tueplots in the width of its page."""
    import inspect

    from tueplots import bundles

    known = {key: value for key, value in vars(bundles).items() if inspect.isfunction(value) and key[0] != "_"}
    if name not in known:
        raise ValueError(f"style = {name!r}: tueplots has {', '.join(sorted(known))}")
    wanted: dict[str, Any] = {"column": "full", "usetex": usetex}
    takes = inspect.signature(known[name]).parameters
    return dict(known[name](**{key: value for key, value in wanted.items() if key in takes}))


def figure(width: float, height: float) -> "Figure":
    """An empty figure, or the place that the look names.

    It keeps the look, so that it is written as it was drawn, whatever the user's matplotlibrc says.

    Args:
        width: in inches, :data:`COLUMN` or :data:`PAGE`; another width of the look replaces it.
        height: in inches.

    Returns:
        The figure, with constrained layout.
    """
    from matplotlib.figure import Figure

    look = _LOOK.get()
    if look.place is not None:
        return look.place  # type: ignore[return-value]  # it has what a drawing needs

    class Styled(Figure):
        """A figure that is drawn and written under its own settings."""

        def draw(self, renderer: Any) -> None:
            with context(look):
                super().draw(renderer)

        def savefig(self, *args: Any, **kwargs: Any) -> None:
            with context(look):
                super().savefig(*args, **kwargs)

    return Styled(figsize=(look.inches(width), height), layout="constrained")


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


def legend_below(figure: "Figure", axes: "Axes | Sequence[Axes]", columns: int) -> None:
    """One legend for the whole figure, under the panels, so that it hides no data.

    Args:
        figure: the figure.
        axes: the panel or panels whose lines are named; a name counts once.
        columns: at most so many; fewer where the figure is too narrow.
    """
    named: dict[str, Any] = {}
    for one in axes if isinstance(axes, Sequence) else (axes,):
        for handle, label in zip(*one.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    legend_of(figure, list(named.values()), list(named), columns)


def legend_of(figure: "Figure", handles: Sequence[Any], labels: Sequence[str], columns: int, **options: Any) -> None:
    """A legend under the panels with as many of ``columns`` as fit into the figure's width; ``options`` as it has."""
    from matplotlib.backends.backend_agg import RendererAgg

    while True:
        legend = figure.legend(handles, labels, loc="outside lower center", ncols=columns, **options)
        width, height, dpi = figure.bbox.width, figure.bbox.height, figure.dpi
        if columns == 1 or legend.get_window_extent(RendererAgg(width, height, dpi)).width <= width:
            return
        legend.remove()
        columns -= 1


def panel_letter(axes: "Axes", letter: str, title: str) -> None:
    """A left-aligned title that starts with the panel's letter."""
    axes.set_title(rf"$\bf{{({letter})}}$ {title}", loc="left")


@contextmanager
def context(look: Look | None = None) -> Iterator[None]:
    """Matplotlib's defaults with :meth:`Look.rc`, to draw and write a figure: the user's matplotlibrc must not show.

    Part of another figure is drawn in that figure's style.
    """
    import matplotlib as mpl

    look = look or Look()
    with mpl.rc_context():
        if look.place is None:
            mpl.rcdefaults()
            mpl.rcParams.update(look.rc())  # pyright: ignore[reportCallIssue, reportArgumentType]
        before = _LOOK.set(look)
        try:
            yield
        finally:
            _LOOK.reset(before)
