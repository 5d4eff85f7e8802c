"""Mean-square stability under multiplicative noise: where the exact second-moment operator reaches radius 1."""

from typing import Any

import numpy as np
from scipy.optimize import root_scalar

from theory.ledger.evidence import Effort
from theory.stability import linear

CASES = ((50.0, 0.99), (0.5, 0.01), (0.0, 0.99), (-5.0, 0.99), (-50.0, 0.99), (-80.0, 0.99))
BETA2S = (0.0, 0.9)


def _critical(x: float, c: float, beta1: float, beta2: float) -> float:
    """The rho at which the spectral radius of the second-moment operator is 1, at an x that is stable without noise."""

    def excess(log_rho: float) -> float:
        return linear.mean_square_radius(x, np.exp(log_rho), c, beta1, beta2) - 1

    low, high = np.log(1e-4), np.log(1e4)
    return float(np.exp(root_scalar(excess, bracket=(low, high), method="brentq", xtol=1e-6).root))


def compute(_: Effort) -> dict[str, Any]:
    """For each case and x a critical rho from the 9 x 9 operator, without the formula for V; nothing is random."""
    panels = []
    for beta2 in BETA2S:
        curves = []
        for alpha, beta1 in CASES:
            c = -alpha * (1 - beta1)
            limit = linear.largest_stable(c, beta1, beta2)
            x = limit * np.array([0.02, 0.1, 0.25, 0.45, 0.65, 0.8, 0.92, 0.98])
            rho = [_critical(v, c, beta1, beta2) for v in x]
            curves.append({"alpha": alpha, "beta1": beta1, "limit": limit, "x": x, "rho": rho})
        panels.append({"beta2": beta2, "curves": curves})
    return {"config": {"cases": CASES, "beta2": BETA2S}, "seeds": [], "panels": panels}
