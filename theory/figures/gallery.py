"""Draws figures from stored studies, writes them as PDF and PNG, and a page that lists them."""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theory import figures
from theory.ledger import provenance
from theory.ledger.files import lock, write
from theory.ledger.stored import read
from theory.plotting import style
from theory.studies import Drawing, store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SOURCES = "drawn-from.json"
"""The file beside the figures that says from which version of each study each of them was drawn."""


@dataclass(frozen=True)
class About:
    """What a figure's module says of itself, read without importing it; as in :class:`theory.studies.Drawing`."""

    STUDIES: tuple[str, ...]
    TITLE: str
    SEE: str


def about(name: str) -> About:
    """What the figure of this name says of itself."""
    return About(**provenance.constants(figures.ALL.homes[name], "STUDIES", "TITLE", "SEE"))


UNDATED: dict[str, dict[str, None]] = {
    "png": {"Software": None}, "pdf": {"CreationDate": None, "Producer": None}, "svg": {"Date": None},
}  # fmt: skip
"""The formats, and what is left out of each file, so that equal data give equal files."""


def render(drawing: Drawing, data: Mapping[str, Any]) -> dict[str, bytes]:
    """The contents of a figure's "png" and "pdf" by suffix, from each study's data by name."""
    with style.context():
        return files(drawing.draw(data), ("png", "pdf"))


def files(drawn: "Figure", formats: Sequence[str]) -> dict[str, bytes]:
    """A figure in each of these formats, keys of :data:`UNDATED`."""
    found = {}
    for kind in formats:
        buffer = io.BytesIO()
        drawn.savefig(buffer, format=kind, metadata=UNDATED[kind])
        found[kind] = buffer.getvalue()
    return found


def draw(name: str, data: Mapping[str, Any], folder: Path) -> None:
    """Draw one figure into ``folder`` as NAME.png and NAME.pdf, and write down from which data."""
    for kind, content in render(figures.ALL[name], data).items():
        write(folder / f"{name}.{kind}", content)
    note(name, data, folder)


def note(name: str, data: Mapping[str, Any], folder: Path) -> None:
    """Write down from which data a figure was drawn, beside what the others were drawn from."""
    path = folder / SOURCES
    with lock(path):
        known = _sources(folder) | {name: {study: digest(one) for study, one in data.items()}}
        write(path, json.dumps(known, indent=1, sort_keys=True) + "\n")


def _sources(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / SOURCES
    return read(path) if path.exists() else {}


def digest(data: Any) -> str:
    """The first 12 digits of the SHA-256 of a study's data: which version of it a figure was drawn from."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]


def stale(folder: Path, results: Path) -> list[str]:
    """The figures that were not drawn from the stored data.

    Args:
        folder: of the figures.
        results: of the stored studies and of the results of other commands.

    Returns:
        The names of those whose data differ from what is stored now, or that do not say what they were drawn from.
    """
    known = _sources(folder)
    return [
        name
        for name in figures.ALL
        if known.get(name)
        != {study: digest(store.load(study, results / "theory", results)) for study in about(name).STUDIES}
    ]


def page(folder: Path) -> str:
    """The gallery of the figures that ``folder`` holds, in Markdown."""
    lines = [
        "# Figures of the theory",
        "",
        "Each is drawn by `python -m theory figures NAME` from stored studies. Lines are theory and dots are data;",
        "bands and bars are 95 % intervals over the seeds, unless the figure says otherwise.",
    ]
    for name in figures.ALL:
        if (folder / f"{name}.png").exists():
            this = about(name)
            reads = ", ".join(f"`{study}`" for study in this.STUDIES)
            lines += ["", f"## {this.TITLE}", "", this.SEE, ""]
            lines += [f"![{this.TITLE}]({name}.png)", "", f"[PDF]({name}.pdf); reads {reads}."]
    return "\n".join(lines) + "\n"
