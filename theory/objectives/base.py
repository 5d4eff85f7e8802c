"""What an objective is: formulas over a leading replica axis, and the constants that the theorems ask for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

Value = Callable[[np.ndarray], np.ndarray]
"""theta of shape (R, d) -> f, shape (R,)."""
Gradient = Callable[[np.ndarray], np.ndarray]
"""theta of shape (R, d) -> the gradient, shape (R, d); a subgradient where f is not smooth."""
Hessian = Callable[[np.ndarray], np.ndarray]
"""theta of shape (R, d) -> the Hessian, shape (R, d, d)."""


class Noise(Protocol):
    """Gradient noise of known variance, unbiased at every point, given the past; see :mod:`theory.objectives.noise`."""

    def draw(self, rng: np.random.Generator, theta: np.ndarray, batch: int = 1) -> np.ndarray:
        """Noise of the mean of ``batch`` samples, shape (R, d)."""
        ...

    def variance(self, theta: np.ndarray) -> np.ndarray:
        """E |noise|^2 of one sample, shape (R,)."""
        ...


@dataclass(frozen=True)
class FiniteSum:
    """f as the mean of n parts.

    Attributes:
        n: how many parts.
        gradients: theta of shape (R, d) -> the gradient of every part, shape (R, n, d).
    """

    n: int
    gradients: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Objective:
    """A function with known constants.

    Attributes:
        name: how messages call it; the registry adds the name that it is asked for by.
        start: a usual starting point, shape (d,).
        value, gradient, hessian: float64, vectorised over replicas.
        domain: (low, high); the constants hold for every point with all coordinates in between.
        infimum: f* = inf f.
        minimisers: points that attain it, shape (n, d); of a continuum, some of them.
        L: a Lipschitz constant of the gradient on the domain; None if f is not smooth.
        slope: a bound of the gradient's sup norm on the domain; None if not worked out.
        pl: mu with |grad f|^2 >= 2 mu (f - f*) on the domain; None if there is none.
        convex: whether f is convex on the domain.
        parts: f as a finite sum, if it is one.
        noise: the gradient's noise, of known variance; if None, the registry gives it the parts drawn with replacement,
            or normal noise of variance 1 per coordinate where there are none.
    """

    name: str
    start: np.ndarray
    value: Value
    gradient: Gradient
    hessian: Hessian
    domain: tuple[float, float]
    infimum: float
    minimisers: np.ndarray
    L: float | None
    slope: float | None = None
    pl: float | None = None
    convex: bool = False
    parts: FiniteSum | None = field(default=None, repr=False)
    noise: Noise | None = field(default=None, repr=False)

    @property
    def dimension(self) -> int:
        """The number of coordinates, d."""
        return len(self.start)

    def points(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """``count`` points drawn evenly from the domain, shape (count, d)."""
        return rng.uniform(*self.domain, size=(count, self.dimension))


def diagonal(curvatures: np.ndarray) -> np.ndarray:
    """Diagonal Hessians from their diagonals: (R, d) -> (R, d, d)."""
    return curvatures[..., :, None] * np.eye(curvatures.shape[-1])


def outer(a: np.ndarray) -> np.ndarray:
    """The outer product of each row with itself: (..., d) -> (..., d, d)."""
    return a[..., :, None] * a[..., None, :]


def largest_eigenvalue(matrix: np.ndarray) -> float:
    """The largest eigenvalue of a symmetric matrix, shape (d, d)."""
    return float(np.linalg.eigvalsh(matrix)[-1])
