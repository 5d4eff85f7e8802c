"""From rows to a report: means with intervals, paired differences, and what is missing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from experiments.analysis.chance import result
from experiments.analysis.statistics import Interval, sign_flip_p_value, t_interval
from experiments.config.schema import Experiment, Metric
from experiments.runs import plan
from experiments.runs.plan import Cell
from experiments.runs.results import Results
from experiments.runs.rows import Row
from experiments.runs.tuning import value_of


@dataclass(frozen=True)
class Summary:
    """One competitor under one condition.

    Attributes:
        setting: The condition.
        label: The competitor.
        lr: Its chosen learning rate; None while tuning is not finished.
        at_edge: The choice is at an end of the grid.
        test: Test metric over the final seeds, a diverged run counted as guessing; None where no run has a finite one.
        validation: Mean validation metric of the tuning runs at the chosen learning rate, which no final run decides.
        planned: Number of final seeds.
        diverged: How many of the final runs diverged.
        seconds: Mean wall time of a final run.
        trials: Mean validation metric of each trial, in the report's unit, smallest learning rate first. A trial of
            which a run diverged has the worst of the others. Empty in summaries kept before trials were.
        options: The chosen values of the options that were tuned too.
    """

    setting: str
    label: str
    lr: float | None
    at_edge: bool
    test: Interval | None
    validation: float | None
    planned: int
    diverged: int
    seconds: float | None
    trials: tuple[float, ...] = ()
    options: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """A competitor minus the baseline, paired by seed: the pair shares initial weights and data order.

    Attributes:
        setting: The condition.
        label: The competitor.
        baseline: The other one.
        difference: Of the test metric, over the seeds that both have.
        p_value: Exact two-sided sign-flip test.
    """

    setting: str
    label: str
    baseline: str
    difference: Interval
    p_value: float


@dataclass(frozen=True)
class Report:
    """The report of one experiment.

    Attributes:
        name: The experiment.
        tier: Its tier.
        title: Its title.
        metric: The test metric; accuracy and F1 are in percent.
        baseline: The competitor that the others are compared with.
        summaries: One per cell.
        differences: One per cell other than the baseline's; each interval is for itself, not for all jointly.
        complete: No final run is missing.
        notes: What a reader must know about the data.
        versions: Versions that took part, in the tuning too, each once.
        hardware: Machines that took part likewise.
        seeds: The final seeds.
    """

    name: str
    tier: str
    title: str
    metric: Metric
    baseline: str
    summaries: tuple[Summary, ...]
    differences: tuple[Difference, ...]
    complete: bool
    notes: tuple[str, ...]
    versions: tuple[dict[str, str], ...]
    hardware: tuple[dict[str, str | int], ...]
    seeds: tuple[int, ...]


def make(results: Results) -> Report:
    """Summarise an experiment.

    Args:
        results: What is known of it.

    Returns:
        The report; a cell without rows has no interval, and nothing is filled in.
    """
    experiment = results.experiment
    metric = experiment.tuning.metric
    rows = [*results.tuning, *(row for cell_rows in results.rows.values() for row in cell_rows)]
    return Report(
        name=experiment.name,
        tier=experiment.tier,
        title=experiment.title,
        metric=metric,
        baseline=experiment.baseline,
        summaries=tuple(_summary(results, cell) for cell in plan.cells(experiment)),
        differences=tuple(d for cell in plan.cells(experiment) if (d := _difference(results, cell)) is not None),
        complete=results.complete,
        notes=tuple(sorted({row.note for row in rows if row.note})),
        versions=_distinct([row.versions for row in rows]),
        hardware=_distinct([row.hardware for row in rows]),
        seeds=experiment.final.seeds,
    )


def in_reported_unit(value: float | None, metric: Metric) -> float | None:
    """A metric as it is reported: accuracy and F1 in percent."""
    return value if value is None or metric in {"loss", "reward"} else 100 * value


def metric_words(metric: Metric) -> str:
    """The metric with its unit."""
    return {"accuracy": "accuracy in %", "f1": "F1 in %", "loss": "loss in nats", "reward": "return of an episode"}[
        metric
    ]


def _summary(results: Results, cell: Cell) -> Summary:
    experiment, rows, choice = results.experiment, results.rows.get(cell, []), results.choices.get(cell)
    values = _values(rows, experiment)
    return Summary(
        setting=cell.setting,
        label=cell.label,
        lr=choice.lr if choice else None,
        at_edge=choice.at_edge if choice else False,
        test=t_interval(list(values.values())) if values else None,
        validation=in_reported_unit(choice.scores.get(choice.lr), experiment.tuning.metric) if choice else None,
        planned=len(experiment.final.seeds),
        diverged=sum(row.diverged for row in rows),
        seconds=math.fsum(row.seconds for row in rows) / len(rows) if rows else None,
        trials=_trials(choice.tried, experiment.tuning.metric) if choice else (),
        options=choice.options if choice else {},
    )


def _trials(scores: Sequence[float | None], metric: Metric) -> tuple[float, ...]:
    """The scores in the report's unit; where a run diverged, the worst of the others."""
    known = [in_reported_unit(score, metric) for score in scores]
    finite = [score for score in known if score is not None]
    worst = (max if metric == "loss" else min)(finite, default=None)
    return () if worst is None else tuple(worst if score is None else score for score in known)


def _difference(results: Results, cell: Cell) -> Difference | None:
    experiment = results.experiment
    if cell.label == experiment.baseline:
        return None
    ours = _values(results.rows.get(cell, []), experiment)
    theirs = _values(results.rows.get(Cell(cell.setting, experiment.baseline), []), experiment)
    pairs = [ours[seed] - theirs[seed] for seed in experiment.final.seeds if seed in ours and seed in theirs]
    if not pairs:
        return None
    return Difference(cell.setting, cell.label, experiment.baseline, t_interval(pairs), sign_flip_p_value(pairs))


def _values(rows: list[Row], experiment: Experiment) -> dict[int, float]:
    """Test metric by seed, where it is finite; a run that diverged has the result of guessing."""
    metric = experiment.tuning.metric
    values = {
        row.run.seed: result(
            experiment,
            row.run.setting,
            in_reported_unit(value_of(row.last, metric, "test"), metric),
            diverged=row.diverged,
        )
        for row in rows
    }
    return {seed: value for seed, value in values.items() if value is not None}


def _distinct(tables: list) -> tuple:
    kept: list = []
    for table in tables:
        if table not in kept:
            kept.append(table)
    return tuple(kept)
