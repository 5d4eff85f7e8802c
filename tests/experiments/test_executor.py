import dataclasses
import os
import time

import pytest

from experiments import executor, plan
from experiments.errors import ConfigError


@pytest.fixture
def runs(tiny):
    return plan.tuning_runs(tiny, plan.Cell("small", "LAMB"), 160)


def execute(runs, place, jobs, notify):
    with executor.Workers(jobs) as workers:
        return executor.execute(runs, place, workers, notify)


def test_one_process_and_two_give_the_same_rows(runs, place, tmp_path):
    events = []
    one = execute(runs, place, 1, lambda _: None)
    two = execute(runs, dataclasses.replace(place, out=tmp_path / "two"), 2, events.append)
    assert [row.weights for row in one.rows] == [row.weights for row in two.rows]
    assert [row.run for row in two.rows] == runs
    assert sorted(event.run.id for event in events if event.finished) == sorted(run.id for run in runs)


def test_a_failing_run_is_tried_twice_and_reported_and_the_others_go_on(runs, place, monkeypatch):
    tries = []
    real = executor.train

    def train(run, *rest):
        tries.append(run.id)
        if run is runs[0]:
            raise RuntimeError("no luck")
        return real(run, *rest)

    monkeypatch.setattr(executor, "train", train)
    events = []
    outcome = execute(runs, place, 1, events.append)
    assert tries == [runs[0].id, runs[1].id, runs[0].id]
    assert outcome.rows[0] is None
    assert outcome.rows[1].run == runs[1]
    assert outcome.failures == {runs[0].id: "RuntimeError: no luck"}
    assert [event.run.id for event in events if event.failure] == [runs[0].id] * 2


def test_a_run_that_fails_once_is_well(runs, place, monkeypatch):
    real, tries = executor.train, []

    def train(run, *rest):
        tries.append(run.id)
        if len(tries) == 1:
            raise RuntimeError("no luck")
        return real(run, *rest)

    monkeypatch.setattr(executor, "train", train)
    outcome = execute(runs, place, 1, lambda _: None)
    assert outcome.failures == {}
    assert [row.run for row in outcome.rows] == runs


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_refused_configuration_ends_everything_at_once(runs, place, jobs):
    bad = [dataclasses.replace(run, options={"betas": [2.0, 0.9]}) for run in runs]
    with pytest.raises(ConfigError, match="LAMB"):
        execute(bad, place, jobs, lambda _: None)


def _die(*_):
    os._exit(9)


def test_a_dead_worker_is_a_failure_and_the_next_need_starts_a_new_one(runs, place):
    with executor.Workers(2) as workers:
        before = executor.execute(runs, place, workers, lambda _: None)
        workers._open._pool.submit(_die)
        time.sleep(1)
        after = executor.execute([dataclasses.replace(run, seed=77) for run in runs], place, workers, lambda _: None)
    assert all(before.rows)
    assert all(after.rows)
    assert after.failures == {}
