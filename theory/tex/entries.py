"""The ledger: a number and a verdict for each claim, values by key for the text, and the appendix that lists claims."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest

from theory.ledger.claim import Entry, Verdict
from theory.ledger.evidence import Kind
from theory.ledger.known import known_by, of_paper
from theory.tex.book import Book
from theory.tex.markup import code, count, statement, words
from theory.tex.order import by_heading, of_networks, order, place

NAMES = {
    Verdict.KERNEL: "proved (kernel)",
    Verdict.PROVED: "proved",
    Verdict.ARGUED: "argued",
    Verdict.REPAIRED: "proved after a repair",
    Verdict.HOLDS: "holds in the cases tried",
    Verdict.COMPUTED: "computed",
    Verdict.REPRODUCED: "reproduced",
    Verdict.UNDECIDED: "undecided",
    Verdict.CONTRADICTED: "contradicted",
    Verdict.REFUTED: "refuted",
    Verdict.UNMET: "assumption does not hold",
    Verdict.NOT_RUN: "not run",
    Verdict.BROKEN: "evidence broken",
}


def add(book: Book, ledger: Sequence[Entry]) -> None:
    r"""Define every claim and its numbers, and write the tables ``verdicts``, ``ledger-paper`` and ``ledger-ours``.

    Keys: ``\generatedclaim{id}{number}{verdict}``; ``id/name``, each number that its evidence holds by name, and
    ``id/name/2`` where a second piece of evidence has it, too; ``count/verdict`` and ``count/all``, ``count/kind``,
    ``count/paper``, ``count/ours``, ``count/paper/verdict``.
    """
    ordered = order(ledger)
    lines = [f"\\generatedclaim{{{e.claim.id}}}{{{k}}}{{{NAMES[e.verdict]}}}\n" for k, e in enumerate(ordered, 1)]
    book.file("claims", "".join(lines))
    for entry in ledger:
        named: Counter[str] = Counter()
        for result in entry.results:
            for name, value in result.values.items():
                if result.kind is not Kind.PROOF:  # a proof's are certificates, which have a table
                    named[name] += 1
                    suffix = f"/{named[name]}" if named[name] > 1 else ""
                    book.value(f"{entry.claim.id}/{name}{suffix}", count(value))
    _counts(book, ledger)
    paper = [entry for entry in ordered if of_paper(entry)]
    ours = [entry for entry in ordered if not (of_paper(entry) or of_networks(entry))]
    book.file("verdicts", _short([entry for entry in paper if entry.results]))
    for name, entries in (("paper", paper), ("ours", ours)):
        rows = {entry.claim.id: _row(entry) for entry in entries}
        head = ["", "claim", "verdict", "how it is known"]
        book.file(f"ledger-{name}", by_heading(("r", 0.61, 0.13, 0.2), head, rows, entries))


def _counts(book: Book, ledger: Sequence[Entry]) -> None:
    verdicts = Counter(entry.verdict for entry in ledger)
    theirs = Counter(entry.verdict for entry in ledger if of_paper(entry))
    for verdict in Verdict:
        book.value(f"count/{verdict}", str(verdicts[verdict]))
        book.value(f"count/paper/{verdict}", str(theirs[verdict]))
    book.value("count/all", str(len(ledger)))
    book.value("count/paper", str(theirs.total()))
    book.value("count/ours", str(len(ledger) - theirs.total()))
    kinds = Counter(result.kind for entry in ledger for result in entry.results)
    for kind in Kind:
        book.value(f"count/{kind}", str(kinds[kind]))
    # A piece that several proofs share counts once.
    pieces = {(p["tool"], p["name"], p["detail"]) for e in ledger for r in e.results for p in r.pieces}
    prose = sum(tool == "prose" for tool, _, _ in pieces)
    book.value("count/machine", str(len(pieces) - prose))
    book.value("count/prose", str(prose))


def sentence(entry: Entry) -> str:
    """A claim in one sentence, as LaTeX: its plain sentence if it has one, else the first of its statement."""
    text = entry.claim.plain or re.split(r"(?<=\.)\s+(?=[A-Z])", entry.claim.statement)[0]
    return statement(text)


def number(entry: Entry) -> str:
    """The claim's number, the target of the links to it."""
    return rf"\ledgernumber{{{entry.claim.id}}}"


def _row(entry: Entry) -> list[str]:
    """Number, sentence with the claim's name and where the source paper makes it, verdict, and how it is known."""
    where = f"{words(place(entry))}: " if of_paper(entry) else ""
    known = known_by(entry) if entry.results else f"needs {words(entry.claim.needs or 'more')}"
    name = rf"\ledgername{{{code(entry.claim.id)}}}"
    return [number(entry), f"{where}{sentence(entry)} {name}", NAMES[entry.verdict], known]


def _short(paper: Sequence[Entry]) -> str:
    """The paper's claims on which there is evidence, three beside each other: place, link and verdict."""
    names = NAMES | {Verdict.REPAIRED: "repaired"}
    cells = [rf"{words(place(e))} & {names[e.verdict]}\claim{{{e.claim.id}}}" for e in paper]
    third = -(-len(cells) // 3)
    columns = [cells[i * third : (i + 1) * third] for i in range(3)]
    lines = [" & ".join(line) + r" \\" for line in zip_longest(*columns, fillvalue=" & ")]
    widths = r"p{.15\textwidth}p{.16\textwidth}" * 3  # wide enough for all places, and verdicts may be broken
    return "\n".join([rf"\begin{{tabular}}{{{widths}}}", r"\toprule", *lines, r"\bottomrule", r"\end{tabular}", ""])
