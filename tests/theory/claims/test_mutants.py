"""Change one constant, sign or index of the theory's code, and see the evidence notice. Every mutant must be killed."""

import pytest

from tests.theory.claims.mutants import AFTER, CONVEX, MUTANTS, NONCONVEX, TRACKING
from tests.theory.claims.mutation import mutated
from theory.ledger import outcomes

ACCEPTED = outcomes.accepted()


def noticed(load, group, ids):
    """Whether a claim's verdict moved or a piece of its evidence broke."""
    ledger, evidence = load("theory.ledger.claim"), load("theory.ledger.evidence")
    known = {claim.id: claim for claim in load(f"theory.claims.{group}").CLAIMS}
    for name in ids:
        (entry,) = ledger.entries([known[name]], evidence.QUICK)
        if outcomes.differences([entry], ACCEPTED, all_claims=False):
            return True
    return False


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_mutant_is_killed(mutant):
    module, old, new, (group, *ids) = mutant
    with mutated(module, old, new) as load:
        assert noticed(load, group, ids)


@pytest.mark.parametrize("claims", [CONVEX, NONCONVEX, TRACKING, AFTER], ids=lambda claims: claims[0])
def test_no_mutant_no_notice(claims):
    with mutated("theory.theorems.bounds", "The right-hand sides", "Right-hand sides") as load:
        assert not noticed(load, claims[0], claims[1:])
