"""Quadratics of a chosen spectrum."""

from collections.abc import Sequence

import numpy as np

from theory.objectives.base import Objective
from theory.objectives.by_name import objective


@objective("quadratic")
def quadratic(spectrum: Sequence[float] = (0.01, 0.1, 1.0), centre: float = 0.0) -> Objective:
    """sum_j lambda_j (theta_j - centre)^2 / 2, from one unit off the minimiser.

    Raises:
        ValueError: a lambda_j is not positive.
    """
    eigenvalues = np.asarray(spectrum, dtype=float)
    if (eigenvalues <= 0).any():
        raise ValueError(f"spectrum = {spectrum} must be positive: the minimiser is to be unique")
    L = float(eigenvalues.max())
    domain = (centre - 2.0, centre + 2.0)
    return Objective(
        name="quadratic",
        start=np.full(len(eigenvalues), centre + 1.0),
        value=lambda x: (eigenvalues * (x - centre) ** 2).sum(-1) / 2,
        gradient=lambda x: eigenvalues * (x - centre),
        hessian=lambda x: np.broadcast_to(np.diag(eigenvalues), (len(x), len(eigenvalues), len(eigenvalues))),
        domain=domain,
        infimum=0.0,
        minimisers=np.full((1, len(eigenvalues)), centre),
        L=L,
        slope=2 * L,
        pl=float(eigenvalues.min()),
        convex=True,
    )
