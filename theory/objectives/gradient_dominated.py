"""Polyak-Lojasiewicz functions, |grad f|^2 >= 2 mu (f - f*), that are not strongly convex."""

import numpy as np

from theory.objectives.base import FiniteSum, Objective, diagonal
from theory.objectives.by_name import objective


@objective("pl-sine")
def pl_sine(dimension: int = 3) -> Objective:
    """sum_j theta_j^2 + 3 sin^2(theta_j): not convex, mu = 1/32 and L = 8 (Karimi, Nutini & Schmidt 2016)."""
    high = 10.0
    return Objective(
        name="pl-sine",
        start=np.full(dimension, 4.0),
        value=lambda x: (x**2 + 3 * np.sin(x) ** 2).sum(-1),
        gradient=lambda x: 2 * x + 3 * np.sin(2 * x),
        hessian=lambda x: diagonal(2 + 6 * np.cos(2 * x)),
        domain=(-high, high),
        infimum=0.0,
        minimisers=np.zeros((1, dimension)),
        L=8.0,
        slope=2 * high + 3,
        pl=1 / 32,
    )


@objective("pl-valley")
def pl_valley(rows: int = 3, dimension: int = 6, seed: int = 0) -> Objective:
    """Least squares with fewer equations than unknowns: |A theta - y|^2 / 2n, flat along A's kernel.

    Its mu is the least positive eigenvalue of A^T A / n. Every solution of A theta = y is a minimiser.

    Raises:
        ValueError: as many equations as unknowns, or more.
    """
    if rows >= dimension:
        raise ValueError(f"rows = {rows} must be below dimension = {dimension}: else nothing is flat")
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(rows, dimension))
    point = rng.normal(size=dimension)
    y, H = A @ point, A.T @ A / rows
    kernel = np.linalg.svd(A)[2][rows:]
    eigenvalues = np.linalg.eigvalsh(A @ A.T / rows)
    reach = np.abs(A).sum(1) * 5 + np.abs(y)
    return Objective(
        name="pl-valley",
        start=np.zeros(dimension),
        value=lambda x: ((x @ A.T - y) ** 2).sum(-1) / (2 * rows),
        gradient=lambda x: (x @ A.T - y) @ A / rows,
        hessian=lambda x: np.broadcast_to(H, (len(x), dimension, dimension)),
        domain=(-5.0, 5.0),
        infimum=0.0,
        minimisers=point + np.concatenate([np.zeros((1, dimension)), kernel]),
        L=float(eigenvalues[-1]),
        slope=float((reach @ np.abs(A)).max() / rows),
        pl=float(eigenvalues[0]),
        convex=True,
        parts=FiniteSum(rows, lambda x: (x @ A.T - y)[..., None] * A),
    )
