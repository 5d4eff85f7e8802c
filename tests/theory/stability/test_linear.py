"""Regression values of the stability region, the variance and the mean-square threshold."""

import numpy as np
import pytest

from theory.method.filters import Filter
from theory.stability import linear

INF = np.inf
# alpha, beta1, beta2: x_flip, x_oscillation
THRESHOLDS = {
    (-5, 0.99, 0): (2.106, INF),
    (-5, 0.99, 0.9): (4.001, INF),
    (5, 0.99, 0.9): (3.618, INF),
    (0.5, 0.01, 0): (1.010, INF),
    (0.5, 0.01, 0.9): (1.919, INF),
    (-80, 0.99, 0.95): (19.90, INF),
    (-90, 0.99, 0.9): (39.80, INF),
    (-95, 0.99, 0.9): (84.02, 0.02396),
    (-0.5, 0.01, 0.9): (191.9, 0.2004),
}


@pytest.mark.parametrize(("setting", "expected"), THRESHOLDS.items(), ids=str)
def test_thresholds(setting, expected):
    F = Filter(*setting)
    found = linear.flip_threshold(F.c, *setting[1:]), linear.oscillation_threshold(F.c, *setting[1:])
    np.testing.assert_allclose(found, expected, rtol=1e-3)


@pytest.mark.parametrize("setting", THRESHOLDS, ids=str)
def test_the_threshold_is_where_the_roots_leave(setting):
    F = Filter(*setting)
    edge = linear.largest_stable(F.c, *setting[1:])
    assert linear.spectral_radius(edge * 0.999, F.c, *setting[1:]) < 1
    assert linear.spectral_radius(edge * 1.001, F.c, *setting[1:]) > 1


@pytest.mark.parametrize(("x", "c", "beta1", "beta2", "expected"), [
    (0.3, 0.05, 0.99, 0, 0.16643053), (0.3, 0.05, 0.99, 0.9, 1.54818335),
    (0.3, -0.495, 0.01, 0.9, 0.82767280), (0.5, 0.3, 0.7, 0.2, 0.31713937),
])  # fmt: skip
def test_variance(x, c, beta1, beta2, expected):
    assert linear.variance(x, c, beta1, beta2) == pytest.approx(expected, rel=1e-7)


def test_variance_of_a_simulation():
    """Sample variance of 400 chains over 4000 steps; the standard error is about 1 %, the tolerance five of them."""
    rng, x, c, beta1, beta2 = np.random.default_rng(0), 0.5, 0.3, 0.7, 0.2
    A, B = linear.system(x, c, beta1, beta2)
    state, squares = np.zeros((400, 3)), []
    for k in range(4000):
        state = state @ A.T + rng.standard_normal((400, 1)) * B
        if k >= 1000:
            squares.append((state[:, 0] ** 2).mean())
    assert np.mean(squares) == pytest.approx(linear.variance(x, c, beta1, beta2), rel=0.05)


@pytest.mark.parametrize(("alpha", "beta1", "beta2", "rho", "threshold"), [
    (0, 0.99, 0, 1, 1.000), (-5, 0.99, 0, 1, 1.053), (-50, 0.99, 0, 0.5, 3.212), (0.5, 0.01, 0.9, 2, 0.06118),
])  # fmt: skip
def test_mean_square_threshold(alpha, beta1, beta2, rho, threshold):
    c = Filter(alpha, beta1, beta2).c
    assert linear.mean_square_radius(0.998 * threshold, rho, c, beta1, beta2) < 1
    assert linear.mean_square_radius(1.002 * threshold, rho, c, beta1, beta2) > 1


def test_ode_has_no_flip():
    assert linear.ode_stable(100.0, -0.5, 0.99, 0.9)
    assert not linear.jury(100.0, -0.5, 0.99, 0.9)


def test_ode_threshold():
    # S (1 - beta1) / (S c - beta1^2 (1 - beta2)) = 0.00108 / 0.00459 with S = beta1 + beta2 - 2 beta1 beta2 = 0.108
    assert linear.ode_stable(0.235, 0.95, 0.99, 0.9)
    assert not linear.ode_stable(0.236, 0.95, 0.99, 0.9)
