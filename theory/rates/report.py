"""Rich tables of the rate studies, built here and printed by the command."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from theory.rates.records import Verdict

STYLES = {
    Verdict.AGREES: "green",
    Verdict.DIFFERS: "yellow",
    Verdict.UNDECIDED: "dim",
    Verdict.VIOLATED: "bold red",
}
Row = dict[str, Any]


def study_table(study: dict[str, Any], *, every: bool) -> Table:
    """One study. A line stands for all alpha of a method and shows the one furthest from its prediction.

    The ratio is the smallest within the fit window, and n/a marks one whose theorem's hypotheses were not met. A number
    that follows from the line above it is marked so and not counted.

    Args:
        study: as stored.
        every: one line per row instead.

    Returns:
        The table.
    """
    seeds = f"{len(study['seeds'])} seeds" if study["seeds"] else "no randomness"
    table = Table(
        title=f"{study['study']}: {study['title']} ({study['mode']}, {seeds}, {study['wall_s']:.0f} s)",
        title_justify="left", box=SIMPLE_HEAD,
    )  # fmt: skip
    for name in ("method, quantity", "theorem"):
        table.add_column(name)
    for name in ("alpha", "predicted", "measured [95 %]", "fit window", "bound/meas.", "agree"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    subject = None
    for rows in _groups(study["rows"], every=every):
        row, about = _furthest(rows), f"{rows[0]['objective']} · {rows[0]['quantity']}"
        if about != subject:
            table.add_row(Text(about, style="italic"))
            subject = about
        table.add_row(*_cells(row, rows))
    return table


def _groups(rows: Sequence[Row], *, every: bool) -> list[list[Row]]:
    """Rows that differ in alpha and beta1 alone; sorted so that those about one thing stand together."""

    def key(row: Row) -> tuple:
        return (row["objective"], row["quantity"], row["variant"], row["method"])

    order = {key(row): i for i, row in reversed(list(enumerate(rows)))}
    first = {(row["objective"], row["quantity"]): i for i, row in reversed(list(enumerate(rows)))}
    ordered = sorted(rows, key=lambda row: (first[row["objective"], row["quantity"]], order[key(row)]))
    if every:
        return [[row] for row in ordered]
    return [list(group) for _, group in groupby(ordered, key)]


def _excess(row: Row) -> float:
    """How far it is from the prediction, in the direction that counts."""
    gap = row["measured"] - row["predicted"]
    return gap if row["relation"] == "<=" else abs(gap)


def _furthest(rows: Sequence[Row]) -> Row:
    """A row whose verdict is the worst; among those the furthest from its prediction."""
    severity = [Verdict.AGREES, Verdict.UNDECIDED, Verdict.DIFFERS, Verdict.VIOLATED]
    return max(rows, key=lambda row: (severity.index(Verdict(row["verdict"])), _excess(row)))


def _cells(row: Row, rows: Sequence[Row]) -> tuple[str | Text, ...]:
    measured = f"{row['measured']:.4g}"
    if row["low"] != row["high"]:
        measured += f" [{row['low']:.4g}, {row['high']:.4g}]"
    ratios = [r["bound_over_measured_late"] for r in rows if r["bound_over_measured_late"] is not None]
    first, last = row["window"]
    proved = all(r["proved"] for r in rows)
    agreeing = sum(r["verdict"] == Verdict.AGREES for r in rows)
    verdict = Verdict(row["verdict"])
    name = f"  {row['method']}" + (f", {row['variant']}" if row["variant"] else "")
    return (
        name,
        row["theorem"],
        f"{row['alpha']:g}",
        f"{row['relation']} {row['predicted']:.5g}",
        measured,
        f"{row['window_of']} {first:.3g} to {last:.3g}",
        f"{min(ratios):.4g}{'' if proved else ' (n/a)'}" if ratios else "",
        "derived" if row["derived"] else f"{agreeing}/{len(rows)}",
        Text(verdict, style=STYLES[verdict]),
    )


def throughput_table(result: dict[str, Any]) -> Table:
    """The runner beside the loop."""
    table = Table(title="coordinate updates a second, d = 4, 64 seeds", title_justify="left", box=SIMPLE_HEAD)
    for name in ("method", "compiled runner", "loop of optimizers over the seeds", "ratio"):
        table.add_column(name, justify="left" if name == "method" else "right")
    for method, entry in result["methods"].items():
        table.add_row(method, f"{entry['runner']:,}", f"{entry['loop']:,}", f"{entry['ratio']:g}")
    return table


def summary(studies: Sequence[dict[str, Any]]) -> str:
    """How many rows say what, and the smallest ratio of a proved bound to what it bounds, anywhere on a curve."""
    every = [row for study in studies for row in study["rows"]]
    rows = [row for row in every if not row["derived"]]
    counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in Verdict}
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    ratios = [row["bound_over_measured"] for row in every if row["proved"]]
    least = f"; smallest bound/measured of {len(ratios)} proved bounds: {min(ratios):.4g}" if ratios else ""
    more = f"; {len(every) - len(rows)} derived numbers not counted" if len(every) > len(rows) else ""
    return f"{len(rows)} comparisons: {said}{more}{least}"
