"""Figures as functions: with the reader's parameters, size and style, as a matplotlib Figure.

``theory.figures.stability_map(beta1=0.95, mark=[-15])``; what can be set is in :mod:`theory.figures.parameters`.
Without parameters the stored study is drawn. With parameters it is computed, quickly (``thorough=True``: with all steps
and seeds of the stored ones), and kept in ``runs/theory/own`` of the current folder by its parameters and its code.
"""

import hashlib
import importlib.util
import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from theory.figures import marks
from theory.figures.parameters import TABLE, Parameters, home
from theory.ledger.effort import QUICK, THOROUGH
from theory.plotting import style
from theory.studies import store

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

CACHE = Path("runs") / "theory" / "own"
WIDTHS = {"column": style.COLUMN, "page": style.PAGE}
UNITS = {"in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4, "pt": 1 / 72.27}
Numbers = float | Iterable[float]
"""One value or several."""


def function(name: str, module: str, studies: Sequence[str]) -> Callable[..., "Figure"]:
    """The function that draws a figure.

    Args:
        name: of the figure, such as ``stability-map``.
        module: where it is drawn.
        studies: what it reads.

    Returns:
        The function, with the figure's parameters in its signature.
    """
    parameters = TABLE.get(name, Parameters())

    def draw(
        *, ax: "Axes | None" = None, width: str | float | None = None, style: str = "", usetex: bool = False,
        mark: Sequence[Mapping[str, float] | float] = (), thorough: bool = False, **given: Numbers,
    ) -> "Figure":  # fmt: skip
        values = {key: _values(key, value) for key, value in given.items()}
        changed = parameters.constants(values, name)
        if mark and name not in marks.PLACES:
            raise ValueError(f"{name} has no place for mark = {mark!r}; these have: {', '.join(marks.PLACES)}")
        settings = tuple(map(_setting, mark))
        data = {study: _data(study, changed.get(study, {}), thorough) for study in studies}
        drawing = copy(module, changed.get(name, {}))
        return draw_in(
            drawing, data, look(width, style, usetex), ax, lambda drawn: marks.draw(name, drawn, data, settings)
        )

    own = [inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=Numbers) for key in parameters.all()]
    usual = [p for p in inspect.signature(draw).parameters.values()
             if p.kind is p.KEYWORD_ONLY and (p.name != "mark" or name in marks.PLACES)]  # fmt: skip
    draw.__signature__ = inspect.Signature([*own, *usual], return_annotation="Figure")  # type: ignore[attr-defined]
    draw.__name__ = draw.__qualname__ = name.replace("-", "_")
    draw.__module__ = "theory.figures"
    return draw


def draw_in(
    drawing: Any, data: Mapping[str, Any], look: style.Look, ax: "Axes | None",
    add: Callable[["Figure"], None] = lambda _: None,
) -> "Figure":  # fmt: skip
    """Draw into a new figure, or in the place of an axes.

    Args:
        drawing: the figure's module.
        data: each study's data by name.
        look: width and style.
        ax: an axes of a grid (``subplots``, ``subplot_mosaic``); the figure's panels take its place, in its own style.
        add: draws more into the finished figure, in its style.

    Returns:
        The figure that was drawn or drawn into.

    Raises:
        ValueError: ``ax`` is in no grid.
    """
    if ax is None:
        with style.context(look):
            drawn = drawing.draw(data)
            add(drawn)
            return drawn
    place = _place(ax)
    with style.context(style.Look(place=place)):
        add(drawing.draw(data))
    return place.figure  # type: ignore[return-value]


def _place(ax: "Axes") -> "SubFigure":
    grid, figure = ax.get_subplotspec(), ax.figure
    if grid is None or figure is None:
        raise ValueError(
            "ax is in no grid: make it by subplots or subplot_mosaic, so that the panels can take its place"
        )
    if figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained")  # type: ignore[union-attr]
    ax.remove()
    return figure.add_subfigure(grid)


def look(width: str | float | None, name: str = "", usetex: bool = False) -> style.Look:
    """Width and style from what a reader writes.

    Args:
        width: "column" (3.25 in), "page" (6.75 in), inches, or a length such as "5.5in", "14cm", "120mm", "397pt".
        name: a bundle of tueplots; empty for ours.
        usetex: whether LaTeX sets the text.

    Returns:
        The look.

    Raises:
        ValueError: a width is no length between 1 and 50 inches, there is no such bundle, or LaTeX is not installed.
    """
    inches = _inches(width)
    if usetex:
        import shutil

        if shutil.which("latex") is None:
            raise ValueError("usetex: no program latex on the PATH; install TeX, or leave usetex out")
    found = style.Look(inches, name, usetex)
    found.rc()
    return found


def _inches(width: str | float | None) -> float | None:
    if width is None or width in WIDTHS:
        return WIDTHS.get(width) if isinstance(width, str) else None
    text, unit = str(width), 1.0
    for suffix, value in UNITS.items():
        if text.endswith(suffix):
            text, unit = text[: -len(suffix)], value
            break
    try:
        inches = float(text) * unit
    except ValueError:
        inches = 0.0
    if not 1 <= inches <= 50:
        raise ValueError(f"width = {width!r}: must be column, page, or 1 to 50 inches, such as 5.5in, 14cm or 397pt")
    return inches


def _values(name: str, value: Numbers) -> tuple[float, ...]:
    try:
        return tuple(float(one) for one in value) if isinstance(value, Iterable) else (float(value),)
    except (TypeError, ValueError):
        raise ValueError(f"{name} = {value!r}: must be a number or several") from None


def _setting(mark: Mapping[str, float] | float) -> tuple[float, float | None, float | None]:
    """A marked setting as (alpha, beta1, beta2)."""
    given = dict(mark) if isinstance(mark, Mapping) else {"alpha": mark}
    if "alpha" not in given or not given.keys() <= {"alpha", "beta1", "beta2"}:
        raise ValueError(f"mark = {mark!r}: needs alpha, and may have beta1 and beta2")
    return float(given["alpha"]), given.get("beta1"), given.get("beta2")


def copy(module: str, constants: Mapping[str, Any]) -> ModuleType:
    """A module with other constants; one of its own, so that the shared one keeps its values."""
    found = importlib.util.find_spec(module)
    assert found is not None
    assert found.loader is not None
    made = importlib.util.module_from_spec(found)
    found.loader.exec_module(made)
    vars(made).update(constants)
    return made


def _data(study: str, constants: Mapping[str, Any], thorough: bool) -> dict[str, Any]:
    """A study's data: the stored ones, or computed with other constants and kept."""
    if not constants:
        return store.load(study)
    settings = json.dumps(constants, sort_keys=True, default=str)  # methods say all that they are
    folder = CACHE / hashlib.sha256(settings.encode()).hexdigest()[:12]
    effort = THOROUGH if thorough else QUICK
    return store.run(study, copy(home(study), constants).compute, effort, store.code_of(study), folder)
