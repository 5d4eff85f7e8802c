"""The numbers of the filter against sums and closed forms worked out separately."""

import numpy as np
import pytest

from theory.method.filters import Filter
from theory.method.sequences import accumulated, average, explored, impulse_response, transport

# alpha, beta1, beta2: c, K, omega2, tau2, kappa, kappa_m
TABLE = {
    (0.0, 0.9, 0.9): (0, 9, 0.05263, 4.263, 1, 1),
    (-5.0, 0.9, 0.9): (0.5, 14, 0.03222, 7.416, 1, 1),
    (5.0, 0.9, 0.9): (-0.5, 5.501, 0.08762, 2.430, 2, 1.058),
    (-5.0, 0.99, 0.9): (0.05, 14, 0.04792, 4.812, 1, 1),
    (5.0, 0.99, 0.9): (-0.05, 11.331, 0.05758, 3.943, 1.1, 1.058),
    (-20.0, 0.98, 0.9): (0.4, 29, 0.02416, 10.866, 1, 1),
}


@pytest.mark.parametrize(("setting", "expected"), TABLE.items(), ids=str)
def test_table(setting, expected):
    F = Filter(*setting)
    np.testing.assert_allclose((F.c, F.K, F.omega2, F.tau2, F.kappa, F.kappa_m), expected, rtol=6e-4, atol=1e-12)


@pytest.mark.parametrize("setting", TABLE, ids=str)
def test_weights_are_the_impulse_responses(setting):
    F = Filter(*setting)
    alpha, beta1, beta2 = setting
    w = impulse_response(lambda gs: average(explored(gs, alpha, beta1), beta2), 30)
    t = impulse_response(lambda gs: transport(gs, alpha, beta1, beta2), 30)
    np.testing.assert_allclose(F.w[:30], w, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(F.t[:30], t, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(F.t[:-1], F.w[::-1].cumsum()[::-1][1:], atol=1e-9)  # t_i = sum_{j>i} w_j


GRADIENTS = list(np.random.default_rng(0).normal(size=200))


def test_m_is_a_mixture_of_two_averages():
    """m = (1 - w) EMA_beta2(g) + w EMA_beta1(g), w = c (1 - beta2) / (beta1 - beta2): .05556 at the paper's setting."""
    F = Filter(-7.0, 0.95, 0.8)
    w = F.c * (1 - F.beta2) / (F.beta1 - F.beta2)
    m = np.array(average(explored(GRADIENTS, F.alpha, F.beta1), F.beta2))
    mixture = (1 - w) * np.array(average(GRADIENTS, F.beta2)) + w * np.array(average(GRADIENTS, F.beta1))
    assert np.abs(m - mixture).max() < 1e-12
    large = Filter(-5.0, 0.99, 0.9)
    assert large.c * (1 - large.beta2) / (large.beta1 - large.beta2) == pytest.approx(0.05556, rel=1e-3)


def test_at_alpha_star_e_only_changes_the_decay_rate():
    m = average(explored(GRADIENTS, Filter(0.0, 0.95, 0.8).alpha_star, 0.95), 0.8)
    assert np.abs(np.array(m) - average(GRADIENTS, 0.95)).max() < 1e-12


def test_without_an_average_e_is_nesterovs_momentum():
    """At beta1 = 0 and alpha = beta2 the accumulated u is beta2 m + g, Nesterov's direction."""
    found = np.array(accumulated(explored(GRADIENTS, 0.8, 0.0), 0.8))
    assert np.abs(found - (0.8 * np.array(accumulated(GRADIENTS, 0.8)) + GRADIENTS)).max() < 1e-12


def test_a_twofold_average_weighs_by_a_negative_binomial():
    k = np.arange(len(GRADIENTS))
    weights = (k + 1) * 0.05**2 * 0.95**k
    direct = np.convolve(GRADIENTS, weights)[: len(GRADIENTS)]
    assert np.abs(np.array(average(average(GRADIENTS, 0.95), 0.95)) - direct).max() < 1e-12


def test_noise_gain_and_alpha_star():
    u = Filter(-7.0, 0.95, 0.0)  # without momentum m = u
    assert u.omega2 == pytest.approx(u.noise_gain, abs=1e-12)
    assert Filter(-90, 0.99, 0.9).noise_gain == pytest.approx(0.01407, rel=1e-3)
    assert Filter(-5, 0.99, 0.9).noise_gain == pytest.approx(0.9025, rel=1e-4)
    assert Filter(0.5, 0.01, 0.9).noise_gain == pytest.approx(2.475, rel=1e-3)
    assert Filter(-80, 0.99, 0.95).noise_gain == pytest.approx(0.04322, rel=1e-3)
    assert Filter(0, 0.99, 0.95).alpha_star == pytest.approx(-80)
    assert Filter(0, 0.99, 0.9).alpha_star == pytest.approx(-90)
