"""A walk at constant speed through the well -exp(-x^2/2), and the average of gradient differences along it."""

import numpy as np


def crossing(steps: int, beta1: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Walk from 4 leftwards to -3 with ``steps`` steps between the inflections: x, g_k and a_k, each of shape (n,)."""
    x = np.arange(4, -3, -2 / steps)
    g = x * np.exp(-(x**2) / 2)
    a, before, averages = 0.0, 0.0, []
    for now in g:
        a = beta1 * a + (1 - beta1) * (now - before)
        averages.append(a)
        before = now
    return x, g, np.array(averages)


def sign_agreement(steps: int, beta1: float = 0.99) -> tuple[float, float]:
    """Share of steps with |x| < 3 at which a_k has the sign of g_k - g_{k-1}, and of g_k."""
    x, g, a = crossing(steps, beta1)
    inside = np.abs(x) < 3
    difference = np.diff(g, prepend=0.0)
    return float((np.sign(a) == np.sign(difference))[inside].mean()), float((np.sign(a) == np.sign(g))[inside].mean())
