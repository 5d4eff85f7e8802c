"""Rich tables of the ledger, built here and printed by ``__main__``."""

from collections import Counter
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from theory.evidence import Outcome, Result
from theory.ledger import Entry, Verdict

STYLES = {
    Verdict.PROVED: "green",
    Verdict.REPAIRED: "green",
    Verdict.HOLDS: "cyan",
    Verdict.REPRODUCED: "cyan",
    Verdict.NOT_REPRODUCED: "yellow",
    Verdict.REFUTED: "red",
    Verdict.NOT_RUN: "dim",
}
MARKS = {Outcome.SUPPORTS: "+", Outcome.CONTRADICTS: "-", Outcome.INCONCLUSIVE: "?", Outcome.ERROR: "!"}


def ledger_table(ledger: Sequence[Entry]) -> Table:
    """One row a claim: its verdict, and each piece of evidence with a mark for what it says."""
    table = Table(title="Ledger", title_justify="left", caption=caption(ledger), caption_justify="left")
    table.add_column("claim", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("evidence")
    table.add_column("s", justify="right")
    for entry in ledger:
        table.add_row(
            entry.claim.id,
            Text(entry.verdict, style=STYLES[entry.verdict]),
            Text("\n".join(map(_line, entry.results)) or f"needs {entry.claim.needs}"),
            f"{sum(result.seconds for result in entry.results):.1f}",
        )
    return table


def caption(ledger: Sequence[Entry]) -> str:
    """How many claims have each verdict."""
    counts = Counter(entry.verdict for entry in ledger)
    kinds = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    return f"{len(ledger)} claims: {kinds}. + supports, - contradicts, * concerns our correction"


def _line(result: Result) -> str:
    star = "*" if result.about == "correction" else ""
    return f"{MARKS[result.outcome]}{star} {result.kind}: {result.name} ({result.detail})"
