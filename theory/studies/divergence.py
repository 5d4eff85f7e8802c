"""Divergence inside |alpha| < 1/(1 - beta1): the loss of a small network with momentum .9 near the cliff."""

from typing import Any

import numpy as np

from theory.ledger.evidence import Effort
from theory.simulate.full_batch import train
from theory.stability import linear

ALPHAS, BETA1, BETA2, ETA = (0.0, -91.0, -93.0, -95.0), 0.99, 0.9, 0.03


def compute(effort: Effort) -> dict[str, Any]:
    """Loss at log-spaced steps, and the sharpness that each alpha can bear; full batch, one start, no randomness."""
    steps, runs = (20_000 if effort.thorough else 8000), []
    for alpha in ALPHAS:
        seen = train(alpha, BETA1, eta=ETA, beta2=BETA2, steps=steps)
        at = np.unique(np.geomspace(1, len(seen.loss), 200).astype(int))
        finite = [value for value in seen.sharpness if np.isfinite(value)]
        runs.append({
            "alpha": alpha,
            "bears": linear.largest_stable(-alpha * (1 - BETA1), BETA1, BETA2) / ETA,
            "sharpness": finite[-1] if np.isfinite(seen.loss[-1]) and seen.loss[-1] < 1 else None,
            "step": at,
            "loss": [seen.loss[k - 1] for k in at],
        })  # fmt: skip
    config = {"eta": ETA, "beta1": BETA1, "beta2": BETA2, "steps": steps}
    return {"config": config, "seeds": [0], "runs": runs}
