"""Exponents, intervals, verdicts."""

import numpy as np
import pytest

from theory.rates import fit
from theory.rates.fit import Estimate
from theory.rates.records import Prediction, Subject, Verdict, bound_over, curve, row
from theory.rates.settings import Setting

X = np.geomspace(10, 1e4, 13)


def noisy(R, p, seed):
    rng = np.random.default_rng(seed)
    return X**p * np.exp(0.3 * rng.standard_normal((R, len(X))))


def test_exact_powers():
    assert fit.exponent(X, (3 * X**-0.5)[None], (10, 1e4)).value == pytest.approx(-0.5, abs=1e-12)
    assert fit.geometric_rate(np.arange(5), 2 * 0.7 ** np.arange(5)) == pytest.approx(0.7)


def test_the_window_is_kept():
    bent = np.where(X < 1000, X**-1.0, 1000**-0.5 * X**-0.5)
    assert fit.exponent(X, bent[None], (1000, 1e4)).value == pytest.approx(-0.5, abs=1e-9)
    assert fit.exponent(X, bent[None], (10, 500)).value == pytest.approx(-1, abs=1e-9)
    with pytest.raises(ValueError, match="window"):
        fit.exponent(X, bent[None], (20, 30))


def test_intervals_cover():
    """200 data sets of 32 seeds; a 95 % percentile interval should cover about 0.93; 0.88 is missed with p < 0.001."""
    covered = 0
    for seed in range(200):
        estimate = fit.exponent(X, noisy(32, -0.5, seed), (10, 1e4))
        covered += estimate.low <= -0.5 <= estimate.high
    assert covered >= 176


def test_one_curve_has_no_interval():
    estimate = fit.exponent(X, noisy(1, -1, 0), (10, 1e4))
    assert estimate.low == estimate.value == estimate.high
    assert fit.mean(np.array([2.0])) == Estimate(2.0, 2.0, 2.0)
    assert fit.band(np.ones((1, 3)))[1:] == (None, None)


def test_a_decreasing_map_keeps_low_below_high():
    assert Estimate(-0.5, -0.6, -0.4).through(lambda p: -2 / p) == Estimate(4.0, pytest.approx(10 / 3), 5.0)


@pytest.mark.parametrize(("relation", "low", "high", "verdict"), [
    ("=", -0.6, -0.45, Verdict.AGREES),
    ("=", -0.45, -0.4, Verdict.DIFFERS),
    ("=", -0.7, -0.6, Verdict.DIFFERS),
    ("~", -0.52, -0.515, Verdict.AGREES),
    ("<=", -0.9, -0.8, Verdict.AGREES),
    ("<=", -0.6, -0.4, Verdict.UNDECIDED),
    ("<=", -0.4, -0.3, Verdict.DIFFERS),
])  # fmt: skip
def test_verdicts(relation, low, high, verdict):
    assert Prediction(-0.5, relation, "", 0.02).verdict(Estimate((low + high) / 2, low, high)) is verdict


def test_a_proved_bound_below_what_it_bounds_is_a_violation():
    subject, one = Subject("s", "o", Setting("ESGD", 0.0, 0.99)), Estimate(1.0, 1.0, 1.0)
    about = {"window": (1, 2), "window_of": "T", "n_seeds": 0}

    def verdict(bound):
        return row(subject, "q", Prediction(1, "=", "t", 0), one, bound=bound, **about)["verdict"]

    below = bound_over(np.array([2.0, 0.9]), np.array([1.0, 1.0]))
    assert below.ratio == pytest.approx(0.9)
    assert verdict(below) == "bound violated"
    assert verdict(bound_over(np.array([0.9]), np.array([1.0]), proved=False)) == "agrees"
    assert verdict(bound_over(np.array([1.1]), np.array([1.0]))) == "agrees"


def test_ratios_skip_what_is_not_positive():
    assert bound_over(np.array([1.0, 1.0]), np.array([-1.0, 0.5])).ratio == 2.0


def test_a_curve_is_plain_data_of_one_length():
    subject = Subject("s", "o", Setting("ALTO", -5.0, 0.99), "v")
    made = curve(subject, {"id": "r"}, ("T", "y"), X, noisy(8, -1, 0), bound=X)
    lengths = {len(made[key]) for key in ("x", "measured", "low", "high", "bound")}
    assert lengths == {len(X)}
    assert made["predicted"] is None
    assert all(low <= mean <= high for low, mean, high in zip(made["low"], made["measured"], made["high"], strict=True))
