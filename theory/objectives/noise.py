"""Gradient noise of known variance. Every model is unbiased at every point, given the past.

``draw(rng, theta, batch)`` returns the noise of a batch's mean gradient, shape (R, d); ``variance(theta)`` is the
expected squared norm of one sample's noise, shape (R,). A batch divides it by its size: samples are drawn afresh, with
replacement. Additive models do not look at theta and have ``block(rng, shape, batch)`` for many steps at once.
"""

from dataclasses import dataclass

import numpy as np

from theory.objectives.base import FiniteSum, Gradient, Noise

__all__ = ["Gaussian", "Minibatch", "Multiplicative", "Noise", "Sign", "Skewed"]


@dataclass(frozen=True)
class _Additive:
    """Independent coordinates, each with standard deviation ``sigma``."""

    sigma: float

    def block(self, rng: np.random.Generator, shape: tuple[int, ...], batch: int = 1) -> np.ndarray:
        """Noise of the means of batches, any shape."""
        raise NotImplementedError

    def draw(self, rng: np.random.Generator, theta: np.ndarray, batch: int = 1) -> np.ndarray:
        """See :class:`Noise`."""
        return self.block(rng, theta.shape, batch)

    def variance(self, theta: np.ndarray) -> np.ndarray:
        """Sigma^2 per coordinate."""
        return np.full(len(theta), self.sigma**2 * theta.shape[1])


@dataclass(frozen=True)
class Gaussian(_Additive):
    """Normal noise; unbounded, so the theorems that ask for bounded gradients do not apply."""

    def block(self, rng: np.random.Generator, shape: tuple[int, ...], batch: int = 1) -> np.ndarray:
        """Normal with variance sigma^2 / batch."""
        return self.sigma / np.sqrt(batch) * rng.standard_normal(shape)


@dataclass(frozen=True)
class Sign(_Additive):
    """Plus or minus sigma: bounded."""

    @property
    def bound(self) -> float:
        """The largest size of a coordinate."""
        return self.sigma

    def block(self, rng: np.random.Generator, shape: tuple[int, ...], batch: int = 1) -> np.ndarray:
        """Mean of ``batch`` signs, drawn as one binomial number."""
        if batch == 1:
            return self.sigma * (2.0 * rng.integers(2, size=shape, dtype=np.int8) - 1)
        return self.sigma * (2.0 * rng.binomial(batch, 0.5, size=shape) / batch - 1)


@dataclass(frozen=True)
class Skewed(_Additive):
    """Rare large noise of one sign: ``high`` with ``probability``, else what makes the mean zero."""

    probability: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.probability < 1:
            raise ValueError(f"probability = {self.probability} must lie in (0, 1)")

    @property
    def high(self) -> float:
        """The rare value, sigma sqrt((1 - p) / p)."""
        return self.sigma * float(np.sqrt((1 - self.probability) / self.probability))

    @property
    def low(self) -> float:
        """The frequent value, -sigma sqrt(p / (1 - p))."""
        return -self.sigma * float(np.sqrt(self.probability / (1 - self.probability)))

    @property
    def bound(self) -> float:
        """The largest size of a coordinate."""
        return max(self.high, -self.low)

    def block(self, rng: np.random.Generator, shape: tuple[int, ...], batch: int = 1) -> np.ndarray:
        """Mean of ``batch`` values, drawn as one binomial number."""
        share = rng.binomial(batch, self.probability, size=shape) / batch
        return self.low + (self.high - self.low) * share


@dataclass(frozen=True)
class Multiplicative:
    """One relative error for the whole gradient: (1 + rho xi) grad f with xi standard normal."""

    gradient: Gradient
    rho: float

    def draw(self, rng: np.random.Generator, theta: np.ndarray, batch: int = 1) -> np.ndarray:
        """See :class:`Noise`."""
        return self.rho / np.sqrt(batch) * rng.standard_normal((len(theta), 1)) * self.gradient(theta)

    def variance(self, theta: np.ndarray) -> np.ndarray:
        """Rho^2 |grad f|^2."""
        return self.rho**2 * (self.gradient(theta) ** 2).sum(-1)


@dataclass(frozen=True)
class Minibatch:
    """Parts of a finite sum, drawn with replacement."""

    parts: FiniteSum

    def draw(self, rng: np.random.Generator, theta: np.ndarray, batch: int = 1) -> np.ndarray:
        """See :class:`Noise`."""
        gradients = self.parts.gradients(theta)
        chosen = rng.integers(self.parts.n, size=(len(theta), batch))
        return np.take_along_axis(gradients, chosen[..., None], axis=1).mean(1) - gradients.mean(1)

    def variance(self, theta: np.ndarray) -> np.ndarray:
        """The mean squared distance of a part's gradient from their mean."""
        gradients = self.parts.gradients(theta)
        return ((gradients - gradients.mean(1, keepdims=True)) ** 2).sum(-1).mean(-1)
