"""Runs as jobs of a cluster, through submitit: Slurm, or processes of this machine that are treated as jobs."""

import functools
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from experiments.io.environment import Environment
from experiments.io.errors import ConfigError, require
from experiments.runs import rows
from experiments.runs.plan import Run
from experiments.runs.rows import Row
from experiments.sweep.pool import FATAL, LASTING, Event
from experiments.training.train import train


class Cluster:
    """Jobs, each of which trains one run and writes its row.

    The jobs of a killed sweep stay in the queue. Each run has a lock and one row, so a second sweep cannot count a run
    twice; a run that a job of the first sweep still trains fails in the second, and is finished in the third.

    Args:
        kind: ``"slurm"``, or ``"local"``, which starts processes.
        logs: Folder of the jobs' logs.
        jobs: Jobs in the queue at a time.
        minutes: Time limit of a job; a run that reaches it goes on in its second try.
        gpus: GPUs of a job.
        partition: Slurm partition, or empty.
        threads: Threads of a run, and so the cores of its job.

    Raises:
        ConfigError: an impossible number, submitit is not installed, or there is no Slurm here.
    """

    separate = True

    def __init__(
        self,
        kind: Literal["local", "slurm"],
        logs: Path,
        jobs: int = 16,
        minutes: int = 240,
        gpus: int = 0,
        partition: str = "",
        threads: int = 1,
    ):
        require(jobs >= 1, "jobs", jobs, "at least 1")
        require(minutes >= 1, "minutes", minutes, "at least 1")
        require(gpus >= 0, "gpus", gpus, "at least 0")
        try:
            import submitit
        except ModuleNotFoundError as error:
            raise ConfigError("executor", "a sweep needs the package submitit: pip install submitit") from error
        found = kind == "local" or shutil.which("srun") is not None
        require(found, "--executor", kind, "local on this machine, which is no part of a Slurm cluster (no srun)")
        self.jobs = jobs
        self._executor = submitit.AutoExecutor(logs, cluster=kind)
        self._executor.update_parameters(timeout_min=minutes, gpus_per_node=gpus, cpus_per_task=threads)
        if partition:
            self._executor.update_parameters(slurm_partition=partition)
        # The jobs that are queued; they are left to run when the sweep ends early.
        self._pause = 0.1 if kind == "local" else 5.0

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def outcomes(
        self, runs: Sequence[Run], place: Environment, notify: Callable[[Event], None]
    ) -> Iterator[tuple[Run, Callable[[], Row]]]:
        """Yield each run with the function that returns its row or raises its error.

        Args:
            runs: The runs.
            place: Where they take place; a folder that all machines see.
            notify: Unused: a job sends no events before its end.

        Yields:
            The runs in the order in which they end.
        """
        del notify
        left, queued = list(runs), {}
        while left or queued:
            while left and len(queued) < self.jobs:
                run = left.pop(0)
                queued[self._executor.submit(_train, run, place)] = run
            for job in [job for job in queued if job.done()]:
                run = queued.pop(job)
                yield run, functools.partial(_result, job, run, place)
            time.sleep(self._pause if queued else 0)


def _train(run: Run, place: Environment) -> Exception | None:
    """A job. It returns the errors after which a second try is in vain: submitit keeps no types of what is raised."""
    try:
        train(run, place)
    except (*FATAL, *LASTING) as error:
        return error
    return None


def _result(job, run: Run, place: Environment) -> Row:
    row = rows.read(rows.folder(place.out, run), run)
    if row is None:
        if (error := job.result()) is not None:
            raise error
        raise RuntimeError(f"job {job.job_id} ended without a row; its logs are {job.paths.stderr} and beside it")
    return row
