"""The choice of a learning rate: from tuning rows to one number, by the validation split alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.config.schema import Metric
from experiments.runs.rows import Point, Row


@dataclass(frozen=True)
class Choice:
    """The chosen learning rate of one cell.

    Attributes:
        lr: The learning rate.
        at_edge: It is the smallest or largest of the grid, so a better one may lie outside.
        scores: Mean validation metric by learning rate; None where a run diverged.
    """

    lr: float
    at_edge: bool
    scores: dict[float, float | None]


def choose(rows: Sequence[Row], metric: Metric) -> Choice:
    """Choose the learning rate with the best mean validation metric.

    A learning rate at which a tuning run diverged is excluded, unless all are. Ties go to the smaller validation loss,
    then to the smaller learning rate.

    Args:
        rows: The finished tuning runs of one cell.
        metric: The criterion; loss is better low, the other metrics are better high.

    Returns:
        The choice.

    Raises:
        ValueError: a row is of a final run, which must not influence the choice.
    """
    if any(row.run.phase != "tune" for row in rows):
        raise ValueError("a final run took part in the choice of a learning rate")
    by_lr: dict[float, list[Row]] = {}
    for row in rows:
        by_lr.setdefault(row.run.lr, []).append(row)
    grid = sorted(by_lr)
    scores = {lr: mean(by_lr[lr], metric) for lr in grid}
    losses = {lr: mean(by_lr[lr], "loss") for lr in grid}
    sign = 1 if metric == "loss" else -1

    def rank(lr: float) -> tuple[float, float, float]:
        score, loss = scores[lr], losses[lr]
        return (math.inf if score is None else sign * score, math.inf if loss is None else loss, lr)

    best = min(grid, key=rank)
    return Choice(best, len(grid) > 1 and best in {grid[0], grid[-1]}, scores)


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
