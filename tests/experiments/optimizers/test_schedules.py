import math

import pytest

from experiments.optimizers.schedules import factor


def test_the_warm_up_is_linear_and_loses_no_step():
    assert [factor("constant", step, 100, 4) for step in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


@pytest.mark.parametrize(("step", "expected"), [(0, 1), (24, 1), (25, 0.1), (50, 0.01), (75, 0.001), (99, 0.001)])
def test_steps_fall_after_every_quarter(step, expected):
    assert factor("step", step, 100, 0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("schedule", "halfway"), [("cosine", 0.5), ("polynomial", 0.25), ("linear", 0.5), ("constant", 1.0)]
)
def test_the_courses_after_a_warm_up(schedule, halfway):
    assert factor(schedule, 20, 120, 20) == 1.0
    assert factor(schedule, 70, 120, 20) == pytest.approx(halfway)


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine", "polynomial", "linear"])
@pytest.mark.parametrize(("total", "warmup"), [(1, 0), (1, 1), (7, 3), (100, 0), (100, 100)])
def test_every_factor_is_in_the_unit_interval_and_no_step_is_lost(schedule, total, warmup):
    factors = [factor(schedule, step, total, warmup) for step in range(total)]
    assert all(0 < f <= 1 and math.isfinite(f) for f in factors)
    assert factors[warmup:] == sorted(factors[warmup:], reverse=True)
