"""The stationary variance of ESGD on a noisy quadratic, simulated, and the c that minimises it."""

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from theory.ledger.evidence import Effort
from theory.simulate.batch import Method, simulate
from theory.stability import linear
from theory.studies.intervals import t_interval

ALPHAS, BETA1, BETA2S = (50.0, 0.0, -5.0, -50.0, -80.0), 0.99, (0.0, 0.9)
SEED, SEEDS, FRACTIONS = 0, 64, np.geomspace(0.005, 0.9, 9)


def _simulated(beta2: float, steps: int) -> list[dict[str, Any]]:
    """At 9 fractions of each alpha's stability limit: the time average of theta^2 over the second half, by seed."""
    rng, rows = np.random.default_rng(SEED), []
    for alpha in ALPHAS:
        # beyond ten times SGD's own limit only the slow average acts: no setting in use lies there
        limit = min(linear.largest_stable(-alpha * (1 - BETA1), BETA1, beta2), 10.0)
        xs = limit * FRACTIONS
        methods = [Method(f"x={x:.3g}", "sgd", alpha, BETA1, beta2, x) for x in xs]
        iterates = simulate(
            methods, lambda theta: theta + rng.standard_normal(theta.shape), np.zeros((SEEDS, 1)), steps=steps, keep=5
        )
        settled = iterates[len(iterates) // 2 :, :, :, 0]
        mean, half = t_interval((settled**2).mean(0).T)
        rows.append({"alpha": alpha, "x": xs, "variance": mean, "half": half})
    return rows


def _best(x: float, beta2: float) -> float:
    """The c in [0, 1) with the smallest V at this x."""

    def cost(c: float) -> float:
        return linear.variance(x, c, BETA1, beta2) if linear.jury(x, c, BETA1, beta2) else np.inf

    grid = np.linspace(0, 0.999, 400)
    start = grid[np.argmin([cost(c) for c in grid])]
    found: Any = minimize_scalar(cost, bounds=(max(0, start - 0.003), min(0.999, start + 0.003)), method="bounded")
    return float(found.x)


def compute(effort: Effort) -> dict[str, Any]:
    """Simulated variances for both beta2, and the minimising c over x (in units of normalised momentum)."""
    steps = 40_000 if effort.thorough else 10_000
    x = np.geomspace(3e-4, 1.5, 40)
    best = [{"beta2": beta2, "x": x, "c": [_best(v / (1 - beta2), beta2) for v in x]} for beta2 in BETA2S]
    panels = [{"beta2": beta2, "curves": _simulated(beta2, steps)} for beta2 in BETA2S]
    config = {"beta1": BETA1, "steps": steps, "fractions": FRACTIONS, "replicas": SEEDS}
    return {"config": config, "seeds": [SEED], "panels": panels, "best": best}
