"""The drift at batch 1: a tree of one draw by hand, the direction of its bounds, and mutants that are noticed."""

from fractions import Fraction
from math import exp, sqrt

import pytest

from tests.theory.claims.mutation import mutated
from theory.ledger.evidence import QUICK
from theory.theorems import batch_floor as theorem

MUTANTS = {
    "the smallest direction": ("if u > 0:", "if u <= 0:"),
    "slopes of one sign": ("(1 - c) * g[1] + c * old[1]", "(1 - c) * g[0] + c * old[1]"),
    "a tenth of the error": ("return (1 - beta3) * mean_size", "return 0.1 * (1 - beta3) * mean_size"),
}  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_mutant_is_noticed(mutant):
    with mutated("theory.theorems.batch_floor", *mutant) as load:
        claims, run = load("theory.claims.theorems.batch_floor").CLAIMS, load("theory.ledger.evidence").run
        evidence = [one for claim in claims for one in claim.evidence if one.kind == "property"]
        assert {str(run(one, QUICK).outcome) for one in evidence} != {"supports"}


def test_one_draw_by_hand():
    """No slope, alpha = 0: 2.7 with v' = 0 gives sqrt(2), and -.3 with v' = 2.7^2 the least negative direction."""
    by_hand = 0.1 * sqrt(2) - 0.9 * 0.3 / (sqrt((2.7**2 + 0.09) / 2) + 1e-8)
    assert float(theorem.largest_drift(Fraction(0), Fraction(0), 1).mid()) == pytest.approx(by_hand, rel=1e-12)


def test_more_draws_are_sharper_and_larger_slopes_are_not_certain():
    drift = {n: float(theorem.largest_drift(Fraction(0), Fraction(1, 10), n).mid()) for n in (4, 8)}
    assert drift[8] < drift[4] < 0
    assert theorem.largest_drift(Fraction(0), Fraction(2, 5), 8) > 0


def test_the_rise_by_hand():
    """T = 11 blocks of n = 2 steps, t = .5: a probability of at most 2 exp(-10 * .25 / 4)."""
    miss = 2 * exp(-10 * 0.25 / 4)
    assert theorem.least_rise(0.75, eta=0.1, blocks=10, draws=2, miss=miss) == pytest.approx(0.2 * (2.5 - sqrt(2)))


def test_the_error_falls_with_one_minus_beta3():
    assert theorem.wrong_by(0.9, mean_size=0.5, smallest=0.25, largest=4.0) == pytest.approx(0.1 * 0.5 * 3.75 / 0.25)
