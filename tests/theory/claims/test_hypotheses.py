"""Hypotheses that a statement once lacked: without each of them the statement fails."""

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from theory import claims
from theory.claims.theorems import linear_regret as regret_claims
from theory.claims.theorems.regret_runs import Variant, run_stream
from theory.ledger.evidence import Kind
from theory.method.algorithms import ALTO, ESGD
from theory.method.filters import Filter
from theory.method.trajectory import record
from theory.stability import linear
from theory.theorems import bounds
from theory.theorems import linear_regret as streams
from theory.theorems.bounds import Online, regret
from theory.theorems.primal_averaging import mean_gap_any
from theory.theorems.regret_chain import monotone_share


def test_decaying_alpha_of_alternating_sign_has_no_bounded_variation_but_one_of_order_root_t():
    k = np.arange(1, 100_001)
    alpha = (-1.0) ** k / np.sqrt(k)
    variation = np.cumsum(np.abs(np.diff(alpha)))
    assert variation[-1] > 100 * variation[0]
    assert (variation <= 4 * np.sqrt(k[1:])).all()
    assert variation[-1] > 3.9 * np.sqrt(k[-1])


def test_some_drawn_runs_change_the_sign_of_alpha():
    signs = [np.sign(run_stream(seed, Variant(False, True, varying=True))[0].alpha) for seed in range(20)]
    assert 3 < sum(len(set(found)) > 1 for found in signs) < 20


@pytest.mark.parametrize("alpha", [0.0, -5.0])
def test_without_a_box_the_regret_may_grow_like_t_to_the_three_halves(alpha):
    """EAdam on -theta, then theta: (C3) holds at every step, and against 0 the regret is not of order sqrt(T)."""
    F, found = Filter(alpha, 0.9, 0.9), []
    for T in (500, 2000, 8000):
        eadam = ALTO(alpha, F.beta1, F.beta2, 1 - 1 / T, 1e-3, 1.0, 1.0, 0.0, bias_correction=False, layerwise=False)

        def slope(k, theta, T=T):
            return np.full_like(theta, -1.0 if k <= T / 2 else 1.0)

        run = record(eadam, slope, np.zeros((1, 1)), steps=T, eta=lambda k: 1 / np.sqrt(k))
        assert monotone_share(run) == 1
        found.append(float((run.g * run.theta[:-1]).sum()))
        within = Online(F, 1 - 1 / T, 1e-3, 1.0, 1.0, 1.0, 0.0, (1,), False, G=1.0, D=1.0, width=1.0, comparator=0.0)
        size = float(np.abs(run.theta).max())
        assert found[-1] <= regret(replace(within, D=size, width=size), T)
    assert found[-1] > regret(within, T)
    exponents = np.diff(np.log(found)) / np.log(4)
    assert (exponents > 1.4).all()


@pytest.mark.parametrize("setting", regret_claims.SHORT, ids=lambda setting: f"alpha={float(setting.alpha):g}")
def test_a_large_eps1_has_no_linear_regret(setting):
    """EAdam is then like ESGD, whose mean step goes down: the wall +1 is left."""
    steps = 20_000
    small = streams.play(setting, steps=steps, eta=regret_claims.ETA, layerwise=False, enforce=False)
    large = streams.play(
        replace(setting, eps1=Fraction(1000)), steps=steps, eta=1000 * regret_claims.ETA, layerwise=False, enforce=False
    )
    assert small.full / steps == pytest.approx(float(setting.slope), rel=0.05)
    assert large.full / steps < 0.2 * float(setting.slope)


def test_a_step_uphill_is_not_mean_square_stable_though_below_the_threshold():
    x, c, beta1, beta2 = -0.5, 0.05, 0.9, 0.0
    assert x < linear.largest_stable(c, beta1, beta2)
    assert 0.01**2 * float(linear.variance(x, c, beta1, beta2)) < 1
    assert linear.spectral_radius(x, c, beta1, beta2) > 1


@pytest.mark.parametrize("beta1", [0.0, 0.5, 0.9, 0.99])
def test_the_largest_stable_sharpness_is_higher_only_up_to_the_cliff(beta1):
    """Without momentum: above gradient descent's 2 exactly for 0 < c < (1 + beta1) / 2."""
    for c in (-0.9, -0.1, 0.1 * (1 + beta1), 0.499 * (1 + beta1), 0.501 * (1 + beta1), 1.5):
        x = linear.largest_stable(c, beta1, 0.0)
        assert (x > 2) is (0 < c < (1 + beta1) / 2)
        assert linear.spectral_radius(0.999 * x, c, beta1, 0.0) < 1 < linear.spectral_radius(1.001 * x, c, beta1, 0.0)
    assert linear.largest_stable(0.999, 0.99, 0.0) < 1.2  # alpha = -99.9, within |alpha| < 1 / (1 - beta1)


def test_a_strongly_negative_alpha_raises_the_variance_and_so_flattens_a_valley_faster():
    """At beta1 = .5 from alpha = -1.5 on, c = .75: within |alpha| < 2."""
    for c, lower in ((0.7, True), (0.8, False), (0.9, False)):
        assert (linear.variance(0.8, c, 0.5, 0.0) < linear.variance(0.8, 0.0, 0.5, 0.0)) is lower
        assert linear.jury(0.8, c, 0.5, 0.0)


PROOFS = {Kind.PROOF, Kind.FORMAL}
NO_MOMENTUM = ("beta_2 = 0", "no momentum", "ithout momentum", r"$u_k = h_k$")
OTHERS_MOMENTUM = {
    "identity-ema-nesterov",  # beta2 = 0 in E's update
    "identity-heavy-ball-nesterov",  # says which momentum
    "ours-linear-regret-counterexample",  # EAdam and ALTO
    *(f"ours-certificates-{name}" for name in ("convex", "strongly-convex", "non-convex")),  # the setting of the file
}


PROVED = [claim for claim in claims.ALL if any(evidence.kind in PROOFS for evidence in claim.evidence)]


@pytest.mark.parametrize("claim", PROVED, ids=lambda claim: claim.id)
def test_what_is_proved_of_esgd_says_which_momentum_it_has(claim):
    """Algorithm 3 has no factor 1 - beta2: the same statement is true of one momentum and false of the other."""
    said = " ".join([claim.statement, claim.corrected or "", *claim.assumptions])
    if re.search(r"ESGD|E\(SGD\)|Algorithm 3|E on SGD", said) and claim.id not in OTHERS_MOMENTUM:
        assert "normalised momentum" in said or any(words in said for words in NO_MOMENTUM)


def test_with_algorithm_3s_momentum_the_bound_for_any_alpha_fails():
    """Huber's function of curvature 1 and slope 1, from its kink, at the largest step that the bound allows."""
    F, T = Filter(-0.8, 0.0, 0.8), 200
    eta, found = 1 / (1 + 2 * abs(F.alpha)), []
    for rate in (eta, eta / (1 - F.beta2)):  # record multiplies by that factor: the second is Algorithm 3 at eta
        esgd = ESGD(F.alpha, F.beta1, F.beta2)
        run = record(esgd, lambda _, x: np.clip(x, -1, 1), np.ones((1, 1)), steps=T, eta=lambda _, rate=rate: rate)
        size = np.abs(run.theta[:-1, 0, 0])
        value = np.where(size > 1, size - 0.5, size**2 / 2).mean()
        found.append(value / mean_gap_any(F, eta=eta, T=T, distance2=1.0, gap=0.5))
    assert found[0] <= 1 < found[1], found


@pytest.mark.parametrize("width", [1.0, 2.0], ids=["from 0, as in the paper", "from the comparator"])
def test_the_regret_bound_needs_the_distance_from_the_comparator(width):
    """One step on theta from 1, against -1; a large eps1 makes EAdam plain SGD."""
    F, eps1 = Filter(0.0, 0.5, 0.0), 1e6
    online = Online(F, 0.9, eps1, 1.0, 1.0, eps1 / 2**0.5, 0.0, (1,), False, G=1.0, D=1.0, width=width, comparator=1.0)
    suffered = 1.0 - -1.0
    assert (suffered <= regret(online, 1)) is (width == 2)


def test_with_a_constant_decay_eadams_gradients_exceed_theorem_n():
    F, eps1, decay, eta, T = Filter(0.0, 0.9, 0.0), 1.0, 0.5, 0.2, 3000
    eadam = ALTO(F.alpha, F.beta1, F.beta2, 0.9, eps1, 1.0, 1.0, decay, bias_correction=False, layerwise=False)
    run = record(eadam, lambda _, x: x - 1, np.zeros((1, 1)), steps=T, eta=lambda _: eta)
    Q, triple = bounds.eadam(F, eps1, 1.0), bounds.tracking_by_recursion(F)
    assert eta <= bounds.largest_step(triple, Q, 1.0)
    bound = bounds.mean_square_gradient(triple, Q, eta=eta, T=T, gap=0.5, first=1.0, variance=0.0)
    assert (run.g**2).mean() > 5 * bound


def test_where_both_decay_rates_are_equal_the_weights_reach_1_by_k_times_their_power():
    """The sum of the weights after k steps, from a constant gradient of 1."""
    run = record(ESGD(-5.0, 0.9, 0.9), lambda _, x: np.ones_like(x), np.zeros((1, 1)), steps=200, eta=lambda _: 1e-3)
    left = np.abs(1 - run.m[:, 0, 0]) / 0.9 ** np.arange(1, 201)
    assert left[199] > 5 * left[19] > 0
    assert (left <= 6 * np.arange(1, 201)).all()
