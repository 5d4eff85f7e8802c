"""A cosine on a pseudo-Huber bowl: non-convex, many local minima, all constants global."""

import numpy as np
from scipy.optimize import brentq

from theory.objectives.base import Objective, diagonal
from theory.objectives.by_name import objective


@objective("waves")
def waves(amplitude: float = 2.0, dimension: int = 4) -> Objective:
    """sum_j amplitude cos(theta_j) + sqrt(1 + theta_j^2).

    Its gradient is bounded by amplitude + 1 and so is its Hessian: in the sup norm and in the spectral norm.

    Raises:
        ValueError: the amplitude is not above 1, so that 0 would be the minimiser.
    """
    if amplitude <= 1:
        raise ValueError(f"amplitude = {amplitude} must be above 1: else there is no wave to cross")

    def one(x: float) -> float:
        return amplitude * np.cos(x) + np.sqrt(1 + x**2)

    def slope(x: float) -> float:
        return float(x / np.sqrt(1 + x**2) - amplitude * np.sin(x))

    # The slope is negative just above 0 (as amplitude > 1), positive at pi, and has one zero in between
    x_star = float(np.asarray(brentq(slope, 1e-6, np.pi, xtol=1e-15)))
    return Objective(
        name="waves",
        start=np.full(dimension, 9.0),
        value=lambda x: (amplitude * np.cos(x) + np.sqrt(1 + x**2)).sum(-1),
        gradient=lambda x: -amplitude * np.sin(x) + x / np.sqrt(1 + x**2),
        hessian=lambda x: diagonal(-amplitude * np.cos(x) + (1 + x**2) ** -1.5),
        domain=(-15.0, 15.0),
        infimum=dimension * one(x_star),
        minimisers=x_star * np.array([np.ones(dimension), -np.ones(dimension)]),
        L=amplitude + 1,
        slope=amplitude + 1,
    )
