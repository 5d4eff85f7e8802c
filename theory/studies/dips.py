"""Crossing a narrow dip: the share of noisy runs that cross it by depth, and the first depth that stops a run."""

from typing import Any

import numpy as np

from theory.ledger.evidence import Effort
from theory.simulate.dips import Dip, crosses, first_failure
from theory.simulate.rule import Rule
from theory.studies.intervals import wilson_interval

ALPHAS = (50.0, 5.0, 0.0, -5.0, -20.0, -50.0, -80.0, -90.0)
FAMILIES = (
    # label, beta2, beta3, eta without noise, as in the notes' table
    ("ESGD, momentum .9", 0.9, None, 5e-4),
    ("ESGD, no momentum", 0.0, None, 5e-3),
    ("EAdam", 0.9, 0.99, 5e-3),
)
SIGMA, SEED = 1.0, 0


FACTORS = np.linspace(0.5, 1.7, 25)
"""Depths at which noisy runs are tried, in units of the first depth that stops a run without noise."""


def compute(effort: Effort) -> dict[str, Any]:
    """First failing depth of each alpha without noise; with noise, the share that crosses with Wilson's interval."""
    seeds, families = (200 if effort.thorough else 60), []
    for label, beta2, beta3, eta in FAMILIES:
        rows = []
        for alpha in ALPHAS:
            rule = Rule(alpha, 0.99, beta2, beta3)
            depth = first_failure(rule, eta=eta)
            passed = crosses([rule], depth * FACTORS, eta=eta, sigma=SIGMA, seeds=seeds, seed=SEED)[0].sum(-1)
            low, high = wilson_interval(passed, seeds)
            rows.append({"alpha": alpha, "first_failure": depth, "share": passed / seeds, "low": low, "high": high})
        families.append({"label": label, "beta2": beta2, "beta3": beta3, "eta": eta, "rows": rows})
    config = {"sigma": SIGMA, "replicas": seeds, "steps": 4000, "beta1": 0.99, "width": Dip().width}
    return {"config": config, "seeds": [SEED], "factor": FACTORS, "families": families}
