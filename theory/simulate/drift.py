"""Drift along a valley: f(x, y) = s(y) x^2 / 2 with s = e^y, noise on the x-gradient alone.

The noise keeps x^2 > 0, so the y-gradient s x^2 / 2 pushes towards smaller sharpness s. Where x relaxes fast,
dy/dk = -(eta / (1 - beta2)) (sigma^2 / 2) V(eta s) / s with the stationary variance V of theory.stability.linear: since
a constant passes E unchanged, alpha enters through V alone.
"""

from collections.abc import Sequence

import numpy as np

from theory.simulate.rule import Rule, compiled, direction, generators
from theory.stability import linear


@compiled
def _run(rng: np.random.Generator, rule: np.ndarray, eta: float, sigma: float, burn_in: int, every: int, out) -> None:
    x, y = 0.0, 0.0
    across, along = np.zeros(3), np.zeros(3)
    for k in range(1, burn_in + every * (len(out) - 1) + 1):
        s = np.exp(y)
        gx = s * x + sigma * rng.standard_normal()
        gy = s * x * x / 2
        x -= eta * direction(gx, across, rule, k)
        step = eta * direction(gy, along, rule, k)
        if k > burn_in:
            y -= step
            if (k - burn_in) % every == 0:
                out[(k - burn_in) // every] = y


def drift(
    rules: Sequence[Rule],
    *,
    eta: float,
    sigma: float = 0.04,
    steps: int = 20_000,
    burn_in: int = 3000,
    points: int = 100,
    seeds: int = 48,
    seed: int = 0,
) -> np.ndarray:
    """log-sharpness y_k of simulated runs from y = 0, at step 0, steps/points, ..., steps.

    Args:
        rules: settings of ESGD.
        eta: learning rate; the valley-drift study takes .8 (1 - beta2), so rules that differ in beta2 need two calls.
        sigma: standard deviation of the noise on the x-gradient.
        steps: length after the burn-in, a multiple of ``points``.
        burn_in: steps with y held at 0, for x to become stationary.
        points: how many values to keep.
        seeds: number of replicas.
        seed: what the replicas are derived from.

    Returns:
        Shape (rules, seeds, points + 1).

    Raises:
        ValueError: ``steps`` is no multiple of ``points``.
    """
    if points < 1 or steps % points:
        raise ValueError(f"steps = {steps}: allowed are multiples of points = {points}")
    out = np.zeros((len(rules), seeds, points + 1))
    for row, rule in zip(out, rules, strict=True):
        for run, rng in zip(row, generators(seeds, seed), strict=True):
            _run(rng, rule.numbers(), eta, sigma, burn_in, steps // points, run)
    return out


def predicted(rule: Rule, *, eta: float, sigma: float = 0.04, steps: int = 20_000, points: int = 100) -> np.ndarray:
    """The adiabatic prediction of :func:`drift`, by Runge-Kutta; shape (points + 1,).

    Raises:
        ValueError: ``steps`` is no multiple of ``points``.
    """
    if points < 1 or steps % points:
        raise ValueError(f"steps = {steps}: allowed are multiples of points = {points}")
    width, y, out = steps / points, 0.0, [0.0]

    def slope(y: float) -> float:
        s = np.exp(y)
        V = linear.variance(eta * s, rule.c, rule.beta1, rule.beta2)
        return -(eta / (1 - rule.beta2)) * sigma**2 / 2 * V / s

    parts = 10  # Runge-Kutta steps between two kept values
    for _ in range(points):
        for _ in range(parts):
            h = width / parts
            k1 = slope(y)
            k2 = slope(y + h * k1 / 2)
            k3 = slope(y + h * k2 / 2)
            y += h * (k1 + 2 * k2 + 2 * k3 + slope(y + h * k3)) / 6
        out.append(y)
    return np.array(out)
