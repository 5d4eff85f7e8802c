"""The ledger: a verdict and numbers by key for the text, and every claim in one long table."""

import re
from collections import Counter
from collections.abc import Sequence

from theory.ledger.claim import Entry, Verdict
from theory.ledger.evidence import About, Kind, Outcome, Result
from theory.tex.book import Book
from theory.tex.markup import count, statement, words

NAMES = {
    Verdict.PROVED: "proved",
    Verdict.REPAIRED: "proved, repaired",
    Verdict.HOLDS: "holds in all cases tried",
    Verdict.REPRODUCED: "reproduced",
    Verdict.NOT_REPRODUCED: "not reproduced",
    Verdict.REFUTED: "refuted",
    Verdict.NOT_RUN: "not run",
}
KINDS = {
    Kind.PROOF: "proof",
    Kind.PROPERTY: "property test",
    Kind.EXACT: "exact expectation",
    Kind.MEASUREMENT: "measurement",
    Kind.COUNTEREXAMPLE: "counterexample",
}
OUTCOMES = {
    Outcome.SUPPORTS: "supports",
    Outcome.CONTRADICTS: "contradicts",
    Outcome.INCONCLUSIVE: "inconclusive",
    Outcome.ERROR: "broken",
}
PARTS = ("Section", "Table", "Remark", "Assumption", "Theorem", "Figure", "Lemma")
"""The order of the short table: where in the source paper a claim is made, then by number."""


def add(book: Book, ledger: Sequence[Entry]) -> None:
    r"""Define every claim, and write the table.

    Keys: ``\generatedclaim{id}{verdict}``; ``id/name``, each number that its evidence holds by name, and ``id/name/2``
    where a second piece of evidence has it, too;
    ``count/verdict`` and ``count/all``, ``count/kind``, ``count/paper``, ``count/ours``.
    """
    lines = [f"\\generatedclaim{{{entry.claim.id}}}{{{NAMES[entry.verdict]}}}\n" for entry in ledger]
    book.file("claims", "".join(lines))
    for entry in ledger:
        named: Counter[str] = Counter()
        for result in entry.results:
            for name, value in result.values.items():
                if result.kind is not Kind.PROOF:  # a proof's are certificates, which have a table
                    named[name] += 1
                    order = f"/{named[name]}" if named[name] > 1 else ""
                    book.value(f"{entry.claim.id}/{name}{order}", count(value))
    verdicts = Counter(entry.verdict for entry in ledger)
    for verdict in Verdict:
        book.value(f"count/{verdict}", str(verdicts[verdict]))
    book.value("count/all", str(len(ledger)))
    book.value("count/paper", str(sum(entry.claim.source.startswith("paper") for entry in ledger)))
    book.value("count/ours", str(sum(not entry.claim.source.startswith("paper") for entry in ledger)))
    kinds = Counter(result.kind for entry in ledger for result in entry.results)
    for kind in Kind:
        book.value(f"count/{kind}", str(kinds[kind]))
    pieces = Counter(_machine(piece["tool"]) for e in ledger for r in e.results for piece in r.pieces)
    book.value("count/machine", str(pieces[True]))
    book.value("count/prose", str(pieces[False]))
    book.file("ledger", _table(ledger))
    book.file("verdicts", _short(ledger))


def _machine(tool: str) -> bool:
    return tool != "prose"


def _table(ledger: Sequence[Entry]) -> str:
    """A block a claim: name, source and verdict on the left, statement and evidence on the right."""
    rows = []
    for entry in ledger:
        claim = entry.claim
        left = rf"\ledgername{{{claim.id}}}\newline \ledgerverdict{{{entry.verdict}}}{{{NAMES[entry.verdict]}}}"
        parts = [statement(claim.statement)]
        if claim.assumptions:
            parts.append(rf"\emph{{Needs:}} {'; '.join(statement(text) for text in claim.assumptions)}.")
        if claim.corrected:
            parts.append(rf"\emph{{Corrected:}} {statement(claim.corrected)}")
        parts += [_evidence(result) for result in entry.results]
        if not entry.results:
            parts.append(rf"\emph{{To be run with:}} {words(claim.needs or '')}.")
        parts.append(rf"\emph{{Where:}} {words(claim.source)}.")
        rows.append(left + " & " + r" \newline ".join(parts) + r" \\[3pt]")
    return "\n".join([r"\begin{ledgertable}", *rows, r"\end{ledgertable}", ""])


def _evidence(result: Result) -> str:
    about = " the correction" if result.about is About.CORRECTION else ""
    said = f"{OUTCOMES[result.outcome]}{about}"
    return rf"\emph{{{KINDS[result.kind].capitalize()}}} ({said}): {words(result.name)}; {words(result.detail)}."


def _short(ledger: Sequence[Entry]) -> str:
    """The paper's claims with their verdicts, those without evidence left out, in the source paper's order of parts."""
    paper = [entry for entry in ledger if entry.claim.source.startswith("paper") and entry.results]
    rows = [
        rf"{words(_place(entry.claim.source))} & \claimref{{{entry.claim.id}}} & {NAMES[entry.verdict]} \\"
        for entry in sorted(paper, key=lambda entry: _order(_place(entry.claim.source)))
    ]
    return "\n".join(
        [r"\begin{tabular}{lll}", r"\toprule", r"in the source paper & claim & verdict \\", r"\midrule", *rows,
         r"\bottomrule", r"\end{tabular}", ""]
    )  # fmt: skip


def _place(source: str) -> str:
    """``paper, Appendix, Lemma 6 (as described; ...)`` -> ``Lemma 6``."""
    return source.removeprefix("paper, ").removeprefix("Appendix, ").split(" (")[0]


def _order(place: str) -> tuple[int, tuple[int, ...]]:
    """The part's place in ``PARTS``, and its numbers."""
    part = next((i for i, name in enumerate(PARTS) if place.startswith(name)), len(PARTS))
    return part, tuple(map(int, re.findall(r"\d+", place)))
