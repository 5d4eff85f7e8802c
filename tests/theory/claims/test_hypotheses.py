"""Hypotheses that a statement once lacked: without each of them the statement fails."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from theory.claims.theorems import linear_regret as regret_claims
from theory.claims.theorems.convex import Variant, run_stream
from theory.stability import linear
from theory.theorems import linear_regret as streams


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
