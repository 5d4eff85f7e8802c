import dataclasses

import pytest

from experiments.analysis.time_to_target import reaches
from tests.experiments.analysis.made import CONFIG, make

ALTO, LAMB = ("small", "ALTO"), ("small", "LAMB")


def test_the_first_evaluation_at_the_level_counts(tmp_path):
    # made runs pass half their end after 10 steps and 1 s, and their end after 20 steps and 2 s
    kept = make(tmp_path, {ALTO: [80.0, 60.0], LAMB: [45.0, 30.0]})
    by_place = {(reach.label, reach.level): reach for reach in reaches(kept)}
    alto, lamb = by_place["ALTO", 40], by_place["LAMB", 40]
    assert (alto.reached, alto.planned) == (2, 2)
    assert alto.steps is not None
    assert alto.seconds is not None
    assert (alto.steps.mean, alto.seconds.mean) == (15.0, 1.5)
    assert (lamb.reached, lamb.planned) == (1, 2)
    assert lamb.steps is not None
    assert lamb.steps.mean == 20.0
    assert by_place["LAMB", 60].steps is None
    assert by_place["LAMB", 60].reached == 0
    assert by_place["SGD", 40].planned == 0


def test_levels_that_tell_nothing_are_left_out(tmp_path):
    kept = make(tmp_path, {ALTO: [80.0, 78.0], LAMB: [62.0, 62.0]})
    levels = {reach.level for reach in reaches(kept)}
    assert levels == {40, 50, 60, 70, 80}  # all reach 30 at once, none reaches 90


def test_a_loss_is_reached_from_above(tmp_path):
    config = CONFIG.replace("tuning = {", 'tuning = { metric = "loss",')
    kept = make(tmp_path, {ALTO: [2.0, 2.0], LAMB: [3.0, 3.0]}, config=config)
    falling = [dataclasses.replace(run, test=(4.0, run.test[-1])) for run in kept.runs]
    by_place = {(reach.label, reach.level): reach for reach in reaches(dataclasses.replace(kept, runs=tuple(falling)))}
    assert by_place["ALTO", 2.25].reached == 2
    assert by_place["LAMB", 2.25].reached == 0
    assert by_place["LAMB", 3.0].reached == 2


@pytest.mark.parametrize("ends", [{}, {ALTO: [None]}])
def test_without_values_nothing_is_reached(tmp_path, ends):
    assert reaches(make(tmp_path, ends)) == []
