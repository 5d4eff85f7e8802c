"""Exponents and means over seeds, with 95 % bootstrap intervals: seeds are resampled, a whole curve at a time."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

DRAWS = 1000
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A number with its interval; without seeds low = high = value."""

    value: float
    low: float
    high: float

    def through(self, f: Callable[[float], float]) -> "Estimate":
        """A monotone function of it."""
        ends = sorted((f(self.low), f(self.high)))
        return Estimate(f(self.value), *ends)


def resampled_means(curves: np.ndarray) -> np.ndarray:
    """Means over resampled seeds: (R, P) -> (DRAWS, P); the draws are a fixed function of R."""
    R = len(curves)
    weights = np.random.default_rng(0).multinomial(R, np.full(R, 1 / R), size=DRAWS) / R
    return weights @ curves


def _interval(value: float, draws: np.ndarray) -> Estimate:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))


def log_slope(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Least-squares slope of log y against log x: x of shape (P,), y of shape (..., P) -> (...)."""
    u = np.log(x) - np.log(x).mean()
    return (np.log(y) * u).sum(-1) / (u**2).sum()


def exponent(x: np.ndarray, curves: np.ndarray, window: tuple[float, float]) -> Estimate:
    """The exponent p of the seeds' mean curve ~ x^p inside the window.

    Args:
        x: shape (P,).
        curves: one per seed, shape (R, P); their mean must be positive in the window.
        window: smallest and largest x to use.

    Returns:
        The estimate; from one curve without an interval.

    Raises:
        ValueError: fewer than three points lie in the window.
    """
    inside = (x >= window[0] * (1 - 1e-12)) & (x <= window[1] * (1 + 1e-12))
    if inside.sum() < 3:
        raise ValueError(f"window = {window} holds {inside.sum()} of the points {x.tolist()}: a fit needs three")
    value = float(log_slope(x[inside], curves[:, inside].mean(0)))
    if len(curves) == 1:
        return Estimate(value, value, value)
    draws = resampled_means(curves[:, inside])
    return _interval(value, log_slope(x[inside], draws[(draws > 0).all(1)]))


def mean(samples: np.ndarray) -> Estimate:
    """The mean over seeds: (R,) -> estimate."""
    value = float(samples.mean())
    return Estimate(value, value, value) if len(samples) == 1 else _interval(value, resampled_means(samples[:, None]))


def band(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Mean over seeds with the ends of its interval at every point, (R, P) -> three of (P,); no ends for one seed."""
    if len(curves) == 1:
        return curves[0], None, None
    low, high = np.quantile(resampled_means(curves), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return curves.mean(0), low, high


def geometric_rate(steps: np.ndarray, sizes: np.ndarray) -> float:
    """The r in sizes ~ r^steps, by least squares of the logarithms; both of shape (P,)."""
    return float(np.exp(np.polyfit(steps, np.log(sizes), 1)[0]))
