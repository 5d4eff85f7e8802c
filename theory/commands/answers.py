"""The ledger as text for a terminal: what the paper claims, what we claim by subject, one claim with its evidence."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from theory.claims import HEADLINE
from theory.ledger.claim import Entry, Verdict
from theory.ledger.evidence import About, Outcome
from theory.ledger.known import KINDS, known_by, of_paper, worded
from theory.ledger.outcomes import Part

STYLES = {
    Verdict.KERNEL: "bold green",
    Verdict.PROVED: "green",
    Verdict.ARGUED: "yellow",
    Verdict.REPAIRED: "green",
    Verdict.HOLDS: "cyan",
    Verdict.COMPUTED: "cyan",
    Verdict.REPRODUCED: "cyan",
    Verdict.UNDECIDED: "yellow",
    Verdict.CONTRADICTED: "red",
    Verdict.REFUTED: "red",
    Verdict.UNMET: "red",
    Verdict.NOT_RUN: "dim",
    Verdict.BROKEN: "bold red",
}
MARKS = {Outcome.SUPPORTS: "+", Outcome.CONTRADICTS: "-", Outcome.INCONCLUSIVE: "?", Outcome.ERROR: "!"}
SUBJECTS = {"behaviour": "how E behaves", "networks": "trained networks", "published": "what the paper prints"}
"""The subpackages of claims whose name says less than a heading should."""


def whole(parts: Sequence[Part], changed: Mapping[str, str], *, every: bool) -> RenderableType:
    """The headline claims, what else the paper claims, then ours, counted by subject or with ``every`` claim by claim.

    Args:
        parts: the outcomes, file by file.
        changed: the accepted verdict of each claim that has another one now: what was found then no longer applies.
        every: also each claim of ours.

    Returns:
        Something that rich prints.
    """
    ledger = [entry for part in parts for entry in part.entries]
    paper = [entry for entry in ledger if of_paper(entry)]
    ours = [entry for entry in ledger if not of_paper(entry)]
    shown: list[RenderableType] = []
    found = {entry.claim.id: (subject(part), entry) for part in parts for entry in part.entries}
    first = [("", found.pop(name)[1]) for name in HEADLINE if name in found]
    others, own = ([row for row in found.values() if of_paper(row[1]) is which] for which in (True, False))
    if first:
        shown += [listed("The claims that matter most, and what we found", first, changed), Text()]
    if others:
        besides = "besides, " if first else ""
        shown += [listed(f"What the paper claims {besides}and what we found", others, changed)]
    if paper:
        shown += [Text(f"The paper's {counts(paper)}\n")]
    if own and (every or not paper):
        shown += [listed("What we claim", own, changed), Text(f"Our {counts(ours)}\n")]
    elif ours:
        shown += [counted(parts), Text("each of them: --all; one claim with its evidence: --only ID\n", style="dim")]
    return Group(*shown)


def listed(title: str, rows: Sequence[tuple[str, Entry]], changed: Mapping[str, str]) -> RenderableType:
    """Two lines per claim, below its subject if it has one: its verdict with how that is known, and what was found."""
    drawn = Table(title=title, title_justify="left", title_style="bold", box=None, show_header=False, pad_edge=False)
    drawn.add_column(no_wrap=True)
    drawn.add_column()
    last = ""
    for about, entry in rows:
        if about != last:
            last = about
            drawn.add_row("", Text(last, style="underline"))
        found = entry.claim.found or entry.claim.plain or entry.claim.statement
        if entry.claim.id in changed:
            found = f"the verdict was {changed[entry.claim.id]}: see below"
        known = known_by(entry)
        head = Text.assemble((entry.claim.id, "bold"), (f"  by {known}" if known else "", "dim"))
        drawn.add_row(_verdict(entry), Group(head, Text(found)))
    return drawn


def counted(parts: Sequence[Part]) -> RenderableType:
    """One line per subject: how many claims of ours have each verdict."""
    subjects: dict[str, Counter[Verdict]] = {}
    for part in parts:
        number = Counter(entry.verdict for entry in part.entries if not of_paper(entry))
        subjects.setdefault(subject(part), Counter()).update(number)
    drawn = Table(title="What we claim, counted", title_justify="left", title_style="bold", box=None, show_header=False)
    for name, number in subjects.items():
        said = Text(", ").join(
            Text(f"{number[verdict]} {verdict}", STYLES[verdict]) for verdict in Verdict if number[verdict]
        )
        if said:
            drawn.add_row(name, said)
    return drawn


def subject(part: Part) -> str:
    """What a file of claims is about, by its subpackage: ``theory.claims.lemmas.tracking`` -> ``lemmas``."""
    room = part.source.name.removesuffix(".py").split(".")[-2:][0]
    return SUBJECTS.get(room, room)


def counts(ledger: Iterable[Entry]) -> str:
    """How many claims have each verdict."""
    number = Counter(entry.verdict for entry in ledger)
    n = number.total()
    return f"{n} claim{'s' * (n != 1)}: " + ", ".join(f"{number[v]} {v}" for v in Verdict if number[v]) + "."


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
        ("rests on", ", ".join(_premises(entry))),
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


def _premises(entry: Entry) -> list[str]:
    found = entry.premises or {}
    return [f"{name} ({found[name]})" if name in found else name for name in entry.claim.rests_on]


def _verdict(entry: Entry) -> Text:
    return Text(worded(entry), style=STYLES[entry.verdict])
