"""How a verdict is known: the kinds of evidence behind it, in words for terminals, pages and papers."""

from theory.ledger.claim import Entry, Verdict
from theory.ledger.evidence import About, Kind, Outcome, Result

KINDS = {
    Kind.FORMAL: "kernel-checked proof",
    Kind.PROOF: "proof",
    Kind.PROPERTY: "property",
    Kind.EXACT: "exact expectation",
    Kind.MEASUREMENT: "measured",
    Kind.PUBLISHED: "published numbers",
    Kind.COUNTEREXAMPLE: "counterexample",
}


def of_paper(entry: Entry) -> bool:
    """Whether the paper makes the claim."""
    return entry.claim.source.startswith("paper")


def worded(entry: Entry) -> str:
    """The verdict, with the number of prose pieces where a proof decides it: ``proved (2 prose)``."""
    verdict = entry.verdict
    if verdict not in {Verdict.PROVED, Verdict.REPAIRED, Verdict.ARGUED}:
        return verdict
    about = About.CORRECTION if verdict is Verdict.REPAIRED else About.STATEMENT
    prose = sum(result.prose for result in entry.results if result.about is about)
    return f"{verdict} ({prose} prose)" if prose else verdict


def known_by(entry: Entry) -> str:
    """How the verdict is known: the kinds of evidence that decide it, with the prose pieces of a proof counted."""
    verdict = entry.verdict
    about = About.CORRECTION if verdict is Verdict.REPAIRED else About.STATEMENT
    against = verdict in {Verdict.REFUTED, Verdict.CONTRADICTED, Verdict.UNMET}
    sought = Outcome.CONTRADICTS if against else Outcome.INCONCLUSIVE if verdict is Verdict.UNDECIDED else None
    deciding = [r for r in entry.results if r.about is about and (sought is None or r.outcome is sought)]
    words = list(dict.fromkeys(_kind(result) for result in deciding))
    return ", ".join(words)


def _kind(result: Result) -> str:
    prose = result.prose
    return KINDS[result.kind] + (f" ({prose} prose {'piece' if prose == 1 else 'pieces'})" if prose else "")
