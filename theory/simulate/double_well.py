"""Noise-driven escape from a sharp and a flat well of equal depth: f = B (1 - (x/w)^2)^2, w narrow on the left.

Equal depth and different width: at equal noise a process that favours flat minima spends more of its time on the right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from theory.simulate.rule import Rule, compiled, direction, generators


@dataclass(frozen=True)
class Well:
    """The landscape and its noise.

    Args:
        barrier: B; sharp: w on the left; flat: w on the right; sigma: standard deviation of the gradient noise.
    """

    barrier: float = 0.03
    sharp: float = 0.2
    flat: float = 2.0
    sigma: float = 0.63

    def value(self, x: np.ndarray) -> np.ndarray:
        """f(x); any shape."""
        return self.barrier * (1 - (x / np.where(x < 0, self.sharp, self.flat)) ** 2) ** 2

    def curvature(self) -> tuple[float, float]:
        """Curvature at the sharp and at the flat minimum: 8 B / w^2."""
        return 8 * self.barrier / self.sharp**2, 8 * self.barrier / self.flat**2


@dataclass(frozen=True)
class Visits:
    """What the runs did; each array has shape (rules, seeds).

    Attributes:
        stay_sharp, stay_flat: steps spent in a well, from entry (or the start) on, the last stay included.
        exits_sharp, exits_flat: how often it was left. A well is entered where x passes half the distance from the
            top to its minimum, so that a visit to the top, or a step back over it, is no change of well.
    """

    stay_sharp: np.ndarray
    stay_flat: np.ndarray
    exits_sharp: np.ndarray
    exits_flat: np.ndarray

    @property
    def occupancy(self) -> np.ndarray:
        """The share of the steps spent in the flat well; shape (rules, seeds)."""
        return self.stay_flat / (self.stay_sharp + self.stay_flat)

    def exit_times(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean steps to leave the sharp and the flat well, over all seeds; inf if never left; shapes (rules,)."""
        with np.errstate(divide="ignore"):
            return (
                self.stay_sharp.sum(1) / self.exits_sharp.sum(1),
                self.stay_flat.sum(1) / self.exits_flat.sum(1),
            )


@compiled
def _run(rng: np.random.Generator, rule: np.ndarray, well: np.ndarray, eta: float, steps: int, start: float, out):
    barrier, sharp, flat, sigma = well
    x, right = start, start > 0
    state = np.zeros(3)
    for k in range(1, steps + 1):
        w = sharp if x < 0 else flat
        z = x / w
        g = -4 * barrier * z * (1 - z * z) / w + sigma * rng.standard_normal()
        x -= eta * direction(g, state, rule, k)
        if right:
            out[1] += 1
            if x < -sharp / 2:
                right = False
                out[3] += 1
        else:
            out[0] += 1
            if x > flat / 2:
                right = True
                out[2] += 1


def visits(
    rules: Sequence[Rule],
    *,
    eta: float,
    well: Well | None = None,
    steps: int = 1_000_000,
    seeds: int = 16,
    seed: int = 0,
) -> Visits:
    """Simulate; even seeds start in the sharp well, odd ones in the flat one.

    Args:
        rules: settings of ESGD or EAdam.
        eta: learning rate; EAdam's comparable one is eta sigma, since sqrt(v) is about sigma.
        well: the landscape; the default one if None.
        steps: length of a run.
        seeds: number of replicas.
        seed: what the replicas are derived from.

    Returns:
        Stays and exits.
    """
    well = well or Well()
    numbers = np.array([well.barrier, well.sharp, well.flat, well.sigma])
    out = np.zeros((len(rules), seeds, 4))
    for row, rule in zip(out, rules, strict=True):
        for i, (run, rng) in enumerate(zip(row, generators(seeds, seed), strict=True)):
            _run(rng, rule.numbers(), numbers, eta, steps, well.flat if i % 2 else -well.sharp, run)
    return Visits(*np.moveaxis(out, -1, 0))
