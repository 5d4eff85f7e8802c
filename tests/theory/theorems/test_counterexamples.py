"""The linear-regret stream and the batch floor: their certificates, and controls in which they must not appear."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.signal import lfilter

from theory.claims.theorems.linear_regret import theorem_c_bound
from theory.method.sequences import average
from theory.theorems import linear_regret, skewed_noise

SHORT = linear_regret.SHORT[0]


def test_periodic_limit_is_the_limit():
    xs = [Fraction(3), Fraction(-1), Fraction(-1)]
    limit = linear_regret.periodic(xs, Fraction(1, 2))
    long = average(xs * 20, Fraction(1, 2))[-3:]
    assert [float(x) for x in limit] == pytest.approx([float(x) for x in long], rel=1e-12)


def test_directions_tend_to_the_limit_and_match_the_recursions():
    ms, vs = linear_regret.periodic_limits(SHORT)
    limit = [float(m) / (float(v) ** 0.5 + float(SHORT.eps1)) for m, v in zip(ms, vs, strict=True)]
    assert linear_regret.literal_directions(SHORT, 60)[-3:] == pytest.approx(limit, rel=1e-9)


@pytest.mark.parametrize("layerwise", [False, True])
def test_drift_is_certified(layerwise):
    for setting in (*linear_regret.SHORT, *linear_regret.LONG):
        certain, largest = linear_regret.drift(setting, layerwise=layerwise)
        assert certain
        assert largest < 0


def test_a_larger_cost_is_not_certified():
    """With C = 30 the rare gradient outweighs the others and theta goes to the right place."""
    certain, largest = linear_regret.drift(replace(SHORT, C=Fraction(30), beta3=Fraction(99, 100)), layerwise=False)
    assert not certain
    assert largest > 0


def test_certificate_agrees_with_a_float_computation():
    _, largest = linear_regret.drift(SHORT, layerwise=False)
    assert largest == pytest.approx(sum(linear_regret.literal_directions(SHORT, 90)[-3:]), rel=1e-9)


@pytest.mark.parametrize("layerwise", [False, True])
def test_regret_grows_like_t_unless_enforced(layerwise):
    free = linear_regret.play(SHORT, steps=20_000, eta=0.3, layerwise=layerwise, enforce=False)
    tame = linear_regret.play(SHORT, steps=20_000, eta=0.3, layerwise=layerwise, enforce=True)
    assert free.full / free.half == pytest.approx(2, abs=0.1)
    assert tame.full < free.full / 2
    assert tame.full / tame.half < 1.75
    assert tame.full <= theorem_c_bound(SHORT, steps=20_000, layerwise=layerwise)


def test_play_follows_the_literal_recursion():
    """Twelve steps by hand from the exact directions."""
    theta, regret = 0.0, 0.0
    for k, r in enumerate(linear_regret.literal_directions(SHORT, 12), start=1):
        regret += float(SHORT.gradient(k)) * (theta + 1)
        theta = min(1.0, max(-1.0, theta - 0.3 / np.sqrt(k) * r))
    assert linear_regret.play(SHORT, steps=12, eta=0.3, layerwise=False, enforce=False).full == pytest.approx(regret)


@pytest.mark.parametrize("alpha", [-0.5, 0.0, 0.5])
def test_floor_drift_bounds_hold_in_simulation(alpha):
    low, high = skewed_noise.drift_bounds(alpha, slope=0.1)
    g = 0.1 + np.random.default_rng(0).choice(skewed_noise.NOISE, p=skewed_noise.PROBABILITY, size=200_000)
    u = g + alpha * np.asarray(lfilter([0.5, -0.5], [1, -0.5], g))
    v = np.asarray(lfilter([0.5], [1, -0.5], u**2))
    mean = (u / (np.sqrt(v) + 1e-8))[100:].mean()
    assert low - 0.02 < mean < high + 0.02
    assert high < 0


def test_without_skew_there_is_no_uphill_drift(monkeypatch):
    monkeypatch.setattr(skewed_noise, "NOISE", (0.5, -0.5))
    monkeypatch.setattr(skewed_noise, "PROBABILITY", (0.5, 0.5))
    low, _ = skewed_noise.drift_bounds(0.0, slope=0.1)
    assert low > 0
