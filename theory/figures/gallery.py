"""Draws figures from stored studies, writes them as PDF and PNG, and a page that lists them."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from matplotlib.figure import Figure

from theory.figures import style
from theory.studies import store


class Drawing(Protocol):
    """What a figure's module offers.

    Attributes:
        STUDIES: the stored studies that it reads.
        TITLE: a short heading.
        SEE: one sentence: what the reader should see.
        draw: from the studies' data, by name, to the figure.
    """

    @property
    def STUDIES(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def TITLE(self) -> str: ...  # noqa: D102

    @property
    def SEE(self) -> str: ...  # noqa: D102

    @property
    def draw(self) -> Callable[[Mapping[str, Any]], Figure]: ...  # noqa: D102


def render(drawing: Drawing, data: Mapping[str, Any]) -> dict[str, bytes]:
    """A figure's files by suffix, without dates, so that equal data give equal files.

    Args:
        drawing: the figure's module.
        data: each study's data by name.

    Returns:
        The contents of "png" and "pdf".
    """
    files = {}
    with style.context():
        drawn = drawing.draw(data)
        for kind, metadata in (("png", {"Software": None}), ("pdf", {"CreationDate": None, "Producer": None})):
            buffer = io.BytesIO()
            drawn.savefig(buffer, format=kind, metadata=metadata)
            files[kind] = buffer.getvalue()
    return files


def write(name: str, drawing: Drawing, data: Mapping[str, Any], folder: Path) -> None:
    """Draw one figure into ``folder`` as NAME.png and NAME.pdf."""
    for kind, content in render(drawing, data).items():
        store.write(folder / f"{name}.{kind}", content)


def page(drawings: Mapping[str, Drawing], folder: Path) -> str:
    """The gallery of the figures that ``folder`` holds, in Markdown."""
    lines = [
        "# Figures of the theory",
        "",
        "Each is drawn by `python -m theory figures NAME` from stored studies; lines are theory, dots are data, and",
        "bands or bars are 95 % intervals over the seeds unless the figure says otherwise.",
    ]
    for name, drawing in drawings.items():
        if (folder / f"{name}.png").exists():
            reads = ", ".join(f"`{study}`" for study in drawing.STUDIES)
            lines += ["", f"## {drawing.TITLE}", "", drawing.SEE, ""]
            lines += [f"![{drawing.TITLE}]({name}.png)", "", f"[PDF]({name}.pdf); reads {reads}."]
    return "\n".join(lines) + "\n"
