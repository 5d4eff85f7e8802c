"""The hinge loss on separable data: convex, not smooth."""

import numpy as np

from theory.objectives.base import FiniteSum, Objective
from theory.objectives.by_name import objective


@objective("hinge")
def hinge(samples: int = 24, dimension: int = 3, seed: int = 0) -> Objective:
    """The mean of max(0, 1 - y_i a_i . theta), with a margin of 1 at a known theta*, so that f* = 0."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(samples, dimension))
    star = np.full(dimension, 2.0)
    y = np.sign(a @ star)
    margins = np.abs(a @ star)
    a[margins < 1] *= 1 / margins[margins < 1, None]
    signed = y[:, None] * a

    def parts(x: np.ndarray) -> np.ndarray:
        return -(x @ signed.T < 1).astype(float)[..., None] * signed

    return Objective(
        name="hinge",
        start=np.zeros(dimension),
        value=lambda x: np.maximum(0, 1 - x @ signed.T).mean(-1),
        gradient=lambda x: parts(x).mean(-2),
        hessian=lambda x: np.zeros((len(x), dimension, dimension)),
        domain=(-4.0, 4.0),
        infimum=0.0,
        minimisers=np.stack([star, 2 * star]),
        L=None,
        slope=float(np.abs(a).mean(0).max()),
        convex=True,
        parts=FiniteSum(samples, parts),
    )
