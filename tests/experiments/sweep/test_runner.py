import dataclasses

import pytest

from experiments import data
from experiments.config import catalog
from experiments.io.environment import Environment
from experiments.io.errors import BusyError, ConfigError, DataError
from experiments.io.files import locked
from experiments.runs import plan
from experiments.sweep import pool, runner
from experiments.sweep.pool import Workers


def test_the_final_runs_use_the_learning_rate_that_the_tuning_runs_chose(tiny, place):
    results = runner.run(tiny, place, Workers(1), lambda _: None)
    assert results.complete
    for cell, rows in results.rows.items():
        assert {row.run.lr for row in rows} == {results.choices[cell].lr}
        assert [row.run.seed for row in rows] == [1, 2]
        assert {row.run.phase for row in rows} == {"final"}
        assert set(results.choices[cell].scores) == {0.01, 0.1}


def test_a_second_call_runs_nothing(tiny, place, monkeypatch):
    first = runner.run(tiny, place, Workers(1), lambda _: None)
    monkeypatch.setattr("experiments.training.train.SupervisedLoop.advance", lambda _: pytest.fail("it trained again"))
    assert runner.run(tiny, place, Workers(1), lambda _: None) == first
    assert runner.collect(tiny, place) == first


def test_rows_of_another_configuration_do_not_count(tiny, place):
    runner.run(tiny, place, Workers(1), lambda _: None)
    longer = dataclasses.replace(tiny, training=dataclasses.replace(tiny.training, epochs=4))
    assert runner.collect(longer, place).rows == {}


def test_a_cell_with_a_failed_tuning_run_is_not_trained(tiny, place, monkeypatch):
    real = pool.train

    def train(run, *rest):
        if run.label == "LAMB" and run.lr == 0.1:
            raise RuntimeError("no luck")
        return real(run, *rest)

    monkeypatch.setattr(pool, "train", train)
    results = runner.run(tiny, place, Workers(1), lambda _: None)
    assert list(results.choices) == [plan.Cell("small", "ALTO")]
    assert not results.complete
    assert len(results.failures) == 1


def test_two_at_once_in_one_folder_are_refused(tiny, place):
    with locked(place.out), pytest.raises(BusyError):
        runner.run(tiny, place, Workers(1), lambda _: None)


def test_a_wrong_name_is_refused_before_the_folder_exists(tiny, place):
    bad = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, name="perceptron"))
    with pytest.raises(ConfigError, match=r"model\.name"):
        runner.run(bad, place, Workers(1), lambda _: None)
    assert not place.out.exists()


TEXT = """
title = "Letters"
source = "ours"
baseline = "LAMB"
data = { name = "text", context = 4 }
model = { name = "gpt", options = { context = 4, layers = 1, heads = 1, width = 4 } }
training = { epochs = 1, batch_size = "full", evaluations = 1 }
tuning = { metric = "loss", seeds = [11], learning_rates = { low = 0.01, high = 0.01, count = 1 } }
final = { seeds = [1] }
[settings.any]
[optimizers.ALTO]
preset = "batch"
[optimizers.LAMB]
[tiers.laptop]
"""


def put(folder, text):
    (folder / "text.txt").write_text(text)
    data.load.cache_clear()
    data.fingerprint.cache_clear()


@pytest.fixture
def letters(tmp_path):
    (tmp_path / "letters.toml").write_text(TEXT)
    folder = tmp_path / "data"
    folder.mkdir()
    put(folder, "to be or not to be " * 30)
    yield catalog.load(str(tmp_path / "letters.toml")), Environment(tmp_path / "out", folder)
    data.load.cache_clear()
    data.fingerprint.cache_clear()


def test_rows_of_other_data_are_refused_run_by_run_and_nothing_is_lost(letters):
    experiment, place = letters
    first = runner.run(experiment, place, Workers(1), lambda _: None)
    assert first.complete
    put(place.data_dir, "to be or not to be " * 29 + "to do or not to do ")
    swapped = runner.run(experiment, place, Workers(1), lambda _: None)
    assert not any(swapped.rows.values())
    assert len(swapped.failures) == 2  # the tuning runs; nothing is chosen, so there are no final runs
    for run, failure in swapped.failures.items():
        assert f"run {run} was trained on other data" in failure
    assert runner.collect(experiment, place).failures.keys() == swapped.failures.keys()
    put(place.data_dir, "to be or not to be " * 30)
    assert runner.run(experiment, place, Workers(1), lambda _: None) == first


def test_a_report_needs_no_data(letters):
    experiment, place = letters
    first = runner.run(experiment, place, Workers(1), lambda _: None)
    (place.data_dir / "text.txt").unlink()
    data.load.cache_clear()
    data.fingerprint.cache_clear()
    assert runner.collect(experiment, place) == first
    other = dataclasses.replace(experiment, data=dataclasses.replace(experiment.data, context=5))
    with pytest.raises(DataError, match=r"has none of text\.txt"):  # nothing is known of these
        runner.collect(other, place)


def test_a_report_on_an_output_of_which_the_data_are_not_known_reads_them(letters):
    experiment, place = letters
    first = runner.run(experiment, place, Workers(1), lambda _: None)
    for content in (None, "{", "[]", '{"any": {}}'):
        (place.out / "data.json").unlink(missing_ok=True)
        if content is not None:
            (place.out / "data.json").write_text(content)
        assert runner.collect(experiment, place) == first


def test_a_damaged_row_is_among_the_failures_of_a_report(tiny, place):
    first = runner.run(tiny, place, Workers(1), lambda _: None)
    run = first.rows[plan.Cell("small", "LAMB")][0].run
    (place.out / "runs" / run.id / "row.json").write_text("{")
    results = runner.collect(tiny, place)
    assert list(results.failures) == [run.id]
    assert "is damaged" in results.failures[run.id]
    assert len(results.rows[plan.Cell("small", "LAMB")]) == 1
    assert not results.complete


def test_the_full_batch_is_the_number_of_training_examples(tiny):
    full = dataclasses.replace(tiny, training=dataclasses.replace(tiny.training, batch_size="full"))
    examples = len(data.load(full.data).train)
    runs = {n: plan.tuning_runs(full, plan.Cell("small", "ALTO"), n)[0].options for n in (examples, 5000)}
    # the preset follows the number of examples a step
    assert runs[examples] == {"alpha": 0.5, "beta1": 0.01}
    assert runs[5000] == {"alpha": -5.0, "beta1": 0.99}
