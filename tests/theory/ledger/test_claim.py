"""Verdicts follow from outcomes: every rule, and what happens when the evidence is broken."""

import pytest
import sympy as sp
from hypothesis import strategies as st

from theory import claims, pinned
from theory.ledger.claim import Claim, Repair, Verdict, entries, surprises
from theory.ledger.evidence import (
    QUICK,
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
from theory.ledger.proof import identity

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
    (claim(proved(), unproved()), Verdict.NOT_REPRODUCED),
    (claim(proved(), sampled(true=False)), Verdict.REFUTED),
    (claim(unproved(), sampled()), Verdict.HOLDS),
    (claim(sampled()), Verdict.HOLDS),
    (claim(expectation()), Verdict.HOLDS),
    (claim(expectation(true=False)), Verdict.REFUTED),
    (claim(case()), Verdict.REFUTED),
    (claim(case(fails=False)), Verdict.NOT_REPRODUCED),
    (claim(case(), proved(MENDED), repairs=Repair.ASSUMPTION), Verdict.REPAIRED),
    (claim(case(), unproved(MENDED), repairs=Repair.ASSUMPTION), Verdict.REFUTED),
    (claim(case(), proved(MENDED), repairs=Repair.CONCLUSION), Verdict.REFUTED),
    (claim(proved(MENDED), repairs=Repair.ASSUMPTION), Verdict.REPAIRED),
    (claim(measurement(Outcome.SUPPORTS)), Verdict.REPRODUCED),
    (claim(measurement(Outcome.CONTRADICTS)), Verdict.NOT_REPRODUCED),
    (claim(measurement(Outcome.SUPPORTS), case()), Verdict.REFUTED),
    (Claim("a-claim", "here", "s", needs="a GPU"), Verdict.NOT_RUN),
], ids=lambda value: value if isinstance(value, str) else "+".join(e.name for e in value.evidence))  # fmt: skip
def test_verdict_rules(a_claim, expected):
    assert verdict_of(a_claim) == expected


def test_evidence_that_raises_is_an_error_and_a_surprise():
    broken = claim(proof("broken", Piece("division", lambda: identity(1 / 0))), sampled())
    (entry,) = entries([broken], FEW)
    assert entry.results[0].outcome is Outcome.ERROR
    assert "ZeroDivisionError" in entry.results[0].detail
    assert entry.verdict is Verdict.HOLDS
    assert any("ZeroDivisionError" in line for line in surprises([entry], {"a-claim": "holds-in-cases-tried"}))


def test_a_false_property_shows_its_smallest_case():
    (entry,) = entries([claim(sampled(true=False))], FEW)
    assert "n=0" in entry.results[0].detail


def test_surprises_names_a_changed_and_an_unpinned_verdict():
    (entry,) = entries([claim(proved())], FEW)
    assert surprises([entry], {"a-claim": "proved"}) == []
    assert surprises([entry], {"a-claim": "refuted"}) == ["a-claim: pinned refuted, computed proved"]
    assert surprises([entry], {}) == ["a-claim: no verdict is pinned, computed proved"]


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


def test_every_claim_is_pinned_once():
    ids = [one.id for one in claims.ALL]
    assert len(ids) == len(set(ids))
    assert set(ids) == set(pinned.VERDICTS)
    assert set(pinned.VERDICTS.values()) <= set(Verdict)


@pytest.mark.parametrize("a_claim", claims.ALL, ids=lambda a_claim: a_claim.id)
def test_verdict_is_the_pinned_one(a_claim):
    (entry,) = entries([a_claim], QUICK)
    assert surprises([entry], pinned.VERDICTS) == []
