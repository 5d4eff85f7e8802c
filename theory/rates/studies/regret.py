"""Study 4: online regret: T^(1/2), with H_k kept from falling and without, and T on Reddi's stream.

Fair signs as losses leave no algorithm a choice: the expected regret of each, whatever it does, is
E |s_1 + ... + s_T|_1, whose exponent is 1/2. So agreement there says nothing of the optimizer: it says that no loss was
seen before it was played, that losses and the best point are summed rightly, and that a bound below the lower bound of
every algorithm would be found out. Each row has draws of its own.

On least squares and logistic losses an optimizer can fail: one that does not move, or does not shrink its noise, has
the exponent 1. The theorem is an upper bound there. What ESGD and EAdam should cost late is known as well: near the
best point the noise keeps E f - f* at eta_k tr(Q C) / 4 with the covariance C of a loss's gradient there, where Q = 1
for ESGD and 1 / (eps1 + sqrt(G C_jj)) for EAdam, with the gain G of u; that sums to eta tr(Q C) sqrt(T) / 2. EAdam
besides rests beside the best point (:mod:`theory.rates.fixed_point`), which costs the same every round: with H free its
regret is linear in the end.

Where H_k may fall, Theorem C holds with half the squared width times the total fall added to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import sqrt
from typing import Any

import numpy as np

from theory.objectives import Stream, streams
from theory.rates import fit, runner
from theory.rates.fixed_point import cost_of_resting
from theory.rates.records import (
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
from theory.theorems import virtual_iterate_bounds as ours

NAME = "regret"
TITLE = "online regret: T^(1/2), and T on Reddi's stream unless H is kept from falling"
ETA = 0.3
FULL_SEEDS = range(3000, 3064)
"""This study's own: that EAdam rests beside the best point was learnt from a full run on those of the others."""
HALF = {"linear": ("=", 0.02), "quadratic": ("<=", 0.02), "logistic": ("<=", 0.02)}
"""Relation to 1/2 and tolerance, per stream."""
STREAMS = {"linear": streams.linear, "quadratic": streams.quadratic, "logistic": streams.logistic}
REDDI = {
    "n=3": ({"n": 3, "C": 2.4}, (0.0, 0.5), ((-0.5, 0.5), (0.5, 0.5)), 3_000_000, 0.1052),
    "n=50": ({"n": 50, "C": 51.45}, (0.9, 0.99), ((-5.0, 0.9), (5.0, 0.9)), 20_000_000, 0.1155),
}
"""Streams with the settings for which linear regret is proved, rounds, and the smallest drift psi a period of EAdam.

EAdam, the slowest, has reached the wall after about (n / (2 eta psi))^2 rounds; by then at the latest linear regret
begins. For n = 50 these are some 5e5, which takes the full mode.
"""
QUICK_ROUNDS = 3_000_000
SETTLED = 100_000
"""From how many rounds on the start is forgotten, by the slowest direction of the logistic losses."""


def cells(full: bool) -> list[Cell]:
    """One per stream."""
    pairs, seeds = (GRID, FULL_SEEDS) if full else (QUICK, QUICK_SEEDS)
    last = {"linear": 1_000_000 if full else 10_000, "quadratic": 100_000 if full else 10_000,
            "logistic": 100_000 if full else 10_000}  # fmt: skip
    found = []
    for name, T in last.items():
        settings = _both([Setting(m, *pair, eta=ETA) for m in METHODS for pair in pairs])
        config = {"settings": plain(settings), "rounds": T, "window": (T / 100, T), "tolerance": HALF[name][1]}
        work = len(settings) * len(seeds) * T * STREAMS[name]().dimension
        found.append(Cell(name, config, seeds, partial(_random, name, settings, T, seeds), work))
    for name, (stream, averages, reddi_pairs, rounds, psi) in REDDI.items():
        if rounds > QUICK_ROUNDS and not full:
            continue
        settings = _both([
            Setting(method, *pair, *averages, eps=(1e-8, 1e-3, 1e-2), eta=ETA)
            for method in METHODS[1:] for pair in reddi_pairs
        ])  # fmt: skip
        config = {"settings": plain(settings), "stream": stream, "rounds": rounds, "window": (rounds / 100, rounds),
                  "tolerance": 0.05}  # fmt: skip
        run = partial(_reddi, stream, settings, rounds, psi)
        found.append(Cell(f"reddi-{name}", config, (), run, len(settings) * rounds))
    return found


def _both(settings: list[Setting]) -> list[Setting]:
    """Each setting free and with H enforced; ESGD's H does not fall anyway."""
    return [
        replace(setting, monotone=monotone)
        for setting in settings
        for monotone in ((False,) if setting.method == "ESGD" else (False, True))
    ]


def _bound(stream: Stream, setting: Setting, run: runner.Play, s: int) -> np.ndarray:
    """Theorem C at every checkpoint and for every seed, shape (P, R)."""
    width, d = stream.box[1] - stream.box[0], stream.dimension
    if setting.method == "ESGD":
        rooted = ours.esgd_regret(setting.filter, eta=setting.eta, T=run.rounds, d=d, G=stream.G, width=width)
        return np.broadcast_to(np.asarray(rooted)[:, None], run.loss[:, s].shape)
    D = sqrt(d) * max(map(abs, stream.box))
    online = setting.online((d,), G=stream.G, D=D, width=width, comparator=D)
    fallen = 0.0 if setting.monotone else width**2 / 2 * run.fall[:, s]
    return ours.regret_curve(online, run.rounds)[:, None] + fallen


def _variant(setting: Setting) -> str:
    if setting.method == "ESGD":
        return "H never falls"
    return "H enforced" if setting.monotone else "H free"


def _random(name: str, settings: list[Setting], T: int, seeds: Sequence[int], done: Callable[[int], None]) -> Outcome:
    stream, x, window = STREAMS[name](), runner.log_spaced(10, T, 31), (T / 100, T)
    # Fair signs: every algorithm has the same regret in expectation, and on the same draws nearly the same regret
    fair = name == "linear"
    run = runner.play(stream, settings, checkpoints=x, seeds=seeds, apart=fair, done=done)
    shared = None if fair else _best(stream, run.counts[:, 0])
    relation, tolerance = HALF[name]
    rows, curves = [], []
    for s, setting in enumerate(settings):
        best = _best(stream, run.counts[:, s]) if shared is None else shared
        regrets, bound = run.loss[:, s] - best, _bound(stream, setting, run, s)
        subject = Subject(NAME, name, setting, _variant(setting))
        theorem = "E |s_1 + ... + s_T|_1" if fair else setting.theorem_c
        rows.append(row(
            subject, "exponent in T of the regret", Prediction(0.5, relation, theorem, tolerance),
            fit.exponent(x, regrets.T, window), window=window, window_of="T", n_seeds=len(seeds),
            bound=bound_over(bound, regrets, late=x >= window[0]),
        ))  # fmt: skip
        exact = stream.dimension * np.sqrt(2 * x / np.pi) if fair else None
        curves.append(curve(subject, rows[-1], ("T", "regret"), x, regrets.T, bound=bound.mean(-1), predicted=exact))
        if not fair and not setting.layerwise and not setting.monotone and T >= SETTLED:
            late = x >= T / 10
            first, last = float(x[late][0]), float(x[-1])
            noise = late_slope(stream, setting) * (np.sqrt(last) - np.sqrt(first))
            growth = (regrets[-1] - regrets[late][0]) / (noise + cost_of_resting(stream, setting) * (last - first))
            rows.append(row(
                subject, "growth of the regret in the last decade over what noise and resting point cost",
                Prediction(1, "~", "stationary noise near the resting point", 0.1), fit.mean(growth),
                window=(first, T), window_of="T", n_seeds=len(seeds),
            ))  # fmt: skip
    return rows, curves


def _best(stream: Stream, counts: np.ndarray) -> np.ndarray:
    """The loss of the best point in hindsight at every checkpoint: counts of shape (P, R, J) -> (P, R)."""
    return np.stack([stream.total(met, stream.best(met)) for met in counts])


def late_slope(stream: Stream, setting: Setting) -> float:
    """How the regret of ESGD or EAdam should grow with sqrt(T) late, if the picks are even: eta tr(Q C) / 2."""
    J = len(stream.a)
    best = stream.best(np.ones((1, J)))
    C = (stream.gradient(np.arange(J), np.repeat(best, J, 0)) ** 2).mean(0)
    Q = 1.0 if setting.method == "ESGD" else 1 / (setting.eps[0] + np.sqrt(setting.filter.noise_gain * C))
    return setting.eta / 2 * float((Q * C).sum())


def _reddi(
    parameters: dict[str, Any], settings: list[Setting], T: int, psi: float, done: Callable[[int], None]
) -> Outcome:
    stream, window = streams.reddi(**parameters), (T / 100, T)
    n = int(parameters["n"])
    # Whole periods: within one the regret swings by C
    x = np.unique(runner.log_spaced(n, T, 31) // n * n)
    run = runner.play(stream, settings, checkpoints=x, done=done)
    best = (run.counts[:, 0] * stream.a[:, 0]).sum(-1) * stream.box[0]
    slope = 2 * (parameters["C"] - (n - 1)) / n
    onset = (n / (2 * ETA * psi)) ** 2
    rows, curves = [], []
    for s, setting in enumerate(settings):
        regrets, bound = run.loss[:, s] - best, _bound(stream, setting, run, s)
        subject = Subject(NAME, f"Reddi's stream, n={n}", setting, _variant(setting))
        free = not setting.monotone
        theorem = "ours-linear-regret-counterexample" if free else setting.theorem_c
        prediction = Prediction(1.0, "=", theorem, 0.05) if free else Prediction(0.5, "<=", theorem, 0.05)
        about = {"window_of": "T", "n_seeds": 0, "bound": bound_over(bound, regrets, late=x >= window[0])}
        made = []
        if free:
            half = int(np.searchsorted(x, T / 2))
            grown = float((regrets[-1, 0] - regrets[half, 0]) / (x[-1] - x[half]) / slope)
            made.append(row(
                subject, "regret a round late, over 2 (C - n + 1) / n",
                Prediction(1, "=", "ours-linear-regret-counterexample", 0.05), fit.Estimate(grown, grown, grown),
                window=(float(x[half]), float(x[-1])), **about,
            ))  # fmt: skip
        # A regret of slope (T - onset) is no power of T near the onset
        if not free or window[0] > 10 * onset:
            exponent = fit.exponent(x, regrets.T, window)
            made.append(row(subject, "exponent in T of the regret", prediction, exponent, window=window, **about))
        predicted = slope * x if free else None
        curves.append(curve(subject, made[0], ("T", "regret"), x, regrets.T, bound=bound[:, 0], predicted=predicted))
        rows += made
    return rows, curves
