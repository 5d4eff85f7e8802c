"""Runs evidence in several processes, claim by claim, the ones that take longest first."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace

from theory.ledger.budget import SEED, Budget
from theory.ledger.claim import Entry, entries
from theory.ledger.effort import Effort
from theory.ledger.sources import Source

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
"""One thread per process: the processes fill the cores, and sums do not depend on how many cores there are."""


@dataclass(frozen=True)
class State:
    """How far a run is.

    Args:
        done: claims that are finished.
        total: claims in all.
        share: of the expected time, in [0, 1].
        running: the claims that run now.
    """

    done: int
    total: int
    share: float
    running: Sequence[str]


def run(
    sources: Mapping[Source, Sequence[str] | None],
    effort: Effort,
    *,
    processes: int | None = None,
    seconds: Mapping[str, float] | None = None,
    follow: Callable[[State], None] = lambda _: None,
    finished: Callable[[Source, list[Entry]], None] = lambda *_: None,
) -> dict[Source, list[Entry]]:
    """Run the evidence of claims.

    Args:
        sources: the files, each with the ids of the claims to run; None for all of them.
        effort: how much to spend per claim.
        processes: how many at a time; the number of cores by default.
        seconds: how long claims took earlier, by id: the longest start first.
        follow: called when a claim starts or ends.
        finished: called when all claims of a file are done.

    Returns:
        The entries by file, in the file's order.

    Raises:
        ClaimsError: a file of claims cannot be used.
    """
    known = {} if seconds is None else seconds
    count = processes or cores()
    saved = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))  # read once, when a process imports its libraries
    try:
        # Started afresh, not forked: a copy of a process whose libraries have threads may hang.
        with ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _enter) as pool:
            try:
                return _run(pool, count, sources, effort, known, follow, finished)
            except BaseException:
                workers = list((pool._processes or {}).values())  # the pool forgets them in shutdown
                pool.shutdown(wait=False, cancel_futures=True)
                for worker in workers:  # a claim may run for minutes
                    worker.terminate()
                raise
    finally:
        for name, value in saved.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run(
    pool: ProcessPoolExecutor,
    count: int,
    sources: Mapping[Source, Sequence[str] | None],
    effort: Effort,
    known: Mapping[str, float],
    follow: Callable[[State], None],
    finished: Callable[[Source, list[Entry]], None],
) -> dict[Source, list[Entry]]:
    listed = pool.map(_ids, sources)
    ids = {source: [name for name in own if wanted is None or name in wanted]
           for (source, wanted), own in zip(sources.items(), listed, strict=True)}  # fmt: skip
    waiting = [(source, name) for source, own in ids.items() for name in own]
    weight = {job: known.get(job[1], 1.0) + 0.05 for job in waiting}  # what even the shortest takes
    waiting.sort(key=lambda job: -weight[job])
    total = len(waiting)
    running: dict[Future[Entry], tuple[Source, str]] = {}
    found: dict[tuple[Source, str], Entry] = {}
    left = {source: len(own) for source, own in ids.items()}

    def report() -> None:
        share = sum(weight[job] for job in found) / sum(weight.values()) if found else 0.0
        follow(State(len(found), total, share, [name for _, name in running.values()]))

    for source in [source for source, number in left.items() if not number]:
        finished(source, [])
    while waiting or running:
        while waiting and len(running) < count:
            job = waiting.pop(0)
            running[pool.submit(_entry, *job, effort)] = job
        report()
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            job = running.pop(future)
            found[job] = future.result()
            source = job[0]
            left[source] -= 1
            if not left[source]:
                finished(source, [found[source, name] for name in ids[source]])
    report()
    return {source: [found[source, name] for name in own] for source, own in ids.items()}


def _enter() -> None:
    """Begin a process of the pool: Ctrl-C is its parent's to handle, and it ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "only for a process of the pool"
    parent.join()  # a killed parent says nothing to its pool, whose processes would wait for tasks without end
    os._exit(1)


def _ids(source: Source) -> list[str]:
    return [claim.id for claim in source.claims()]


def _entry(source: Source, name: str, effort: Effort) -> Entry:
    (claim,) = [claim for claim in source.claims() if claim.id == name]
    if isinstance(effort, Budget):
        if effort.kind:
            claim = replace(claim, evidence=[one for one in claim.evidence if one.kind == effort.kind])
        SEED.set(effort.seed)
    (entry,) = entries([claim], effort)
    return Entry(claim.bare, entry.results)
