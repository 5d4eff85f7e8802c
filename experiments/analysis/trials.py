"""How good the best of n trials is: what tuning with a smaller budget would have found.

After Dodge et al. (2019, "Show Your Work", arXiv 1909.03004), but exact for a grid: the n learning rates are drawn
without replacement, each set of n equally likely.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.config.schema import Metric


@dataclass(frozen=True)
class Best:
    """The best validation result among n trials.

    Attributes:
        n: How many trials.
        mean: Its expectation.
        low: The value that it is below in at most 2.5 % of the draws.
        high: The value that it is above in at most 2.5 % of the draws.
    """

    n: int
    mean: float
    low: float
    high: float


def best_of(scores: Sequence[float], metric: Metric) -> list[Best]:
    """The best of n trials, for n from 1 to all of them.

    Args:
        scores: A validation result per learning rate, in the report's unit.
        metric: Of the scores; a loss is better low.

    Returns:
        One entry per n. The interval is over draws of learning rates alone: a seed's luck is not in it.
    """
    worst_first = sorted(scores, reverse=metric == "loss")
    made = []
    for n in range(1, len(worst_first) + 1):
        # The best of n is the i-th from the worst if it is drawn and the other n - 1 are worse.
        sets = [math.comb(place, n - 1) for place in range(len(worst_first))]
        shares = [count / sum(sets) for count in sets]
        ends = _quantile(worst_first, shares, 0.025), _quantile(worst_first, shares, 0.975)
        mean = math.fsum(share * score for share, score in zip(shares, worst_first, strict=True))
        made.append(Best(n, mean, min(ends), max(ends)))
    return made


def _quantile(worst_first: Sequence[float], shares: Sequence[float], level: float) -> float:
    total = 0.0
    for score, share in zip(worst_first, shares, strict=True):
        total += share
        if total >= level - 1e-12:
            return score
    return worst_first[-1]
