"""Draws figures from stored studies, writes them as PDF and PNG, and a page that lists them."""

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from matplotlib.figure import Figure

from theory.plotting import style
from theory.studies import store

SOURCES = "drawn-from.json"
"""The file beside the figures that says from which version of each study each of them was drawn."""


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


def digest(data: Any) -> str:
    """The first 12 digits of the SHA-256 of a study's data: which version of it a figure was drawn from."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]


def note(name: str, data: Mapping[str, Any], folder: Path) -> None:
    """Write down from which data a figure was drawn, beside what the others were drawn from."""
    path = folder / SOURCES
    known = json.loads(path.read_text()) if path.exists() else {}
    known[name] = {study: digest(one) for study, one in data.items()}
    store.write(path, json.dumps(known, indent=1, sort_keys=True) + "\n")


def stale(drawings: Mapping[str, Drawing], folder: Path, results: Path) -> list[str]:
    """The figures that were not drawn from the stored data.

    Args:
        drawings: by name.
        folder: of the figures.
        results: of the stored studies and of the results of other commands.

    Returns:
        The names of those whose data differ from what is stored now, or that do not say what they were drawn from.
    """
    path = folder / SOURCES
    known = json.loads(path.read_text()) if path.exists() else {}
    return [
        name
        for name, drawing in drawings.items()
        if known.get(name)
        != {study: digest(store.load(study, results / "theory", results)) for study in drawing.STUDIES}
    ]


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
