"""The edge of stability: sharpness of a small network along full-batch training with E(SGD), for several alpha."""

from typing import Any

from theory.ledger.evidence import Effort
from theory.simulate.full_batch import PROBE_EVERY, train
from theory.stability import linear

CASES = ((50.0, 0.99), (0.5, 0.01), (0.0, 0.99), (-5.0, 0.99), (-20.0, 0.99))
ETA = 0.3


def compute(effort: Effort) -> dict[str, Any]:
    """Sharpness every 100 steps, and its mean over the last quarter; full batch, one start, nothing is random."""
    steps, runs = (8000 if effort.thorough else 4000), []
    for alpha, beta1 in CASES:
        seen = train(alpha, beta1, eta=ETA, steps=steps)
        predicted = linear.largest_stable(-alpha * (1 - beta1), beta1, 0.0) / ETA
        settled = {"predicted": predicted, "settled": seen.settled}
        runs.append({"alpha": alpha, "beta1": beta1, **settled, "sharpness": seen.sharpness})
    config = {"eta": ETA, "beta2": 0.0, "steps": steps, "probe_every": PROBE_EVERY}
    return {"config": config, "seeds": [0], "runs": runs}
