"""EAdam's noise floor: skewed noise in the normalisation can turn the expected direction uphill (ours)."""

from itertools import product

import numpy as np

from theory.method.algorithms import ALTO
from theory.method.trajectory import record

NOISE, PROBABILITY = (2.7, -0.3), (0.1, 0.9)
BETA1, BETA3, EPS1 = 0.5, 0.5, 1e-8
DRAWS = 12


def drift_bounds(alpha: float, *, slope: float) -> tuple[float, float]:
    """Bounds of the stationary E[u / (sqrt(v) + eps1)] for i.i.d. gradients slope + noise, beta2 = 0.

    The last ``DRAWS`` gradients are enumerated with their probabilities. What came before enters h and v with weights
    beta1^n and beta3^n; it is bounded by its extreme values, so the true expectation lies between the two numbers.
    """
    values, weights = slope + np.array(NOISE), np.array(PROBABILITY)
    picks = np.array(list(product((0, 1), repeat=DRAWS)))
    g, p = values[picks], weights[picks].prod(axis=1)
    c = -alpha * (1 - BETA1)
    h_range = np.array([values.min(), values.max()])
    u_extreme = np.abs(values).max() * (abs(1 - c) + abs(c))
    h = np.tile(h_range, (len(g), 1))
    v = np.tile([0.0, u_extreme**2], (len(g), 1))
    u = h
    for k in range(DRAWS):
        now = g[:, k : k + 1]
        mixed = (1 - c) * now + c * h
        u = np.sort(mixed, axis=1)
        smallest = np.where((u[:, :1] <= 0) & (u[:, 1:] >= 0), 0, np.abs(u).min(axis=1, keepdims=True)) ** 2
        largest = np.abs(u).max(axis=1, keepdims=True) ** 2
        v = BETA3 * v + (1 - BETA3) * np.concatenate([smallest, largest], axis=1)
        h = BETA1 * h + (1 - BETA1) * now
    small, large = np.sqrt(v[:, 0]) + EPS1, np.sqrt(v[:, 1]) + EPS1
    low = np.where(u[:, 0] < 0, u[:, 0] / small, u[:, 0] / large)
    high = np.where(u[:, 1] > 0, u[:, 1] / small, u[:, 1] / large)
    return float(p @ low), float(p @ high)


def long_run(*, alpha: float, eta: float, steps: int, seeds: int = 16) -> np.ndarray:
    """Mean of |grad f|^2 / 0.1^2 over each of some runs of EAdam on f = 0.1 sqrt(1 + x^2); shape (seeds,)."""
    rng = np.random.default_rng(0)
    adam = ALTO(alpha, BETA1, 0.0, BETA3, EPS1, 1.0, 1.0, 0.0, bias_correction=False, layerwise=False)

    def slope(x: np.ndarray) -> np.ndarray:
        return 0.1 * x / np.sqrt(1 + x**2)

    def gradient(_: int, x: np.ndarray) -> np.ndarray:
        return slope(x) + rng.choice(NOISE, p=PROBABILITY, size=x.shape)

    run = record(adam, gradient, np.ones((seeds, 1)), steps=steps, eta=lambda _: eta)
    return (slope(run.theta[steps // 10 :]) ** 2).mean(axis=(0, 2)) / 0.01
