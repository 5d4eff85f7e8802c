"""ESGD as primal averaging: values by hand, and mutants that its claims' evidence notices."""

import numpy as np
import pytest

from tests.theory.claims.mutation import mutated
from theory.ledger.effort import Effort
from theory.method.filters import Filter
from theory.theorems import primal_averaging as theorem

FUNCTIONS = "random quadratics, pseudo-Huber and Huber functions"
EFFORT = Effort("own", examples=240, thorough=False)
"""Quick, with more cases: a mutant may fail in few."""
MUTANTS = {
    "mean without the distance": ("ours-convex-any-alpha", "(distance2 / (2 * eta) + F.b * gap)", "(F.b * gap)"),
    "mean without b": ("ours-convex-any-alpha", "+ F.b * gap) / T", ") / T"),
    "a step for all": ("ours-convex-any-alpha", "1 / (L * (1 + 2 * abs(F.alpha)))", "1 / L"),
    "a step without c": ("ours-convex-primal-averaging", "2 * (1 - F.c) * (1 - F.beta2)", "2"),
    "last without the gap": ("ours-convex-primal-averaging", "return gap + distance2", "return distance2"),
    "averages one step late": ("ours-primal-averaging", "lfilter(F.w, [1.0]", "lfilter(F.w[1:], [1.0]"),
}


def holds(load, name):
    """The outcome of each property of a claim."""
    claims = {claim.id: claim for claim in load("theory.claims.theorems.primal_averaging").CLAIMS}
    evidence = load("theory.ledger.evidence")
    found = [evidence.run(one, EFFORT) for one in claims[name].evidence if one.kind in ("property", "proof")]
    return {str(result.outcome) for result in found}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_mutant_is_noticed(mutant):
    name, old, new = mutant
    with mutated("theory.theorems.primal_averaging", old, new) as load:
        assert holds(load, name) != {"supports"}


def test_without_a_mutant_all_hold():
    with mutated("theory.theorems.primal_averaging", "ESGD on smooth", "On smooth") as load:
        assert [holds(load, name) for name in {name for name, *_ in MUTANTS.values()}] == [{"supports"}] * 3


def test_the_steps_of_the_papers_settings():
    assert theorem.largest_step(Filter(-5.0, 0.99, 0.0), 1.0) == 1.0
    assert theorem.largest_step(Filter(-80.0, 0.99, 0.0), 2.0) == pytest.approx(0.2)
    assert theorem.largest_step(Filter(-5.0, 0.99, 0.9), 1.0) == pytest.approx(2 * 0.95 * 0.1 / 1.891)
    assert theorem.largest_step_any(Filter(0.5, 0.01, 0.9), 4.0) == 0.125


def test_the_bounds_by_hand():
    F = Filter(-5.0, 0.9, 0.5)
    assert theorem.mean_gap_any(F, eta=0.1, T=4, distance2=3.0, gap=2.0) == pytest.approx((15 + 2) / 4)
    assert theorem.mean_gap(F, eta=0.1, T=4, distance2=3.0, gap=2.0) == pytest.approx((15 / 0.55 + 2 / 0.05) / 4)
    assert theorem.last_gap(F, eta=0.1, distance2=3.0, gap=2.0) == pytest.approx(2 + 15 * 0.05 / 0.55)


def test_a_positive_alpha_is_refused():
    with pytest.raises(ValueError, match=r"c = -0.495.* must lie in \[0, 1\)"):
        theorem.largest_step(Filter(0.5, 0.01, 0.9), 1.0)


def test_the_average_of_three_iterates():
    """Momentum alone, beta2 = 1/2: theta_3 = y_3 / 2 + y_2 / 4 + y_1 / 4."""
    average = theorem.averages(np.array([[4.0], [2.0], [8.0]]), Filter(0.0, 0.0, 0.5))
    np.testing.assert_allclose(average[:, 0], [4.0, 3.0, 4 + 0.5 + 1])
