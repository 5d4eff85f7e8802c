"""From what to measure to one JSON object: what ran, on which machine, how, and the numbers.

Ratios are formed within each round and then summarised, so that they are of times taken next to each other. The floor
is a method's bytes over the better bandwidth of two plain operations measured in the same rounds, on as many numbers.
The copy alone would be no floor on a CPU, whose caches read what a copy overwrites (12 bytes move and 8 are counted).
Where reading is faster than writing, a step that reads more than it writes may be a few percent below 1.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from experiments.analysis.benchmarks import FORMAT
from experiments.bench import budget, contestants, first_step, measure, memory
from experiments.bench.contestants import Contestant
from experiments.bench.measure import Spread, Times
from experiments.bench.shapes import Case
from experiments.bench.workload import Workload
from experiments.io.environment import Environment, hardware, versions
from experiments.io.errors import require

Follow = Callable[[str], None]


@dataclass(frozen=True)
class Wish:
    """What to measure, and how.

    Attributes:
        bench: The kind of measurement.
        option: The option that chose the cases, for errors.
        cases: What to step on.
        contestants: Who takes part.
        rounds: Turns of each contestant; 0 where nothing is timed.
        threads: Threads of torch.
        device: auto, cpu or cuda.
        seed: Decides parameters, gradients and the order of turns.
    """

    bench: str
    option: str
    cases: Sequence[Case]
    contestants: Sequence[Contestant]
    rounds: int
    threads: int
    device: str = "auto"
    seed: int = 0

    def __post_init__(self):
        require(self.rounds >= 0, "--rounds", self.rounds, "at least 0")
        require(self.threads >= 1, "--threads", self.threads, "at least 1")

    @property
    def turns(self) -> int:
        """How often `make` reports progress."""
        return len(self.cases) * len(self.contestants) * max(self.rounds, 1)


def make(wish: Wish, follow: Follow = lambda _: None) -> dict[str, Any]:
    """Measure.

    Args:
        wish: What and how.
        follow: Called with the title of the case after each turn.

    Returns:
        The JSON object: where and how it was measured, what was skipped and why, and one entry per case.
    """
    place = Environment(Path(), device=wish.device, threads=wish.threads)
    device = place.resolve_device()
    begin, load = time.monotonic(), os.getloadavg()
    cases = []
    with measure.threads(wish.threads):
        obstacles = {contestant.name: contestants.obstacle(contestant, device) for contestant in wish.contestants}
        able = [contestant for contestant in wish.contestants if obstacles[contestant.name] is None]
        for case in wish.cases:
            budget.check(wish.option, case, able, device)
        for case in wish.cases:
            rows = (_timed if wish.rounds else _weighed)(wish, case, able, device, lambda case=case: follow(case.title))
            described = {"name": case.name, "title": case.title, "parameters": case.parameters}
            cases.append({**described, "tensors": len(case.shapes), **rows})
    fused_here = device.type == "cpu" and any(contestant.name == "alto-fused" for contestant in able)
    return {
        "format": FORMAT,
        "bench": wish.bench,
        "dtype": "float32",
        "rounds": wish.rounds,
        "threads": wish.threads,
        "seed": wish.seed,
        "first_step_seconds": first_step.seconds() if fused_here else None,
        "hardware": hardware(place, 1),
        "versions": versions("e-optimizer-adaptor", "numba", "triton"),
        "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY"),  # spinning threads disturb whoever shares the cores
        "load_average": {"before": load[0], "after": os.getloadavg()[0]},
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_seconds": time.monotonic() - begin,
        "skipped": [
            {"name": contestant.name, "title": contestant.title, "reason": obstacles[contestant.name]}
            for contestant in wish.contestants
            if obstacles[contestant.name] is not None
        ],
        "cases": cases,
    }


def _timed(
    wish: Wish, case: Case, able: Sequence[Contestant], device: torch.device, follow: Callable[[], None]
) -> dict[str, Any]:
    """The floor, and the times with their ratios."""
    times = measure.race(Workload(case, device, wish.seed), able, wish.rounds, wish.seed, follow)
    bandwidth = {
        name: [_gigabytes(name, case) / (ms / 1e3) for ms in times[name].milliseconds]
        for name in contestants.FLOORS
        if name in times
    }
    medians = {name: Spread.of(values).median for name, values in bandwidth.items()}
    floor = max(medians, key=lambda name: medians[name], default=None)
    return {
        "floor": floor,
        "bandwidth_gb_s": {name: asdict(Spread.of(values)) for name, values in bandwidth.items()},
        "contestants": [
            _row(contestant, times[contestant.name], times.get(contestants.YARDSTICK), times.get(floor or ""), floor)
            for contestant in able
        ],
    }


def _row(
    contestant: Contestant, own: Times, yardstick: Times | None, plain: Times | None, floor: str | None
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": contestant.name,
        "title": contestant.title,
        "bytes_a_parameter": contestant.traffic.bytes,
        "passes": [str(part) for part in contestant.traffic.passes],
        "why": contestant.traffic.why,
        "milliseconds": asdict(Spread.of(own.milliseconds)),
        "each_round": own.milliseconds,
        "steps": own.steps,
        "times_adamw_fused": None,
        "times_floor": None,
    }
    if yardstick is not None:
        row["times_adamw_fused"] = asdict(_ratio(own, yardstick, 1.0))
    if plain is not None and floor is not None:
        share = contestant.traffic.bytes / contestants.CONTESTANTS[floor].traffic.bytes
        row["times_floor"] = asdict(_ratio(own, plain, share))
    return row


def _ratio(own: Times, other: Times, share: float) -> Spread:
    """Own time over ``share`` times the other's, round by round."""
    return Spread.of([a / (share * b) for a, b in zip(own.milliseconds, other.milliseconds, strict=True)])


def _gigabytes(name: str, case: Case) -> float:
    return contestants.CONTESTANTS[name].traffic.bytes * case.parameters / 1e9


def _weighed(
    wish: Wish, case: Case, able: Sequence[Contestant], device: torch.device, follow: Callable[[], None]
) -> dict[str, Any]:
    """Bytes kept between steps, those of them in a checkpoint, and temporaries."""
    workload, rows = Workload(case, device, wish.seed), []
    for contestant in able:
        found = memory.weigh(workload, contestant)
        follow()
        rows.append({
            "name": contestant.name,
            "title": contestant.title,
            "held_bytes_a_parameter": found.held,
            "saved_bytes_a_parameter": found.saved,
            "transient_bytes_a_parameter": found.transient,
        })  # fmt: skip
    return {"contestants": rows}
