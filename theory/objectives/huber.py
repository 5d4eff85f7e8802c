"""Huber functions: quadratic near the minimiser, linear far from it."""

from collections.abc import Sequence

import numpy as np

from theory.objectives.base import Objective, diagonal
from theory.objectives.by_name import objective


@objective("pseudo-huber")
def pseudo_huber(scale: float = 1.0, dimension: int = 3) -> Objective:
    """Smooth, convex, gradients below the scale, not PL on the line: scale * sum_j (sqrt(1 + theta_j^2) - 1)."""
    return Objective(
        name="pseudo-huber",
        start=np.ones(dimension),
        value=lambda x: scale * (np.sqrt(1 + x**2) - 1).sum(-1),
        gradient=lambda x: scale * x / np.sqrt(1 + x**2),
        hessian=lambda x: diagonal(scale * (1 + x**2) ** -1.5),
        domain=(-10.0, 10.0),
        infimum=0.0,
        minimisers=np.zeros((1, dimension)),
        L=scale,
        slope=scale,
        convex=True,
    )


@objective("huber")
def huber(widths: Sequence[float] = (0.05, 0.2, 0.7)) -> Objective:
    """sum_j of theta_j^2 / 2 within widths_j of 0, continued linearly: the worst functions for gradient descent.

    After N steps of length 1 from 1 the width 1 / (2N + 1) leaves the largest value that an L-smooth convex function
    can (Drori & Teboulle 2014), 1 / (4N + 2).
    """
    w = np.asarray(widths, dtype=float)
    return Objective(
        name="huber",
        start=np.ones(len(w)),
        value=lambda x: np.where(np.abs(x) <= w, x**2 / 2, w * np.abs(x) - w**2 / 2).sum(-1),
        gradient=lambda x: np.clip(x, -w, w),
        hessian=lambda x: diagonal((np.abs(x) <= w).astype(float)),
        domain=(-2.0, 2.0),
        infimum=0.0,
        minimisers=np.zeros((1, len(w))),
        L=1.0,
        slope=float(w.max()),
        convex=True,
    )
