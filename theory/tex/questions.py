"""The claims about our own trained networks: each with its estimate, and whether the interval decides it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from theory.claims.networks.paper_tables import compare
from theory.ledger.claim import Entry, Verdict
from theory.tex.book import Book
from theory.tex.entries import NAMES, number, sentence
from theory.tex.markup import decimals, fixed, interval, table, words
from theory.tex.markup import number as figures
from theory.tex.order import FAMILIES, by_heading, heading, of_networks, order
from theory.tex.results import StaleError, read

REMEDY = "python -m experiments evidence"
DECIDED = (Verdict.REPRODUCED, Verdict.CONTRADICTED, Verdict.UNDECIDED)
LEAD = re.compile(r"ALTO ends with a (?:higher|lower) (?:test )?(.+?) than LAMB (?:on )?(.+?)\.?$")
"""What a comparison with LAMB is measured by, and on what."""
UNITS = ("points", "nats", "decades", "return")
TUNED = ", each at the learning rate that validation chose for it"
"""What the table says once for all rows instead of in each."""


def add(book: Book, ledger: Sequence[Entry], results: Path) -> None:
    """The tables ``ledger-networks``, ``families``, ``alto-lamb``, each estimate, how many claims have each verdict.

    Raises:
        StaleError: a claim that the ledger has evidence for has no stored comparison, or another one.
    """
    entries = [entry for entry in order(ledger) if of_networks(entry)]
    stored = {entry.claim.id: _comparison(entry, results) for entry in entries if entry.results}
    told: dict[str, Counter[Verdict]] = {heading(entry): Counter() for entry in entries}
    first = next(iter(FAMILIES.values()))
    rows, leads = {}, []
    for entry in entries:
        found, family = stored.get(entry.claim.id), heading(entry)
        said = rf"{sentence(entry).replace(TUNED, '')} \ledgername{{{entry.claim.id}}}"
        estimate = "" if found is None else f"{_estimate(found)} {_unit(found)}"
        rows[entry.claim.id] = [number(entry), said, estimate, NAMES[entry.verdict]]
        if found is not None:
            book.value(f"estimate/{entry.claim.id}", _estimate(found))
            told[family][entry.verdict] += 1
            if family == first:
                verdict = rf"{NAMES[entry.verdict]}\claim{{{entry.claim.id}}}"
                leads.append([*_subject(found), _estimate(found), str(len(found["seeds"])), verdict])
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
    book.file("ledger-networks", by_heading(("r", 0.54, 0.27, 0.13), head, rows, entries))
    counts = [[family, *(str(of[verdict]) for verdict in DECIDED)] for family, of in told.items()]
    head = ["claim", *(NAMES[verdict] for verdict in DECIDED)]
    book.file("families", table("lrrr", head, counts))
    head = ["trained on", "metric", r"lead of ALTO, 95\,\%", "seeds", "verdict"]
    book.file("alto-lamb", table(r">{\raggedright\arraybackslash}p{.36\textwidth}llrl", head, leads))


def _comparison(entry: Entry, results: Path) -> dict[str, Any]:
    """The stored comparison of a claim, which has to be the one that the ledger judged."""
    stored = read(results / "evidence" / f"{entry.claim.id}.json", REMEDY)
    if [result.outcome for result in entry.results] != [compare(stored).outcome]:
        raise StaleError(
            f"the ledger has another answer to {entry.claim.id} than results/evidence: python -m theory verify"
        )
    return stored


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
