"""Bytes that an optimizer keeps between steps, and that it uses in addition during one: measured, not derived.

An optimizer keeps more than a checkpoint saves if it reuses a buffer instead of allocating it in each step (E around a
base optimizer on a CPU), or if its checkpoint is not complete (the official E).

On a CPU the profiler records every allocation of torch; on a GPU the allocator keeps statistics. Memory that is
allocated outside torch is not measured.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from experiments.bench.contestants import Contestant, Stepper
from experiments.bench.workload import Workload


@dataclass(frozen=True)
class Footprint:
    """Bytes per parameter.

    Attributes:
        held: Kept after two steps.
        saved: Of the tensors in its state dict then.
        transient: The most that a further step holds above what is kept, at any moment.
    """

    held: float
    saved: float
    transient: float


def weigh(workload: Workload, contestant: Contestant) -> Footprint:
    """Measure one contestant.

    Args:
        workload: Parameters and gradients.
        contestant: Whom to measure.

    Returns:
        Its footprint.
    """

    def begin() -> Stepper:
        stepper = contestant.build(workload.params)
        for _ in range(2):
            stepper.step()
        return stepper

    measured = _on_gpu if workload.device.type == "cuda" else _on_cpu
    held, saved, peak = measured(workload, begin)
    return Footprint(*(count / workload.case.parameters for count in (held, saved, peak)))


def _on_cpu(workload: Workload, begin: Callable[[], Stepper]) -> tuple[int, int, int]:
    """Bytes kept, saved, and at the peak of a step, from one recording: the profiler misses what older memory frees."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recording:
        workload.give()
        with record_function("begin"):
            stepper = begin()
        workload.give()
        with record_function("step"):
            stepper.step()
    results = recording.profiler and recording.profiler.kineto_results
    assert results is not None  # both exist once a recording has ended
    events = results.events()
    held, _ = _within("begin", events)
    _, peak = _within("step", events)
    return held, _saved(stepper), peak


def _within(name: str, events: list) -> tuple[int, int]:
    """Bytes that a recorded stretch left allocated, and the most that it had allocated at any moment."""
    stretch = next(event for event in events if event.name() == name)
    begin, end = stretch.start_ns(), stretch.start_ns() + stretch.duration_ns()
    changes = [event for event in events if event.name() == "[memory]" and begin <= event.start_ns() <= end]
    held = peak = 0
    for change in sorted(changes, key=lambda event: event.start_ns()):
        held += change.nbytes()
        peak = max(peak, held)
    return held, peak


def _on_gpu(workload: Workload, begin: Callable[[], Stepper]) -> tuple[int, int, int]:
    """Bytes kept, saved, and at the peak of a step, from the allocator's own statistics."""
    device = workload.device
    workload.give()
    before = torch.cuda.memory_allocated(device)
    stepper = begin()
    held = torch.cuda.memory_allocated(device) - before
    workload.give()
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    stepper.step()
    return held, _saved(stepper), torch.cuda.max_memory_allocated(device) - before


def _saved(stepper: Stepper) -> int:
    """Bytes of the tensors that a checkpoint would hold; 0 for a plain operation."""
    if not isinstance(stepper, torch.optim.Optimizer):
        return 0
    entries = (value for state in stepper.state_dict()["state"].values() for value in state.values())
    return sum(value.nbytes for value in entries if isinstance(value, torch.Tensor))
