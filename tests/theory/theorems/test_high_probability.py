"""ESGD with high probability: values by hand, and mutants that its claim's evidence notices."""

from math import exp

import numpy as np
import pytest

from tests.theory.claims.mutation import mutated, of_properties
from theory.method.filters import Filter
from theory.studies import high_probability as study
from theory.theorems import high_probability as theorem

CLAIM = "theory.claims.theorems.high_probability"
MUTANTS = {
    "no start": ("4 * gap / (eta * T) +", "0 * gap +"),
    "no cost of rarity": ("4 * (1 + L * eta) * sigma**2 * log", "1e-3 * log"),
    "no noise of a step": ("- z * eta / 2 * problem.sigma**2", ""),
    "no lag": ("- z**2 * eta / 2 * lags", ""),
    "a lag without alpha": ("F.b * run.m - F.alpha * run.h", "F.b * run.m"),
    "a quarter of the noise": ("/ (eta * problem.sigma**2 * (1 + z))", "/ (eta * problem.sigma**2 / 4)"),
}


@pytest.mark.parametrize(("old", "new"), MUTANTS.values(), ids=MUTANTS)
def test_a_mutant_is_noticed(old, new):
    with mutated("theory.theorems.high_probability", old, new) as load:
        assert of_properties(load, CLAIM) != {"supports"}


def test_without_a_mutant_all_hold():
    with mutated("theory.theorems.high_probability", "ESGD with high", "With high") as load:
        assert of_properties(load, CLAIM) == {"supports"}


def test_the_bound_by_hand():
    """K = b = 1 without E at beta2 = 1/2."""
    F = Filter(0.0, 0.0, 0.5)
    given = {"L": 2.0, "eta": 0.05, "T": 10, "gap": 3.0, "sigma": 2.0}
    assert theorem.mean_square_gradient(F, delta=1.0, **given) == pytest.approx(24 + 0.8 * 1.2)
    more = theorem.mean_square_gradient(F, delta=exp(-1), **given) - theorem.mean_square_gradient(F, delta=1.0, **given)
    assert more == pytest.approx(4 * 1.1 * 4 / 10)


@pytest.mark.parametrize(("F", "step"), [
    (Filter(0.0, 0.9, 0.0), 1 / 16), (Filter(-5.0, 0.99, 0.9), 1 / (2 * 8**0.5 * 14)),
], ids=["no age", "age 14"])  # fmt: skip
def test_the_largest_step(F, step):
    assert theorem.largest_step(F, 2.0) == pytest.approx(step)


def test_rare_draws_and_their_paths():
    values, chances = theorem.rare_draws(0.01)
    assert [chances.sum(), chances @ values, chances @ values**2] == pytest.approx([1.0, 0.0, 1.0])
    noise, chance = theorem.all_paths(values, chances, 3)
    assert noise.shape == (27, 3)
    assert len(np.unique(noise, axis=0)) == 27
    assert [chance.sum(), chance @ noise.sum(1) ** 2] == pytest.approx([1.0, 3.0])


def test_no_bound_is_drawn_where_the_learning_rate_is_too_large():
    assert np.isnan(study.bound((-80.0, 0.99), [0.1])).all()
    assert np.isfinite(study.bound((-5.0, 0.99), [0.1])).all()
