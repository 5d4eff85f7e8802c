"""What the worst cases are conjectured to be (ours), and the lower bounds among these, which are attained.

Smooth convex: a Huber function, whose gradient is constant along the run, gives 1/(4 eta S_N + 2), and a quadratic of
curvature l gives l p_N(l)^2 / 2. Both are functions of the class, so that their maximum is a lower bound for every
setting. That nothing is worse is the conjecture.
"""

from fractions import Fraction
from typing import Any

import numpy as np

from theory.worst_case.method import Method


def huber(method: Method) -> Any:
    """1/(4 eta S_N + 2); a Fraction for an exact method."""
    return 1 / (4 * method.total_displacement() + 2)


def huber_run(method: Method) -> Fraction:
    """f(x_N) by running the method, in exact arithmetic, on the Huber function that attains :func:`huber`.

    f has slope d = 1/(2 eta S_N + 1) beyond |x| = d and is x^2/2 within, and the run starts at 1.
    """
    exact = method.exact()
    d = 1 / (2 * exact.total_displacement() + 1)
    gradients: list[Fraction] = []
    x = Fraction(1)
    for row in exact.displacement()[1:]:
        gradients.append(max(-d, min(d, x)))
        x = 1 - sum((w * g for w, g in zip(row, gradients, strict=False)), Fraction(0))
    return x * x / 2 if abs(x) <= d else d * abs(x) - d * d / 2


def quadratic(method: Method, *, points: int = 2001) -> tuple[Any, Any]:
    """(max l p_N(l)^2 / 2, its l) over ``points`` equidistant curvatures in [0, 1]: never above the maximum.

    For an exact method the value is that of the best grid point, in exact arithmetic.
    """
    grid = np.linspace(0, 1, points)
    best = int(np.argmax(grid * method.floats().residual(grid) ** 2 / 2))
    l = Fraction(best, points - 1) if isinstance(method.c, Fraction) else grid[best]
    return l * method.residual(l) ** 2 / 2, l


def smooth_convex(method: Method) -> Any:
    """The conjecture for f(x_N) - f* over smooth convex functions with |x_0 - x*| <= 1."""
    return max(huber(method), quadratic(method)[0])


def smooth_nonconvex(method: Method) -> Any:
    """The conjecture 4 / sum_k w_k (4 - w_k), w_k = 1 - c beta1^k, for the smallest |g_k|^2, k = 0 ... N.

    For f(x_0) - f(x_N) <= 1, eta = 1, beta2 = 0 and c >= 0; at c = 0 it is 4/(3N), gradient descent's.

    Raises:
        ValueError: the method has momentum, eta other than 1 or c < 0, where the form is not meant to hold.
    """
    if method.beta2 != 0 or method.eta != 1 or method.c < 0:
        raise ValueError(f"{method}: allowed are beta2 = 0, eta = 1 and c >= 0")
    weights = [1 - method.c * method.beta1**k for k in range(method.N)]
    return 4 / sum(w * (4 - w) for w in weights)
