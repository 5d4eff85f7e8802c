"""The share of clipped steps is counted from the norms in the rows; nothing is trained again."""

import dataclasses

import pytest

from experiments.analysis import kept as summaries
from experiments.io.errors import ConfigError
from experiments.report import answers, outputs
from experiments.sweep import runner
from experiments.sweep.pool import Workers


@pytest.fixture
def results(tiny, place):
    """Two finished settings: without a clip, and with one that every step meets."""
    small = tiny.settings["small"]
    settings = {"free": small, "tight": dataclasses.replace(small, training={"clip": 1e-3})}
    return runner.run(dataclasses.replace(tiny, settings=settings), place, Workers(1), lambda _: None)


def test_the_clipped_steps_are_counted_in_the_rows(results, tmp_path):
    kept = summaries.summarise(results)
    rows = [row for cell in results.rows.values() for row in cell]
    assert {run.clipped for run in kept.runs if run.setting == "tight"} == {1.0}
    for row, run in zip(rows, kept.runs, strict=True):
        limit = 1.0 if row.run.setting == "free" else 1e-3
        assert run.clipped == pytest.approx(sum(n > limit for n in row.gradient_norms) / row.steps, abs=1e-6)
    outputs.keep(kept, tmp_path)
    text = "{{clipped tiny | tight | LAMB}}; {{identical tiny | free | tight}}; {{rates tiny | free}}"
    clipped, identical, rates = answers.page(tmp_path, text).split("; ")
    assert clipped == "100 % [100, 100] of the steps"
    assert identical == "0 of 4"
    assert rates.startswith("ALTO 0.")
    for slot in ("{{rates tiny | huge}}", "{{identical tiny | free | huge}}", "{{clipped tiny | tight | SGD}}"):
        with pytest.raises(ConfigError):
            answers.page(tmp_path, slot)


def test_a_norm_that_is_not_finite_was_clipped_and_a_row_without_norms_says_nothing(results):
    row = next(row for cell in results.rows.values() for row in cell if row.run.setting == "free")
    assert summaries._clipped(dataclasses.replace(row, gradient_norms=(0.5, None, 2.0, 1.0))) == 0.5
    assert summaries._clipped(dataclasses.replace(row, gradient_norms=())) is None
