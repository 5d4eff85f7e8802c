"""Intervals over seeds, and p-values of paired differences."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from scipy import stats

_NO_WIDTH = 1e-9  # rounding, relative to the values, so that a unit changes nothing


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

    @property
    def tied(self) -> bool:
        """Whether all seeds gave one value: the interval has no width then, and shows nothing about other seeds."""
        if self.low is None or self.high is None:
            return False
        return self.high - self.low <= _NO_WIDTH * max(abs(self.low), abs(self.high))


def t_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Mean and Student's t-interval, which takes the values for independent and roughly normal.

    Args:
        values: One per seed.
        level: Coverage.

    Returns:
        The interval.

    Raises:
        ValueError: there is no value, or one is not finite.
    """
    if not values or not all(math.isfinite(v) for v in values):
        raise ValueError(f"values = {list(values)}: at least one is needed, and all must be finite")
    _check_size(values)
    array = np.asarray(values, dtype=np.float64)
    mean = float(array.mean())
    if len(array) < 2:
        return Interval(mean, None, None, 1)
    half = float(stats.t.ppf(0.5 + level / 2, len(array) - 1) * stats.sem(array))
    return Interval(mean, mean - half, mean + half, len(array))


def t_p_value(values: Sequence[float], bound: float) -> float:
    """Two-sided p-value of Student's t against a bound, which `t_interval` leaves out when it is below 1 - level.

    Args:
        values: One per seed.
        bound: The bound.

    Returns:
        The p-value; 1 with fewer than two values, or where all are equal: that shows nothing about other seeds.
    """
    if len(values) < 2 or t_interval(values).tied:
        return 1.0
    return float(cast("Any", stats.ttest_1samp(values, bound)).pvalue)


def sign_flip_p_value(differences: Sequence[float], error: float = 0.0) -> float:
    """Two-sided permutation p-value of paired differences: how often random signs give a mean as large.

    Up to `EXACT` pairs all signs are tried. Above, `DRAWS` of them are drawn with a fixed seed, and the observed ones
    are counted in, so that the value is never too small on average; its standard error is
    sqrt(p (1 - p) / DRAWS), at most 0.0005.

    With n pairs the smallest possible exact value is 2 / 2^n, so five seeds cannot go below 0.0625.

    ``scipy.stats.permutation_test`` gives the same values (a test compares them), except where differences on a grid
    sum to 0: its tolerance is relative to the sum, so rounding hides that such a sum is tied. It also refuses a single
    pair, and takes 200 times as long for 20.

    Args:
        differences: One per seed.
        error: How far each difference may be from the exact one, for example because it was rounded. Sums that are as
            large as the observed one up to these errors count as large: accuracies lie on a grid, so their sums tie.

    Returns:
        The p-value, in (0, 1].

    Raises:
        ValueError: there is no difference, or one is not finite.
    """
    if not differences or not all(math.isfinite(d) for d in differences):
        raise ValueError(f"differences = {list(differences)}: at least one is needed, and all must be finite")
    _check_size(differences)
    array = np.abs(np.asarray(differences, dtype=np.float64))
    observed = abs(float(np.sum(differences)))
    # The observed signs are among those tried: the tolerance keeps rounding from excluding them. It is relative to the
    # largest sum that signs can make, so that the value is the same in any unit.
    bound = observed - _ROUNDING * float(array.sum()) - 2 * error * len(array)
    if len(array) <= EXACT:
        return float(np.mean(np.abs(_all_sums(array)) >= bound))
    return (1 + sum(int(np.sum(np.abs(sums) >= bound)) for sums in _drawn_sums(array))) / (1 + DRAWS)


def _check_size(values: Sequence[float]) -> None:
    """Refuse values whose squares float64 cannot hold: their sums would be infinite, and the results NaN."""
    if max(map(abs, values)) > _LARGEST:
        raise ValueError(f"values = {list(values)}: each must be within {_LARGEST:g} of 0")


_LARGEST = 1e150
_ROUNDING = 1e-11  # differences of numbers near 100 carry some 1e-14
EXACT = 20  # 2^20 sums take 8 MB and some milliseconds
DRAWS = 1_000_000


def _all_sums(array: np.ndarray) -> np.ndarray:
    """The sums of the values under all signs, (2^n,)."""
    sums = np.zeros(1)
    for value in array:
        sums = np.concatenate([sums - value, sums + value])
    return sums


def _drawn_sums(array: np.ndarray) -> Iterator[np.ndarray]:
    """The sums under `DRAWS` random signs, in parts."""
    generator, part = np.random.default_rng(20252), 50_000
    for _ in range(DRAWS // part):
        # One bit per sign: a sum is twice the part with a plus sign, minus the whole.
        plus = np.unpackbits(generator.integers(0, 256, (part, -(-len(array) // 8)), np.uint8), axis=1)
        yield 2 * (plus[:, : len(array)] @ array) - array.sum()
