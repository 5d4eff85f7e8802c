import dataclasses

import pytest

from experiments import data, executor, plan, runner
from experiments.errors import BusyError, ConfigError
from experiments.executor import Workers
from experiments.files import locked


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
    monkeypatch.setattr("experiments.train.Session.advance", lambda _: pytest.fail("it trained again"))
    assert runner.run(tiny, place, Workers(1), lambda _: None) == first
    assert runner.collect(tiny, place) == first


def test_rows_of_another_configuration_do_not_count(tiny, place):
    runner.run(tiny, place, Workers(1), lambda _: None)
    longer = dataclasses.replace(tiny, training=dataclasses.replace(tiny.training, epochs=4))
    assert runner.collect(longer, place).rows == {}


def test_a_cell_with_a_failed_tuning_run_is_not_trained(tiny, place, monkeypatch):
    real = executor.train

    def train(run, *rest):
        if run.label == "LAMB" and run.lr == 0.1:
            raise RuntimeError("no luck")
        return real(run, *rest)

    monkeypatch.setattr(executor, "train", train)
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


def test_the_full_batch_is_the_number_of_training_examples(tiny):
    full = dataclasses.replace(tiny, training=dataclasses.replace(tiny.training, batch_size="full"))
    examples = len(data.load(full.data).train)
    runs = {n: plan.tuning_runs(full, plan.Cell("small", "ALTO"), n)[0].options for n in (examples, 5000)}
    # the preset follows the number of examples a step
    assert runs[examples] == {"alpha": 0.5, "beta1": 0.01}
    assert runs[5000] == {"alpha": -5.0, "beta1": 0.99}
