"""Every claim's evidence, run quickly: the verdicts are the committed ones, and nothing is broken."""

import pytest

from theory import claims
from theory.ledger import outcomes
from theory.ledger.claim import entries
from theory.ledger.evidence import QUICK

ACCEPTED = outcomes.accepted()


def test_the_committed_ledger_has_every_claim_once():
    ids = [claim.id for claim in claims.ALL]
    assert len(ids) == len(set(ids))
    assert [entry.claim.id for entry in ACCEPTED] == ids


def test_every_claim_has_a_plain_sentence_and_the_papers_say_what_was_found():
    """One line in a terminal and a row of the ledger: no LaTeX, and short where we wrote it."""
    for claim in claims.ALL:
        plain = claim.plain or claim.statement
        assert not set(plain + claim.found) & set("$\\"), claim.id
        assert claim.source.endswith("laptop tier") or len(plain) <= 140, claim.id
        if claim.source.startswith("paper"):
            assert claim.found, claim.id
            assert len(claim.found) <= 160, claim.id


OPENINGS = {
    "proved-kernel": ("True",), "proved": ("True",), "argued": ("True",),
    "proved-repaired": ("True", "False as written"), "holds-in-cases-tried": ("True",),
    "reproduced": ("True",), "refuted": ("False",),
    "assumption-does-not-hold": ("Does not hold",), "contradicted": ("Contradicted",), "undecided": ("Undecided",),
    "not-run": ("Not run: needs",), "computed": ("Computed",),
}  # fmt: skip


@pytest.mark.parametrize("entry", [e for e in ACCEPTED if e.claim.source.startswith("paper")], ids=lambda e: e.claim.id)
def test_what_was_found_is_what_the_verdict_says(entry):
    found = next(claim.found for claim in claims.ALL if claim.id == entry.claim.id)
    assert found.startswith(OPENINGS[entry.verdict])


@pytest.mark.parametrize("claim", claims.ALL, ids=lambda claim: claim.id)
def test_verdict_is_the_committed_one(claim):
    assert outcomes.differences(list(entries([claim], QUICK)), ACCEPTED, all_claims=False) == []
