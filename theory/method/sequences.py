"""E's recursions on a sequence of gradients, in any arithmetic: Fraction, float, numpy array or sympy expression.

Exact rationals make a property an equality instead of a tolerance; symbols make it an identity. All sequences start
from zero and are lists indexed from k = 1 at position 0.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

Number = TypeVar("Number")


def average(xs: Sequence[Number], beta: Any) -> list[Number]:
    """The exponential moving average y_k = beta y_{k-1} + (1 - beta) x_k with y_0 = 0."""
    averages: list[Any] = []
    y: Any = 0
    for x in xs:
        y = beta * y + (1 - beta) * x
        averages.append(y)
    return averages


def differences(xs: Sequence[Number]) -> list[Number]:
    """x_k - x_{k-1} with x_0 = 0."""
    previous: Any = 0
    steps: list[Any] = []
    for x in xs:
        steps.append(x - previous)
        previous = x
    return steps


def exploration(gs: Sequence[Number], beta1: Any) -> list[Number]:
    """The paper's a_k = beta1 a_{k-1} + (1 - beta1) (g_k - g_{k-1}), literally: an average of differences."""
    return average(differences(gs), beta1)


def explored(gs: Sequence[Number], alpha: Any, beta1: Any) -> list[Number]:
    """The paper's u_k = g_k + alpha a_k. ``alpha`` may be a number or a function of k = 1, 2, ..."""
    at = alpha if isinstance(alpha, Callable) else lambda _: alpha
    return [g + at(k) * a for k, (g, a) in enumerate(zip(gs, exploration(gs, beta1), strict=True), start=1)]


def explored_by_slow_average(gs: Sequence[Number], alpha: Any, beta1: Any) -> list[Number]:
    """The one-buffer form u_k = (1 - c) g_k + c h_{k-1} with c = -alpha (1 - beta1)."""
    c = -alpha * (1 - beta1)
    before = [0, *average(gs, beta1)]
    return [(1 - c) * g + c * h for g, h in zip(gs, before, strict=False)]


def accumulated(xs: Sequence[Number], beta: Any) -> list[Number]:
    """Algorithm 3's unnormalised momentum m_k = beta m_{k-1} + x_k."""
    totals: list[Any] = []
    m: Any = 0
    for x in xs:
        m = beta * m + x
        totals.append(m)
    return totals


def transport(gs: Sequence[Number], alpha: Any, beta1: Any, beta2: Any) -> list[Number]:
    """T_k = b m_k - alpha h_k with b = beta2 / (1 - beta2): how far the average m_k lags behind the sum of g."""
    b = beta2 / (1 - beta2)
    ms = average(explored(gs, alpha, beta1), beta2)
    return [b * m - alpha * h for m, h in zip(ms, average(gs, beta1), strict=True)]


def impulse_response(of: Callable[[list[float]], list[float]], length: int) -> np.ndarray:
    """The weights w_0, w_1, ... of a linear filter: its answer to 1, 0, 0, ...; shape (length,)."""
    return np.array(of([1.0] + [0.0] * (length - 1)))
