"""Study 6: E-Adam's floor in the batch size.

f = delta (sqrt(1 + x^2) - 1) with rare large noise of one sign: the normalisation weighs the rare large gradients less,
so the expected direction does not vanish where the gradient does, and the iterate settles beside the minimiser.
Theorem N bounds the floor by a multiple of 1 / batch. How it really falls depends on the noise: the displacement comes
from the third cumulant of the batch's mean, which is 1 / batch beside its variance, so that for one and the same noise
and eta -> 0 the squared gradient falls like 1 / batch^2.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from theory import bounds
from theory.objectives.noise import Skewed
from theory.rates import fit, runner
from theory.rates.records import (
    FULL_SEEDS,
    QUICK_SEEDS,
    Cell,
    Outcome,
    Prediction,
    Subject,
    bound_over,
    curve,
    plain,
    row,
)
from theory.rates.settings import Setting

NAME = "batch"
TITLE = "E-Adam's floor in skewed noise falls with the batch, at least like 1 / batch"
DELTA = 0.1
NOISE = Skewed(0.9, 0.1)
START = 0.3
ALPHAS = (-0.5, 0.0, 0.5)
G = DELTA + NOISE.bound


def cells(full: bool) -> list[Cell]:
    """One."""
    seeds = FULL_SEEDS if full else QUICK_SEEDS
    last, eta = (1_000_000, 1e-4) if full else (50_000, 2e-3)
    batches = (1, 4, 16, 64, 256, 1024) if full else (1, 4, 16, 64, 256)
    settings = [Setting("EAdam", alpha, 0.5, beta2=0.0, beta3=0.5, eps=(0.01, 1.0, 1.0), eta=eta) for alpha in ALPHAS]
    config = {"settings": plain(settings), "batches": batches, "steps": last, "from": last // 2, "delta": DELTA,
              "window": (16, batches[-1]), "tolerance": 0.05}  # fmt: skip
    return [Cell("eadam", config, seeds, partial(_run, settings, batches, last, seeds))]


def _run(
    settings: list[Setting], batches: Sequence[int], last: int, seeds: Sequence[int], done: Callable[[int], None]
) -> Outcome:
    field, start = runner.pseudo_huber(DELTA, 1), np.array([START])
    f = field.objective
    gap, first = float(f.value(start[None])[0]), float((f.gradient(start[None]) ** 2).sum())
    floors, averages = [], []
    for b in batches:
        run = runner.descend(
            field, settings, checkpoints=np.array([last // 2, last]), seeds=seeds, noise=NOISE, batch=b, start=start,
            done=done,
        )  # fmt: skip
        averages.append(run.gradient[1])
        floors.append(2 * run.gradient[1] - run.gradient[0])
    floor, average = np.stack(floors, -1), np.stack(averages, -1)
    x, window = np.array(batches), (16, batches[-1])
    rows, curves = [], []
    for s, setting in enumerate(settings):
        tracking, Q = bounds.tracking_by_filter(setting.filter), setting.preconditioner(G, 1)
        proved = setting.eta <= bounds.largest_step(tracking, Q, DELTA)
        bound = np.array([
            bounds.mean_square_gradient(
                tracking, Q, eta=setting.eta, T=last, gap=gap, first=first, variance=NOISE.sigma**2 / b
            )
            for b in batches
        ])  # fmt: skip
        subject = Subject(NAME, "pseudo-Huber, skewed noise", setting)
        rows.append(row(
            subject, "exponent in the batch of the floor of |grad f|^2", Prediction(-1, "<=", setting.theorem_n, 0.05),
            fit.exponent(x, floor[s], window), window=window, window_of="batch", n_seeds=len(seeds),
            bound=bound_over(bound, average[s].mean(0), proved=proved),
        ))  # fmt: skip
        axes = ("batch", "floor of |grad f|^2 over delta^2")
        scaled = floor[s] / DELTA**2
        curves.append(curve(subject, rows[-1], axes, x, scaled, bound=bound / DELTA**2))
    return rows, curves
