"""``python -m theory verify``: run the evidence, and compare the verdicts with the committed ones."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from theory.claims import SOURCES
from theory.commands import answers, verify_kind
from theory.commands.shared import errors, shown
from theory.commands.verify_kind import matching
from theory.ledger import files, outcomes, provenance, running, stored
from theory.ledger.claim import Entry, Verdict
from theory.ledger.effort import QUICK, THOROUGH, Effort
from theory.ledger.evidence import Kind, Outcome
from theory.ledger.outcomes import Part
from theory.ledger.sources import ClaimsError, Source

BAD = {Verdict.REFUTED, Verdict.UNMET, Verdict.CONTRADICTED, Verdict.BROKEN}
"""Verdicts of a file of your own that make the exit code 1."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command to the command line."""
    parser = commands.add_parser(
        "verify",
        help="run the evidence of every claim",
        description="Run the evidence of every claim, and print what was found. Evidence whose code has not changed "
        "since an earlier run here is not computed again. Exit code 0: every verdict is the committed one of "
        "results/ledger.json, and no file of results/ was changed by hand; 1: some differ, and are named; 2: the "
        "command could not run.",
    )
    parser.add_argument(
        "--only",
        action="append",
        metavar="ID",
        help="only this claim, with its evidence, or a pattern such as 'lemma-*'",
    )
    parser.add_argument("--all", action="store_true", help="a line for each claim of ours, too")
    parser.add_argument("--fresh", action="store_true", help="compute everything again")
    parser.add_argument("--thorough", action="store_true", help="many more cases, and the slow checks")
    parser.add_argument(
        "--accept", action="store_true", help="run thoroughly, then make the verdicts the committed ones"
    )
    parser.add_argument("--claims", metavar="FILE.py", help="run the claims of this file instead (a tuple CLAIMS)")
    parser.add_argument(
        "--kind", choices=[str(kind) for kind in Kind], help="run this kind of evidence alone, and keep no outcome"
    )
    parser.add_argument("--examples", type=int, metavar="N", help="with --kind: cases that each property draws (60)")
    parser.add_argument("--seed", type=int, metavar="S", help="with --kind: of these draws (fixed ones by default)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the outcomes there")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run, store, print and compare; see the parser's description for the exit code."""
    if options.accept and (options.only or options.claims):
        errors.print("--accept takes every claim of the package: leave out --only and --claims", highlight=False)
        return 2
    effort = THOROUGH if options.thorough or options.accept else QUICK
    own = not (options.claims or options.only or options.kind)
    kept = [outcomes.COMMITTED] * options.accept + [outcomes.LOCAL] * own
    files.ready(*kept, *([options.json] if options.json else []))  # before the work, which would be lost
    try:
        if options.kind or options.examples is not None or options.seed is not None:
            return verify_kind.run(options, effort)
        return _outside(options, effort) if options.claims else _own(options, effort)
    except ClaimsError as error:
        errors.print(str(error), highlight=False)
        return 2


def _outside(options: argparse.Namespace, effort: Effort) -> int:
    """A file of the user's. Nothing is kept; a claim that is refuted, contradicted or broken is exit code 1."""
    source = Source(str(Path(options.claims)))
    if not source.outside:
        raise ClaimsError(f"--claims takes a Python file, FILE.py; {options.claims!r} is none")
    known = [claim.id for claim in source.claims()]
    if not known:
        raise ClaimsError(f"{source.name}: CLAIMS is empty; put at least one theory.ledger.Claim into it")
    names = matching(options.only, known)
    with shown() as follow:
        found = running.run({source: names}, effort, follow=follow)[source]
    parts = outcomes.settled([Part(source, "", effort.name, outcomes.versions(), found)], outcomes.accepted())
    found = parts[0].entries
    if options.json:
        outcomes.save(parts, options.json)
    _print(parts, {}, options)
    for entry in found:
        for result in entry.results:
            if result.outcome is Outcome.CONTRADICTS and not options.only:  # which prints all evidence
                said = f"{result.kind} {result.name!r} contradicts it: {' '.join(result.detail.split())}"
                errors.print(f"{source.name}: {entry.claim.id}: {said}")
        for broken in entry.broken:
            errors.print(f"{source.name}: {entry.claim.id}: {broken.kind} {broken.name!r} raises {broken.detail}")
    return int(any(entry.verdict in BAD for entry in found))


def _own(options: argparse.Namespace, effort: Effort) -> int:
    """The package's claims: those whose outcomes are not here for today's code are run."""
    begin = time.monotonic()
    edited = stored.changed(provenance.RESULTS)
    for line in edited:
        errors.print(line, highlight=False)
    if edited and options.accept:
        errors.print("not accepted: evidence reads these files", highlight=False)
        return 2
    accepted = outcomes.accepted()
    parts, ran = (_chosen if options.only else _everything)(options, effort, accepted)
    parts = outcomes.settled(parts, accepted)
    if options.json:
        outcomes.save(parts, options.json)
    ledger = [entry for part in parts for entry in part.entries]
    changed = {entry.claim.id: entry.verdict for entry in accepted}
    changed = {e.claim.id: changed[e.claim.id] for e in ledger if changed.get(e.claim.id, e.verdict) != e.verdict}
    _print(parts, changed, options)
    seconds = time.monotonic() - begin
    kept = len(ledger) - ran
    said = f"{ran} claims checked in {seconds:.0f} s" if ran else f"nothing to check again ({seconds:.0f} s)"
    if kept:
        said += f"; {kept} kept from an earlier run, because neither their code nor their data has changed (--fresh "
        said += "computes them again)"
    errors.print(said, highlight=False)
    differing = outcomes.differences(ledger, accepted, all_claims=not options.only)
    if options.accept:
        return _accept(ledger, accepted, differing)
    for line in differing:
        errors.print(f"not as committed: {line}", highlight=False)
    return int(bool(differing or edited))


def _everything(options: argparse.Namespace, effort: Effort, accepted: Sequence[Entry]) -> tuple[list[Part], int]:
    """All claims, and how many of them were run. What is finished is kept at once, so a stopped run goes on later."""
    prints = {source: source.fingerprint() for source in SOURCES}
    known = [*outcomes.load(outcomes.COMMITTED if options.accept else outcomes.LOCAL), *outcomes.load(outcomes.LOCAL)]
    parts = {part.source: part for part in known if part.source in prints and part.serves(prints[part.source], effort)}
    if options.fresh:
        parts = {}
    # What a lower effort found stays kept until this one has found it, as the run may be stopped.
    kept = {part.source: part for part in known if part.source in prints and part.serves(prints[part.source], QUICK)}
    kept |= parts
    missing = {source: None for source in SOURCES if source not in parts}
    ran = 0

    def finished(source: Source, entries: list[Entry]) -> None:
        nonlocal ran
        ran += len(entries)
        parts[source] = Part(source, prints[source], effort.name, outcomes.versions(), entries)
        kept[source] = parts[source]
        outcomes.save((kept[one] for one in SOURCES if one in kept), outcomes.LOCAL)

    if missing:
        files.ready(outcomes.LOCAL)
        try:
            with shown() as follow:
                running.run(missing, effort, seconds=_seconds(accepted), follow=follow, finished=finished)
        except KeyboardInterrupt:
            errors.print(
                f"stopped: the outcomes of {len(parts)} of {len(SOURCES)} files of claims are kept in "
                f"{outcomes.LOCAL}; python -m theory verify goes on with the others",
                highlight=False,
            )
            sys.exit(130)
    ordered = [parts[source] for source in SOURCES]
    outcomes.save(ordered, outcomes.LOCAL)
    return ordered, ran


def _chosen(options: argparse.Namespace, effort: Effort, accepted: Sequence[Entry]) -> tuple[list[Part], int]:
    """The claims of these ids, run now."""
    homes = {claim.id: source for source in SOURCES for claim in source.claims()}
    names = matching(options.only, list(homes))
    sources = dict.fromkeys(dict.fromkeys(homes[name] for name in names), names)
    with shown() as follow:
        found = running.run(sources, effort, seconds=_seconds(accepted), follow=follow)
    parts = [Part(one, one.fingerprint(), effort.name, outcomes.versions(), own) for one, own in found.items()]
    return parts, sum(len(part.entries) for part in parts)


def _accept(ledger: Sequence[Entry], accepted: Sequence[Entry], differing: Sequence[str]) -> int:
    """Write the committed ledger; refused while evidence is broken, or a sentence tells of an earlier verdict."""
    broken = [entry.claim.id for entry in ledger if entry.broken]
    if broken:
        errors.print(f"not accepted: evidence is broken: {', '.join(broken)}", highlight=False)
        return 1
    silent = outcomes.unexplained(ledger, accepted)
    if silent:
        errors.print(
            f"not accepted: the verdict has changed, the claim's sentence `found` has not: {', '.join(silent)}",
            highlight=False,
        )
        return 1
    outcomes.save(outcomes.load(outcomes.LOCAL), outcomes.COMMITTED)
    for line in differing:
        errors.print(f"accepted {line}", highlight=False)
    errors.print(f"{outcomes.COMMITTED} is written", highlight=False)
    return 0


def _seconds(accepted: Sequence[Entry]) -> Mapping[str, float]:
    return {entry.claim.id: sum(result.seconds for result in entry.results) for entry in accepted}


def _print(parts: Sequence[Part], changed: Mapping[str, str], options: argparse.Namespace) -> None:
    console = Console()
    if options.only:
        console.print(*(answers.details(entry) for part in parts for entry in part.entries), sep="\n")
    else:
        console.print(answers.whole(parts, changed, every=options.all))
