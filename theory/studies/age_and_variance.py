"""The trade-off of age K and kept variance omega2: many settings of E, the best E of each age, and the best filter."""

from typing import Any

import cvxpy as cp
import numpy as np

from theory.ledger.evidence import Effort
from theory.method.filters import Filter

SEED, SETTINGS = 0, 3000
NAMED = ((-5.0, 0.99, 0.9), (0.5, 0.01, 0.9), (-50.0, 0.99, 0.9), (-80.0, 0.99, 0.95), (-20.0, 0.98, 0.9),
         (-50.0, 0.99, 0.99), (5.0, 0.99, 0.9))  # fmt: skip
AGES = (1.0, 2.0, 4.0, 9.0, 19.0, 29.0)


def _best_filter(age: float) -> float:
    """The least sum w^2 over all signed filters with sum w = 1 and sum |t| <= age, by a convex program.

    The optimum is a window that decreases linearly over 3 age + 1 steps, so that a window of 6 age cuts nothing off.
    """
    n = int(6 * age) + 8
    t = cp.Variable(n)
    w = cp.hstack([1 - t[0], t[:-1] - t[1:], t[-1]])
    problem = cp.Problem(cp.Minimize(cp.sum_squares(w)), [cp.norm1(t) <= age])
    problem.solve(solver=cp.CLARABEL)
    w_found = np.asarray(w.value, dtype=float)
    return float((w_found**2).sum())


def compute(effort: Effort) -> dict[str, Any]:
    """Ages and variances of random settings with |c| < 1, of settings in use, and the least variance at some ages."""
    rng = np.random.default_rng(SEED)
    count = SETTINGS if effort.thorough else SETTINGS // 2
    beta1, beta2 = (1 - 10 ** rng.uniform(-2.2, -0.05, count) for _ in range(2))
    c = rng.uniform(-0.95, 0.95, count)
    random = [Filter(-ci / (1 - b1), b1, b2) for ci, b1, b2 in zip(c, beta1, beta2, strict=True)]
    in_use = [Filter(alpha, b1, b2) for alpha, b1, b2 in NAMED]
    named = [{"alpha": F.alpha, "beta1": F.beta1, "beta2": F.beta2, "K": F.K, "omega2": F.omega2} for F in in_use]
    return {
        "config": {"settings": count, "ages": AGES},
        "seeds": [SEED],
        "K": [F.K for F in random],
        "omega2": [F.omega2 for F in random],
        "c": c,
        "named": named,
        "ages": AGES,
        "least": [_best_filter(age) for age in AGES],
    }
