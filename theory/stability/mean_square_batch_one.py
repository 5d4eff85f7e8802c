"""Mean-square stability of ESGD in linear regression with one sample per step: the exact second-moment operator."""

from itertools import pairwise
from typing import Any

import numpy as np
from scipy.optimize import brentq


def features() -> np.ndarray:
    """An example: twelve Gaussian samples in four coordinates of unequal scale; shape (12, 4)."""
    return np.random.default_rng(0).normal(size=(12, 4)) * np.array([1.0, 0.7, 0.5, 0.3])


def second_moment_radius(x: np.ndarray, eta: float, c: float, beta1: float, beta2: float) -> float:
    """Spectral radius of the mean of M_i kron M_i; below 1 the second moments of (theta, h, m) vanish.

    Args:
        x: samples, shape (n, d); sample i gives the gradient x_i x_i' theta (labels that fit exactly).
        eta: learning rate.
        c: -alpha (1 - beta1).
        beta1: decay rate of the slow average.
        beta2: decay rate of the unnormalised momentum.

    Returns:
        The radius of the 9 d^2 by 9 d^2 operator.
    """
    n, d = x.shape
    one, zero = np.eye(d), np.zeros((d, d))
    total = np.zeros(((3 * d) ** 2, (3 * d) ** 2))
    for sample in x:
        H = np.outer(sample, sample)
        u = np.hstack([(1 - c) * H, c * one, beta2 * one])
        step = np.hstack([one, zero, zero]) - eta * u
        M = np.vstack([step, np.hstack([(1 - beta1) * H, beta1 * one, zero]), u])
        total += np.kron(M, M) / n
    return float(np.abs(np.linalg.eigvals(total)).max())


def largest_stable_rate(x: np.ndarray, alpha: float, beta1: float, beta2: float) -> float:
    """The learning rate at which the second moments stop to vanish, to six digits.

    Raises:
        ArithmeticError: the operator is not stable for small rates, or not unstable for large ones.
    """

    def excess(log_eta: float) -> float:
        return second_moment_radius(x, float(np.exp(log_eta)), -alpha * (1 - beta1), beta1, beta2) - 1

    # a coarse scan from below: the first crossing is the one that matters
    grid = np.log(np.geomspace(1e-3, 10, 25))
    for low, high in pairwise(grid):
        if excess(high) > 0:
            if excess(low) > 0:
                break
            root: Any = brentq(excess, low, high, xtol=1e-7)
            return float(np.exp(root))
    raise ArithmeticError(f"alpha = {alpha}, beta1 = {beta1}, beta2 = {beta2}: no first crossing in [1e-3, 10]")
