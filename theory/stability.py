"""Exact linear stability of ESGD on a quadratic, its stationary noise, and the ODE of Remark 2.2.

The loss is lambda theta^2 / 2, x = eta lambda, momentum unnormalised as in Algorithm 3 (for normalised momentum
replace x by (1 - beta2) x). The state is (theta, h, m).
"""

from math import inf
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def system(x: ArrayLike, c: ArrayLike, beta1: ArrayLike, beta2: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """(A, B) with state' = A state + B xi for the gradient theta + xi and eta = x; shapes (..., 3, 3) and (..., 3)."""
    x, c, beta1, beta2 = np.broadcast_arrays(*(np.asarray(value, dtype=float) for value in (x, c, beta1, beta2)))
    zero = np.zeros_like(x)
    A = np.stack([
        np.stack([1 - x * (1 - c), -x * c, -x * beta2], -1),
        np.stack([1 - beta1, beta1, zero], -1),
        np.stack([1 - c, c, beta2], -1),
    ], -2)  # fmt: skip
    return A, np.stack([-x * (1 - c), 1 - beta1, 1 - c], -1)


def spectral_radius(x: ArrayLike, c: ArrayLike, beta1: ArrayLike, beta2: ArrayLike) -> np.ndarray:
    """The largest modulus of the three roots; below 1 the iteration converges."""
    return np.abs(np.linalg.eigvals(system(x, c, beta1, beta2)[0])).max(-1)


def flip_threshold(c: float, beta1: float, beta2: float) -> float:
    """The x at which a root leaves through -1: 2 (1 + beta1)(1 + beta2) / (1 + beta1 - 2c); inf if none does."""
    room = 1 + beta1 - 2 * c
    return 2 * (1 + beta1) * (1 + beta2) / room if room > 0 else inf


def oscillation_threshold(c: float, beta1: float, beta2: float) -> float:
    """The x at which a complex pair leaves the unit circle (Neimark-Sacker); inf if none does."""
    pull = c * (1 - beta1 * beta2) - beta1 * (1 - beta2)
    return (1 - beta1 * beta2) * (1 - beta1) * (1 - beta2) / pull if pull > 0 else inf


def largest_stable(c: float, beta1: float, beta2: float) -> float:
    """The largest stable x = eta lambda: E converges on the quadratic if and only if 0 < x < this."""
    return min(flip_threshold(c, beta1, beta2), oscillation_threshold(c, beta1, beta2))


def jury(x: Any, c: Any, beta1: Any, beta2: Any) -> np.ndarray:
    """Whether all roots lie inside the unit circle, by the three conditions; broadcasts."""
    flip = x * (1 + beta1 - 2 * c) < 2 * (1 + beta1) * (1 + beta2)
    pull = c * (1 - beta1 * beta2) - beta1 * (1 - beta2)
    oscillation = x * pull < (1 - beta1 * beta2) * (1 - beta1) * (1 - beta2)
    return np.asarray((np.asarray(x) > 0) & flip & oscillation)


def variance(x: Any, c: Any, beta1: Any, beta2: Any) -> Any:
    """V with Var(theta) = (sigma^2 / lambda^2) V for gradient noise of variance sigma^2, inside the stable region."""
    q = 1 + beta1 - 2 * c
    pull = beta1 * (1 - beta2) - c * (1 - beta1 * beta2)
    above = (1 + beta2) * (1 - beta1**2) * (1 - beta1 * beta2) + x * q * (beta1 * (1 + beta2) - (1 + beta1 * beta2) * c)
    oscillation = (1 - beta1 * beta2) * (1 - beta1) * (1 - beta2) + x * pull
    return x * above / (oscillation * (2 * (1 + beta1) * (1 + beta2) - x * q))


def mean_square_radius(x: float, rho: float, c: float, beta1: float, beta2: float) -> float:
    """Spectral radius of the second-moment operator for the gradient lambda (1 + rho xi_k) theta, Var xi = 1."""
    A, B = system(x, c, beta1, beta2)
    noise = B[:, None] * np.array([[rho, 0.0, 0.0]])
    return float(np.abs(np.linalg.eigvals(np.kron(A, A) + np.kron(noise, noise))).max())


def ode_stable(x: Any, c: Any, beta1: Any, beta2: Any) -> bool:
    """Routh-Hurwitz for the ODE of Remark 2.2 with f' = lambda theta; x in units of normalised momentum."""
    spread = beta1 + beta2 - 2 * beta1 * beta2
    damped = (1 - beta1) + (beta1 - c) * x > 0
    return bool(x > 0 and damped and x * (spread * c - beta1**2 * (1 - beta2)) < spread * (1 - beta1))
