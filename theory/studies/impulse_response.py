"""The weights of past gradients in the momentum, measured: an impulse through the literal recursion."""

from typing import Any

import numpy as np

from theory.ledger.evidence import Effort
from theory.method.algorithms import ESGD

BETA1, BETA2, LENGTH = 0.99, 0.9, 400
ALPHAS = (0.0, -5.0, -50.0, -90.0)


def compute(_: Effort) -> dict[str, Any]:
    """The normalised m after an impulse, 400 steps; nothing is random."""
    curves = []
    for alpha in ALPHAS:
        optimizer = ESGD(alpha, BETA1, BETA2)
        theta = optimizer.init([np.zeros((1, 1))])
        weights = []
        for k in range(LENGTH):
            optimizer.step(theta, [np.full((1, 1), float(k == 0))], 0.0)
            weights.append((1 - BETA2) * optimizer.m[0][0, 0])
        curves.append({"alpha": alpha, "weights": weights})
    config = {"beta1": BETA1, "beta2": BETA2, "length": LENGTH}
    return {"config": config, "seeds": [], "curves": curves}
