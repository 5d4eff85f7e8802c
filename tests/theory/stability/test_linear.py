"""Reference values of the stability region, the variance and the mean-square threshold, worked out by other code."""

import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov

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


@pytest.mark.parametrize(("beta1", "beta2", "onset", "c_x", "height", "end"), [
    (0.99, 0, 0.9900, 0.9900, 400.0, 1.000), (0.99, 0.9, 0.9083, 0.9083, 43.60, 0.01090),
    (0.99, 0.95, 0.8319, 0.8320, 23.80, 0.002975), (0.99, 0.99, 0.4975, 0.4975, 7.960, 1.990e-4),
    (0.9, 0.9, 0.4737, 0.4750, 7.600, 0.01900), (0.5, 0.9, 0.09091, 0.1023, 4.400, 0.05500),
    (0.01, 0.9, 0.001009, 0.02573, 4.004, 0.09910),
])  # fmt: skip
def test_where_the_thresholds_cross(beta1, beta2, onset, c_x, height, end):
    found = (linear.oscillation_onset(beta1, beta2), *linear.peak(beta1, beta2),
             linear.oscillation_threshold(1.0, beta1, beta2))  # fmt: skip
    np.testing.assert_allclose(found, (onset, c_x, height, end), rtol=1e-3)


@pytest.mark.parametrize(("x", "alpha", "beta1", "beta2", "radius"), [
    (1.5, 50, 0.99, 0, 1.253343), (1.2, 0.5, 0.01, 0, 1.257831), (0.05, -95, 0.99, 0.9, 1.003604),
    (0.1, -60, 0.99, 0.99, 1.002540), (0.01, -150, 0.99, 0, 0.997547), (0.5, 150, 0.99, 0, 0.996019),
    (2.05, -5, 0.99, 0, 0.989471), (1.95, 5, 0.99, 0, 1.047978),
])  # fmt: skip
def test_the_papers_region_is_neither_necessary_nor_sufficient(x, alpha, beta1, beta2, radius):
    assert linear.spectral_radius(x, -alpha * (1 - beta1), beta1, beta2) == pytest.approx(radius, abs=1e-6)


def test_the_oscillation_past_the_peak_is_slow():
    """At c = .95 the pair of roots on the unit circle turns once in 134 steps."""
    x = linear.oscillation_threshold(0.95, 0.99, 0.9)
    roots = np.linalg.eigvals(linear.system(x, 0.95, 0.99, 0.9)[0])
    assert 2 * np.pi / np.abs(np.angle(roots)).max() == pytest.approx(134.0, rel=1e-3)


def test_the_criteria_are_the_operators_at_random_settings():
    """Jury's conditions and eigenvalues; the mean-square criterion and its operator; the sign of V(c) - V(0)."""
    for count, points, least in (
        (linear.jury_mismatches, 100_000, 99_000), (linear.mean_square_mismatches, 2000, 1990),
        (linear.variance_sign_mismatches, 20_000, 10_000),
    ):  # fmt: skip
        wrong, compared = count(points, 1)
        assert wrong == 0, count
        assert compared >= least, count


@pytest.mark.parametrize(("x", "c", "beta1", "beta2", "expected", "relative"), [
    (0.3, 0.05, 0.99, 0, 0.16643053, 1e-7), (0.3, 0.05, 0.99, 0.9, 1.54818335, 1e-7),
    (0.3, -0.495, 0.01, 0.9, 0.82767280, 1e-7), (0.5, 0.3, 0.7, 0.2, 0.31713937, 1e-7),
    (1, 0.5, 0.99, 0, 0.3378, 1e-3), (1, 0.8, 0.99, 0.9, 1.730, 1e-3),
])  # fmt: skip
def test_variance(x, c, beta1, beta2, expected, relative):
    assert linear.variance(x, c, beta1, beta2) == pytest.approx(expected, rel=relative)


def test_variance_is_what_a_lyapunov_solver_finds():
    rng = np.random.default_rng(0)
    for _ in range(200):
        beta1, beta2, c = rng.uniform(0, 0.9), rng.uniform(0, 0.9), rng.uniform(-0.9, 0.9)
        x = min(linear.largest_stable(c, beta1, beta2), 4.0) * rng.uniform(0.1, 0.9)
        A, B = linear.system(x, c, beta1, beta2)
        solved = solve_discrete_lyapunov(A, np.outer(B, B))[0, 0]
        assert solved == pytest.approx(linear.variance(x, c, beta1, beta2), rel=1e-9)


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


@pytest.mark.parametrize(("alpha", "beta1", "beta2", "thresholds"), [
    (0, 0.99, 0, (1.980, 1.600, 1.000, 0.4000, 0.07692, 0.01980)),
    (-5, 0.99, 0, (2.085, 1.685, 1.053, 0.4207, 0.08052, 0.02048)),
    (-50, 0.99, 0, (3.980, 3.212, 2.000, 0.7880, 0.1374, 0.02800)),
    (-80, 0.99, 0, (10.10, 8.121, 4.996, 1.873, 0.2243, 0.02756)),
    (50, 0.99, 0, (1.318, 1.065, 0.6667, 0.2680, 0.05311, 0.01471)),
    (0.5, 0.01, 0, (1.003, 0.8675, 0.6218, 0.3072, 0.07182, 0.01943)),
    (0, 0.99, 0.9, (3.193, 0.6609, 0.1900, 0.04935, 0.007983, 0.001999)),
    (-5, 0.99, 0.9, (3.360, 0.6929, 0.1990, 0.05165, 0.008315, 0.002059)),
    (0.5, 0.01, 0.9, (1.884, 1.228, 0.3867, 0.06118, 0.008258, 0.002016)),
])  # fmt: skip
def test_mean_square_threshold(alpha, beta1, beta2, thresholds):
    c = Filter(alpha, beta1, beta2).c
    for rho, threshold in zip((0.1, 0.5, 1, 2, 5, 10), thresholds, strict=True):
        assert linear.mean_square_threshold(rho, c, beta1, beta2) == pytest.approx(threshold, rel=1e-3)
        assert linear.mean_square_radius(0.998 * threshold, rho, c, beta1, beta2) < 1
        assert linear.mean_square_radius(1.002 * threshold, rho, c, beta1, beta2) > 1


def test_ode_has_no_flip():
    assert linear.ode_stable(100.0, -0.5, 0.99, 0.9)
    assert not linear.jury(100.0, -0.5, 0.99, 0.9)


def test_ode_threshold():
    # S (1 - beta1) / (S c - beta1^2 (1 - beta2)) = 0.00108 / 0.00459 with S = beta1 + beta2 - 2 beta1 beta2 = 0.108
    assert linear.ode_stable(0.235, 0.95, 0.99, 0.9)
    assert not linear.ode_stable(0.236, 0.95, 0.99, 0.9)
