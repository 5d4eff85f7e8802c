"""The command line: ``python -m theory verify | ledger | monitor | conform``."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from theory import claims, pinned, store, tables
from theory.evidence import QUICK, THOROUGH, Effort
from theory.ledger import Claim, Entry, entries, surprises

errors = Console(stderr=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m theory", description="Evidence for every claim of the paper.")
    commands = parser.add_subparsers(required=True)

    verify = commands.add_parser("verify", help="run the evidence; exit code 1 if an outcome is not the pinned one")
    verify.add_argument("--only", action="append", metavar="ID", help="only this claim (repeatable)")
    verify.add_argument("--thorough", action="store_true", help="many more cases, and the slow checks")
    verify.add_argument("--json", type=Path, metavar="FILE", help="also write the ledger there")
    verify.set_defaults(run=_verify)

    ledger = commands.add_parser("ledger", help="print the verdicts; runs the evidence if this source has no outcomes")
    ledger.add_argument("--json", action="store_true", help="JSON alone on stdout: a list of claims")
    ledger.add_argument("--fresh", action="store_true", help="run the evidence even if outcomes are stored")
    ledger.set_defaults(run=_ledger)

    monitor = commands.add_parser("monitor", help="watch a small network train: measured constants beside the bounds")
    monitor.add_argument("--steps", type=int, default=300)
    monitor.set_defaults(run=_monitor)

    check = commands.add_parser(
        "conform", help="run another implementation against the paper; exit code 1 if it departs"
    )
    check.add_argument("target", metavar="MODULE:OPTIMIZER")
    check.add_argument("--kwargs", type=json.loads, default={}, metavar="JSON", help="more constructor arguments")
    check.add_argument("--json", action="store_true", help="JSON alone on stdout")
    check.set_defaults(run=_conform)

    options = parser.parse_args(arguments)
    return options.run(options)


def _verify(options: argparse.Namespace) -> int:
    effort = THOROUGH if options.thorough else QUICK
    chosen = _choose(options.only)
    if not chosen:
        return 2
    ledger = _compute(chosen, effort)
    Console().print(tables.ledger_table(ledger))
    if not options.only:
        store.save(ledger, effort, store.LOCAL)
    if options.json:
        store.save(ledger, effort, options.json)
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


def _ledger(options: argparse.Namespace) -> int:
    ledger = None
    if not options.fresh:
        ledger = store.load(store.LOCAL, claims.ALL) or store.load(store.COMMITTED, claims.ALL)
    if ledger is None:
        ledger = _compute(claims.ALL, QUICK)
        store.save(ledger, QUICK, store.LOCAL)
    if options.json:
        json.dump([entry.to_json() for entry in ledger], sys.stdout, indent=1, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        Console().print(tables.ledger_table(ledger))
    return 0


def _monitor(options: argparse.Namespace) -> int:
    from theory.demonstration import watched_training

    report, largest_curvature = watched_training(options.steps)
    Console().print(tables.report_table(report, largest_curvature))
    return 0


def _conform(options: argparse.Namespace) -> int:
    from theory import conform

    try:
        observations = conform.conform(conform.load(options.target, options.kwargs))
    except ValueError as error:
        errors.print(str(error), highlight=False)
        return 2
    if options.json:
        json.dump([asdict(observation) for observation in observations], sys.stdout, indent=1, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        Console().print(tables.conformance_table(options.target, observations))
    return 0 if all(observation.agrees for observation in observations) else 1


def _compute(chosen: Sequence[Claim], effort: Effort) -> list[Entry]:
    with Progress(
        SpinnerColumn(), TextColumn("{task.completed}/{task.total} {task.description}"), TimeElapsedColumn(),
        console=errors, transient=True,
    ) as progress:  # fmt: skip
        task = progress.add_task("", total=len(chosen))
        ledger = []
        for entry in entries(chosen, effort, starting=lambda claim: progress.update(task, description=claim.id)):
            ledger.append(entry)
            progress.advance(task)
        return ledger


if __name__ == "__main__":
    sys.exit(main())
