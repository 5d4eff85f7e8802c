"""Verdicts follow from outcomes: every rule, and what happens when the evidence is broken."""

import json

import pytest
import sympy as sp
from hypothesis import strategies as st

from theory.ledger.claim import Claim, Entry, Repair, Verdict, entries
from theory.ledger.evidence import (
    About,
    Effort,
    Finding,
    Outcome,
    Piece,
    counterexample,
    enumerated,
    holds_for,
    measured,
    proof,
)
from theory.ledger.provers import identity

FEW = Effort("few", examples=15, thorough=False)
x, y = sp.symbols("x y")
MINE, MENDED = About.STATEMENT, About.CORRECTION


def proved(about=MINE):
    return proof("true", Piece("square", lambda: identity((x + y) ** 2, x**2 + 2 * x * y + y**2)), about=about)


def unproved(about=MINE):
    return proof("false", Piece("square", lambda: identity((x + y) ** 2, x**2 + y**2)), about=about)


def sampled(true=True):
    def check(n):
        assert n * n >= (0 if true else 1), "square too small"

    return holds_for("square", check, n=st.integers(-5, 5))


def case(fails=True):
    return counterexample("case", lambda: (fails, "seen"))


def expectation(true=True):
    def check(_):
        assert true, "off"
        return "all paths"

    return enumerated("all paths", check)


def measurement(outcome):
    return measured("measured", lambda _: Finding(outcome, "1.0 +- 0.1"))


def claim(*evidence, repairs=None):
    return Claim("a-claim", "here", "s", evidence=evidence, corrected="c" if repairs else None, repairs=repairs)


def verdict_of(a_claim):
    (entry,) = entries([a_claim], FEW)
    return entry.verdict


@pytest.mark.parametrize(("a_claim", "expected"), [
    (claim(proved()), Verdict.PROVED),
    (claim(proved(), sampled()), Verdict.PROVED),
    (claim(proved(), unproved()), Verdict.BROKEN),
    (claim(proved(), sampled(true=False)), Verdict.REFUTED),
    (claim(unproved(), sampled()), Verdict.HOLDS),
    (claim(sampled()), Verdict.HOLDS),
    (claim(expectation()), Verdict.HOLDS),
    (claim(expectation(true=False)), Verdict.REFUTED),
    (claim(case()), Verdict.REFUTED),
    (claim(case(fails=False)), Verdict.BROKEN),
    (claim(case(), proved(MENDED), repairs=Repair.ASSUMPTION), Verdict.REPAIRED),
    (claim(case(), unproved(MENDED), repairs=Repair.ASSUMPTION), Verdict.REFUTED),
    (claim(case(), proved(MENDED), repairs=Repair.CONCLUSION), Verdict.REFUTED),
    (claim(proved(MENDED), repairs=Repair.ASSUMPTION), Verdict.REPAIRED),
    (claim(measurement(Outcome.SUPPORTS)), Verdict.REPRODUCED),
    (claim(measurement(Outcome.CONTRADICTS)), Verdict.CONTRADICTED),
    (claim(measurement(Outcome.INCONCLUSIVE)), Verdict.UNDECIDED),
    (claim(measurement(Outcome.INCONCLUSIVE), case(fails=False)), Verdict.BROKEN),
    (claim(measurement(Outcome.SUPPORTS), case()), Verdict.REFUTED),
    (Claim("a-claim", "here", "s", needs="a GPU"), Verdict.NOT_RUN),
], ids=lambda value: value if isinstance(value, str) else "+".join(e.name for e in value.evidence))  # fmt: skip
def test_verdict_rules(a_claim, expected):
    assert verdict_of(a_claim) == expected


def test_evidence_that_raises_is_broken_whatever_the_rest_says():
    broken = claim(proof("broken", Piece("division", lambda: identity(1 / 0))), sampled(), case())
    (entry,) = entries([broken], FEW)
    assert entry.results[0].outcome is Outcome.ERROR
    assert "ZeroDivisionError" in entry.results[0].detail
    assert entry.verdict is Verdict.BROKEN
    assert entry.broken == [entry.results[0]]


def test_a_false_property_shows_its_smallest_case():
    (entry,) = entries([claim(sampled(true=False))], FEW)
    assert "n=0" in entry.results[0].detail


def test_an_entry_survives_json():
    mended = claim(sampled(true=False), proved(MENDED), measurement(Outcome.SUPPORTS), repairs=Repair.ASSUMPTION)
    (entry,) = entries([mended], FEW)
    again = Entry.from_json(json.loads(json.dumps(entry.to_json())))
    assert again.claim == mended.bare
    assert [(r.kind, r.about, r.outcome, r.detail) for r in again.results] == [
        (r.kind, r.about, r.outcome, r.detail) for r in entry.results
    ]
    assert again.verdict is entry.verdict is Verdict.REPAIRED


def test_a_verdict_written_by_hand_is_not_read():
    (entry,) = entries([claim(case())], FEW)
    assert Entry.from_json({**entry.to_json(), "verdict": "proved"}).verdict is Verdict.REFUTED


@pytest.mark.parametrize(("arguments", "why"), [
    ({"statement": "s"}, "must say what it needs"),
    ({"statement": "s", "needs": "x", "corrected": "c"}, "what it repairs"),
    ({"statement": "s", "evidence": (proved(MENDED),)}, "a correction that is not stated"),
], ids=["no evidence", "no repair", "no correction"])  # fmt: skip
def test_a_claim_must_be_complete(arguments, why):
    with pytest.raises(ValueError, match=why):
        Claim(id="a-claim", source="here", **arguments)


def test_a_proof_needs_a_machine():
    with pytest.raises(ValueError, match="no machine-checked piece"):
        proof("words", Piece("trust me"))
