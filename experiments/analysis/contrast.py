"""Weighted sums of cells, paired by seed: what every comparison between final runs is made of."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.analysis.chance import result
from experiments.analysis.kept import DIGITS, Line, Summary
from experiments.io.errors import ConfigError

MEASURES = ("filter_sharpness", "top_eigenvalue", "trace", "sharpness", "moved", "moved_lately")
_QUANTITIES = frozenset({"test", "log10 step_time", *(f"log10 {name}" for name in MEASURES)})


@dataclass(frozen=True)
class Term:
    """One cell with its weight.

    Attributes:
        weight: Its factor; the weights of a comparison sum to 0.
        setting: The condition.
        label: The competitor.
    """

    weight: float
    setting: str
    label: str


def values(kept: Summary, setting: str, label: str, quantity: str = "test") -> dict[int, float]:
    """One number a final run, by seed, at the run's end.

    Args:
        kept: The experiment.
        setting: The condition.
        label: The competitor.
        quantity: ``"test"``, the test metric in the report's unit; ``"log10 X"``, X a measure of `MEASURES`; or
            ``"log10 step_time"``, of training alone, up to a constant that is the same in all cells of a setting.

    Returns:
        The finite values. A run that diverged has the test result of guessing, and no other quantity.

    Raises:
        ConfigError: there is no such quantity or cell.
    """
    if quantity not in _QUANTITIES:
        raise ConfigError("quantity", f"{quantity!r} is not allowed; it must be test or log10 of a measure")
    runs = [run for run in kept.runs if (run.setting, run.label) == (setting, label)]
    if not runs and (setting not in kept.experiment.settings or label not in kept.experiment.optimizers):
        raise ConfigError("terms", f"{kept.experiment.name} has no cell ({setting!r}, {label!r})")
    if quantity == "test":
        found = {run.seed: result(kept.experiment, setting, run.test[-1], diverged=run.diverged) for run in runs}
    else:
        found = {run.seed: None if run.diverged else _value(run, quantity) for run in runs}
    return {seed: value for seed, value in found.items() if value is not None}


def contrast(kept: Summary, terms: Sequence[Term], quantity: str = "test") -> dict[int, float]:
    """The weighted sum of cells by seed, for the seeds that all of them have.

    Args:
        kept: The experiment.
        terms: The cells.
        quantity: As in `values`.

    Returns:
        One number per seed.

    Raises:
        ConfigError: the weights do not sum to 0, or there is no such quantity or cell.
    """
    total = math.fsum(term.weight for term in terms)
    if not abs(total) <= 1e-9 or not terms:
        raise ConfigError("terms", f"the weights sum to {total:g}; a comparison needs at least one term and the sum 0")
    columns = [(term.weight, values(kept, term.setting, term.label, quantity)) for term in terms]
    shared = set.intersection(*(set(column) for _, column in columns))
    return {seed: math.fsum(weight * column[seed] for weight, column in columns) for seed in sorted(shared)}


def rounding_error(kept: Summary, terms: Sequence[Term], quantity: str = "test") -> float:
    """How far a number of `contrast` may be from that of the rows, as a summary keeps six digits of each result.

    Args:
        kept: The experiment.
        terms: The cells.
        quantity: As in `values`.

    Returns:
        The sum of the terms' largest errors.

    Raises:
        ConfigError: as in `contrast`.
    """
    if quantity != "test":  # a relative error of the measure, whatever its size
        return math.fsum(abs(term.weight) for term in terms) * math.log10(1 + 0.5 * 10 ** (1 - DIGITS))
    columns = [(abs(term.weight), values(kept, term.setting, term.label).values()) for term in terms]
    return math.fsum(weight * max(map(_rounding, column), default=0.0) for weight, column in columns)


def identical(kept: Summary, one: str, other: str) -> dict[str, list[bool]]:
    """Whether the runs of two settings ended in bitwise equal networks.

    Args:
        kept: The experiment.
        one: A setting.
        other: Another.

    Returns:
        By competitor, an entry for each seed that both settings have.
    """
    weights = {(run.setting, run.label, run.seed): run.weights for run in kept.runs}
    found: dict[str, list[bool]] = {}
    for (setting, label, seed), digest in weights.items():
        if setting == one and (other, label, seed) in weights:
            found.setdefault(label, []).append(digest == weights[other, label, seed])
    return found


def _value(run: Line, quantity: str) -> float | None:
    if quantity == "log10 step_time":
        return -math.log10(run.examples_per_second) if run.examples_per_second > 0 else None
    value = run.measures.get(quantity.removeprefix("log10 "), (None,))[-1]
    return math.log10(value) if value is not None and value > 0 else None


def _rounding(value: float) -> float:
    """Half a unit of the last digit that is kept."""
    return 0.5 * 10 ** (math.floor(math.log10(abs(value))) + 1 - DIGITS) if value else 0.0
