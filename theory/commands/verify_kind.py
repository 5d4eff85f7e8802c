"""``python -m theory verify --kind``: one kind of evidence alone, such as the property tests, with your own budget."""

import argparse
import difflib
import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from theory.claims import SOURCES
from theory.commands.shared import errors, shown
from theory.ledger import files, outcomes, running
from theory.ledger.budget import Budget
from theory.ledger.claim import Claim
from theory.ledger.effort import Effort
from theory.ledger.evidence import Outcome, Result
from theory.ledger.sources import ClaimsError, Source

STYLE = {Outcome.SUPPORTS: "green", Outcome.CONTRADICTS: "red", Outcome.ERROR: "red"}


def run(options: argparse.Namespace, effort: Effort) -> int:
    """Run the evidence of this kind and print each outcome; nothing is kept.

    Args:
        options: of the command.
        effort: without --examples and --seed.

    Returns:
        1 if a piece of evidence says something else than the committed ledger, or is broken; in a file of your own, if
        one contradicts its statement. Else 0.

    Raises:
        ClaimsError: an option is wrong, or no claim has evidence of this kind.
    """
    if not options.kind:
        raise ClaimsError("--examples and --seed need --kind, such as --kind property")
    if options.accept:
        raise ClaimsError("--accept takes all evidence: leave out --kind")
    if options.examples is not None and options.examples < 10:
        raise ClaimsError(f"--examples = {options.examples} must be at least 10")
    budget = Budget("own", options.examples or effort.examples, effort.thorough, options.seed, options.kind)
    sources = [Source(str(Path(options.claims)))] if options.claims else SOURCES
    claims = {claim.id: (source, claim) for source in sources for claim in source.claims()}
    wanted = matching(options.only, list(claims))
    chosen: dict[Source, list[str]] = {}
    for name, (source, claim) in claims.items():
        if name in wanted and _has(claim, options.kind):
            chosen.setdefault(source, []).append(name)
    if not chosen:
        raise ClaimsError(f"none of these claims has evidence of the kind {options.kind}")
    with shown() as follow:
        found = running.run(chosen, budget, follow=follow)
    rows = [(entry.claim.id, result) for entries in found.values() for entry in entries for result in entry.results]
    if options.json:
        stored = [{"id": name, **result.to_json()} for name, result in rows]
        files.write(options.json, json.dumps(stored, indent=1, ensure_ascii=False) + "\n")
    Console().print(_table(rows, options))
    return int(_differ(rows, own=bool(options.claims)))


def matching(wanted: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    """The known ids that equal a wanted one or match it as a pattern; all of them if none is wanted.

    Raises:
        ClaimsError: a wanted one matches nothing; the message has the ids that resemble it.
    """
    if not wanted:
        return list(known)
    for name in wanted:
        if not any(fnmatchcase(one, name) for one in known):
            close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            hint = f"did you mean {', '.join(close)}?" if close else "python -m theory ledger --all lists them"
            raise ClaimsError(f"unknown claim {name!r}; {hint}")
    return [one for one in known if any(fnmatchcase(one, name) for name in wanted)]


def _has(claim: Claim, kind: str) -> bool:
    return any(evidence.kind == kind for evidence in claim.evidence)


def _table(rows: Sequence[tuple[str, Result]], options: argparse.Namespace) -> Table:
    seed = "fixed draws" if options.seed is None else f"seed {options.seed}"
    table = Table(title=f"{len(rows)} pieces of evidence of the kind {options.kind}, {seed}", title_justify="left")
    for column in ("claim", "evidence", "outcome", "seen"):
        table.add_column(column)
    for name, result in rows:
        outcome = Text(result.outcome, style=STYLE.get(result.outcome, ""))
        table.add_row(name, Text(result.name), outcome, Text(result.detail))
    return table


def _differ(rows: Sequence[tuple[str, Result]], *, own: bool) -> bool:
    """Whether evidence says something else than the committed ledger, and says which."""
    committed = {} if own else {
        (entry.claim.id, result.name): result.outcome for entry in outcomes.accepted() for result in entry.results
    }  # fmt: skip
    bad = False
    for name, result in rows:
        expected = committed.get((name, result.name), Outcome.SUPPORTS)
        if result.outcome is not expected:
            bad = True
            said = "in this file" if own else f"committed: {expected}"
            errors.print(f"{name}: {result.name} {result.outcome} ({said})", highlight=False, markup=False)
    return bad
