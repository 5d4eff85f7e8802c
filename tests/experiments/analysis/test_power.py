"""How many seeds a lead needs."""

import numpy as np
import pytest
from scipy import stats

from experiments.analysis import power
from experiments.analysis.statistics import t_interval
from experiments.cli import plan
from experiments.io.errors import ConfigError


def test_the_power_is_that_of_simulated_tests():
    """20,000 tests with a fixed seed; the standard error is 0.0035, and the bound is four of them."""
    draws = np.random.default_rng(0).normal(0.5, 0.4, (20_000, 8))
    seen = (stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05).mean()
    assert power.power(8, 0.5, 0.4) == pytest.approx(seen, abs=0.014)


@pytest.mark.parametrize(("lead", "sd"), [(0.5, 0.3), (-0.5, 0.3), (0.1, 0.5), (5.0, 0.1)])
def test_it_is_the_least_number(lead, sd):
    count = power.seeds(lead, sd)
    assert power.power(count, lead, sd) >= 0.8
    assert count == 2 or power.power(count - 1, lead, sd) < 0.8


@pytest.mark.parametrize(
    ("arguments", "named"),
    [((0, 0.3), "--lead"), ((0.5, 0), "--sd"), ((0.5, 0.3, 1.0), "--power"), ((0.5, 0.3, 0.8, 0), "--level"),
     ((1e-4, 1.0), "10000 seeds"), ((0.025, 1.0), "10000 seeds")],
    ids=["lead", "sd", "power", "level", "too small a lead", "a lead that needs a few more"],
)  # fmt: skip
def test_what_is_out_of_range_is_named(arguments, named):
    with pytest.raises(ConfigError, match=named):
        power.seeds(*arguments)


def test_the_help_says_how_an_interval_gives_the_standard_deviation():
    said = " ".join((plan.Plan.__doc__ or "").split())
    assert (
        "half the width of a difference's interval in `report`, times the square root of its number of seeds n" in said
    )
    assert "over the 97.5 % quantile of Student's t with n - 1" in said
    values = [0.1, 0.4, -0.2, 0.9, 0.3]
    interval = t_interval(values)
    assert interval.low is not None
    half = interval.mean - interval.low
    assert half * 5**0.5 / stats.t.ppf(0.975, 5 - 1) == pytest.approx(np.std(values, ddof=1))
