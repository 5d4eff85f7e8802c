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
    n = len(values)
    if n < 2:
        raise ValueError(f"values has {n} seeds: an interval needs at least 2")
    return values.mean(0), stats.t.ppf(0.5 + level / 2, n - 1) * values.std(0, ddof=1) / np.sqrt(n)


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
    successes = np.asarray(successes, dtype=float)
    if trials < 1 or (successes < 0).any() or (successes > trials).any():
        raise ValueError(f"trials = {trials}: must be at least 1, and every count of successes in [0, trials]")
    z = stats.norm.ppf(0.5 + level / 2)
    share = successes / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return centre - half, centre + half
