"""Intervals: known values, and their coverage on seeded samples."""

import numpy as np
import pytest

from theory.studies.intervals import t_interval, wilson_interval


def test_student_against_a_known_case():
    """1 ... 5: mean 3, s = sqrt(2.5), t(.975, 4) = 2.776445."""
    mean, half = t_interval(np.arange(1.0, 6.0))
    assert mean == 3
    assert half == pytest.approx(2.776445 * np.sqrt(2.5 / 5), rel=1e-6)


def test_student_covers_as_often_as_it_says():
    """2000 samples of 8: the coverage is binomial, sd .5 %; a correct interval fails in 1e-5."""
    samples = np.random.default_rng(0).normal(size=(8, 2000))
    mean, half = t_interval(samples)
    assert (np.abs(mean) < half).mean() == pytest.approx(0.95, abs=4.4 * np.sqrt(0.95 * 0.05 / 2000))


def test_wilson_against_a_known_case():
    """10 of 10: the lower end is n / (n + z^2), the upper one 1."""
    low, high = wilson_interval(np.array(10), 10)
    assert low == pytest.approx(10 / (10 + 1.959964**2), rel=1e-6)
    assert high == pytest.approx(1)


@pytest.mark.parametrize(("call", "why"), [
    (lambda: t_interval(np.ones((1, 3))), "at least 2"),
    (lambda: wilson_interval(np.array(3), 2), r"\[0, trials\]"),
    (lambda: wilson_interval(np.array(0), 0), "at least 1"),
], ids=["one seed", "too many", "no trials"])  # fmt: skip
def test_what_has_no_interval_is_refused(call, why):
    with pytest.raises(ValueError, match=why):
        call()
