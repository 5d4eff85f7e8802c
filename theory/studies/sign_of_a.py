"""Table 1 of the paper against what E sees: whose sign a_k has while a well is crossed at constant speed."""

from typing import Any

import numpy as np

from theory.ledger.evidence import Effort
from theory.simulate.crossing import crossing, sign_agreement

BETA1S = (0.99, 0.9, 0.01)


def compute(_: Effort) -> dict[str, Any]:
    """Agreement of sign(a_k) by the number of steps a crossing takes, and two crossings in full; nothing is random."""
    steps = np.unique(np.geomspace(5, 20_000, 22).astype(int))
    curves = []
    for beta1 in BETA1S:
        shares = np.array([sign_agreement(int(n), beta1) for n in steps])
        curves.append({"beta1": beta1, "difference": shares[:, 0], "gradient": shares[:, 1]})
    paths = []
    for n in (20, 2000):
        x, g, a = crossing(n, 0.99)
        thin = max(1, len(x) // 300)
        paths.append({"steps": n, "x": x[::thin], "gradient": g[::thin], "a": a[::thin] / np.abs(a).max()})
    return {"config": {"beta1": BETA1S}, "seeds": [], "steps": steps, "curves": curves, "paths": paths}
