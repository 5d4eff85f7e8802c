"""Break a lemma or the sequences it speaks of, and see the verdict change."""

import pytest

from theory.claims.lemmas import boundedness
from theory.claims.method import identities
from theory.ledger import outcomes
from theory.ledger.claim import Verdict, entries
from theory.ledger.evidence import QUICK
from theory.ledger.provers import Square


def verdict_of(claim):
    (entry,) = entries([claim], QUICK)
    return entry.verdict


def test_wrong_certificate_is_no_proof(monkeypatch):
    # a wrong multiplier in Lemma 7's certificate: the property still holds, the proof is gone
    monkeypatch.setattr(boundedness, "Square", lambda base, **_: Square(base))
    assert verdict_of(boundedness.lemma_7) is Verdict.HOLDS


def test_wrong_recursion_is_refuted(monkeypatch):
    # a_k without its factor 1 - beta1
    monkeypatch.setattr(identities, "exploration", lambda gs, beta1: [x / (1 - beta1) for x in gs])
    assert verdict_of(identities.slow_average) is Verdict.REFUTED


def test_wrong_lemma_is_refuted(monkeypatch):
    # the second moment grows by another decay than the one Lemma 10 assumes
    monkeypatch.setattr(boundedness, "average", lambda xs, beta: [x * beta for x in xs])
    assert verdict_of(boundedness.lemma_10) is Verdict.REFUTED


@pytest.mark.parametrize("broken", [False, True], ids=["sound", "broken"])
def test_a_broken_lemma_differs_from_the_committed_ledger(monkeypatch, broken):
    if broken:
        monkeypatch.setattr(boundedness, "Square", lambda base, **_: Square(base))
    lines = outcomes.differences(list(entries([boundedness.lemma_7], QUICK)), outcomes.accepted(), all_claims=False)
    assert lines[:1] == (["lemma-7: was proved, is holds-in-cases-tried"] if broken else [])
