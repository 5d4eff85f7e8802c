"""Time to accuracy: after how many steps and seconds a run's evaluations first reach a fixed level."""

from dataclasses import dataclass

from experiments.analysis.kept import Line, Summary
from experiments.analysis.statistics import Interval, t_interval
from experiments.config.schema import Metric

# The paper's (Table 18) go from 20 to 60 %; the rest of the scale is ours.
LEVELS: dict[Metric, tuple[float, ...]] = {
    "accuracy": (20, 30, 40, 50, 60, 70, 80, 90, 95),
    "f1": (20, 30, 40, 50, 60, 70, 80, 90, 95),
    "reward": (20, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, 3000, 5000),
    "loss": (3.5, 3.25, 3.0, 2.75, 2.5, 2.25, 2.0, 1.75, 1.5),
}


@dataclass(frozen=True)
class Reach:
    """When one competitor's runs reached one level.

    Attributes:
        setting: The condition.
        label: The competitor.
        level: The level of the test metric, in the report's unit.
        reached: How many runs did.
        planned: Of how many.
        steps: Steps to the first evaluation at the level or better, over the runs that reached it; None if none did.
        seconds: Wall time likewise, evaluations included.
    """

    setting: str
    label: str
    level: float
    reached: int
    planned: int
    steps: Interval | None
    seconds: Interval | None


def reaches(kept: Summary) -> list[Reach]:
    """Time to accuracy of every cell, at the levels that tell its setting's competitors apart.

    A level that no run of the setting reaches, or that all have reached at their first evaluation, is left out.

    Args:
        kept: The experiment.

    Returns:
        One entry per cell and level.
    """
    metric = kept.experiment.tuning.metric
    found = []
    for setting in kept.experiment.settings:
        runs = [run for run in kept.runs if run.setting == setting]
        for level in LEVELS[metric]:
            first = [_first(run, level, metric) for run in runs]
            if all(place is None for place in first) or all(place == 0 for place in first):
                continue
            found += [
                _reach([run for run in runs if run.label == label], setting, label, level, metric)
                for label in kept.experiment.optimizers
            ]
    return found


def _reach(runs: list[Line], setting: str, label: str, level: float, metric: Metric) -> Reach:
    places = [(run, place) for run in runs if (place := _first(run, level, metric)) is not None]
    steps = [step for run, place in places if (step := run.step[place]) is not None]
    seconds = [time for run, place in places if (time := run.time[place]) is not None]
    return Reach(
        setting, label, level, len(places), len(runs),
        t_interval(steps) if steps else None, t_interval(seconds) if seconds else None,
    )  # fmt: skip


def _first(run: Line, level: float, metric: Metric) -> int | None:
    """Index of the first evaluation at the level or better."""
    for place, value in enumerate(run.test):
        if value is not None and (value <= level if metric == "loss" else value >= level):
            return place
    return None
