"""Many independent runs on a few processes, all of which end when the process that started them ends, however it ends.

loky was weighed: when its parent is killed, a worker finishes the run in hand, and the run stays locked until then.
"""

import contextlib
import functools
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from typing import Any, Protocol

from experiments import data
from experiments.distributed import teams
from experiments.io.environment import Environment
from experiments.io.errors import CheckpointError, ConfigError, DataError, TeamError
from experiments.runs import rows
from experiments.runs.plan import Run
from experiments.runs.rows import Row
from experiments.training.train import train

_PRELOADED = ("experiments.training.train", "torch._dynamo")  # the second is what the first step of a process imports
FATAL = (ConfigError, TeamError)  # other runs would fail too, or the processes of a team have lost each other
LASTING = (DataError, CheckpointError)  # a second try would fail too, but another run need not


@dataclass(frozen=True)
class Event:
    """What happened to one run: a step, its end, or a failure.

    Attributes:
        run: Which.
        done: Steps done.
        total: Steps in all; equal to ``done`` when the run has ended.
        failure: Why it failed, or empty.
        before: The run was finished before this call.
    """

    run: Run
    done: int = 0
    total: int = 1
    failure: str = ""
    before: bool = False

    @property
    def finished(self) -> bool:
        """Whether the run has its row."""
        return not self.failure and self.done >= self.total


@dataclass
class Outcome:
    """The rows of the runs, and why others have none, both by run id."""

    rows: dict[str, Row] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


class Crew(Protocol):
    """Where runs are done: processes of this machine, or jobs of a cluster. It is entered before its first run.

    Attributes:
        separate: A run that crashes does not end other runs.
    """

    separate: bool

    def __enter__(self) -> "Crew": ...

    def __exit__(self, *_: object) -> None: ...

    def outcomes(
        self, runs: Sequence[Run], place: Environment, notify: Callable[[Event], None]
    ) -> Iterator[tuple[Run, Callable[[], Row]]]:
        """Yield each run, when it has ended, with the function that returns its row or raises its error."""
        ...


class Workers:
    """A few processes, started for the first runs and used until the ``with`` block ends.

    Args:
        jobs: Processes; 1 means none but this one.
    """

    separate = False  # a crashed worker breaks the pool, and so ends the runs of the other workers

    def __init__(self, jobs: int):
        self.jobs = jobs
        # Forking this process can hang, because torch has threads in it. A server that has imported torch and done
        # nothing with it can be forked safely, and its workers need not import it again.
        self._context = multiprocessing.get_context("forkserver")
        self._open: _Pool | None = None

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def outcomes(
        self, runs: Sequence[Run], place: Environment, notify: Callable[[Event], None]
    ) -> Iterator[tuple[Run, Callable[[], Row]]]:
        """Yield each run with the function that returns its row or raises its error.

        Args:
            runs: The runs.
            place: Where they take place.
            notify: Called with each event, in this process.

        Yields:
            The runs in the order in which they end.
        """
        if self.jobs == 1:
            for run in runs:
                yield run, functools.partial(train, run, place, _Throttled(run, notify))
            return
        extra = {data.reader(run.data.name) for run in runs} - {""}
        if place.tensorboard:
            extra.add("torch.utils.tensorboard")
        self._context.set_forkserver_preload([*_PRELOADED, *extra])  # it counts when the server starts
        try:
            pool = self._started()
            waiting = {pool.submit(run, place): run for run in runs}
        except BrokenProcessPool:  # a worker died while there was nothing to do
            self.__exit__()
            pool = self._started()
            waiting = {pool.submit(run, place): run for run in runs}
        except OSError as error:  # semaphores in /dev/shm, sockets in a temporary folder, open files
            raise ConfigError("jobs", f"{self.jobs} processes cannot be started ({error.strerror or error}): mend "
                              "/dev/shm, TMPDIR or ulimit -n, or take --jobs 1") from error  # fmt: skip
        while waiting:
            done, _ = futures.wait(waiting, timeout=0.1, return_when=futures.FIRST_COMPLETED)
            for event in pool.news() if pool is self._open else ():  # a pool that broke is closed, with its news
                notify(event)
            for future in done:
                if isinstance(future.exception(), BrokenProcessPool):
                    self.__exit__()  # a worker died; the pool is of no more use, the next need starts a new one
                yield waiting.pop(future), future.result

    def _started(self) -> "_Pool":
        if self._open is None:
            self._open = _Pool(self._context, self.jobs)
        return self._open


def execute(runs: Sequence[Run], place: Environment, workers: Crew, notify: Callable[[Event], None]) -> Outcome:
    """Finish all runs; a run that is finished already costs one file read.

    A run that fails is tried once more, after all others, and reported if it fails again. A run whose row or checkpoint
    is damaged, or of other data, is reported at once with the remedy; nothing of it is deleted.

    Args:
        runs: The runs.
        place: Where they take place.
        workers: Where they are done.
        notify: Called with each event, in this process.

    Returns:
        Rows and failures.

    Raises:
        ConfigError: a configuration was refused; all runs end.
        TeamError: one of the processes that share a run failed; all runs end.
    """
    # One process looks for all: another might see a file that is just being written, or not yet see it.
    outcome = teams.team(place.resolve_device()).share(lambda: _finished(runs, place))
    for run in runs:
        if run.id in outcome.failures:
            notify(Event(run, failure=outcome.failures[run.id]))
        elif run.id in outcome.rows:
            notify(Event(run, 1, 1, before=True))
    left = [run for run in runs if run.id not in outcome.rows and run.id not in outcome.failures]
    again = _attempt(left, place, workers, notify, outcome)
    # Where a crash ends the other workers' runs too, they are tried one by one, so that only the culprit fails.
    for some in [again] if workers.separate else [[run] for run in again]:
        for run in some:
            del outcome.failures[run.id]
        _attempt(some, place, workers, notify, outcome)
    return outcome


def _finished(runs: Sequence[Run], place: Environment) -> Outcome:
    """The rows that are there, and why some of them are refused."""
    outcome = Outcome()
    for run in runs:
        try:
            row = rows.read(rows.folder(place.out, run), run, data.fingerprint(run.data, place.data_dir))
        except DataError as error:
            outcome.failures[run.id] = _words(error)
        else:
            if row is not None:
                outcome.rows[run.id] = row
    return outcome


def _attempt(
    runs: Sequence[Run], place: Environment, workers: Crew, notify: Callable[[Event], None], outcome: Outcome
) -> list[Run]:
    """Try runs, add rows and failures to ``outcome``, and return the runs that may succeed in a second try."""
    again = []
    for run, result in workers.outcomes(runs, place, notify):
        try:
            outcome.rows[run.id] = result()
        except FATAL:
            raise
        except Exception as error:
            outcome.failures[run.id] = _words(error)
            if not isinstance(error, LASTING):
                again.append(run)
            notify(Event(run, failure=outcome.failures[run.id]))
        else:
            notify(Event(run, 1, 1))
    return again


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be used ({error.strerror})"
    return f"{type(error).__name__}: {error}"


class _Pool:
    """Worker processes that end when this process closes the pool or ends."""

    def __init__(self, context: ForkServerContext, jobs: int):
        resource_tracker.ensure_running()  # its start lets interrupts through again
        self._events = context.Queue()
        # Nothing is written to this pipe. Its writing end closes when this process ends, and the workers see that.
        self._leash, self._held = context.Pipe(duplex=False)
        self._pool = futures.ProcessPoolExecutor(jobs, context, _enter, (self._events, self._leash))

    def submit(self, run: Run, place: Environment) -> futures.Future[Row]:
        with _interrupts_held_back():  # it may start a worker
            return self._pool.submit(_work, run, place)

    def news(self) -> Iterator[Event]:
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._events.get_nowait()

    def close(self) -> None:
        self._held.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._leash.close()
        self._events.close()
        self._events.join_thread()


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Start processes that do not receive Ctrl-C: this process ends them, and prints what is kept."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Throttled:
    """Passes a run's progress on, five times a second at most."""

    def __init__(self, run: Run, notify: Callable[[Event], None]):
        self.run, self.notify, self.last = run, notify, time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self.last >= 0.2 and done < total:
            self.last = now
            self.notify(Event(self.run, done, total))


_events: Any = None  # where a worker sends its events; set once, when the worker starts


def _enter(events: Any, leash: Connection) -> None:
    global _events  # noqa: PLW0603 (a pool's initializer has no other way to hand something to its tasks)
    _events = events
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server may have been started before
    threading.Thread(target=_follow, args=(leash,), daemon=True).start()


def _follow(leash: Connection) -> None:
    """End this worker when its parent has ended: otherwise it would go on writing beside the next `run`."""
    try:
        leash.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)  # at once, as a SIGKILL would: everything on disk is atomic


def _work(run: Run, place: Environment) -> Row:
    return train(run, place, _Throttled(run, _events.put))
