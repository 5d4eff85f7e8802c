"""Three more bounds for ESGD, theta_{k+1} = theta_k - eta m_k with normalised momentum (ours).

All use T_k = b m_k - alpha h_k and the virtual iterate y_k = theta_k - eta T_{k-1}, for which y_{k+1} = y_k - eta g_k
exactly: ESGD is gradient descent that reads its gradient eta T_{k-1} away. t_i are the weights of T, K = sum |t_i|.

    convex      |y_{k+1} - x*|^2 = |y_k - x*|^2 - 2 eta <g_k, theta_k - x*> + 2 eta^2 <g_k, T_{k-1}> + eta^2 |g_k|^2;
                without noise <g, theta - x*> >= f - f* + |g|^2 / 2L, and sum <g_k, T_{k-1}> <= K sum |g_k|^2
    PL          f(y_{k+1}) - f* <= (1 - eta mu)(f(y_k) - f*) - eta/2 (1 - L eta) |D_k|^2 + L^2 eta^3/2 |T_{k-1}|^2
                + L eta^2/2 sigma^2 in expectation; unrolled with weights q^(n-k), q = 1 - eta mu, the |D|^2 pay for
                the |T|^2 if 2 (L eta)^2 K K_q <= 1 - L eta, where K_q = sum |t_i| q^-(i+1)
    regret      Theorem C's chain with H_k = sqrt(k) / eta, which does not decrease
"""

import numpy as np

from theory.method.filters import Filter
from theory.theorems.bounds import Online, regret


def largest_step_convex(F: Filter, L: float) -> float:
    """The largest eta of :func:`convex_average`: 1 / (L (1 + 2 K))."""
    return 1 / (L * (1 + 2 * F.K))


def convex_average(*, eta: float, T: int | np.ndarray, distance2: float) -> float | np.ndarray:
    """A bound of the mean of f(theta_k) - f* over T steps without noise: |theta_1 - x*|^2 / (2 eta T).

    By convexity it also bounds f at the mean of the iterates. f is L-smooth and convex, eta at most
    :func:`largest_step_convex`.
    """
    return distance2 / (2 * eta * T)


def aged(F: Filter, q: float) -> float:
    """K_q = sum |t_i| q^-(i+1), finite for q above both decay rates.

    Raises:
        ValueError: q is not above beta1 and beta2.
    """
    if not max(F.beta1, F.beta2) < q <= 1:
        raise ValueError(f"q = {q} must lie in (max(beta1, beta2), 1] = ({max(F.beta1, F.beta2)}, 1]")
    return float((np.abs(F.t) * q ** -(1.0 + np.arange(len(F.t)))).sum())


def pl_step_allowed(F: Filter, eta: float, L: float, mu: float) -> bool:
    """Whether 2 (L eta)^2 K K_q <= 1 - L eta with q = 1 - eta mu."""
    q = 1 - eta * mu
    return q > max(F.beta1, F.beta2) and 2 * (L * eta) ** 2 * F.K * aged(F, q) <= 1 - L * eta


def largest_step_pl(F: Filter, L: float, mu: float) -> float:
    """The largest eta that :func:`pl_gap` allows, within 1 %."""
    eta = 1 / L
    while not pl_step_allowed(F, eta, L, mu):
        eta *= 0.99
    return eta


def pl_gap(
    F: Filter, *, eta: float, L: float, mu: float, n: int | np.ndarray, gap: float, variance: float
) -> float | np.ndarray:
    """A bound of E f(y_{n+1}) - f* for an L-smooth f with |grad f|^2 >= 2 mu (f - f*) everywhere.

    Args:
        F: the filter.
        eta: at most :func:`largest_step_pl`.
        L: Lipschitz constant of the gradient.
        mu: the PL constant.
        n: steps taken.
        gap: f(theta_1) - f*.
        variance: sigma^2 / n, with batches of n samples.

    Returns:
        (1 - eta mu)^n gap + L eta variance / (2 mu) (1 + 2 L eta tau2).
    """
    return (1 - eta * mu) ** n * gap + L * eta * variance / (2 * mu) * (1 + 2 * L * eta * F.tau2)


def esgd_regret(F: Filter, *, eta: float, T: int | np.ndarray, d: int, G: float, width: float) -> float | np.ndarray:
    """Theorem C for ESGD with eta_k = eta / sqrt(k), clipped to a box of this width: A sqrt(T) + B.

    Half of sum_j D_j^2 H_T is d width^2 sqrt(T) / (2 eta), half of sum eta_k |m_k|^2 at most
    eta d (kappa_m G)^2 sqrt(T), and the age costs K G (sum |theta_k - theta_{k+1}|_1 + d width).
    """
    steps = F.kappa_m * G
    A = d * width**2 / (2 * eta) + eta * d * steps**2 + 2 * F.K * G * eta * d * steps
    return A * np.sqrt(T) + F.K * G * d * width


def regret_curve(online: Online, T: np.ndarray) -> np.ndarray:
    """Theorem C at several T."""
    return np.array([regret(online, int(t)) for t in T])


def displacement(F: Filter, N: np.ndarray) -> np.ndarray:
    """S_N = N - c (1 - beta1^N) / (1 - beta1): how far N steps of E without momentum go under a constant gradient."""
    return N - F.c * (1 - F.beta1**N) / (1 - F.beta1)


def worst_width(S: np.ndarray) -> np.ndarray:
    """The Huber width at which the gap left after a displacement S from 1 is largest."""
    return 1 / (2 * S + 1)


def worst_gap(S: np.ndarray) -> np.ndarray:
    """That gap, with L = 1: 1 / (4 S + 2)."""
    return 1 / (4 * S + 2)
