"""Thresholds against what they bound: the operator, the ODE, eigenvalues, one sample a step, the escape claims."""

import numpy as np
import pytest

from theory.claims.behaviour import escape
from theory.ledger.evidence import Outcome
from theory.ledger.intervals import decided_by
from theory.stability import linear, mean_square_batch_one, polyak

SETTINGS = [(-5.0, 0.99, 0.9), (0.5, 0.01, 0.9), (-50.0, 0.99, 0.0), (-2.0, 0.8, 0.5)]


@pytest.mark.parametrize(("beta1", "beta2"), [(0.99, 0.9), (0.01, 0.9), (0.5, 0.0), (0.9, 0.9)])
def test_the_peak_is_the_largest_over_all_c(beta1, beta2):
    c_x, height = linear.peak(beta1, beta2)
    cs = np.linspace(-1, 1, 4001)
    largest = max(linear.largest_stable(float(c), beta1, beta2) for c in cs)
    assert largest <= height * (1 + 1e-12)
    assert linear.largest_stable(c_x, beta1, beta2) == pytest.approx(height, rel=1e-8)
    assert linear.spectral_radius(0.999 * height, c_x, beta1, beta2) < 1
    assert linear.spectral_radius(1.001 * height, c_x, beta1, beta2) > 1


@pytest.mark.parametrize(("beta1", "beta2"), [(0.99, 0.9), (0.01, 0.9), (0.5, 0.0)])
def test_no_oscillation_before_its_onset(beta1, beta2):
    onset = linear.oscillation_onset(beta1, beta2)
    assert linear.oscillation_threshold(onset - 1e-6, beta1, beta2) == np.inf
    assert linear.oscillation_threshold(onset + 1e-6, beta1, beta2) < np.inf


@pytest.mark.parametrize(("alpha", "beta1", "beta2"), SETTINGS)
@pytest.mark.parametrize("rho", [0.1, 1.0, 5.0])
def test_the_mean_square_threshold_is_the_operators(alpha, beta1, beta2, rho):
    c = -alpha * (1 - beta1)
    x = linear.mean_square_threshold(rho, c, beta1, beta2)
    assert linear.mean_square_radius(0.999 * x, rho, c, beta1, beta2) < 1
    assert linear.mean_square_radius(1.001 * x, rho, c, beta1, beta2) > 1


def test_without_noise_the_mean_square_threshold_is_the_stability_one():
    assert linear.mean_square_threshold(0.0, 0.05, 0.99, 0.9) == linear.largest_stable(0.05, 0.99, 0.9)


@pytest.mark.parametrize("c", [0.95, 0.999, 0.995, -0.5, 1.5])
@pytest.mark.parametrize("beta2", [0.0, 0.9])
def test_the_ode_threshold_is_where_its_criterion_turns(c, beta2):
    x = linear.ode_threshold(c, 0.99, beta2)
    if np.isinf(x):
        assert linear.ode_stable(1e6, c, 0.99, beta2)
    else:
        assert linear.ode_stable(0.999 * x, c, 0.99, beta2)
        assert not linear.ode_stable(1.001 * x, c, 0.99, beta2)


def test_the_counts_of_mismatches_can_count(monkeypatch):
    monkeypatch.setattr(linear, "jury", lambda x, *_: np.asarray(x) > 0)
    assert linear.jury_mismatches(1000, 0)[0] > 0
    monkeypatch.setattr(linear, "variance", lambda x, c, *_: x * (1 + c))
    assert linear.mean_square_mismatches(100, 0)[0] > 0
    assert linear.variance_sign_mismatches(1000, 0)[0] > 0


@pytest.mark.parametrize(("alpha", "beta1", "beta2", "eta"), [
    (0, 0.99, 0, 0.4890), (-5, 0.99, 0, 0.5142), (0.5, 0.01, 0, 0.3813), (-5, 0.99, 0.9, 0.06563),
])  # fmt: skip
def test_the_largest_rate_at_one_sample_per_step(alpha, beta1, beta2, eta):
    """Worked out by other code; the claim ours-batch-one computes the other settings."""
    found = mean_square_batch_one.largest_stable_rate(mean_square_batch_one.features(), alpha, beta1, beta2)
    assert found == pytest.approx(eta, rel=1e-3)


def test_one_sample_per_step_diverges_past_its_rate():
    """Simulated second moments on both sides of the threshold: 4000 replicas, 300 steps, a ratio of many orders."""
    x, rng = mean_square_batch_one.features(), np.random.default_rng(0)
    eta = mean_square_batch_one.largest_stable_rate(x, -5.0, 0.99, 0.0)
    ends = []
    for rate in (0.8 * eta, 1.6 * eta):
        theta, h = np.ones((4000, 4)), np.zeros((4000, 4))
        for _ in range(300):
            rows = x[rng.integers(len(x), size=4000)]
            g = rows * (rows * theta).sum(1, keepdims=True)
            theta = theta - rate * (0.95 * g + 0.05 * h)
            h = 0.99 * h + 0.01 * g
        ends.append((theta**2).sum(1).mean())
    assert ends[0] < 4 < ends[1]


def test_no_crossing_is_an_error():
    with pytest.raises(ArithmeticError, match="no first crossing"):
        mean_square_batch_one.largest_stable_rate(1e-3 * mean_square_batch_one.features(), 0.0, 0.99, 0.0)


@pytest.mark.parametrize(("kappa", "rate"), [(10.0, 0.519494), (100.0, 0.818182), (1000.0, 0.938693)])
def test_polyaks_rate(kappa, rate):
    point = polyak.polyak(kappa)
    assert polyak.rate(kappa, point.eta, point.beta1, point.beta1) == pytest.approx(rate, rel=1e-5)


@pytest.mark.parametrize("kappa", [10.0, 100.0])
def test_polyaks_point_beats_its_neighbours(kappa):
    point = polyak.polyak(kappa)
    best = polyak.rate(kappa, point.eta, point.beta1, point.beta1)
    for eta, beta in ((0.9, 1), (1.1, 1), (1, 0.9), (1, 1.05)):
        moved = min(beta * point.beta1, 0.999)
        assert polyak.rate(kappa, eta * point.eta, moved, moved) > best
    with pytest.raises(ValueError, match="kappa > 1"):
        polyak.polyak(1.0)


@pytest.mark.parametrize(("means", "outcome"), [
    ([(3.0, 0.4), (2.0, 0.4)], Outcome.SUPPORTS),
    ([(3.0, 0.6), (2.0, 0.6)], Outcome.INCONCLUSIVE),
    ([(2.0, 0.1), (3.0, 0.1)], Outcome.CONTRADICTS),
    ([(2.0, 0.6), (3.0, 0.6)], Outcome.INCONCLUSIVE),
], ids=["falls", "overlap", "rises", "overlap upwards"])  # fmt: skip
def test_overlapping_intervals_are_no_order(means, outcome):
    assert decided_by(escape._falls(means)) is outcome
