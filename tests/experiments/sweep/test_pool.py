import dataclasses
import errno
import os
import re
import signal
import threading
import time
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from experiments.io.errors import ConfigError
from experiments.runs import plan, rows
from experiments.sweep import pool


@pytest.fixture
def runs(tiny):
    return plan.tuning_runs(tiny, plan.Cell("small", "LAMB"), 160)


def execute(runs, place, jobs, notify):
    with pool.Workers(jobs) as workers:
        return pool.execute(runs, place, workers, notify)


def test_one_process_and_two_give_the_same_rows(runs, place, tmp_path):
    events = []
    one = execute(runs, place, 1, lambda _: None)
    two = execute(runs, dataclasses.replace(place, out=tmp_path / "two"), 2, events.append)
    assert {run: row.weights for run, row in one.rows.items()} == {run: row.weights for run, row in two.rows.items()}
    assert {run: row.run for run, row in two.rows.items()} == {run.id: run for run in runs}
    assert sorted(event.run.id for event in events if event.finished) == sorted(run.id for run in runs)


def test_processes_that_cannot_be_started_are_a_line_with_the_remedy(runs, place, monkeypatch):
    def full(*_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(pool, "_Pool", full)
    with pytest.raises(ConfigError, match=r"jobs: 2 processes cannot be started \(Too many open files\): .*--jobs 1"):
        execute(runs, place, 2, lambda _: None)


def test_a_failing_run_is_tried_twice_and_reported_and_the_others_go_on(runs, place, monkeypatch):
    tries = []
    real = pool.train

    def train(run, *rest):
        tries.append(run.id)
        if run is runs[0]:
            raise RuntimeError("no luck")
        return real(run, *rest)

    monkeypatch.setattr(pool, "train", train)
    events = []
    outcome = execute(runs, place, 1, events.append)
    assert tries == [runs[0].id, runs[1].id, runs[0].id]
    assert list(outcome.rows) == [runs[1].id]
    assert outcome.failures == {runs[0].id: "RuntimeError: no luck"}
    assert [event.run.id for event in events if event.failure] == [runs[0].id] * 2


def test_a_run_that_fails_once_is_well(runs, place, monkeypatch):
    real, tries = pool.train, []

    def train(run, *rest):
        tries.append(run.id)
        if len(tries) == 1:
            raise RuntimeError("no luck")
        return real(run, *rest)

    monkeypatch.setattr(pool, "train", train)
    outcome = execute(runs, place, 1, lambda _: None)
    assert outcome.failures == {}
    assert outcome.rows.keys() == {run.id for run in runs}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_refused_configuration_ends_everything_at_once(runs, place, jobs):
    bad = [dataclasses.replace(run, options={"betas": [2.0, 0.9]}) for run in runs]
    with pytest.raises(ConfigError, match="LAMB"):
        execute(bad, place, jobs, lambda _: None)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("name", ["row.json", "checkpoint.bin"])
def test_a_damaged_file_fails_its_run_with_the_remedy_and_the_others_go_on(runs, place, jobs, name):
    file = rows.folder(place.out, runs[0]) / name
    file.parent.mkdir(parents=True)
    file.write_bytes(b"{ half")
    events = []
    outcome = execute(runs, place, jobs, events.append)
    assert list(outcome.rows) == [runs[1].id]
    (failure,) = outcome.failures.values()
    assert re.search(rf"delete (it|{re.escape(str(file))})", failure, re.IGNORECASE)
    assert str(file) in failure
    assert [event.run.id for event in events if event.failure] == [runs[0].id]  # once: nothing is to be had by a retry
    assert file.read_bytes() == b"{ half"
    file.unlink()  # the remedy
    assert execute(runs, place, jobs, lambda _: None).rows.keys() == {run.id for run in runs}


def test_failed_runs_are_tried_again_side_by_side_where_they_are_separate(runs, place):
    calls = []

    class Crew:
        separate = True

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def outcomes(self, some, _place, _notify):
            calls.append([run.id for run in some])
            yield from ((run, _fail) for run in some)

    with Crew() as crew:
        assert len(pool.execute(runs, place, crew, lambda _: None).failures) == len(runs) == 2
    assert calls == [[run.id for run in runs]] * 2


def _fail():
    raise RuntimeError("no luck")


def _die(*_):
    os._exit(9)


def test_workers_do_not_receive_ctrl_c(runs, place):
    with pool.Workers(2) as workers:
        pool.execute(runs, place, workers, lambda _: None)
        for worker in workers._open._pool._processes:
            lines = dict(line.split(":\t") for line in Path(f"/proc/{worker}/status").read_text().splitlines())
            ignored, blocked = (int(lines[key], 16) for key in ("SigIgn", "SigBlk"))
            assert (ignored | blocked) & 1 << signal.SIGINT - 1


def test_a_dead_worker_is_a_failure_and_the_next_need_starts_a_new_one(runs, place):
    with pool.Workers(2) as workers:
        before = pool.execute(runs, place, workers, lambda _: None)
        workers._open._pool.submit(_die)
        time.sleep(1)
        after = pool.execute([dataclasses.replace(run, seed=77) for run in runs], place, workers, lambda _: None)
    assert len(before.rows) == len(after.rows) == len(runs)
    assert after.failures == {}


def test_the_news_of_a_pool_that_broke_are_not_asked_for(runs, place, monkeypatch):
    closed, pending = [], []

    def end():
        for future in pending[1:]:
            if not future.done():
                future.set_exception(BrokenProcessPool("a worker died"))

    class Broken:
        def __init__(self, *_):
            pass

        def submit(self, run, place):
            pending.append(Future())
            if len(pending) == 1:
                pending[0].set_exception(BrokenProcessPool("a worker died"))
            return pending[-1]

        def news(self):
            if closed:
                raise ValueError("Queue is closed")
            return iter(())

        def close(self):
            closed.append(True)
            threading.Timer(0.3, end).start()

    monkeypatch.setattr(pool, "_Pool", Broken)
    ended = [run for run, _ in pool.Workers(2).outcomes(runs, place, lambda _: None)]
    assert len(ended) == len(runs) > 1
