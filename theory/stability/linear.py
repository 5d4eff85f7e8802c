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


def oscillation_onset(beta1: float, beta2: float) -> float:
    """The c beyond which an oscillation threshold exists: c0 = beta1 (1 - beta2) / (1 - beta1 beta2)."""
    return beta1 * (1 - beta2) / (1 - beta1 * beta2)


def peak(beta1: float, beta2: float) -> tuple[float, float]:
    """(c_x, x_peak): where the two thresholds cross, and their height there, the largest stable x over all c."""
    return (1 + beta1) ** 2 * (1 - beta2) / (4 * (1 - beta1 * beta2)), 4 * (1 - beta1 * beta2) / (1 - beta1)


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


def mean_square_threshold(rho: float, c: float, beta1: float, beta2: float) -> float:
    """The largest x for which rho^2 V(x) < 1 on all of (0, x), by bisection to ten digits; at most largest_stable.

    V grows from 0 without bound towards the stability threshold, so that a first crossing exists for rho > 0.
    """
    grid = largest_stable(c, beta1, beta2) * np.geomspace(1e-6, 1, 4001)[:-1]
    bad = int(np.argmax(rho**2 * variance(grid, c, beta1, beta2) >= 1)) if rho > 0 else 0
    low, high = (grid[bad - 1], grid[bad]) if bad else (grid[-1], largest_stable(c, beta1, beta2))
    while high - low > 1e-10 * high:
        middle = (low + high) / 2
        inside = rho**2 * variance(middle, c, beta1, beta2) < 1
        low, high = (middle, high) if inside else (low, middle)
    return float(high)


def damping_threshold(c: float, beta1: float) -> float:
    """The largest x (normalised momentum) at which that ODE is damped, the paper's condition; inf if at all."""
    return (1 - beta1) / (c - beta1) if c > beta1 else inf


def ode_threshold(c: float, beta1: float, beta2: float) -> float:
    """The largest x (normalised momentum) that the ODE of Remark 2.2 calls stable; inf if it calls all of them so."""
    spread = beta1 + beta2 - 2 * beta1 * beta2
    found = [damping_threshold(c, beta1)]
    if (pull := spread * c - beta1**2 * (1 - beta2)) > 0:
        found.append(spread * (1 - beta1) / pull)
    return min(found)


def ode_stable(x: Any, c: Any, beta1: Any, beta2: Any) -> bool:
    """Routh-Hurwitz for the ODE of Remark 2.2 with f' = lambda theta; x in units of normalised momentum."""
    spread = beta1 + beta2 - 2 * beta1 * beta2
    damped = (1 - beta1) + (beta1 - c) * x > 0
    return bool(x > 0 and damped and x * (spread * c - beta1**2 * (1 - beta2)) < spread * (1 - beta1))


def jury_mismatches(points: int, seed: int) -> tuple[int, int]:
    """(mismatches, points compared) of Jury's conditions and eigenvalues at random settings with |c| up to 2.

    x is log-uniform in [1e-3, 1e3], the betas are uniform in [0, .999]; points within 1e-9 of the boundary are left
    out, where a floating-point eigenvalue cannot tell.
    """
    rng = np.random.default_rng(seed)
    drawn = 10 ** rng.uniform(-3, 3, points), rng.uniform(-2, 2, points), *rng.uniform(0, 0.999, (2, points))
    radius = spectral_radius(*drawn)
    clear = np.abs(radius - 1) > 1e-9
    return int((jury(*drawn)[clear] != (radius[clear] < 1)).sum()), int(clear.sum())


def mean_square_mismatches(points: int, seed: int) -> tuple[int, int]:
    """(mismatches, points compared) of the mean-square criterion and the second-moment operator at random settings.

    Stable iff x < largest_stable and rho^2 V < 1; points within 1e-7 of the operator's boundary are left out.
    """
    rng = np.random.default_rng(seed)
    wrong = compared = 0
    for _ in range(points):
        beta1, beta2, c = rng.uniform(0, 0.99), rng.uniform(0, 0.95), rng.uniform(-0.95, 0.95)
        x, rho = 10 ** rng.uniform(-3, 1), 10 ** rng.uniform(-1, 1)
        radius = mean_square_radius(x, rho, c, beta1, beta2)
        if abs(radius - 1) < 1e-7:
            continue
        compared += 1
        inside = x < largest_stable(c, beta1, beta2)
        wrong += (radius < 1) != (inside and rho**2 * variance(x, c, beta1, beta2) < 1)
    return wrong, compared


def variance_sign_mismatches(points: int, seed: int) -> tuple[int, int]:
    """(mismatches, points compared): without momentum V(c) - V(0) has the sign of -c (1 + beta1 - 2c) where stable."""
    rng = np.random.default_rng(seed)
    c, beta1 = rng.uniform(-2, 2, points), rng.uniform(0, 0.999, points)
    x = 2 * rng.uniform(1e-3, 1, points)  # V(0) needs x < 2
    inside = jury(x, c, beta1, 0.0) & (np.abs(c * (1 + beta1 - 2 * c)) > 1e-9)
    difference = variance(x, c, beta1, 0.0) - variance(x, 0.0, beta1, 0.0)
    agree = np.sign(difference) == -np.sign(c * (1 + beta1 - 2 * c))
    return int((~agree & inside).sum()), int(inside.sum())
