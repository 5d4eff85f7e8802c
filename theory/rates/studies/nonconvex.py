"""Study 5: non-convex, with noise: eta ~ T^(-1/2) at batch 1, and batch ~ T at constant eta.

Either way an accuracy eps^2 of the mean squared gradient costs of the order eps^-4 samples: the first needs T, the
second T^2 of them.

Every run starts where the curvature is negative, -1.9 in one coordinate and -0.7 in the other, and has to leave that
region through an inflection, from either side, before it comes to the basin of a minimiser; the noise is of the size of
the gradient there, so that at batch 1 a run may also come to another basin.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from theory.objectives.noise import Sign
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
from theory.rates.settings import GRID, METHODS, QUICK, Setting
from theory.theorems import bounds

NAME = "nonconvex"
TITLE = "non-convex with noise: slope -1/2 with eta ~ T^(-1/2), slope -1 with batch ~ T, eps^-4 samples"
AMPLITUDE, DIMENSION = 2.0, 2
START = (6.0, 1.0)
"""Inflections of a coordinate's term lie at 1.48, 4.72 and 7.86; between the last two and below 1.48 it is concave."""
NOISE = Sign(1.0)
L = G = AMPLITUDE + 1.0
PRACTICAL = 0.05
"""eta at the smallest T for the methods that no theorem covers at batch 1."""
SCALES = "no theorem: a bowl in symmetric noise"


def cells(full: bool) -> list[Cell]:
    """Batch 1, and batch T."""
    pairs, seeds = (GRID, FULL_SEEDS) if full else (QUICK, QUICK_SEEDS)
    settings = [Setting(method, *pair) for method in METHODS for pair in pairs]
    ends = (1_000, 1_000_000) if full else (1_000, 100_000)
    single = runner.log_spaced(*ends, 7 if full else 5)
    many = runner.log_spaced(100, 316_228, 8) if full else runner.log_spaced(100, 31_623, 6)
    each = len(settings) * len(seeds) * DIMENSION
    fixed = {"settings": plain(settings), "amplitude": AMPLITUDE, "dimension": DIMENSION, "start": START}
    return [
        Cell(
            "single", {**fixed, "T": single.tolist(), "window": (10_000, ends[1]), "tolerance": 0.05}, seeds,
            partial(_single, settings, single, seeds), each * int(single.sum()),
        ),
        Cell(
            "batches", {**fixed, "T": many.tolist(), "window": _late(many), "tolerance": 0.05}, seeds,
            partial(_batches, settings, many, seeds), each * int(many.sum()),
        ),
    ]  # fmt: skip


def _late(Ts: np.ndarray) -> tuple[float, float]:
    """The last decade.

    The slowest setting (EAdam, ALTO) has eta L / W = 0.0018: only after some 5,000 steps is it long past its start.
    """
    return float(Ts[-1]) / 10.001, float(Ts[-1])


def _problem() -> tuple[runner.Field, np.ndarray, float, float]:
    """The objective, theta_1, f(theta_1) - f* and |grad f(theta_1)|^2."""
    field = runner.waves(AMPLITUDE, DIMENSION)
    start = np.array(START)
    f = field.objective
    gap = float(f.value(start[None])[0]) - f.infimum
    return field, start, gap, float((f.gradient(start[None]) ** 2).sum())


def _bounds(setting: Setting) -> tuple[bounds.Tracking, bounds.Preconditioner]:
    return bounds.tracking_by_filter(setting.filter), setting.preconditioner(G + NOISE.bound, DIMENSION)


def _single(settings: list[Setting], Ts: np.ndarray, seeds: Sequence[int], done: Callable[[int], None]) -> Outcome:
    field, start, gap, _ = _problem()
    largest = [bounds.largest_step_small_batch(s.filter, L) if s.method == "ESGD" else PRACTICAL for s in settings]
    squares, etas = [], np.array(largest)[:, None] * np.sqrt(Ts[0] / Ts)
    for t, T in enumerate(Ts):
        now = [replace(setting, eta=float(eta)) for setting, eta in zip(settings, etas[:, t], strict=True)]
        run = runner.descend(field, now, checkpoints=np.array([T]), seeds=seeds, noise=NOISE, start=start, done=done)
        squares.append(run.gradient[0])
    found, window = np.stack(squares, -1), (10_000, float(Ts[-1]))
    rows, curves = [], []
    for s, setting in enumerate(settings):
        covered = setting.method == "ESGD"
        bound = np.array([
            bounds.mean_square_gradient_small_batch(
                setting.filter, L=L, eta=eta, T=int(T), gap=gap, variance=DIMENSION * NOISE.sigma**2
            )
            for eta, T in zip(etas[s], Ts, strict=True)
        ]) if covered else None  # fmt: skip
        theorem = "ours-theorem-n-sgd-small-batch" if covered else SCALES
        prediction = Prediction(-0.5, "=" if covered else "~", theorem, 0.05)
        rows += _pair(setting, "eta ~ T^(-1/2), batch 1", Ts, found[s], window, prediction, bound, samples=1)
        axes = ("T", "mean of |grad f|^2")
        subject = Subject(NAME, "waves", setting, "eta ~ T^(-1/2), batch 1")
        curves.append(curve(subject, rows[-2], axes, Ts, found[s], bound=bound))
    return rows, curves


def _batches(settings: list[Setting], Ts: np.ndarray, seeds: Sequence[int], done: Callable[[int], None]) -> Outcome:
    field, start, gap, first = _problem()
    now = []
    for setting in settings:
        tracking, Q = _bounds(setting)
        now.append(setting.at(bounds.largest_step(tracking, Q, L)))
    squares = []
    for T in Ts:
        run = runner.descend(
            field, now, checkpoints=np.array([T]), seeds=seeds, noise=NOISE, batch=int(T), start=start, done=done
        )
        squares.append(run.gradient[0])
    found, window = np.stack(squares, -1), _late(Ts)
    rows, curves = [], []
    for s, setting in enumerate(now):
        tracking, Q = _bounds(setting)
        bound = np.array([
            bounds.mean_square_gradient(
                tracking, Q, eta=setting.eta, T=int(T), gap=gap, first=first,
                variance=DIMENSION * NOISE.sigma**2 / T,
            )
            for T in Ts
        ])  # fmt: skip
        prediction = Prediction(-1, "=", setting.theorem_n, 0.05)
        rows += _pair(setting, "batch = T, constant eta", Ts, found[s], window, prediction, bound, samples=2)
        subject = Subject(NAME, "waves", setting, "batch = T, constant eta")
        axes = ("T", "mean of |grad f|^2")
        curves.append(curve(subject, rows[-2], axes, Ts, found[s], bound=bound))
    return rows, curves


def _pair(
    setting: Setting,
    variant: str,
    Ts: np.ndarray,
    found: np.ndarray,
    window: tuple[float, float],
    prediction: Prediction,
    bound: np.ndarray | None,
    *,
    samples: int,
) -> list[dict[str, Any]]:
    """The exponent in T, and what it says about samples where a run of T steps costs T^samples of them."""
    subject = Subject(NAME, "waves", setting, variant)
    about = {"window": window, "window_of": "T", "n_seeds": len(found)}
    slope = fit.exponent(Ts, found, window)
    ratio = None if bound is None else bound_over(bound, found.mean(0), late=(Ts >= window[0]) & (Ts <= window[1]))
    needed = slope.through(lambda p: -2 * samples / p)
    # The tolerance is the slope's, carried over to -2 samples / slope around 4
    cost = Prediction(4, prediction.relation, prediction.theorem, 2 * samples * 0.05 / prediction.value**2)
    return [
        row(subject, "exponent in T of the mean of |grad f|^2", prediction, slope, bound=ratio, **about),
        row(subject, "exponent in 1/eps of the samples", cost, needed, derived=True, **about),
    ]
