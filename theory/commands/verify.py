"""``python -m theory verify``: run the evidence of every claim."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from theory import claims, pinned
from theory.commands import tables
from theory.commands.shared import compute, errors
from theory.ledger import outcomes
from theory.ledger.claim import Claim, surprises
from theory.ledger.evidence import QUICK, THOROUGH


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Tell the command line of this command."""
    parser = commands.add_parser("verify", help="run the evidence; exit code 1 if an outcome is not the pinned one")
    parser.add_argument("--only", action="append", metavar="ID", help="only this claim (repeatable)")
    parser.add_argument("--thorough", action="store_true", help="many more cases, and the slow checks")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the ledger there")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run, store and print; exit code 1 if a verdict is not the pinned one, 2 if an id is unknown."""
    effort = THOROUGH if options.thorough else QUICK
    chosen = _choose(options.only)
    if not chosen:
        return 2
    ledger = compute(chosen, effort)
    Console().print(tables.ledger_table(ledger))
    if not options.only:
        outcomes.save(ledger, effort, outcomes.LOCAL)
    if options.json:
        outcomes.save(ledger, effort, options.json)
    unexpected = surprises(ledger, pinned.VERDICTS)
    for line in unexpected:
        errors.print(f"[red]unexpected[/] {line}", highlight=False)
    return 1 if unexpected else 0


def _choose(ids: Sequence[str] | None) -> Sequence[Claim]:
    """The claims of these ids, all if None; none, with a word why, if an id is unknown."""
    known = {claim.id: claim for claim in claims.ALL}
    unknown = [name for name in ids or () if name not in known]
    if unknown:
        errors.print(f"unknown claim {', '.join(unknown)}; known: {', '.join(known)}", highlight=False)
        return ()
    return [known[name] for name in ids] if ids else claims.ALL
