"""The graph of claims: what a proof rests on exists, and theorems fall with their lemmas."""

import pytest

from theory import claims
from theory.ledger.claim import Entry, Verdict, settle
from theory.ledger.evidence import About, Kind, Outcome, Result

STANDING = Result(Kind.FORMAL, "kernel", About.STATEMENT, Outcome.SUPPORTS, "", 0.1)
PROOF = Result(Kind.PROOF, "p", About.STATEMENT, Outcome.SUPPORTS, "", 0.1, [{"tool": "sympy", "ok": True}])
FAILED = Result(Kind.COUNTEREXAMPLE, "case", About.STATEMENT, Outcome.CONTRADICTS, "", 0.1)


def test_every_premise_is_a_claim():
    known = {claim.id for claim in claims.ALL}
    assert {premise for claim in claims.ALL for premise in claim.rests_on} <= known


@pytest.mark.parametrize(("lemma", "theorem"), [
    ("ours-tracking-error", "ours-theorem-n-sgd"), ("ours-tracking-error", "ours-pl"), ("lemma-9", "theorem-1"),
    ("lemma-10", "theorem-2"), ("ours-stability-region", "ours-mean-square"),
])  # fmt: skip
def test_a_theorem_falls_with_its_lemma(lemma, theorem):
    def settled(broken: str) -> Verdict:
        found = [Entry(c.bare, [FAILED if c.id == broken else PROOF if c.rests_on else STANDING]) for c in claims.ALL]
        return next(entry for entry in settle(found) if entry.claim.id == theorem).verdict

    assert settled("") is not Verdict.BROKEN
    assert settled(lemma) is Verdict.BROKEN
