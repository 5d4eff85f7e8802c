"""A tanh network whose output weights are fixed: smooth, non-convex, with global constants."""

import numpy as np

from theory.objectives.base import FiniteSum, Objective
from theory.objectives.by_name import objective

BEND = 4 / (3 * np.sqrt(3))
"""The largest |tanh''|."""


@objective("tanh-network")
def tanh_network(hidden: int = 3, inputs: int = 2, samples: int = 12, seed: int = 0) -> Objective:
    """The mean of (v . tanh(W x_i) - y_i)^2 / 2 over W, where y_i comes from a teacher W* of the same shape: f* = 0.

    A sample's residual is at most |v|_1 + |y_i|, tanh' at most 1 and tanh'' at most ``BEND``, so its Hessian is at most
    (|v|^2 + (|v|_1 + |y_i|) max|v| BEND) |x_i|^2.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(samples, inputs))
    v = rng.choice([-1.0, 1.0], size=hidden) * rng.uniform(0.5, 1.5, size=hidden)
    star = rng.normal(size=(hidden, inputs))
    y = np.tanh(x @ star.T) @ v
    residual_bound = np.abs(v).sum() + np.abs(y)

    def activations(theta: np.ndarray) -> np.ndarray:
        """Shape (R, samples, hidden)."""
        W = theta.reshape(*theta.shape[:-1], hidden, inputs)
        return np.tanh(np.einsum("nc,...hc->...nh", x, W))

    def parts(theta: np.ndarray) -> np.ndarray:
        a = activations(theta)
        outward = (a @ v - y)[..., None] * v * (1 - a**2)
        return np.einsum("...nh,nc->...nhc", outward, x).reshape(*a.shape[:-1], hidden * inputs)

    def hessian(theta: np.ndarray) -> np.ndarray:
        a = activations(theta)
        slope, residual = v * (1 - a**2), a @ v - y
        bend = residual[..., None] * v * -2 * a * (1 - a**2)
        mixed = slope[..., :, None] * slope[..., None, :] + bend[..., :, None] * np.eye(hidden)
        blocks = np.einsum("rnhk,nc,nd->rhckd", mixed, x, x) / samples
        return blocks.reshape(len(theta), hidden * inputs, hidden * inputs)

    lengths = (x**2).sum(-1)
    return Objective(
        name="tanh-network",
        start=np.full(hidden * inputs, 0.1) + 0.1 * rng.normal(size=hidden * inputs),
        value=lambda theta: ((activations(theta) @ v - y) ** 2).mean(-1) / 2,
        gradient=lambda theta: parts(theta).mean(-2),
        hessian=hessian,
        domain=(-5.0, 5.0),
        infimum=0.0,
        minimisers=star.reshape(1, -1),
        L=float((((v**2).sum() + residual_bound * np.abs(v).max() * BEND) * lengths).mean()),
        slope=float((residual_bound[:, None] * np.abs(x)).mean(0).max() * np.abs(v).max()),
        parts=FiniteSum(samples, parts),
    )
