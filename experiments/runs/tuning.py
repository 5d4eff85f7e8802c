"""The choice of a learning rate: from tuning rows to one number, by the validation split alone."""

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from experiments.config.schema import Metric
from experiments.runs.rows import Point, Row


@dataclass(frozen=True)
class Choice:
    """The chosen learning rate of one cell.

    Attributes:
        lr: The learning rate.
        at_edge: It is the smallest or largest of those tried, so a better one may lie outside.
        scores: Mean validation metric by learning rate, at the chosen options; None where a run diverged.
        options: The chosen values of the options that were tuned too.
        tried: The score of every trial, whatever its options; smallest learning rate first where no option was tuned.
    """

    lr: float
    at_edge: bool
    scores: dict[float, float | None]
    options: dict[str, object] = field(default_factory=dict)
    tried: tuple[float | None, ...] = ()


def choose(rows: Sequence[Row], metric: Metric, tuned: Collection[str] = ()) -> Choice:
    """Choose the trial with the best mean validation metric: a learning rate, and values of the tuned options.

    A trial of which a run diverged is excluded, unless all are. Ties go to the smaller validation loss, then to the
    smaller learning rate, then to the earlier values.

    Args:
        rows: The finished tuning runs of one cell.
        metric: The criterion; loss is better low, the other metrics are better high.
        tuned: The options that were tuned too.

    Returns:
        The choice.

    Raises:
        ValueError: a row is of a final run, which must not influence the choice.
    """
    if any(row.run.phase != "tune" for row in rows):
        raise ValueError("a final run took part in the choice of a learning rate")
    trials: dict[tuple[str, float], list[Row]] = {}
    for row in rows:
        values = {name: row.run.options[name] for name in tuned}
        trials.setdefault((json.dumps(values), row.run.lr), []).append(row)
    sign = 1 if metric == "loss" else -1

    def rank(trial: tuple[str, float]) -> tuple[float, float, float]:
        score, loss = mean(trials[trial], metric), mean(trials[trial], "loss")
        return (math.inf if score is None else sign * score, math.inf if loss is None else loss, trial[1])

    values, lr = min(trials, key=rank)
    grid = sorted(rate for others, rate in trials if others == values)
    scores = {rate: mean(trials[values, rate], metric) for rate in grid}
    tried = tuple(mean(trials[trial], metric) for trial in sorted(trials))
    return Choice(lr, len(grid) > 1 and lr in {grid[0], grid[-1]}, scores, json.loads(values), tried)


def mean(rows: Sequence[Row], metric: Metric) -> float | None:
    """Mean validation metric at the end of the runs; None if one diverged."""
    values = [value_of(row.last, metric, "validation") for row in rows if not row.diverged]
    if len(values) < len(rows) or any(value is None for value in values):
        return None
    return sum(value for value in values if value is not None) / len(values)


def value_of(point: Point, metric: Metric, split: str) -> float | None:
    """One metric of one evaluation.

    Args:
        point: The evaluation.
        metric: Which metric.
        split: ``"validation"`` or ``"test"``.

    Returns:
        Its value; None where it is not finite or was not measured.
    """
    scores = getattr(point, split)
    return None if scores is None else getattr(scores, metric)
