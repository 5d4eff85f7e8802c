"""A sharp and a flat well of equal depth under noise: the share of time in the flat one, and both exit times."""

from typing import Any

import numpy as np

from theory.ledger.evidence import Effort
from theory.simulate.double_well import Visits, Well, visits
from theory.simulate.rule import Rule
from theory.studies.intervals import t_interval

ALPHAS = (50.0, 20.0, 0.0, -5.0, -20.0, -50.0, -65.0, -80.0)
FAMILIES = (("ESGD", 0.0, None, 0.05), ("EAdam", 0.9, 0.999, 0.0315))
SEED, RESAMPLES = 0, 1000


def _exit_intervals(seen: Visits, rule: int, rng: np.random.Generator) -> dict[str, Any]:
    """Both mean exit times with percentile intervals, by resampling whole seeds."""
    found = {}
    for name, stay, exits in (
        ("sharp", seen.stay_sharp[rule], seen.exits_sharp[rule]),
        ("flat", seen.stay_flat[rule], seen.exits_flat[rule]),
    ):
        drawn = rng.integers(len(stay), size=(RESAMPLES, len(stay)))
        with np.errstate(divide="ignore", invalid="ignore"):
            times = stay[drawn].sum(1) / exits[drawn].sum(1)
            found[f"exit_{name}"] = stay.sum() / exits.sum()
        found[f"exit_{name}_interval"] = np.percentile(times, [2.5, 97.5], method="closest_observation")
    return found


def compute(effort: Effort) -> dict[str, Any]:
    """Occupancy with its interval over seeds and exit times with bootstrap intervals, for ESGD and EAdam."""
    steps, seeds = (1_000_000 if effort.thorough else 300_000), 16
    rng, families = np.random.default_rng(SEED), []
    for label, beta2, beta3, eta in FAMILIES:
        rules = [Rule(alpha, 0.99, beta2, beta3) for alpha in ALPHAS]
        seen = visits(rules, eta=eta, steps=steps, seeds=seeds, seed=SEED)
        rows = []
        for i, alpha in enumerate(ALPHAS):
            mean, half = t_interval(seen.occupancy[i])
            rows.append({"alpha": alpha, "occupancy": mean, "half": half, **_exit_intervals(seen, i, rng)})
        families.append({"label": label, "beta2": beta2, "beta3": beta3, "eta": eta, "rows": rows})
    well = Well()
    config = {"steps": steps, "replicas": seeds, "beta1": 0.99, "barrier": well.barrier, "sigma": well.sigma,
              "widths": [well.sharp, well.flat]}  # fmt: skip
    return {"config": config, "seeds": [SEED], "families": families}
