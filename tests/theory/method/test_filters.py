"""The numbers of the filter against sums and closed forms worked out separately."""

import numpy as np
import pytest

from theory.method.filters import Filter
from theory.method.sequences import average, explored, impulse_response, transport

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


def test_noise_gain_and_alpha_star():
    assert Filter(-5, 0.99, 0.9).noise_gain == pytest.approx(0.9025, rel=1e-4)
    assert Filter(0.5, 0.01, 0.9).noise_gain == pytest.approx(2.475, rel=1e-3)
    assert Filter(-80, 0.99, 0.95).noise_gain == pytest.approx(0.04322, rel=1e-3)
    assert Filter(0, 0.99, 0.95).alpha_star == pytest.approx(-80)
    assert Filter(0, 0.99, 0.9).alpha_star == pytest.approx(-90)
