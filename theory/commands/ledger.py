"""``python -m theory ledger``: the verdicts, from stored outcomes where this source has them."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from theory import claims, pinned
from theory.commands import tables
from theory.commands.shared import compute, errors
from theory.ledger import outcomes
from theory.ledger.claim import Entry, surprises
from theory.ledger.evidence import QUICK

ROOT = Path(__file__).resolve().parents[2]


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Tell the command line of this command."""
    parser = commands.add_parser("ledger", help="print the verdicts; runs the evidence if this source has no outcomes")
    parser.add_argument("--json", action="store_true", help="JSON alone on stdout: a list of claims")
    parser.add_argument("--fresh", action="store_true", help="run the evidence even if outcomes are stored")
    parser.add_argument(
        "--tex", action="store_true", help="write the paper's numbers and tables; exit code 1 if results are stale"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", default=ROOT / "paper" / "generated", help="where --tex writes"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the ledger, or write the paper's files; exit code 1 if those need results that are missing or stale."""
    ledger = None
    if not options.fresh:
        # The paper tells what is committed, where that is of this source; the terminal the newest run here.
        places = (outcomes.COMMITTED, outcomes.LOCAL) if options.tex else (outcomes.LOCAL, outcomes.COMMITTED)
        ledger = outcomes.load(places[0], claims.ALL) or outcomes.load(places[1], claims.ALL)
    if ledger is None and options.tex and not options.fresh:
        errors.print("[red]stale[/] results/ledger.json is of other code: python -m theory verify", highlight=False)
        return 1
    if ledger is None:
        ledger = compute(claims.ALL, QUICK)
        outcomes.save(ledger, QUICK, outcomes.LOCAL)
    if options.tex:
        return _write_tex(ledger, options.out)
    if options.json:
        json.dump([entry.to_json() for entry in ledger], sys.stdout, indent=1, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        Console().print(tables.ledger_table(ledger))
    return 0


def _write_tex(ledger: Sequence[Entry], out: Path) -> int:
    """The paper's files; 1 if results are missing or stale, or a verdict is not the pinned one."""
    from theory import tex

    unexpected = surprises(ledger, pinned.VERDICTS)
    for line in unexpected:
        errors.print(f"[red]unexpected[/] {line}", highlight=False)
    if unexpected:
        return 1
    try:
        values = tex.write(ledger, ROOT / "results", out)
    except tex.StaleError as error:
        errors.print(f"[red]stale[/] {error}", highlight=False)
        return 1
    Console().print(f"{values} values in {out}", highlight=False)
    return 0
