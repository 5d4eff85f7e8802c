"""Whether the figures in results/figures were drawn from the studies that are stored now."""

from pathlib import Path

from theory import figures
from theory.figures import gallery
from theory.tex.results import StaleError


def check(results: Path) -> None:
    """Compare what each figure was drawn from with what is stored.

    Raises:
        StaleError: a figure was drawn from other data, or does not say from which.
    """
    stale = gallery.stale(figures.ALL, results / "figures", results)
    if stale:
        remedy = f"python -m theory figures {' '.join(stale)}"
        raise StaleError(f"figures drawn from other data than results/ holds now: {', '.join(stale)}; {remedy}")
