"""Noise models: mean and variance at a stated false-alarm rate, with the sample size fixed here."""

import numpy as np
import pytest
from scipy.stats import norm

from theory import objectives
from theory.objectives.noise import Gaussian, Minibatch, Multiplicative, Sign, Skewed

DRAWS = 40_000
FALSE_ALARM = 1e-6  # per assertion, over the choice of the seed; the seed is fixed, so that a pass stays one
Z = float(norm.ppf(1 - FALSE_ALARM / 2))

f = objectives.make("phase-retrieval")
MODELS = {
    "gaussian": Gaussian(0.7),
    "sign": Sign(0.7),
    "skewed": Skewed(0.7, 0.1),
    "multiplicative": Multiplicative(f.gradient, 0.5),
    "minibatch": Minibatch(f.parts),
}


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("name", MODELS)
def test_mean_and_variance(name, batch):
    model, rng = MODELS[name], np.random.default_rng(0)
    theta = np.tile(f.start, (DRAWS, 1))
    noise = model.draw(rng, theta, batch)
    mean, error = noise.mean(0), noise.std(0) / np.sqrt(DRAWS)
    assert (np.abs(mean) <= Z * error).all()
    squares = (noise**2).sum(1)
    expected = model.variance(theta[:1])[0] / batch
    assert abs(squares.mean() - expected) <= Z * squares.std() / np.sqrt(DRAWS) + 1e-12 * expected


@pytest.mark.parametrize("name", ["gaussian", "sign", "skewed"])
def test_a_batch_is_the_mean_of_single_draws(name):
    """Third moments: those of the mean of 3 are a ninth of a single draw's."""
    model, rng = MODELS[name], np.random.default_rng(1)
    one, three = (model.block(rng, (400_000,), batch) ** 3 for batch in (1, 3))
    error = np.hypot(one.std() / 9, three.std()) / np.sqrt(len(one))
    assert abs(three.mean() - one.mean() / 9) <= Z * error


def test_bounds_are_attained_and_not_passed():
    rng = np.random.default_rng(2)
    for model in (Sign(0.7), Skewed(0.7, 0.1)):
        assert np.abs(model.block(rng, (10_000,))).max() == pytest.approx(model.bound, rel=1e-12)
        assert np.abs(model.block(rng, (10_000,), 5)).max() <= model.bound * (1 + 1e-12)


def test_skewed_values_are_those_of_the_floor_problem():
    assert Skewed(0.9, 0.1).high == pytest.approx(2.7)
    assert Skewed(0.9, 0.1).low == pytest.approx(-0.3)


def test_a_probability_outside_its_range_is_refused():
    with pytest.raises(ValueError, match="probability"):
        Skewed(1.0, 1.0)
