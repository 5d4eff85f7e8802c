r"""ESGD with high probability (ours): normalised momentum, any alpha in the region, noise within sigma.

At y_k = theta_k - eta T_{k-1} the steps are plain gradient steps. On every path, with D = grad f(theta_k),
p = grad f(y_k), xi = g_k - D and z = L eta,

    f(y_{k+1}) <= f(y_k) - eta/2 |p|^2 - eta/2 (1 - z) |D|^2 + L^2 eta^3/2 |T_{k-1}|^2 - eta <p - z D, xi>
                  + L eta^2/2 sigma^2.

Given the past, xi has mean 0 and norm at most sigma. So E exp(-lambda eta <p - z D, xi>) <= exp(lambda^2 eta^2 sigma^2
|p - z D|^2 / 2) (Hoeffding), and |p - z D|^2 <= (1 + z)(|p|^2 + z |D|^2). At lambda = 1 / (eta sigma^2 (1 + z)) this is
at most exp of lambda eta/2 (|p|^2 + z |D|^2), which the descent contains. What is left of it, summed, is
:func:`excess`, and its exp is a supermartingale. Markov's inequality and sum |T_{k-1}|^2 <= 2 K^2 sum (|D_k|^2 +
sigma^2) give :func:`mean_square_gradient`. Li & Orabona (2020) have such a bound for adaptive SGD with momentum.
"""

from itertools import product
from math import log, sqrt

import numpy as np

from theory.method.filters import Filter
from theory.method.trajectory import Trajectory
from theory.theorems.noise_paths import Problem


def largest_step(F: Filter, L: float) -> float:
    """The largest eta of :func:`mean_square_gradient`: min(1/8, 1 / (2 sqrt(2) K)) / L."""
    return min(1 / 8, 1 / (sqrt(8) * F.K) if F.K else 1.0) / L


def mean_square_gradient(
    F: Filter, *, L: float, eta: float, T: int | np.ndarray, gap: float, sigma: float, delta: float
) -> float | np.ndarray:
    """What the mean of |grad f(theta_k)|^2 over T steps exceeds with probability at most delta.

    Args:
        F: the filter.
        L: Lipschitz constant of the gradient.
        eta: at most :func:`largest_step`.
        T: steps.
        gap: f(theta_1) - inf f.
        sigma: a bound of the noise's norm at every step (not its standard deviation).
        delta: the probability.

    Returns:
        4 gap / (eta T) + 2 L eta sigma^2 (1 + 2 L eta K^2) + 4 (1 + L eta) sigma^2 log(1 / delta) / T.
    """
    floor = 2 * L * eta * sigma**2 * (1 + 2 * L * eta * F.K**2)
    return 4 * gap / (eta * T) + floor + 4 * (1 + L * eta) * sigma**2 * log(1 / delta) / T


def excess(F: Filter, run: Trajectory, problem: Problem, eta: float) -> np.ndarray:
    """The exponent of the supermartingale after 0, 1, ... T steps of each replica; shape (T + 1, R).

    It exceeds log(1 / delta) on every path on which the mean exceeds its bound.

    Args:
        F: the filter.
        run: of ESGD with this filter and eta.
        problem: where it ran; its noise is within sigma.
        eta: the learning rate.
    """
    z, lag = problem.L * eta, np.concatenate([np.zeros_like(run.m[:1]), F.b * run.m - F.alpha * run.h])
    y = run.theta - eta * lag
    squares, lags = (problem.gradient(run.theta) ** 2).sum(-1), (lag**2).sum(-1)
    step = eta / 2 * (1 - 2 * z) * squares - z**2 * eta / 2 * lags - z * eta / 2 * problem.sigma**2
    summed = np.concatenate([np.zeros_like(step[:1]), np.cumsum(step[:-1], axis=0)])
    return (problem.value(y) - problem.value(problem.start) + summed) / (eta * problem.sigma**2 * (1 + z))


def rare_draws(probability: float) -> tuple[np.ndarray, np.ndarray]:
    """Noise of variance 1 that is 0 but for rare draws +-probability^(-1/2): its values and their probabilities."""
    high = 1 / sqrt(probability)
    return np.array([0.0, high, -high]), np.array([1 - probability, probability / 2, probability / 2])


def all_paths(values: np.ndarray, chances: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Every path of independent draws, shape (paths, steps), and its probability, shape (paths,)."""
    picks = np.array(list(product(range(len(values)), repeat=steps)))
    return values[picks], chances[picks].prod(axis=1)
