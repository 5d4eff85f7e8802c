"""``python -m theory ledger``: the verdicts, from stored outcomes where this source has them."""

import argparse
import json
import sys

from rich.console import Console

from theory import claims, store, tables
from theory.commands.shared import compute
from theory.evidence import QUICK


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Tell the command line of this command."""
    parser = commands.add_parser("ledger", help="print the verdicts; runs the evidence if this source has no outcomes")
    parser.add_argument("--json", action="store_true", help="JSON alone on stdout: a list of claims")
    parser.add_argument("--fresh", action="store_true", help="run the evidence even if outcomes are stored")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the ledger."""
    ledger = None
    if not options.fresh:
        ledger = store.load(store.LOCAL, claims.ALL) or store.load(store.COMMITTED, claims.ALL)
    if ledger is None:
        ledger = compute(claims.ALL, QUICK)
        store.save(ledger, QUICK, store.LOCAL)
    if options.json:
        json.dump([entry.to_json() for entry in ledger], sys.stdout, indent=1, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        Console().print(tables.ledger_table(ledger))
    return 0
