"""The ledger as text for a terminal: what the paper claims line by line, what we claim by group, one claim whole."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from theory.ledger.claim import Entry, Verdict
from theory.ledger.evidence import About, Kind, Outcome, Result

STYLES = {
    Verdict.PROVED: "green",
    Verdict.REPAIRED: "green",
    Verdict.HOLDS: "cyan",
    Verdict.REPRODUCED: "cyan",
    Verdict.UNDECIDED: "yellow",
    Verdict.CONTRADICTED: "red",
    Verdict.REFUTED: "red",
    Verdict.NOT_RUN: "dim",
    Verdict.BROKEN: "bold red",
}
MARKS = {Outcome.SUPPORTS: "+", Outcome.CONTRADICTS: "-", Outcome.INCONCLUSIVE: "?", Outcome.ERROR: "!"}
KINDS = {
    Kind.PROOF: "proof",
    Kind.PROPERTY: "property",
    Kind.EXACT: "exact expectation",
    Kind.MEASUREMENT: "measured",
    Kind.COUNTEREXAMPLE: "counterexample",
}


def of_paper(entry: Entry) -> bool:
    """Whether the paper makes the claim."""
    return entry.claim.source.startswith("paper")


def known_by(entry: Entry) -> str:
    """How the verdict is known: the kinds of evidence that decide it, with the prose pieces of a proof counted."""
    verdict = entry.verdict
    about = About.CORRECTION if verdict is Verdict.REPAIRED else About.STATEMENT
    against = verdict in {Verdict.REFUTED, Verdict.CONTRADICTED}
    sought = Outcome.CONTRADICTS if against else Outcome.INCONCLUSIVE if verdict is Verdict.UNDECIDED else None
    deciding = [r for r in entry.results if r.about is about and (sought is None or r.outcome is sought)]
    words = list(dict.fromkeys(_kind(result) for result in deciding))
    return ", ".join(words)


def _kind(result: Result) -> str:
    prose = sum(piece["tool"] == "prose" for piece in result.pieces)
    return KINDS[result.kind] + (f" ({prose} prose {'piece' if prose == 1 else 'pieces'})" if prose else "")


def whole(ledger: Sequence[Entry], changed: Mapping[str, str], *, every: bool) -> RenderableType:
    """What the paper claims, a line per claim; then what we claim, counted by kind, or with ``every`` line by line.

    Args:
        ledger: the claims with their outcomes.
        changed: the accepted verdict of each claim that has another one now: what was found then no longer applies.
        every: also a line for each claim of ours.

    Returns:
        Something that rich prints.
    """
    paper = [entry for entry in ledger if of_paper(entry)]
    ours = [entry for entry in ledger if not of_paper(entry)]
    parts: list[RenderableType] = []
    if paper:
        parts += [table("What the paper claims, and what we found", paper, changed), Text(counts(paper) + "\n")]
    if ours and (every or not paper):
        parts += [table("What we claim", ours, changed), Text(counts(ours) + "\n")]
    elif ours:
        parts += [grouped(ours), Text("every line: --all; one claim with its evidence: --only ID\n", style="dim")]
    return Group(*parts)


def table(title: str, ledger: Sequence[Entry], changed: Mapping[str, str]) -> Table:
    """One row per claim: id, verdict, what was found, and how it is known."""
    drawn = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    drawn.add_column("claim", no_wrap=True)
    drawn.add_column("verdict", no_wrap=True)
    drawn.add_column("found", ratio=3)
    drawn.add_column("known by", ratio=1)
    for entry in ledger:
        found = entry.claim.found or entry.claim.plain or entry.claim.statement
        if entry.claim.id in changed:
            found = f"the verdict was {changed[entry.claim.id]}: see below"
        drawn.add_row(entry.claim.id, _verdict(entry), Text(found), Text(known_by(entry), style="dim"))
    return drawn


def grouped(ledger: Sequence[Entry]) -> Table:
    """One row per source of claims, with how many have each verdict."""
    drawn = Table(title="What we claim, counted", title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    groups: dict[str, list[Entry]] = {}
    for entry in ledger:
        groups.setdefault(_group(entry), []).append(entry)
    drawn.add_column("about")
    shown = [verdict for verdict in Verdict if any(entry.verdict is verdict for entry in ledger)]
    for verdict in shown:
        drawn.add_column(Text(verdict, style=STYLES[verdict]), justify="right")
    for name, entries in groups.items():
        number = Counter(entry.verdict for entry in entries)
        drawn.add_row(name, *(str(number[verdict] or "") for verdict in shown))
    return drawn


def _group(entry: Entry) -> str:
    """What a claim of ours is about: small networks, or the method."""
    return "small networks, trained" if "laptop" in entry.claim.source else "the method and its theory"


def counts(ledger: Iterable[Entry]) -> str:
    """How many claims have each verdict."""
    number = Counter(entry.verdict for entry in ledger)
    return f"{number.total()} claims: " + ", ".join(f"{number[v]} {v}" for v in Verdict if number[v]) + "."


def details(entry: Entry) -> RenderableType:
    """One claim whole: its statement, what was found, and every piece of evidence."""
    claim = entry.claim
    lines = [Text.assemble((claim.id, "bold"), "  ", _verdict(entry), f"  ({claim.source})")]
    for name, text in (
        ("claim", claim.plain or claim.statement),
        ("statement", claim.statement if claim.plain else ""),
        ("found", claim.found),
        ("corrected", claim.corrected or ""),
        ("assumes", "; ".join(claim.assumptions)),
        ("needs", "" if entry.results else claim.needs or ""),
    ):
        if text:
            lines.append(Text.assemble((f"  {name}: ", "dim"), text))
    for result in entry.results:
        about = " of our correction" if result.about is About.CORRECTION else ""
        mark = MARKS[result.outcome]
        said = f"  {mark} {KINDS[result.kind]}{about}: {result.name} ({result.detail}; {result.seconds:.1f} s)"
        lines.append(Text(said))
    return Group(*lines, Text("  + supports, - contradicts, ? says nothing, ! raised an error\n", style="dim"))


def _verdict(entry: Entry) -> Text:
    return Text(entry.verdict, style=STYLES[entry.verdict])
