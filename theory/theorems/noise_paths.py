"""Exact expectations: every path of a sign noise at once, one path per replica.

With noise sigma times a sign vector chosen fairly at each step there are 2^T equally likely paths; their mean is the
expectation, up to rounding. No sampling error, so an inequality can be asserted without an allowance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

Field = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Problem:
    """A smooth function with known constants, and the size of its sign noise.

    Attributes:
        value: (..., d) -> (...); gradient: (..., d) -> (..., d).
        L: a Lipschitz constant of the gradient; slope: a bound of |gradient|_inf; floor: a lower bound of the value.
        start: theta_1, shape (d,); sigma: the standard deviation of the gradient noise (its norm at every step).
    """

    value: Field
    gradient: Field
    L: float
    slope: float
    floor: float
    start: np.ndarray
    sigma: float

    @property
    def G(self) -> float:
        """A bound of every stochastic gradient in the sup norm."""
        return self.slope + self.sigma


def sign_paths(steps: int) -> np.ndarray:
    """All sequences of ``steps`` signs; shape (2^steps, steps)."""
    return np.array(list(product((-1.0, 1.0), repeat=steps)))


def noisy_gradient(problem: Problem, signs: np.ndarray) -> Callable[[int, np.ndarray], np.ndarray]:
    """The stochastic gradient along each path: the noise points along (1, ..., 1) / sqrt(d) and has norm sigma."""
    direction = problem.sigma * np.ones(len(problem.start)) / np.sqrt(len(problem.start))
    return lambda k, theta: problem.gradient(theta) + signs[:, k - 1 : k] * direction


def starts(problem: Problem, signs: np.ndarray) -> np.ndarray:
    """theta_1 of every path; shape (2^T, d)."""
    return np.tile(problem.start, (len(signs), 1))


def waves(rng: np.random.Generator, dimension: int, sigma: float) -> Problem:
    """A non-convex problem: sum_j amplitude cos(x_j) + sqrt(1 + x_j^2), with all its constants known."""
    amplitude = rng.uniform(0.5, 3)
    return Problem(
        value=lambda x: (amplitude * np.cos(x) + np.sqrt(1 + x**2)).sum(-1),
        gradient=lambda x: -amplitude * np.sin(x) + x / np.sqrt(1 + x**2),
        L=amplitude + 1,
        slope=amplitude + 1,
        floor=dimension * (1 - amplitude),
        start=rng.normal(size=dimension) * 2,
        sigma=sigma,
    )
