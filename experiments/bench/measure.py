"""Times of a step, taken in turns: by the clock on a CPU, by triton.testing.do_bench on a GPU.

In every round each contestant has one turn, in a new random order, so that a slow minute of the machine affects all of
them and ratios can be formed within a round. A turn builds the contestant, takes warm-up steps (which allocate its
state and compile its code), times single steps, and frees it: only one contestant's state exists at a time.
torch.utils.benchmark's Timer is not used: it times one statement repeatedly, and cannot write new gradients between
steps without counting that time.
"""

import gc
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from experiments.bench.contestants import Contestant
from experiments.bench.workload import Workload

_WARM_UP = 2  # the first step allocates, the second finds the caches as all later ones do
_TURN_SECONDS = 0.05  # of timed steps, where one step does not take longer
_MOST_STEPS = 200


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of one number per round."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Summarise at least one value."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)


@dataclass
class Times:
    """What one contestant took.

    Attributes:
        milliseconds: The median over the timed steps of a round, one per round.
        steps: Timed steps in all.
    """

    milliseconds: list[float] = field(default_factory=list)
    steps: int = 0


def race(
    workload: Workload, contestants: Sequence[Contestant], rounds: int, seed: int, follow: Callable[[], None]
) -> dict[str, Times]:
    """Time every contestant in every round.

    Args:
        workload: The shared parameters and gradients.
        contestants: Who takes part.
        rounds: Turns of each.
        seed: Decides the order within each round.
        follow: Called after each turn.

    Returns:
        The times by contestant.
    """
    times = {contestant.name: Times() for contestant in contestants}
    draws = random.Random(seed)
    with _nothing_collected():
        for _ in range(rounds):
            for contestant in draws.sample(contestants, len(contestants)):
                turn = _turn(workload, contestant)
                times[contestant.name].milliseconds.append(1e3 * statistics.median(turn))
                times[contestant.name].steps += len(turn)
                gc.collect()  # a contestant in a reference cycle would keep its state
                follow()
    return times


def _turn(workload: Workload, contestant: Contestant) -> list[float]:
    """Seconds of each timed step of a contestant that is built for this turn."""
    stepper = contestant.build(workload.params)
    for _ in range(_WARM_UP):
        _timed(workload, stepper.step)
    if workload.device.type == "cuda":
        return _on_gpu(stepper.step)
    seconds: list[float] = []
    while not seconds or (sum(seconds) < _TURN_SECONDS and len(seconds) < _MOST_STEPS):
        seconds.append(_timed(workload, stepper.step))
    return seconds


def _timed(workload: Workload, step: Callable[[], object]) -> float:
    """Seconds of one step on fresh gradients, from an idle device to an idle device."""
    workload.refresh()
    _settle(workload.device)
    begin = time.perf_counter()
    step()
    _settle(workload.device)
    return time.perf_counter() - begin


def _on_gpu(step: Callable[[], object]) -> list[float]:
    """Seconds of steps on the same gradients, from event to event, each with a cleared level-2 cache."""
    from triton import testing

    milliseconds: Any = testing.do_bench(step, warmup=0, rep=int(1e3 * _TURN_SECONDS), return_mode="all")
    return [ms / 1e3 for ms in milliseconds][:_MOST_STEPS]


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """No garbage collection at random moments; what lives now is set aside, so that asking for one is quick."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use this many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
