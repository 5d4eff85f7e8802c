"""Where EAdam rests on an online stream while its step sizes shrink: not at the best point.

The divisor sees the gradient that it divides, so that rare large gradients weigh less than they should, and the mean
step vanishes beside the best point (as in skewed noise, study 6). What that costs per round follows from holding the
iterate still. It does not shrink with eta_k: late, it is what the regret grows by.
"""

import numpy as np
from scipy.optimize import root
from scipy.signal import lfilter

from theory.objectives import Stream
from theory.rates.settings import Setting

STEPS, BURN_IN, SEED = 400_000, 2_000, 99


def _bend(stream: Stream, theta: np.ndarray) -> np.ndarray:
    """The second derivative of each loss of the pool along its a, shape (J,)."""
    if stream.link == "quadratic":
        return np.ones(len(stream.a))
    share = 1 / (1 + np.exp(-stream.y * (stream.a @ theta)))
    return stream.y**2 * share * (1 - share)


def cost_of_resting(stream: Stream, setting: Setting) -> float:
    """E f(rest) - f(best) per round for EAdam, picks even; 0 for ESGD, whose mean step is the mean gradient.

    Raises:
        ArithmeticError: no resting point was found.
    """
    if setting.method == "ESGD":
        return 0.0
    J, c, beta1 = len(stream.a), setting.filter.c, setting.beta1
    best = stream.best(np.ones((1, J)))[0]
    picks = np.random.default_rng(SEED).integers(J, size=STEPS)
    scale = setting.eps[0] + np.sqrt(setting.filter.noise_gain * (_gradients(stream, best) ** 2).mean(0))

    def mean_step(theta: np.ndarray) -> np.ndarray:
        parts = _gradients(stream, theta)
        g = parts[picks]
        u = np.asarray(lfilter([1 - c, c - beta1], [1, -beta1], g, axis=0))
        m = np.asarray(lfilter([1 - setting.beta2], [1, -setting.beta2], u, axis=0))
        v = np.asarray(lfilter([1 - setting.beta3], [1, -setting.beta3], u**2, axis=0))
        # the same picks over a fixed divisor have a mean that is known exactly: what they miss it by is taken off
        excess = (m / (np.sqrt(v) + setting.eps[0]) - g / scale)[BURN_IN:].mean(0)
        return excess + parts.mean(0) / scale

    found = root(mean_step, best, tol=1e-6)
    if not found.success:
        raise ArithmeticError(f"{setting}: no resting point on {stream.name}: {found.message}")
    away = found.x - best
    H = (stream.a * _bend(stream, best)[:, None]).T @ stream.a / J
    return float(away @ H @ away / 2)


def _gradients(stream: Stream, theta: np.ndarray) -> np.ndarray:
    """The gradient of every loss of the pool, shape (J, d)."""
    J = len(stream.a)
    return stream.gradient(np.arange(J), np.repeat(theta[None], J, 0))
