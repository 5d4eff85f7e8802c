"""The claims about our own trained networks: each with its estimate, and whether the interval decides it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from theory.claims.networks.paper_tables import compare
from theory.ledger.claim import Entry, Verdict
from theory.tex.book import Book
from theory.tex.entries import NAMES, number, of_networks, order, sentence
from theory.tex.markup import decimals, fixed, grouped_table, interval, table, words
from theory.tex.markup import number as figures
from theory.tex.results import StaleError, read

REMEDY = "python -m experiments evidence"
DECIDED = (Verdict.REPRODUCED, Verdict.CONTRADICTED, Verdict.UNDECIDED)
FAMILIES = {
    r"alto-vs-lamb": "ALTO ends better than LAMB",
    r"alto-best": "ALTO ends better than the best of its rivals (Bonferroni)",
    r"e-vs-|esgd-|eadam-": "E in front of a base optimizer, against the base",
    r"batch-scaling": "ALTO against LAMB over the batch size",
    r"part-": "ALTO without one of its parts ends worse",
    r"clipping|unfair": "Clipping the gradient helps",
    r"alpha-best|alpha-far|extrapolation": r"Which $\alpha$ ends best",
    r"flatness": r"$\alpha < 0$ ends flatter, by the filter-normalised sharpness",
    r"eigenvalue": r"$\alpha < 0$ ends flatter, by the largest eigenvalue",
    r"alpha-star": r"At $\alpha^\star$ ALTO is LAMB with another decay rate",
    r"cost": "What a step costs",
    r"": "Other claims",
}
"""Groups of claims: the beginning of a claim's name after "ours-", and a heading in LaTeX."""
LEAD = re.compile(r"ALTO ends with a (?:higher|lower) (?:test )?(.+?) than LAMB (?:on )?(.+?)\.?$")
"""What a comparison with LAMB is measured by, and on what."""
UNITS = ("points", "nats", "decades", "return")
TUNED = ", each at the learning rate that validation chose for it"
"""What the table says once for all rows instead of in each."""


def add(book: Book, ledger: Sequence[Entry], results: Path) -> None:
    """The tables ``ledger-networks``, ``families`` and ``alto-lamb``, and how many claims have each verdict.

    Raises:
        StaleError: a claim that the ledger has evidence for has no stored comparison, or another one.
    """
    entries = [entry for entry in order(ledger) if of_networks(entry)]
    stored = {entry.claim.id: _comparison(entry, results) for entry in entries if entry.results}
    groups: dict[str, list[list[str]]] = {heading: [] for heading in FAMILIES.values()}
    told: dict[str, Counter[Verdict]] = {heading: Counter() for heading in FAMILIES.values()}
    first = next(iter(FAMILIES.values()))
    leads = []
    for entry in entries:
        heading, found = _family(entry.claim.id), stored.get(entry.claim.id)
        said = sentence(entry).replace(TUNED, "")
        estimate = "" if found is None else rf"{_estimate(found)} {_unit(found)}"
        groups[heading].append([
            number(entry), rf"{said} \ledgername{{{entry.claim.id}}}", estimate, NAMES[entry.verdict],
        ])  # fmt: skip
        if found is not None:
            told[heading][entry.verdict] += 1
            if heading == first:
                leads.append([*_subject(found), _estimate(found), str(len(found["seeds"])),
                              rf"{NAMES[entry.verdict]}\claim{{{entry.claim.id}}}"])  # fmt: skip
    totals = sum(told.values(), Counter())
    for verdict in DECIDED:
        book.value(f"questions/{verdict}", str(totals[verdict]))
    for verdict in DECIDED:
        book.value(f"alto-lamb/{verdict}", str(told[first][verdict]))
    book.value("alto-lamb/all", str(told[first].total()))
    book.value("questions/all", str(len(stored)))
    book.value("questions/not-run", str(len(entries) - len(stored)))
    book.value("questions/by-chance", figures(0.05 * len(stored), 2))
    head = ["", "claim", r"estimate, 95\,\%", "verdict"]
    rows = {heading: rows for heading, rows in groups.items() if rows}
    book.file("ledger-networks", grouped_table(("r", 0.54, 0.27, 0.13), head, rows))
    counts = [[heading, *(str(told[heading][verdict]) for verdict in DECIDED)] for heading in rows]
    head = ["claim", *(NAMES[verdict] for verdict in DECIDED)]
    book.file("families", table("lrrr", head, counts))
    head = ["trained on", "metric", r"lead of ALTO, 95\,\%", "seeds", "verdict"]
    book.file("alto-lamb", table(r">{\raggedright\arraybackslash}p{.44\textwidth}llrl", head, leads))


def _comparison(entry: Entry, results: Path) -> dict[str, Any]:
    """The stored comparison of a claim, which has to be the one that the ledger judged."""
    stored = read(results / "evidence" / f"{entry.claim.id}.json", REMEDY)
    if [result.outcome for result in entry.results] != [compare(stored).outcome]:
        raise StaleError(
            f"the ledger has another answer to {entry.claim.id} than results/evidence: python -m theory verify"
        )
    return stored


def _family(claim: str) -> str:
    """The heading of the first family whose pattern begins the claim's name."""
    name = claim.removeprefix("ours-")
    return next(heading for pattern, heading in FAMILIES.items() if re.match(pattern, name))


def _subject(stored: Mapping[str, Any]) -> list[str]:
    """What a comparison with LAMB ran on, and its metric.

    Raises:
        StaleError: its statement has another form.
    """
    match = LEAD.match(stored["statement"].replace(TUNED, ""))
    if match is None:
        raise StaleError(f"{stored['claim']} does not compare ALTO with LAMB in the usual words: {REMEDY}")
    return [words(match[2]), words(match[1])]


def _unit(stored: Mapping[str, Any]) -> str:
    return next((unit for unit in UNITS if re.search(rf"\b{unit}\b", stored["quantity"])), "")


def _estimate(stored: Mapping[str, Any]) -> str:
    """The estimate with its interval; a difference with its sign, a ratio (which has no seeds) without."""
    digits = decimals(stored["low"], stored["high"])
    sign = bool(stored["seeds"]) and stored["estimate"] != 0
    return f"{fixed(stored['estimate'], digits, sign=sign)} {interval(stored, digits)}"
