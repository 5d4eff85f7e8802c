import math

import numpy as np
import pytest
from scipy import stats

from experiments.analysis.statistics import DRAWS, sign_flip_p_value, t_interval, t_p_value
from experiments.runs.rows import finite


def test_the_t_interval_of_a_worked_example():
    interval = t_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    # half width = t(0.975, 4) sqrt(2.5 / 5) = 2.776445 x 0.707107
    assert interval.mean == 3.0
    assert interval.high - 3.0 == pytest.approx(1.963243, abs=1e-6)
    assert 3.0 - interval.low == pytest.approx(1.963243, abs=1e-6)
    assert interval.n == 5


def test_the_t_interval_covers_as_often_as_it_says():
    # 4000 draws of 5: the share of hits has a deviation of 0.0035, so [0.936, 0.964] is missed once in 16000 runs
    draws = np.random.default_rng(5).normal(size=(4000, 5))
    hits = [i.low <= 0 <= i.high for i in (t_interval(list(draw)) for draw in draws)]
    assert 0.936 < np.mean(hits) < 0.964


def test_one_seed_has_no_interval():
    interval = t_interval([2.0])
    assert (interval.mean, interval.low, interval.high, interval.n) == (2.0, None, None, 1)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]], ids=str)
def test_what_has_no_mean_is_refused(values):
    with pytest.raises(ValueError, match="values = "):
        t_interval(values)


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ([1.0], 1.0),
        ([1.0, 2.0, 3.0, 4.0, 5.0], 2 / 32),
        ([-1.0, -2.0, -3.0, -4.0, -5.0], 2 / 32),
        ([0.0, 0.0, 0.0], 1.0),
        ([3.0, -1.0], 1.0),  # |sum| = 2; the four sums are 2, 4, -4, -2
        ([0.1, 0.2, 0.3], 2 / 8),  # rounding must not exclude the observed signs
    ],
    ids=str,
)
def test_sign_flips_are_counted_exactly(differences, expected):
    assert sign_flip_p_value(differences) == expected


def test_no_pairs_have_no_p_value():
    with pytest.raises(ValueError, match="at least one"):
        sign_flip_p_value([])


def test_twenty_pairs_are_counted_exactly():
    # Of 20 differences of size 1, 15 positive: |sum| >= 10 means at most 5 or at least 15 plus signs.
    tail = sum(math.comb(20, k) for k in range(6))
    assert sign_flip_p_value([1.0] * 15 + [-1.0] * 5) == 2 * tail / 2**20


@pytest.mark.parametrize(("n", "positive"), [(21, 15), (40, 26), (64, 33)])
def test_more_pairs_are_drawn_within_the_stated_error(n, positive):
    # differences of size 1, so the exact value is a sum of binomial coefficients
    size = abs(2 * positive - n)
    exact = sum(math.comb(n, k) for k in range(n + 1) if abs(2 * k - n) >= size) / 2**n
    found = sign_flip_p_value([1.0] * positive + [-1.0] * (n - positive))
    assert abs(found - exact) < 5 * math.sqrt(exact * (1 - exact) / DRAWS) + 1 / DRAWS
    assert found == sign_flip_p_value([1.0] * positive + [-1.0] * (n - positive))


def test_drawn_signs_never_give_zero():
    assert sign_flip_p_value([1.0] * 60) == 1 / (1 + DRAWS)


@pytest.mark.parametrize("n", [2, 5, 8])
def test_interval_and_sign_flips_are_those_of_scipy(n):
    pairs = list(np.random.default_rng(n).normal(0.5, 1.0, n))
    theirs = stats.ttest_1samp(pairs, 0.0).confidence_interval(0.95)
    ours = t_interval(pairs)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    flips = stats.permutation_test((np.array(pairs),), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_p_value(pairs) == flips.pvalue


def test_a_sum_of_zero_is_tied_whatever_rounding_makes_of_it():
    step = 0.2786  # the differences of two accuracies are multiples of 100 / (number of test images)
    pairs = [step * k for k in (0, 0, -3, 1, -2, 1, 3, -2, 2)]
    assert sum(pairs) != 0.0
    assert sign_flip_p_value(pairs) == 1.0


def test_accuracies_that_were_rounded_tie_as_the_exact_ones_do():
    images = 359  # accuracies in percent, kept with six digits, are near multiples of 100 / 359 and not on them
    pairs = [(352, 345), (350, 352), (349, 350), (346, 353), (347, 349), (344, 350), (344, 353), (344, 351)]
    exact = [100 * (a - b) / images for a, b in pairs]
    rounded = [round(100 * a / images, 4) - round(100 * b / images, 4) for a, b in pairs]
    assert sign_flip_p_value(rounded) < sign_flip_p_value(exact) == sign_flip_p_value(rounded, 1e-4)


@pytest.mark.parametrize("unit", [1e-300, 1e-14, 1.0, 1e14])
def test_sign_flips_do_not_depend_on_the_unit(unit):
    assert sign_flip_p_value([unit * k for k in range(1, 9)]) == 2 / 2**8


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_sign_flips_refuse_what_is_not_finite(bad):
    with pytest.raises(ValueError, match="all must be finite"):
        sign_flip_p_value([bad, 1.0, 2.0])


@pytest.mark.parametrize("unit", [1e-140, 1e-12, 1e-6, 1.0, 1e9, 1e140], ids=str)
def test_whether_seeds_tie_does_not_depend_on_the_unit(unit):
    differ, tie = [unit * k for k in (1.0, 2.0, 3.0)], [unit * 0.1] * 3
    assert (t_interval(differ).tied, t_interval(tie).tied) == (False, True)
    assert t_p_value(differ, 0.0) == pytest.approx(stats.ttest_1samp([1.0, 2.0, 3.0], 0.0).pvalue)
    assert t_p_value(tie, 0.0) == 1.0


@pytest.mark.parametrize("judge", [t_interval, sign_flip_p_value], ids=["interval", "p-value"])
def test_what_is_so_large_that_its_square_is_infinite_is_refused_and_no_run_ends_with_it(judge):
    with pytest.raises(ValueError, match="each must be within"):
        judge([1e200, 2e200])
    assert [finite(value) for value in (1e200, -1e200, math.nan, math.inf)] == [None] * 4
    assert finite(-1e149) == -1e149
