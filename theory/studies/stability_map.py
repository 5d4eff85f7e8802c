"""The spectral radius of ESGD on a quadratic over (alpha, x = eta lambda), for four pairs of retentions."""

from typing import Any

import numpy as np

from theory import stability
from theory.evidence import Effort

PAIRS = ((0.99, 0.0, 120.0), (0.99, 0.9, 120.0), (0.99, 0.95, 120.0), (0.01, 0.9, 1.4))
"""(beta1, beta2, the largest |alpha| shown)."""


def compute(_: Effort) -> dict[str, Any]:
    """The three roots' largest modulus on a grid, from the eigenvalues; nothing is random."""
    x = np.geomspace(1e-3, 1e3, 73)
    panels = []
    for beta1, beta2, widest in PAIRS:
        alpha = np.linspace(-widest, widest, 81)
        c = -alpha * (1 - beta1)
        radius = stability.spectral_radius(x[:, None], c[None, :], beta1, beta2)
        panels.append({"beta1": beta1, "beta2": beta2, "alpha": alpha, "radius": np.round(radius, 4)})
    return {"config": {"pairs": PAIRS, "points": [len(x), 81]}, "seeds": [], "x": x, "panels": panels}
