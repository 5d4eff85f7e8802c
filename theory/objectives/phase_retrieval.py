"""Phase retrieval: recover a vector from squared measurements."""

import numpy as np

from theory.objectives.base import FiniteSum, Objective, largest_eigenvalue
from theory.objectives.by_name import objective


@objective("phase-retrieval")
def phase_retrieval(samples: int = 24, dimension: int = 4, seed: int = 0) -> Objective:
    """The mean of ((a_i . theta)^2 - (a_i . theta*)^2)^2 / 4; minimisers theta* and -theta*, a saddle region at 0."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(samples, dimension))
    star = rng.normal(size=dimension)
    star /= np.linalg.norm(star)
    y = (a @ star) ** 2
    high = 2.0
    reach = high * np.abs(a).sum(1)

    def parts(x: np.ndarray) -> np.ndarray:
        product = x @ a.T
        return ((product**2 - y) * product)[..., None] * a

    # A sample's curvature 3 (a . theta)^2 - y lies between -y and 3 reach^2, and y <= reach^2
    return Objective(
        name="phase-retrieval",
        start=np.full(dimension, 0.6),
        value=lambda x: (((x @ a.T) ** 2 - y) ** 2).mean(-1) / 4,
        gradient=lambda x: parts(x).mean(-2),
        hessian=lambda x: np.einsum("rn,ni,nj->rij", 3 * (x @ a.T) ** 2 - y, a, a) / samples,
        domain=(-high, high),
        infimum=0.0,
        minimisers=np.stack([star, -star]),
        L=3 * largest_eigenvalue((a * reach[:, None] ** 2).T @ a / samples),
        slope=float((reach**3 @ np.abs(a)).max() / samples),
        parts=FiniteSum(samples, parts),
    )
