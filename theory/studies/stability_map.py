"""The spectral radius of ESGD on a quadratic over (alpha, x = eta lambda), and its edge, for four pairs of betas."""

from typing import Any

import numpy as np

from theory.ledger.evidence import Effort
from theory.stability import linear

PAIRS = ((0.99, 0.0, 120.0), (0.99, 0.9, 120.0), (0.99, 0.95, 120.0), (0.01, 0.9, 1.4))
"""(beta1, beta2, the largest |alpha| shown)."""


def _edge(alpha: float, beta1: float, beta2: float) -> float:
    """The smallest x whose spectral radius passes 1, by bisection on the eigenvalues; NaN if none does below 1000."""
    c, grid = -alpha * (1 - beta1), np.geomspace(1e-3, 1e3, 400)
    unstable = np.nonzero(linear.spectral_radius(grid, c, beta1, beta2) > 1)[0]
    if len(unstable) == 0 or unstable[0] == 0:
        return np.nan
    good, bad = grid[unstable[0] - 1], grid[unstable[0]]
    for _ in range(40):
        middle = np.sqrt(good * bad)
        good, bad = (good, middle) if linear.spectral_radius(middle, c, beta1, beta2) > 1 else (middle, bad)
    return float(good)


def compute(_: Effort) -> dict[str, Any]:
    """The three roots' largest modulus on a grid, and where it passes 1, from eigenvalues; nothing is random."""
    x = np.geomspace(1e-3, 1e3, 61)
    panels = []
    for beta1, beta2, widest in PAIRS:
        alpha = np.linspace(-widest, widest, 81)
        radius = linear.spectral_radius(x[:, None], -alpha[None, :] * (1 - beta1), beta1, beta2)
        sparse = np.linspace(-widest, widest, 33)
        panels.append({
            "beta1": beta1, "beta2": beta2, "alpha": alpha, "radius": np.round(np.minimum(radius, 9), 4),
            "edge_alpha": sparse, "edge": [_edge(a, beta1, beta2) for a in sparse],
        })  # fmt: skip
    return {"config": {"pairs": PAIRS, "points": [len(x), 81]}, "seeds": [], "x": x, "panels": panels}
