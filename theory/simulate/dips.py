"""A narrow dip in a bowl: f = x^2/2 - d exp(-(x-1)^2 / (2 w^2)). A run from the right crosses the dip or stays in it.

The dip's largest force is d / (w sqrt(e)); the bowl pulls with 1 there. A fast passage sees u = (1 - c) g in the dip
while h still holds the bowl, so that the deepest dip crossed grows about as 1/(1 - c).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from theory.simulate.rule import Rule, compiled, direction, generators


@dataclass(frozen=True)
class Dip:
    """Where the dip lies and what counts as crossed.

    Args:
        width: w; start: where a run begins; passed: the x below which the dip is crossed.
    """

    width: float = 0.05
    start: float = 2.0
    passed: float = 0.7

    def force(self, depth: float) -> float:
        """The dip's largest force d / (w sqrt(e)), in units of the bowl's force at the dip."""
        return depth / (self.width * np.sqrt(np.e))


@compiled
def _crosses(
    rng: np.random.Generator, rule: np.ndarray, dip: np.ndarray, depth: float, eta: float, sigma: float, steps: int
) -> bool:
    width, x, passed = dip
    state = np.zeros(3)
    for k in range(1, steps + 1):
        z = (x - 1) / width
        g = x + depth * z / width * np.exp(-z * z / 2)
        if sigma > 0:
            g += sigma * rng.standard_normal()
        x -= eta * direction(g, state, rule, k)
        if x < passed:
            return True
    return False


def crosses(
    rules: Sequence[Rule],
    depths: Sequence[float] | np.ndarray,
    *,
    eta: float,
    sigma: float = 0.0,
    dip: Dip | None = None,
    steps: int = 4000,
    seeds: int = 1,
    seed: int = 0,
) -> np.ndarray:
    """Whether runs reach the other side of the dip.

    Args:
        rules: settings of ESGD or EAdam.
        depths: the dip's depths d.
        eta: learning rate.
        sigma: standard deviation of the gradient noise; 0 is deterministic, and one seed is then enough.
        dip: its shape; the default one if None.
        steps: after how many steps a run has failed.
        seeds: number of replicas.
        seed: what the replicas are derived from.

    Returns:
        Booleans of shape (rules, depths, seeds).
    """
    dip = dip or Dip()
    numbers = np.array([dip.width, dip.start, dip.passed])
    out = np.zeros((len(rules), len(depths), seeds), dtype=bool)
    for row, rule in zip(out, rules, strict=True):
        for column, depth in zip(row, depths, strict=True):
            for i, rng in enumerate(generators(seeds, seed)):
                column[i] = _crosses(rng, rule.numbers(), numbers, float(depth), eta, sigma, steps)
    return out


def first_failure(
    rule: Rule,
    *,
    eta: float,
    sigma: float = 0.0,
    low: float = 0.05,
    high: float = 10.0,
    scan: int = 120,
    digits: float = 1e-4,
    dip: Dip | None = None,
    steps: int = 4000,
    seeds: int = 1,
    seed: int = 0,
) -> float:
    """The smallest depth that at most half of the runs cross; very deep dips may be crossed again, by instability.

    Args:
        rule: a setting of ESGD or EAdam.
        eta: learning rate.
        sigma: standard deviation of the gradient noise.
        low: the first depth to try.
        high: the last one.
        scan: number of geometric points from low to high; the first that fails is then refined by bisection.
        digits: relative width at which the bisection ends.
        dip: the dip's shape; the default one if None.
        steps: after how many steps a run has failed.
        seeds: number of replicas.
        seed: what the replicas are derived from.

    Returns:
        The depth; inf if all scanned depths are crossed.
    """

    def passes(depth: float) -> bool:
        return bool(
            crosses([rule], [depth], eta=eta, sigma=sigma, dip=dip, steps=steps, seeds=seeds, seed=seed).mean() > 0.5
        )

    return _bisect(passes, np.geomspace(low, high, scan), digits)


def _bisect(passes: Callable[[float], bool], grid: np.ndarray, digits: float) -> float:
    good = 0.0
    for bad in grid:
        if not passes(float(bad)):
            break
        good = float(bad)
    else:
        return np.inf
    bad = float(bad)
    while bad - good > digits * bad:
        middle = (good + bad) / 2
        good, bad = (middle, bad) if passes(middle) else (good, middle)
    return bad
