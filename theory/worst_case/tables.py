"""Rich tables of worst cases, built here and printed by the command."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

Stored = Mapping[str, Any]
"""A row as plain data: grid.Compared.to_json()."""

LEGEND = "numerical; green: the closed form holds to 1e-4, red: it fails, plain: none is known, ?: residuals too large"


def _setting(row: Stored) -> tuple[str, float, float]:
    return row["problem"], row["beta2"], row["eta"]


def worst_case_tables(rows: Sequence[Stored]) -> Iterator[Table]:
    """One table a class and momentum: the worst case by c (columns), N and beta1 (lines)."""
    for (problem, beta2, eta), group in groupby(sorted(rows, key=_setting), key=_setting):
        members = list(group)
        columns = sorted({row["c"] for row in members})
        table = Table(
            title=f"{problem}, beta2 = {beta2:g}, eta = {eta:g}/L", title_justify="left",
            caption=LEGEND, caption_justify="left", box=SIMPLE_HEAD,
        )  # fmt: skip
        for name in ("N", "beta1", *(f"c={c:g}" for c in columns)):
            table.add_column(name, justify="right", no_wrap=True)
        values = {(row["N"], row["beta1"], row["c"]): row for row in members}
        for N, beta1 in sorted({key[:2] for key in values}):
            # c = 0 is one case for all beta1, kept at the first
            cells = [_cell(values.get((N, beta1, c))) for c in columns]
            table.add_row(str(N), f"{beta1:g}", *cells)
        yield table


def _cell(row: Stored | None) -> Text:
    if row is None:
        return Text("")
    if row["dual"] is None:
        return Text(row["status"].split(";")[0][:9], style="yellow")
    style = {None: "", True: "green", False: "red"}[row["holds"]]
    return Text(f"{row['dual']:.5f}" + ("" if row["trusted"] else "?"), style=style)


def residual_line(rows: Sequence[Stored]) -> str:
    """The largest residuals of the rows, and how many are not trusted."""
    solved = [row for row in rows if row["dual"] is not None]
    gap = max((abs(row["gap"]) for row in solved), default=0.0)
    violation = max((row["violation"] for row in solved), default=0.0)
    eigenvalue = min((min(row["gram"], row["slack"]) for row in solved), default=0.0)
    untrusted = sum(not row["trusted"] for row in rows)
    return (
        f"{len(rows)} rows; largest primal-dual gap {gap:.1e}, largest constraint violation {violation:.1e}, smallest "
        f"eigenvalue {eigenvalue:.1e}; {untrusted} not trusted"
    )


def closed_form_table(entries: Sequence[Stored]) -> Table:
    """Where the closed forms hold, and by how much the optimum exceeds them elsewhere."""
    table = Table(title="closed forms, eta = 1/L, beta2 = 0", title_justify="left", box=SIMPLE_HEAD)
    for name in ("class", "N", "beta1", "holds to 1e-4 at c =", "fails at c (closed form / optimum - 1)"):
        table.add_column(name)
    for entry in entries:
        fails = ", ".join(f"{c} ({relative:+.2%})" for c, relative in entry["fails"].items())
        holds = ", ".join(f"{c:g}" for c in entry["holds"])
        table.add_row(entry["problem"], str(entry["N"]), f"{entry['beta1']:g}", holds, Text(fails, style="red"))
    return table


def tuned_table(tuned: Sequence[Stored]) -> Table:
    """The best step of each setting, numerical."""
    table = Table(title="eta tuned, smooth convex, beta2 = 0", title_justify="left", box=SIMPLE_HEAD)
    for name in ("N", "c", "beta1", "eta L", "worst case"):
        table.add_column(name, justify="right")
    for row in sorted(tuned, key=lambda row: (row["N"], row["worst_case"])):
        table.add_row(*(f"{row[name]:.5g}" for name in ("N", "c", "beta1", "eta", "worst_case")))
    return table
