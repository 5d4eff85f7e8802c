import builtins
import os
import sys

import pytest

from experiments.io.errors import CheckpointError, ConfigError
from experiments.runs import plan, rows
from experiments.sweep import runner
from experiments.sweep.cluster import Cluster
from experiments.sweep.pool import Workers


@pytest.fixture
def short(tiny_file):
    """Two tuning runs and a final one: two competitors would be more than a test of jobs needs."""
    from experiments.config import catalog

    text = tiny_file.read_text().replace("[1, 2]", "[1]")
    tiny_file.write_text(text.replace('[optimizers.ALTO]\npreset = "batch"\n', ""))
    return catalog.load(str(tiny_file))


def test_jobs_give_the_rows_that_this_process_gives_and_finished_runs_make_no_job(short, place, tmp_path):
    pytest.importorskip("submitit")
    root = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join([*sys.path, root])  # the jobs are processes of their own
    try:
        logs = tmp_path / "logs"
        results = runner.run(short, place, Cluster("local", logs, jobs=2), lambda _: None)
        assert results.complete
        assert len(list(logs.glob("*_submitted.pkl"))) == short.runs == 3
        here = runner.run(short, type(place)(tmp_path / "here"), Workers(1), lambda _: None)
        assert [row.weights for rows in results.rows.values() for row in rows] == [
            row.weights for rows in here.rows.values() for row in rows
        ]
        again = runner.run(short, place, Cluster("local", logs), lambda _: None)
        assert again == results
        assert len(list(logs.glob("*_submitted.pkl"))) == 3
    finally:
        os.environ["PYTHONPATH"] = root


class Job:
    """A job that ended, with or without a row."""

    job_id = "7"

    class paths:
        stderr = "7_log.err"

    def __init__(self, error=None):
        self.error = error

    def done(self):
        return True

    def result(self):
        if self.error:
            raise self.error


def test_a_failed_job_is_submitted_once_more_and_then_reported(short, place, tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    cluster, submitted = Cluster("local", tmp_path / "logs"), []

    def submit(_function, run, _place):
        submitted.append(run.id)
        return Job(OSError("node lost"))

    monkeypatch.setattr(cluster._executor, "submit", submit)
    results = runner.run(short, place, cluster, lambda _: None)
    runs = plan.tuning_runs(short, plan.Cell("small", "LAMB"), 160)
    assert sorted(submitted) == sorted(run.id for run in runs for _ in range(2))
    assert results.failures == {run.id: "OSError: node lost" for run in runs}
    assert not results.complete
    assert all(rows.read(rows.folder(place.out, run), run) is None for run in runs)


def test_what_a_second_try_cannot_mend_keeps_its_type(short, place, tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    cluster, submitted = Cluster("local", tmp_path / "logs"), []

    def submit(function, run, there):
        submitted.append(run.id)
        job = Job()
        job.result = lambda: without_type(function, run, there)
        return job

    def without_type(function, *arguments):
        try:
            return function(*arguments)
        except Exception as error:
            raise RuntimeError(f"job failed: {error!r}") from None  # as submitit does

    def damaged(*_):
        raise CheckpointError("damaged")

    monkeypatch.setattr(cluster._executor, "submit", submit)
    monkeypatch.setattr("experiments.sweep.cluster.train", damaged)
    results = runner.run(short, place, cluster, lambda _: None)
    assert len(submitted) == len(set(submitted)) == len(results.failures)
    assert set(results.failures.values()) == {"CheckpointError: damaged"}


def test_a_job_without_error_and_row_is_a_failure_too(short, place, tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    cluster = Cluster("local", tmp_path / "logs")
    monkeypatch.setattr(cluster._executor, "submit", lambda *_: Job())
    results = runner.run(short, place, cluster, lambda _: None)
    assert "ended without a row" in next(iter(results.failures.values()))


def test_slurm_is_asked_for_the_limits(tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.setattr("shutil.which", lambda name, *_: f"/usr/bin/{name}")  # as if Slurm were here
    cluster = Cluster("slurm", tmp_path, minutes=30, gpus=2, partition="long")
    asked = cluster._executor._executor.parameters
    assert {"time": 30, "gpus_per_node": 2, "partition": "long"}.items() <= asked.items()


@pytest.mark.parametrize(
    ("options", "key"), [({"jobs": 0}, "jobs"), ({"minutes": 0}, "minutes"), ({"gpus": -1}, "gpus")]
)
def test_impossible_numbers_are_refused(tmp_path, options, key):
    with pytest.raises(ConfigError) as caught:
        Cluster("local", tmp_path, **options)
    assert caught.value.key == key


def test_without_submitit_the_remedy_is_named(tmp_path, monkeypatch):
    real = builtins.__import__

    def absent(name, *rest):
        if name == "submitit":
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ConfigError, match="pip install submitit"):
        Cluster("local", tmp_path)


def test_a_job_gets_a_core_for_each_thread(tmp_path, monkeypatch):
    submitit = pytest.importorskip("submitit")
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    asked = {}
    monkeypatch.setattr(submitit.AutoExecutor, "update_parameters", lambda _, **options: asked.update(options))
    Cluster("slurm", tmp_path, threads=4)
    assert asked["cpus_per_task"] == 4
