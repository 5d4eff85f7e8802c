r"""ESGD on smooth convex f as an average of gradient descent's iterates, without noise (ours).

With normalised momentum, theta_{k+1} = theta_k - eta m_k, and y_{k+1} = y_k - eta g_k from y_1 = theta_1 (and y_j =
theta_1 for j < 1), g_k = grad f(theta_k),

    theta_k = sum_j w_j y_{k-j}

with the weights w of E's own filter: theta_{k+1} - theta_k and sum_j w_j (y_{k+1-j} - y_{k-j}) are both -eta m_k. So
ESGD belongs to the methods of primal averaging (Tao et al. 2020; Defazio 2020; schedule-free: Defazio et al. 2024),
with a kernel of two exponentials. Also y_k = theta_k - eta T_{k-1} with T = b m - alpha h, and

    2 eta (f(theta_k) - f*) <= |y_k - x*|^2 - |y_{k+1} - x*|^2 + (eta^2 - eta/L) |g_k|^2 + 2 eta^2 <g_k, T_{k-1}>,

which leaves the last term. Of it, eta <g_k, m_{k-1}> = <g_k, theta_{k-1} - theta_k> <= f(theta_{k-1}) - f(theta_k)
telescopes.

any alpha: 2 |<g_k, alpha h_{k-1}>| <= |alpha| (|g_k|^2 + |h_{k-1}|^2) and sum |h|^2 <= sum |g|^2. What is left of
sum |g|^2 is not positive for eta L (1 + 2 |alpha|) <= 1.

0 <= c < 1: c h_{k-1} = (m_k - beta2 m_{k-1}) / (1 - beta2) - (1 - c) g_k turns <g_k, T_{k-1}> into P <g_k, m_k> -
Q <g_k, m_{k-1}> - (1 - c)/(1 - beta1) |g_k|^2 with P = 1 / ((1 - beta1)(1 - beta2)), Q = beta1 beta2 P. By smoothness

    eta <g_k, m_k> <= f(theta_k) - f(theta_{k+1}) + L eta^2/2 |m_k|^2,
    -eta <g_k, m_{k-1}> <= f(theta_k) - f(theta_{k-1}) + L eta^2/2 |m_{k-1}|^2,

and sum |m|^2 <= sum |g|^2: what is left of it is not positive for eta L <= 2 (1 - c)(1 - beta2) / (1 + beta1 beta2) and
eta L <= 1. With F_k = f(theta_k) - f* the sum over k is

    sum_{k<=T} F_k + P F_{T+1} <= |theta_1 - x*|^2 / (2 eta) + (P - Q) F_1 + Q F_T,

which bounds F_T first, as Q / P = beta1 beta2 < 1, and then the sum.
"""

import numpy as np
from scipy.signal import lfilter

from theory.method.filters import Filter


def largest_step_any(F: Filter, L: float) -> float:
    """The largest eta of :func:`mean_gap_any`: 1 / (L (1 + 2 |alpha|))."""
    return 1 / (L * (1 + 2 * abs(F.alpha)))


def mean_gap_any(F: Filter, *, eta: float, T: int | np.ndarray, distance2: float, gap: float) -> float | np.ndarray:
    """A bound of the mean of f(theta_k) - f* over T steps, for either sign of alpha.

    Args:
        F: the filter.
        eta: at most :func:`largest_step_any`.
        T: steps.
        distance2: |theta_1 - x*|^2.
        gap: f(theta_1) - f*.

    Returns:
        (distance2 / (2 eta) + b gap) / T.
    """
    return (distance2 / (2 * eta) + F.b * gap) / T


def largest_step(F: Filter, L: float) -> float:
    """The largest eta of :func:`mean_gap`: min(1, 2 (1 - c)(1 - beta2) / (1 + beta1 beta2)) / L.

    Raises:
        ValueError: c is not in [0, 1).
    """
    if not 0 <= F.c < 1:
        raise ValueError(f"alpha = {F.alpha} and beta1 = {F.beta1}: c = {F.c} must lie in [0, 1); see largest_step_any")
    return min(1.0, 2 * (1 - F.c) * (1 - F.beta2) / (1 + F.beta1 * F.beta2)) / L


def mean_gap(F: Filter, *, eta: float, T: int | np.ndarray, distance2: float, gap: float) -> float | np.ndarray:
    """A bound of the mean of f(theta_k) - f* over T steps, for 0 <= c < 1.

    Args:
        F: the filter.
        eta: at most :func:`largest_step`.
        T: steps.
        distance2: |theta_1 - x*|^2.
        gap: f(theta_1) - f*.

    Returns:
        (distance2 / (2 eta (1 - beta1 beta2)) + gap / ((1 - beta1)(1 - beta2))) / T.
    """
    rest = 1 - F.beta1 * F.beta2
    return (distance2 / (2 * eta * rest) + gap / ((1 - F.beta1) * (1 - F.beta2))) / T


def last_gap(F: Filter, *, eta: float, distance2: float, gap: float) -> float:
    """A bound of f(theta_k) - f* at every k, under the conditions of :func:`mean_gap`."""
    return gap + distance2 * (1 - F.beta1) * (1 - F.beta2) / (2 * eta * (1 - F.beta1 * F.beta2))


def averages(y: np.ndarray, F: Filter) -> np.ndarray:
    """The sums sum_j w_j y_{k-j} for each k, with y_j = y_1 for j < 1; y of shape (T, ...)."""
    return y[0] + lfilter(F.w, [1.0], y - y[0], axis=0)
