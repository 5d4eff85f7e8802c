"""Intervals for what the studies measure."""

import numpy as np
from scipy import stats


def t_interval(values: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the first axis (the seeds) and the half-width of Student's interval around it.

    Args:
        values: shape (seeds, ...), independent over the first axis.
        level: coverage.

    Returns:
        Mean and half-width, each of shape (...).

    Raises:
        ValueError: fewer than two seeds, for which there is no interval.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        raise ValueError(f"values has {len(values)} seeds: an interval needs at least 2")
    return values.mean(0), stats.t.ppf(0.5 + level / 2, len(values) - 1) * stats.sem(values)


def wilson_interval(successes: np.ndarray, trials: int, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's score interval of a proportion, which stays inside [0, 1] and has width where all or none succeed.

    Args:
        successes: counts between 0 and ``trials``, any shape.
        trials: number of independent trials, the same for all.
        level: coverage.

    Returns:
        The lower and the upper end, shaped like ``successes``.

    Raises:
        ValueError: ``trials`` is not positive, or a count lies outside [0, trials].
    """
    successes = np.asarray(successes, dtype=int)
    if trials < 1 or (successes < 0).any() or (successes > trials).any():
        raise ValueError(f"trials = {trials}: must be at least 1, and every count of successes in [0, trials]")
    ends = [stats.binomtest(count, trials).proportion_ci(level, method="wilson") for count in successes.flat]
    low, high = np.array([(end.low, end.high) for end in ends]).T
    return low.reshape(successes.shape), high.reshape(successes.shape)
