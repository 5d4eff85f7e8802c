"""The figures of results/figures: that they were drawn from what is stored now, and the words that go with them."""

import re
from pathlib import Path

from theory import figures
from theory.figures import gallery
from theory.tex.book import Book
from theory.tex.markup import statement
from theory.tex.results import StaleError


def add(book: Book, results: Path) -> None:
    """Define ``figure/NAME``, a caption, for every figure.

    Raises:
        StaleError: a figure was drawn from other data than are stored, or does not say from which.
    """
    stale = gallery.stale(results / "figures", results)
    if stale:
        remedy = f"python -m theory figures {' '.join(stale)}"
        raise StaleError(f"figures drawn from other data than results/ holds now: {', '.join(stale)}; {remedy}")
    for name in figures.ALL:
        about = gallery.about(name)
        book.value(f"figure/{name}", f"{_caption(about.TITLE)}. {_caption(about.SEE)}")


def _caption(text: str) -> str:
    """A heading or a sentence of the gallery: "the paper" is another one here, and stars are emphasis."""
    text = re.sub(r"\b([Tt]he) paper\b", r"\1 source paper", text)
    return re.sub(r"(?<![\^\w])\*(\w+)\*", r"\\emph{\1}", statement(text))
