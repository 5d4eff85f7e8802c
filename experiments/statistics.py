"""Intervals over seeds. Every number here says how many seeds it rests on."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % t-interval.

    Attributes:
        mean: Mean over the seeds.
        low: Lower end; None with fewer than two seeds.
        high: Upper end; likewise.
        n: Number of seeds.
    """

    mean: float
    low: float | None
    high: float | None
    n: int


def t_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Mean and Student's t-interval, which takes the values for independent and roughly normal.

    Args:
        values: One a seed.
        level: Coverage.

    Returns:
        The interval.

    Raises:
        ValueError: there is no value, or one is not finite.
    """
    if not values or not all(math.isfinite(v) for v in values):
        raise ValueError(f"values = {list(values)}: at least one is needed, and all must be finite")
    array = np.asarray(values, dtype=np.float64)
    mean = float(array.mean())
    if len(array) < 2:
        return Interval(mean, None, None, 1)
    half = float(stats.t.ppf(0.5 + level / 2, len(array) - 1) * array.std(ddof=1) / math.sqrt(len(array)))
    return Interval(mean, mean - half, mean + half, len(array))


def sign_flip_p_value(differences: Sequence[float]) -> float:
    """Exact two-sided permutation p-value of paired differences: how often random signs give a mean as large.

    With n pairs the smallest possible value is 2 / 2^n, so five seeds cannot go below 0.0625.

    Args:
        differences: One a seed, at most 20 of them.

    Returns:
        The p-value, in (0, 1].

    Raises:
        ValueError: no difference, or too many to enumerate.
    """
    if not 1 <= len(differences) <= 20:
        raise ValueError(f"{len(differences)} differences: between 1 and 20 are allowed")
    array = np.abs(np.asarray(differences, dtype=np.float64))
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=len(array))))
    observed = abs(float(np.sum(differences)))
    # The observed signs are among those tried: the tolerance keeps rounding from excluding them.
    return float(np.mean(np.abs(signs @ array) >= observed - 1e-12 * max(1.0, observed)))
