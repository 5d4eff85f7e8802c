"""Gathers all that the paper's numbers come from, and writes ``paper/generated``."""

from collections.abc import Sequence
from pathlib import Path

from theory.ledger.claim import Entry
from theory.tex import closed, drawn, entries, networks, provenance, questions, simulated, studies
from theory.tex.book import Book


def write(ledger: Sequence[Entry], results: Path, folder: Path) -> int:
    """Write every generated file of the paper.

    Args:
        ledger: all claims with their outcomes, of this source.
        results: the folder of stored results.
        folder: where the files go; nothing is written unless everything is there.

    Returns:
        How many values are defined.

    Raises:
        StaleError: results are missing, unfinished or of other code; the message names the command that makes them.
    """
    book = Book()
    entries.add(book, ledger)
    closed.add(book)
    studies.add_regret(book, ledger)
    studies.add_batch_one(book, ledger)
    studies.add_worst_case(book, results)
    studies.add_rates(book, results)
    simulated.add(book, results)
    networks.add(book, results)
    questions.add(book, ledger, results)
    drawn.add(book, results)
    provenance.add(book, results)
    book.write(folder)
    return len(book.values)
