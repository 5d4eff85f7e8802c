"""The squared cardioid of the paper's figure 1: a closed valley whose floor is the cardioid."""

import numpy as np

from theory.objectives.base import Objective, outer
from theory.objectives.by_name import objective


@objective("cardioid")
def cardioid() -> Objective:
    """F^2 with F = (r^2 - x)^2 - r^2; every point of the cardioid r = 1 + cos(angle) is a minimiser.

    Across the valley f has the curvature 2 |grad F|^2, from 0 at the cusp to 128 at (2, 0).
    """

    def parts(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """F, its gradient and its Hessian."""
        x, y = theta[..., 0], theta[..., 1]
        q = x**2 + y**2 - x
        qx, qy = 2 * x - 1, 2 * y
        F = q**2 - x**2 - y**2
        gradient = np.stack([2 * q * qx - 2 * x, 2 * q * qy - 2 * y], -1)
        hessian = np.stack([
            np.stack([2 * qx**2 + 4 * q - 2, 2 * qx * qy], -1),
            np.stack([2 * qx * qy, 2 * qy**2 + 4 * q - 2], -1),
        ], -2)  # fmt: skip
        return F, gradient, hessian

    def gradient(theta: np.ndarray) -> np.ndarray:
        F, F1, _ = parts(theta)
        return 2 * F[..., None] * F1

    def hessian(theta: np.ndarray) -> np.ndarray:
        F, F1, F2 = parts(theta)
        return 2 * outer(F1) + 2 * F[..., None, None] * F2

    # On [-2.5, 2.5]^2: -1/4 <= q <= 15, |q_x| <= 6, |q_y| <= 5, so |F| <= 225, |F_x| <= 185, |F_y| <= 155, and the
    # entries of F's Hessian are at most 130, 60 and 108 in size
    L = 2 * (185**2 + 155**2) + 2 * 225 * float(np.linalg.norm([[130, 60], [60, 108]], 2))
    angles = np.linspace(-3, 3, 13)
    radius = 1 + np.cos(angles)
    return Objective(
        name="cardioid",
        start=np.array([0.5, 1.6]),
        value=lambda theta: parts(theta)[0] ** 2,
        gradient=gradient,
        hessian=hessian,
        domain=(-2.5, 2.5),
        infimum=0.0,
        minimisers=np.stack([radius * np.cos(angles), radius * np.sin(angles)], -1),
        L=L,
        slope=2 * 225 * 185,
    )
