"""Flattening along a valley: log-sharpness under noise, simulated and predicted, at equal eta."""

from typing import Any

from theory.ledger.evidence import Effort
from theory.simulate.drift import drift, predicted
from theory.simulate.rule import Rule
from theory.studies.intervals import t_interval

CASES = ((50.0, 0.99), (0.5, 0.01), (0.0, 0.99), (-5.0, 0.99), (-20.0, 0.99), (-50.0, 0.99), (-80.0, 0.99))
BETA2S, SIGMA, SEED, SEEDS = (0.0, 0.9), 0.04, 0, 48


def compute(effort: Effort) -> dict[str, Any]:
    """Mean y_k with its interval over 48 seeds, beside the adiabatic prediction, with and without momentum."""
    steps, points = (20_000 if effort.thorough else 8000), 40
    panels = []
    for beta2 in BETA2S:
        eta = 0.8 * (1 - beta2)
        rules = [Rule(alpha, beta1, beta2) for alpha, beta1 in CASES]
        seen = drift(rules, eta=eta, sigma=SIGMA, steps=steps, points=points, seeds=SEEDS, seed=SEED)
        curves = []
        for rule, runs in zip(rules, seen, strict=True):
            mean, half = t_interval(runs)
            theory = predicted(rule, eta=eta, sigma=SIGMA, steps=steps, points=points)
            curves.append({"alpha": rule.alpha, "beta1": rule.beta1, "mean": mean, "half": half, "predicted": theory})
        panels.append({"beta2": beta2, "eta": eta, "curves": curves})
    config = {"sigma": SIGMA, "steps": steps, "points": points, "replicas": SEEDS}
    return {"config": config, "seeds": [SEED], "panels": panels}
