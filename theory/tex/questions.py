"""The questions to small networks: each with what it asserts, its estimate, and whether the interval answers it."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from theory.claims.networks.paper_tables import compare
from theory.ledger.claim import Entry
from theory.ledger.evidence import Outcome
from theory.tex.book import Book
from theory.tex.markup import decimals, fixed, grouped_table, interval, number, words
from theory.tex.results import StaleError, read

REMEDY = "python -m experiments evidence"
ANSWERS = {
    Outcome.SUPPORTS: "shown",
    Outcome.CONTRADICTS: "the opposite is shown",
    Outcome.INCONCLUSIVE: "open",
}
FAMILIES = {
    r"alto-vs-lamb": "ALTO beside LAMB, each with its own tuned learning rate",
    r"alto-best": "ALTO beside the best of its rivals (intervals by Bonferroni)",
    r"e-vs-|esgd-|eadam-": "E in front of a base, beside the base",
    r"batch-scaling": "Over the batch size",
    r"part-": "Which part of ALTO counts",
    r"clipping|unfair": "Clipping the gradient to norm one",
    r"alpha-best|alpha-far|extrapolation": r"Which $\alpha$",
    r"flatness": "Does exploration end flatter? Decades of the filter-normalised sharpness",
    r"eigenvalue": "The same by the top eigenvalue, which a rescaling of layers changes",
    r"alpha-star": r"At $\alpha^\star$: is ALTO LAMB with another retention",
    r"cost": "What a step costs",
    r"": "Other questions",
}
"""Groups of the table: the beginning of a claim's name after "ours-", and a heading in LaTeX."""


def add(book: Book, ledger: Sequence[Entry], results: Path) -> None:
    """The table ``questions`` by family, the lists ``shown`` and ``opposite``, and how many have each answer.

    Raises:
        StaleError: a claim that the ledger has evidence for has no stored comparison, or another one.
    """
    groups: dict[str, list[list[str]]] = {heading: [] for heading in FAMILIES.values()}
    told: dict[Outcome, list[str]] = {outcome: [] for outcome in ANSWERS}
    asked = [entry for entry in ledger if entry.claim.source.startswith("ours; laptop tier")]
    for entry in (entry for entry in asked if entry.results):
        claim = entry.claim.id
        stored = read(results / "evidence" / f"{claim}.json", REMEDY)
        outcome = compare(stored).outcome
        if [result.outcome for result in entry.results] != [outcome]:
            raise StaleError(f"the ledger has another answer to {claim} than results/evidence: python -m theory verify")
        estimate = f"{_estimate(stored)} {interval(stored, decimals(stored['low'], stored['high']))}"
        quantity = words(stored["quantity"])
        groups[_family(claim)].append([
            rf"\claimref{{{claim}}}", quantity, estimate, _bound(stored), ANSWERS[outcome],
        ])  # fmt: skip
        told[outcome].append(rf"{quantity}: {estimate} \claim{{{claim}}}")
    for outcome, lines in told.items():
        book.value(f"questions/{outcome}", str(len(lines)))
    answered = sum(map(len, told.values()))
    book.value("questions/all", str(answered))
    book.value("questions/not-run", str(len(asked) - answered))
    book.value("questions/by-chance", number(0.05 * answered, 2))
    book.file("shown", _list(told[Outcome.SUPPORTS]))
    book.file("opposite", _list(told[Outcome.CONTRADICTS]))
    head = ["claim", "quantity and unit", r"estimate, 95\,\%", "claimed", "answer"]
    caption = (
        r"The questions to small networks and their answers. A positive lead is a better end, whatever the metric."
        r"\label{tab:questions}"
    )
    found = {heading: rows for heading, rows in groups.items() if rows}
    book.file("questions", grouped_table((0.22, 0.32, "l", 0.09, 0.11), head, found, caption, together=False))


def _family(claim: str) -> str:
    """The heading of the first family whose pattern begins the claim's name."""
    name = claim.removeprefix("ours-")
    return next(heading for pattern, heading in FAMILIES.items() if re.match(pattern, name))


def _list(lines: Sequence[str]) -> str:
    items = "".join(rf"\item {line[0].upper()}{line[1:]}" + "\n" for line in lines)
    return rf"\begin{{answers}}{items}\end{{answers}}%" + "\n" if lines else "None.\n"


def _estimate(stored: Mapping[str, Any]) -> str:
    """The estimate; a difference with its sign, a ratio (which has no seeds) without."""
    digits = decimals(stored["low"], stored["high"])
    return fixed(stored["estimate"], digits, sign=bool(stored["seeds"]) and stored["estimate"] != 0)


def _bound(stored: Mapping[str, Any]) -> str:
    """What the claim asserts of the quantity."""
    least, most = stored["at_least"], stored["at_most"]
    parts = [rf"$> {least:g}$"] if least is not None else []
    parts += [rf"$< {most:g}$"] if most is not None else []
    return " and ".join(parts)
