"""Recorded runs against the literal algorithms, and the problems they run on."""

import numpy as np
import pytest

from theory.method.algorithms import ALTO, ESGD
from theory.method.sequences import average
from theory.method.trajectory import record
from theory.theorems.noise_paths import noisy_gradient, sign_paths, starts, waves

SETTINGS = {
    "alpha": -3.0, "beta1": 0.8, "beta2": 0.7, "beta3": 0.9,
    "eps1": 1e-2, "eps2": 0.1, "eps3": 0.2, "weight_decay": 0.1,
}  # fmt: skip


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("layerwise", [False, True])
def test_the_update_is_theta_minus_m_over_h(corrected, layerwise):
    rng = np.random.default_rng(0)
    alto = ALTO(**SETTINGS, bias_correction=corrected, layerwise=layerwise)
    run = record(
        alto, lambda k, theta: theta + rng.normal(size=theta.shape), rng.normal(size=(3, 4)), steps=9,
        eta=lambda k: 0.1 / k, layers=(1, 3),
    )  # fmt: skip
    np.testing.assert_allclose(run.literal, run.theta[1:], rtol=1e-12)
    np.testing.assert_allclose(run.h, average(list(run.g), 0.8), rtol=1e-12)


def test_box_and_monotone_change_only_what_they_say():
    def go(**options):
        rng = np.random.default_rng(1)
        alto = ALTO(**SETTINGS, bias_correction=False, layerwise=True)
        return record(alto, lambda k, theta: rng.normal(size=theta.shape), np.ones((2, 2)), steps=12, eta=lambda k: 1.0,
                      **options)  # fmt: skip

    free, boxed, monotone = go(), go(box=(-0.5, 1.0)), go(monotone=True)
    assert np.abs(free.theta).max() > 1
    assert boxed.theta[1:].min() >= -0.5
    assert boxed.theta.max() <= 1
    assert (np.diff(free.H, axis=0) < 0).any()
    assert (np.diff(monotone.H, axis=0) >= 0).all()


def test_esgd_is_recorded_with_normalised_momentum():
    run = record(
        ESGD(0.0, 0.5, 0.5), lambda k, theta: np.ones_like(theta), np.zeros((1, 1)), steps=3, eta=lambda k: 1.0
    )
    np.testing.assert_allclose(run.m[:, 0, 0], [0.5, 0.75, 0.875])
    np.testing.assert_allclose(run.theta[:, 0, 0], [0, -0.5, -1.25, -2.125])


def test_sign_paths_are_all_and_the_noise_has_its_variance():
    signs = sign_paths(5)
    assert len({tuple(path) for path in signs}) == 32
    problem = waves(np.random.default_rng(0), 3, sigma=0.7)
    theta = starts(problem, signs)
    noise = noisy_gradient(problem, signs)(2, theta) - problem.gradient(theta)
    np.testing.assert_allclose(noise.mean(0), 0, atol=1e-15)
    np.testing.assert_allclose((noise**2).sum(1), 0.49, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_problem_constants_are_honest(seed):
    rng = np.random.default_rng(seed)
    problem = waves(rng, 3, sigma=0.0)
    x, y = rng.normal(size=(2, 5000, 3)) * 5
    step = 1e-6
    numeric = (problem.value(x + step * np.eye(3)[0]) - problem.value(x - step * np.eye(3)[0])) / (2 * step)
    np.testing.assert_allclose(problem.gradient(x)[:, 0], numeric, atol=1e-6)
    secants = np.linalg.norm(problem.gradient(x) - problem.gradient(y), axis=1) / np.linalg.norm(x - y, axis=1)
    assert secants.max() <= problem.L
    assert np.abs(problem.gradient(x)).max() <= problem.slope
    assert problem.value(x).min() >= problem.floor
