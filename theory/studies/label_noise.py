"""Label noise on a fitted network: the trace of the Hessian along the run, for several alpha at equal eta."""

from typing import Any

from theory.ledger.effort import Effort
from theory.simulate.label_noise import flatten
from theory.simulate.rule import Rule
from theory.studies.intervals import t_interval

CASES = ((50.0, 0.99), (0.5, 0.01), (0.0, 0.99), (-20.0, 0.99), (-50.0, 0.99), (-80.0, 0.99))
ETA, NOISE, SEED = 0.15, 0.5, 0


def compute(effort: Effort) -> dict[str, Any]:
    """Mean trace with its interval over the noise seeds; after the noise, trace and top eigenvalue of the fit."""
    seeds = 8 if effort.thorough else 4
    rules = [Rule(alpha, beta1) for alpha, beta1 in CASES]
    seen = flatten(rules, eta=ETA, noise=NOISE, seeds=seeds, seed=SEED)
    runs = []
    for i, rule in enumerate(rules):
        trace, trace_half = t_interval(seen.trace[i])
        final, final_half = t_interval(seen.final_trace[i])
        top, top_half = t_interval(seen.final_top[i])
        runs.append({
            "alpha": rule.alpha, "beta1": rule.beta1, "trace": trace, "half": trace_half, "final_trace": final,
            "final_trace_half": final_half, "final_top": top, "final_top_half": top_half,
        })  # fmt: skip
    config = {"eta": ETA, "noise": NOISE, "beta2": 0.0, "noise_sequences": seeds}
    return {"config": config, "seeds": [SEED], "steps": seen.steps, "runs": runs}
