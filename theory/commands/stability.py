"""``python -m theory stability``: the derivation's values computed again, and the verdicts on stability and escape."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import track

from theory.commands.shared import compute, errors
from theory.ledger.claim import Claim, surprises
from theory.ledger.evidence import QUICK

if TYPE_CHECKING:
    from theory.regressions import Check, Comparison


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Tell the command line of this command."""
    parser = commands.add_parser(
        "stability", help="reference values computed again, and the claims on stability; exit code 1 if one is off"
    )  # fmt: skip
    parser.add_argument(
        "--only", action="append", metavar="ID", help="only this check (K1 ... K25) or claim (repeatable)"
    )
    parser.add_argument("--json", action="store_true", help="JSON alone on stdout; null is an infinite value")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute and print; exit code 1 on a mismatch or an unexpected verdict, 2 if an id is unknown."""
    from theory import pinned
    from theory.commands import tables

    chosen = _choose(options.only)
    if chosen is None:
        return 2
    checks, claims = chosen
    comparisons = _compare(checks)
    ledger = compute(claims, QUICK) if claims else []
    if options.json:
        found = {"checks": [one.to_json() for one in comparisons], "claims": [entry.to_json() for entry in ledger]}
        json.dump(found, sys.stdout, indent=1, ensure_ascii=False, allow_nan=False)
        sys.stdout.write("\n")
    else:
        console = Console()
        if comparisons:
            console.print(tables.regression_table(comparisons, every=bool(options.only)))
        if ledger:
            console.print(tables.ledger_table(ledger))
    unexpected = [f"{one.id} {one.quantity}: {one.computed:.6g}, reference {one.reference:.6g}"
                  for one in comparisons if not one.agrees]  # fmt: skip
    unexpected += surprises(ledger, pinned.VERDICTS)
    for line in unexpected:
        errors.print(f"[red]unexpected[/] {line}", highlight=False)
    return 1 if unexpected else 0


def _choose(ids: Sequence[str] | None) -> "tuple[Sequence[Check], Sequence[Claim]] | None":
    """The checks and claims of these ids, all if there are none; None, with a word why, if an id is unknown."""
    from theory import regressions
    from theory.claims.behaviour import escape, landscape, margins, ode, stability, worst_case

    groups = (ode, stability, margins, landscape, escape, worst_case)
    claims = [claim for group in groups for claim in group.CLAIMS]
    if not ids:
        return regressions.ALL, claims
    known = {check.id for check in regressions.ALL} | {claim.id for claim in claims}
    unknown = [name for name in ids if name not in known]
    if unknown:
        errors.print(f"unknown {', '.join(unknown)}; known: {', '.join(sorted(known))}", highlight=False)
        return None
    return [check for check in regressions.ALL if check.id in ids], [claim for claim in claims if claim.id in ids]


def _compare(checks: "Sequence[Check]") -> "list[Comparison]":
    from theory import regressions

    shown = track(checks, "reference values", console=errors, transient=True)
    return [one for check in shown for one in regressions.compared(check)]
