"""``python -m theory ledger``: the verdicts from stored outcomes; nothing is run, and no claim is imported."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from theory.claims import SOURCES
from theory.commands import answers
from theory.commands.shared import errors
from theory.ledger import files, outcomes, provenance
from theory.ledger.claim import Entry
from theory.ledger.outcomes import Part


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command to the command line."""
    parser = commands.add_parser(
        "ledger",
        help="print what earlier runs of the evidence found",
        description="Print the verdicts of the newest outcomes stored here, of python -m theory verify, or of the "
        "committed ones. Exit code 2: nothing is stored.",
    )
    parser.add_argument("--only", action="append", metavar="ID", help="only this claim, with its evidence (repeatable)")
    parser.add_argument("--all", action="store_true", help="a line for each claim of ours, too")
    parser.add_argument("--json", action="store_true", help="JSON alone on stdout: a list of claims")
    parser.add_argument(
        "--tex", action="store_true", help="write the paper's numbers and tables; exit code 1 if results are stale"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", default=provenance.ROOT / "paper" / "generated", help="where --tex writes"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the ledger, or write the paper's files."""
    # The paper tells what is committed; the terminal the newest run here.
    parts = outcomes.load(outcomes.COMMITTED) if options.tex else newest()
    ledger = [entry for part in parts for entry in part.entries]
    if not ledger:
        errors.print("no outcomes are stored here; first: python -m theory verify", highlight=False)
        return 2
    old = outcomes.stale(parts, SOURCES)
    if options.tex:
        files.ready(options.out / "x.tex")
        return _write_tex(ledger, [source.name for source in old], options.out)
    unknown = set(options.only or ()) - {entry.claim.id for entry in ledger}
    if unknown:
        errors.print(f"unknown claim {', '.join(sorted(unknown))}; --all lists them", highlight=False)
        return 2
    chosen = [entry for entry in ledger if not options.only or entry.claim.id in options.only]
    if options.json:
        json.dump([entry.to_json() for entry in chosen], sys.stdout, indent=1, ensure_ascii=False)
        sys.stdout.write("\n")
    elif options.only:
        Console().print(*map(answers.details, chosen), sep="\n")
    else:
        Console().print(answers.whole(parts, {}, every=options.all))
    if old:
        names = ", ".join(source.name.removeprefix("theory.claims.") for source in old)
        names = names if len(old) < len(SOURCES) else "all of it"
        errors.print(f"older than the code: {names}; python -m theory verify checks them again", highlight=False)
    return 0


def newest() -> list[Part]:
    """The outcomes of the last run here, those of it that have become stale from the committed ones; else these."""
    committed = outcomes.load(outcomes.COMMITTED)
    prints = {source: source.fingerprint() for source in SOURCES}
    local = {part.source: part for part in outcomes.load(outcomes.LOCAL)}
    fresh = {source: part for source, part in local.items() if prints.get(source) == part.fingerprint}
    known = {part.source: part for part in committed} | fresh
    return [known[source] for source in SOURCES if source in known]


def _write_tex(ledger: Sequence[Entry], stale: Sequence[str], out: Path) -> int:
    """The paper's files; 1 if results are missing or stale."""
    from theory import tex

    if stale:
        errors.print(
            f"stale: results/ledger.json is of other code; python -m theory verify --accept: {', '.join(stale)}",
            highlight=False,
        )
        return 1
    try:
        values = tex.write(ledger, provenance.ROOT / "results", out)
    except tex.StaleError as error:
        errors.print(f"stale: {error}", highlight=False)
        return 1
    Console().print(f"{values} values in {out}", highlight=False)
    return 0
