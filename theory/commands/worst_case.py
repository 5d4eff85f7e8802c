"""``python -m theory worst-case``: numerical worst cases beside closed forms, and certificates checked exactly."""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from theory.ledger.provenance import Code

SAVE_EVERY = 20
Item = TypeVar("Item")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe this command to the command line."""
    parser = commands.add_parser(
        "worst-case",
        help="performance estimation, numerical, and the exact certificates; exit code 1 if one is refused or loose",
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="the whole grid, tuned steps, and the certificates made again (10 minutes); continues an earlier run",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to write (default: runs/theory/worst-case)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute, store, print.

    Exit code 1 if a certificate is refused or its bound is not the optimum to 1e-6, if a lower bound lies above a
    trusted optimum, or if a row has neither a trusted value nor the answer "unbounded".
    """
    from theory.commands.shared import errors
    from theory.ledger import files
    from theory.worst_case import solved

    folder = options.out or solved.LOCAL
    files.ready(folder / "rows.json")
    try:
        return _run(folder, full=options.full)
    except KeyboardInterrupt:
        errors.print(f"stopped; rows that are solved are kept in {folder}, and the same command continues",
                     highlight=False)  # fmt: skip
        return 130


def _run(folder: Path, *, full: bool) -> int:
    from rich.console import Console

    from theory.commands.shared import errors
    from theory.worst_case import settled, solved, summary, tables

    code, known = solved.code(), solved.load(folder)  # the code is read before it runs
    rows, tuned = _grid(folder, known, code, full=full), known["tuned"]
    failures: list[str] = []
    if full:
        tuned = tuned or _tune()
        failures += _certify(folder)
    solved.save(folder, rows, tuned, code)
    solved.save_table(folder, rows)
    console, values = Console(), list(rows.values())
    judged, residuals = summary.closed_forms(values), tables.residual_line(values)
    solved.save_summary(folder, judged, residuals)
    for table in tables.worst_case_tables(values):
        console.print(table)
    if tuned:
        console.print(tables.tuned_table(tuned))
    console.print(tables.closed_form_table(judged))
    console.print(residuals, highlight=False)
    failures += _contradictions(rows)
    failures += [f"{key}: {row['status']}" for key, row in rows.items() if _without_answer(row)]
    source = folder if full else solved.COMMITTED
    checked, compared = list(settled.refusals(source)), list(settled.far_from(rows, source))
    failures += [f"{name}: {reason}" for name, reason in (*checked, *compared) if reason]
    accepted, near = (sum(reason is None for _, reason in found) for found in (checked, compared))
    console.print(
        f"{accepted} of {len(checked)} certificates accepted in exact arithmetic: proofs for their settings; "
        f"the bounds of {near} are the numerical optimum to 1e-6; all rows above are numerical",
        highlight=False,
    )
    for line in failures:
        errors.print(f"refused: {line}", highlight=False)
    return 1 if failures else 0


def _grid(folder: Path, known: dict[str, Any], code: Code, *, full: bool) -> dict[str, dict[str, Any]]:
    """All rows, those that the folder already holds for this source taken from there; saved every few rows.

    Rows of a larger grid in the folder stay.
    """
    from theory.worst_case import grid, solved

    cases = {case.key(): case for case in (grid.full() if full else grid.quick())}
    rows = dict(known["rows"])
    missing = [key for key in cases if key not in rows]
    try:
        for count, key in enumerate(_track(missing, "worst cases"), start=1):
            rows[key] = grid.compare(cases[key]).to_json()
            if count % SAVE_EVERY == 0:
                solved.save(folder, rows, known["tuned"], code)
    except KeyboardInterrupt:
        solved.save(folder, rows, known["tuned"], code)
        raise
    return {key: rows[key] for key in (*cases, *(key for key in rows if key not in cases))}


def _track(items: Sequence[Item], what: str) -> Iterable[Item]:
    """The items, with a bar on stderr."""
    from rich.progress import track

    from theory.commands.shared import errors

    return track(items, what, console=errors, transient=True)


def _without_answer(row: dict[str, Any]) -> bool:
    """Whether the solver neither reached a value with small residuals nor called the problem unbounded."""
    return not row["trusted"] and row["status"] != "unbounded"


def _tune() -> list[dict[str, Any]]:
    from theory.worst_case.tuned import SETTINGS, tune

    jobs = [(c, beta1, N) for N in (2, 5) for c, beta1 in SETTINGS]
    return [asdict(tune(*job)) for job in _track(jobs, "tuned steps")]


def _certify(folder: Path) -> list[str]:
    """Make and store all certificates; what could not be certified, in words."""
    from theory.worst_case import nonconvex_dual, rounding, settled, solved
    from theory.worst_case.row import Problem

    failed = []
    for setting in _track(settled.every(), "certificates"):
        try:
            gradients = setting.problem is Problem.NONCONVEX
            found = nonconvex_dual.certify(setting.method) if gradients else rounding.certify(setting)
            solved.save_certificate(folder, setting.name, found)
        except ArithmeticError as error:
            failed.append(str(error))
    return failed


def _contradictions(rows: dict[str, dict[str, Any]]) -> list[str]:
    """Smooth convex rows whose attained lower bound lies above their trusted optimum: one of the two is wrong."""
    from theory.worst_case.grid import HOLDS
    from theory.worst_case.row import Problem

    return [
        f"{key}: lower bound above the optimum by {row['relative']:.1e}"
        for key, row in rows.items()
        if row["problem"] == Problem.CONVEX and row["trusted"] and (row["relative"] or 0) > HOLDS
    ]
