"""What a figure shows, as a table: every line, error bar, band and colour map of every panel."""

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("panel", "kind", "series", "x", "y", "value")


def table(figure: "Figure") -> str:
    """The figure's data as CSV.

    Args:
        figure: any figure.

    Returns:
        One row per point: ``panel`` (its title, or its number), ``kind`` (line, band, map, or bar: both ends
        of an error bar), ``series`` (its name in the legend, or its number), ``x``, ``y``, and for a map ``value``.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for number, axes in enumerate(figure.axes, start=1):
        if axes.get_label() == "<colorbar>":
            continue
        name = axes.get_title(loc="left") or axes.get_title() or str(number)
        rows.writerows((name, *row) for row in _points(axes))
    return text.getvalue()


def _points(axes: "Axes") -> Iterator[tuple[Any, ...]]:
    from matplotlib.collections import LineCollection, PolyCollection, QuadMesh

    for number, line in enumerate(axes.lines, start=1):
        x, y = (np.asarray(values) for values in line.get_data(orig=False))
        yield from (("line", _name(line, number), a, b, "") for a, b in zip(x, y, strict=True))
    for number, drawn in enumerate(axes.collections, start=1):
        if isinstance(drawn, QuadMesh):
            yield from _mesh(drawn, _name(drawn, number))
        elif isinstance(drawn, LineCollection | PolyCollection):
            kind = "bar" if isinstance(drawn, LineCollection) else "band"
            for path in drawn.get_paths():
                yield from ((kind, _name(drawn, number), a, b, "") for a, b in np.asarray(path.vertices))


def _mesh(mesh: Any, name: str) -> Iterator[tuple[Any, ...]]:
    """Corners of a smooth map, middles of the cells of another."""
    places, values = np.asarray(mesh.get_coordinates()), np.ma.filled(mesh.get_array(), np.nan)
    if places.shape[:2] != values.shape:
        places = (places[1:, 1:] + places[:-1, :-1]) / 2
    for (x, y), value in zip(places.reshape(-1, 2), values.ravel(), strict=True):
        yield "map", name, x, y, value


def _name(artist: Any, number: int) -> str:
    label = str(artist.get_label())
    return str(number) if label.startswith("_") else label
