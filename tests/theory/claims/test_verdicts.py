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


@pytest.mark.parametrize("claim", claims.ALL, ids=lambda claim: claim.id)
def test_verdict_is_the_committed_one(claim):
    assert outcomes.differences(list(entries([claim], QUICK)), ACCEPTED, all_claims=False) == []
