import dataclasses

import pytest

from experiments.analysis import kept
from experiments.io.environment import Environment
from experiments.io.errors import ConfigError
from experiments.runs.plan import Cell
from experiments.sweep import repeat, runner
from experiments.sweep.pool import Workers


@pytest.fixture
def whole(tiny, place):
    return kept.summarise(runner.run(tiny, place, Workers(1), lambda _: None))


class Trained(list):
    """The runs that a call trained, of its events."""

    def __call__(self, event):
        if event.finished and not event.before:
            self.append(event.run)


def again(whole, place, seeds=2):
    """The results of a repetition, and the runs that it trained."""
    trained = Trained()
    chosen = repeat.select(whole, ["LAMB", "ALTO"], seeds)
    return repeat.repeat(whole, chosen, place, Workers(1), trained), trained


def test_rows_are_shared_with_the_whole_experiment_in_both_directions(tiny, whole, place, tmp_path):
    results, trained = again(whole, place)
    assert trained == []
    assert results.rows == runner.collect(tiny, place).rows
    empty = Environment(tmp_path / "empty")
    results, trained = again(whole, empty)
    assert {run.phase for run in trained} == {"final"}
    assert len(trained) == 4
    later = Trained()
    runner.run(tiny, empty, Workers(1), later)
    assert {run.phase for run in later} == {"tune"}


def test_the_rates_are_the_kept_ones_and_the_networks_too(whole, tmp_path):
    results, _ = again(whole, Environment(tmp_path / "empty"), seeds=1)
    rates = {Cell(cell.setting, cell.label): cell.lr for cell in whole.report.summaries}
    assert {cell: row.run.lr for cell, (row,) in results.rows.items()} == rates
    made = kept.summarise(results)
    assert made.report.complete
    assert [cell.validation for cell in made.report.summaries] == [None, None]  # nothing was tuned
    assert repeat.agreement(whole, made) == "2 of 2 trained networks equal the kept ones bit for bit"


def test_networks_that_differ_are_counted_with_what_made_them(whole):
    machine = {**whole.report.hardware[0], "name": "an abacus"}
    runs = (dataclasses.replace(whole.runs[0], weights="0"), *whole.runs[1:])
    other = dataclasses.replace(whole, runs=runs, report=dataclasses.replace(whole.report, hardware=(machine,)))
    words = repeat.agreement(other, whole)
    assert words.startswith("3 of 4 trained networks equal")
    assert "kept an abacus" in words


@pytest.mark.parametrize(
    ("optimizers", "seeds", "words"),
    [
        (["LAMB", "SGD"], 1, "--optimizers: 'SGD' is not allowed; it must be one of ALTO, LAMB"),
        (["ALTO"], 1, "with the baseline LAMB"),
        (["LAMB"], 3, "--seeds: 3 is not allowed; it must be from 1 to 2"),
        (["LAMB"], 0, "--seeds: 0 is not allowed"),
    ],
)
def test_a_part_that_does_not_exist_is_refused(whole, optimizers, seeds, words):
    with pytest.raises(ConfigError, match=words):
        repeat.select(whole, optimizers, seeds)
