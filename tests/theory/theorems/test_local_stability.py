"""Stability in d dimensions and at ALTO's minimiser: values by hand, and mutants that are noticed."""

import numpy as np
import pytest

from tests.theory.claims.mutation import mutated
from theory.ledger.evidence import QUICK
from theory.theorems import local_stability as theorem

MUTANTS = {
    "P in place of its root": ("root = np.sqrt(P)", "root = P"),
    "the smallest eigenvalue": ("np.outer(root, root))[-1]", "np.outer(root, root))[0]"),
    "a rate without eps2": ("return eta / (eps1 * eps2)", "return eta / eps1"),
    "a share without the layer factor": ("eps1 / W * eps2 * phi / (r_norm + eps2 * phi)", "eps1 / W"),
}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_mutant_is_noticed(mutant):
    with mutated("theory.theorems.local_stability", *mutant) as load:
        claims, run = load("theory.claims.theorems.local_stability").CLAIMS, load("theory.ledger.evidence").run
        evidence = [one for claim in claims for one in claim.evidence if one.kind in ("property", "proof")]
        assert {str(run(one, QUICK).outcome) for one in evidence} != {"supports"}


def test_the_preconditioned_curvature_by_hand():
    """[[8, 2], [2, 1]] and P = (4, 1): [[2, 1], [1, 1]]."""
    found = theorem.preconditioned_curvature(np.array([[8.0, 2.0], [2.0, 1.0]]), np.array([4.0, 1.0]))
    assert found == pytest.approx((3 + 5**0.5) / 2)


def test_the_rate_and_its_share_by_hand():
    assert theorem.rate_at_minimiser(0.001, 1e-6, 1e-6) == pytest.approx(1e9)
    share = theorem.share_of_that_rate(np.array(0.3), np.array(0.2), np.array(2.0), eps1=0.1, eps2=0.3)
    assert float(share) == pytest.approx(0.1 / 0.3 * 0.6 / 0.8)
