"""How many seeds a lead needs: the power of the paired t test."""

import math

from scipy import stats

from experiments.io.errors import require

MOST = 10_000
"""Seeds; nobody trains more."""


def power(seeds: int, lead: float, sd: float, level: float = 0.05) -> float:
    """The probability that the two-sided paired t test sees a lead.

    Args:
        seeds: Number of pairs, at least 2.
        lead: The true mean of the paired differences.
        sd: Their standard deviation.
        level: Of the test.

    Returns:
        The power, by the noncentral F distribution of t squared; differences are taken as normal.
    """
    edge = stats.f.ppf(1 - level, 1, seeds - 1)
    return float(stats.ncf.sf(edge, 1, seeds - 1, seeds * (lead / sd) ** 2))


def seeds(lead: float, sd: float, wanted: float = 0.8, level: float = 0.05) -> int:
    """The least number of seeds at which the paired t test sees a lead with the wanted probability.

    Args:
        lead: The true lead, in the metric's unit.
        sd: Standard deviation of the paired differences, in the same unit.
        wanted: The power, in (0, 1).
        level: Of the test, in (0, 1).

    Returns:
        The number.

    Raises:
        ConfigError: an argument is out of range, or more than `MOST` seeds would be needed.
    """
    require(math.isfinite(lead) and lead != 0, "--lead", lead, "finite and not 0")
    require(0 < sd < math.inf, "--sd", sd, "finite and above 0")
    require(0 < wanted < 1, "--power", wanted, "in (0, 1)")
    require(0 < level < 1, "--level", level, "in (0, 1)")
    low, high = 1, 2  # power grows with the seeds: double, then halve the interval
    while power(high, lead, sd, level) < wanted:
        require(high < MOST, "--lead", lead, f"larger: {MOST} seeds do not show it at a standard deviation of {sd:g}")
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if power(middle, lead, sd, level) < wanted else (low, middle)
    return high
