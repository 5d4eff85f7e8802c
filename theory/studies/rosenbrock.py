"""The paper's figure 1 on Rosenbrock's valley, with controls: the loss by step, and when it is below 1e-6."""

from typing import Any

import numpy as np

from theory.ledger.effort import Effort
from theory.objectives.rosenbrock import rosenbrock
from theory.simulate.batch import Method, simulate

STEPS, TARGET = 5000, 1e-6
ALPHAS = (0.0, 50.0, -5.0, -20.0, -50.0, -80.0, -90.0)

FAMILIES = {
    "sgd": [
        *(Method(f"ESGD({a:+g})" if a else "SGD", "sgd", a, 0.99, 0.9, 1e-3) for a in ALPHAS),
        Method("heavy ball(.99), eta/10", "sgd", 0.0, 0.99, 0.99, 1e-4),
    ],
    "adam": [
        *(Method(f"EAdam({a:+g})" if a else "Adam", "adam", a, 0.99, 0.9, 0.01, beta3=0.999) for a in ALPHAS),
        Method("Adam, eta/.95", "adam", 0.0, 0.99, 0.9, 0.01 / 0.95, beta3=0.999),
        Method("Adam, 5 eta", "adam", 0.0, 0.99, 0.9, 0.05, beta3=0.999),
        Method("Adam(.99)", "adam", 0.0, 0.99, 0.99, 0.01, beta3=0.999),
    ],
}


def compute(_: Effort) -> dict[str, Any]:
    """Loss at log-spaced steps and the first step below the target, for ESGD and EAdam; nothing is random."""
    f = rosenbrock()
    at = np.unique(np.geomspace(1, STEPS, 120).astype(int))
    families = {}
    for name, methods in FAMILIES.items():
        iterates = simulate(methods, f.gradient, f.start[None], steps=STEPS)[:, :, 0]
        loss = f.value(iterates)
        rows = []
        for i, method in enumerate(methods):
            below = np.nonzero(loss[:, i] < TARGET)[0]
            hit = int(below[0]) if len(below) else None
            path = iterates[np.unique(np.geomspace(1, 2000, 90).astype(int)) - 1, i]
            rows.append({"label": method.label, "alpha": method.alpha, "hit": hit, "loss": loss[at, i], "path": path})
        families[name] = rows
    return {"config": {"steps": STEPS, "target": TARGET, "start": f.start}, "seeds": [], "step": at, **families}
