"""Rosenbrock's curved valley."""

import numpy as np

from theory.objectives.base import Objective
from theory.objectives.by_name import objective


@objective("rosenbrock")
def rosenbrock() -> Objective:
    """(1 - x)^2 + 100 (y - x^2)^2 from (-1.5, 2); the constants hold on [-2, 2]^2."""

    def gradient(theta: np.ndarray) -> np.ndarray:
        x, y = theta[..., 0], theta[..., 1]
        return np.stack([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)], -1)

    def hessian(theta: np.ndarray) -> np.ndarray:
        x, y = theta[..., 0], theta[..., 1]
        return np.stack([
            np.stack([1200 * x**2 - 400 * y + 2, -400 * x], -1),
            np.stack([-400 * x, np.full_like(x, 200.0)], -1),
        ], -2)  # fmt: skip

    # On the square the entries are at most 5602, 800 and 200 in size: the spectral norm is at most that of the bounds
    bounds = np.array([[5602.0, 800.0], [800.0, 200.0]])
    return Objective(
        name="rosenbrock",
        start=np.array([-1.5, 2.0]),
        value=lambda theta: (1 - theta[..., 0]) ** 2 + 100 * (theta[..., 1] - theta[..., 0] ** 2) ** 2,
        gradient=gradient,
        hessian=hessian,
        domain=(-2.0, 2.0),
        infimum=0.0,
        minimisers=np.ones((1, 2)),
        L=float(np.linalg.norm(bounds, 2)),
        slope=6 + 800 * 6,
    )
