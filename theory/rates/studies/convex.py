"""Study 1: smooth convex functions without noise: 1/N.

A quadratic whose eigenvalues are spread evenly in the logarithm from 1e-8 to 1, with a start of one unit along each,
behaves at every scale like 1/N: sum lambda exp(-2 eta lambda N) is 1/(2 eta N) a unit of log lambda. Huber functions
whose width is the worst for each N show the head start of alpha steps exactly.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from theory.rates import fit, runner
from theory.rates.records import Cell, Outcome, Prediction, Subject, bound_over, curve, plain, row
from theory.rates.settings import GRID, METHODS, QUICK, Setting
from theory.theorems import bounds
from theory.theorems import virtual_iterate_bounds as ours

NAME = "convex"
TITLE = "smooth convex, no noise: f - f* and |grad f|^2 fall like 1/N"
EIGENVALUES = 64
SMALLEST = 1e-8
G = 1.5
"""A bound of the gradient's sup norm, which is 1 at the start; checked along the run."""
WORST_WINDOW = (100, 10_000)


def cells(full: bool) -> list[Cell]:
    """The quadratic and the Huber functions."""
    pairs = GRID if full else QUICK
    last = 1_000_000 if full else 100_000
    window = (10_000, last)
    settings = [_allowed(Setting(method, *pair)) for method in METHODS for pair in pairs]
    huber = [Setting("ESGD", *pair, beta2=0.0) for pair in pairs]
    depths = runner.log_spaced(1, 10_000, 33)
    spectrum = {"settings": plain(settings), "steps": last, "window": window, "eigenvalues": EIGENVALUES,
                "smallest": SMALLEST, "tolerance": 0.02, "layers": 2}  # fmt: skip
    worst = {"settings": plain(huber), "N": depths.tolist(), "window": WORST_WINDOW, "tolerance": 0.02}
    return [
        Cell("spectrum", spectrum, (), partial(_spectrum, settings, last, window), len(settings) * last * EIGENVALUES),
        Cell("huber", worst, (), partial(_huber, huber, depths), len(huber) * int(depths[-1]) * len(depths)),
    ]


def _allowed(setting: Setting) -> Setting:
    """With the largest step that its theorem allows, L = 1."""
    if setting.method == "ESGD":
        return setting.at(ours.largest_step_convex(setting.filter, 1.0))
    tracking = bounds.tracking_by_filter(setting.filter)
    return setting.at(bounds.largest_step(tracking, setting.preconditioner(G, EIGENVALUES // 2), 1.0))


def _spectrum(settings: list[Setting], last: int, window: tuple[float, float], done: Callable[[int], None]) -> Outcome:
    field = runner.quadratic(np.geomspace(SMALLEST, 1, EIGENVALUES).tolist())
    f, x = field.objective, runner.log_spaced(10, last, 31)
    run = runner.descend(field, settings, checkpoints=x, layers=(EIGENVALUES // 2,) * 2, done=done)
    gap, first = float(f.value(f.start[None])[0]), float((f.gradient(f.start[None]) ** 2).sum())
    rows, curves, late = [], [], x >= window[0]
    for s, setting in enumerate(settings):
        subject = Subject(NAME, "quadratic, log-spread spectrum", setting)
        about = {"window": window, "window_of": "N", "n_seeds": 0}
        if setting.method == "ESGD":
            at_mean = f.value(run.mean[:, s, 0])[None]
            at_last = f.value(run.theta[:, s, 0])[None]
            bound = np.asarray(ours.convex_average(eta=setting.eta, T=x, distance2=float((f.start**2).sum())))
            rows.append(row(
                subject, "exponent in N of f(mean iterate) - f*",
                Prediction(-1, "=", "ours-convex-average", 0.02), fit.exponent(x, at_mean, window),
                bound=bound_over(bound, np.maximum(at_mean[0], run.gap[:, s, 0]), late=late), **about,
            ))  # fmt: skip
            curves.append(curve(subject, rows[-1], ("N", "f(mean iterate) - f*"), x, at_mean, bound=bound))
            rows.append(row(
                subject, "exponent in N of f(last iterate) - f*",
                Prediction(-1, "=", "sum of lambda exp(-2 eta lambda N)", 0.02), fit.exponent(x, at_last, window),
                **about,
            ))  # fmt: skip
            curves.append(curve(subject, rows[-1], ("N", "f(last iterate) - f*"), x, at_last))
            continue
        Q = setting.preconditioner(G, EIGENVALUES // 2)
        tracking = bounds.tracking_by_filter(setting.filter)
        squares = run.gradient[:, s].T
        bound = np.array([
            bounds.mean_square_gradient(tracking, Q, eta=setting.eta, T=int(t), gap=gap, first=first, variance=0.0)
            for t in x
        ])  # fmt: skip
        rows.append(row(
            subject, "exponent in N of the mean of |grad f|^2", Prediction(-1, "=", setting.theorem_n, 0.02),
            fit.exponent(x, squares, window),
            bound=bound_over(bound, squares[0], late=late, proved=bool(run.largest[-1, s].max() <= G)), **about,
        ))  # fmt: skip
        curves.append(curve(subject, rows[-1], ("N", "mean of |grad f|^2"), x, squares, bound=bound))
    return rows, curves


def _huber(settings: list[Setting], depths: np.ndarray, done: Callable[[int], None]) -> Outcome:
    rows, curves = [], []
    for setting in settings:
        S = ours.displacement(setting.filter, depths)
        field = runner.huber(ours.worst_width(S).tolist())
        run = runner.descend(field, [setting], checkpoints=depths, done=done)
        left = np.diagonal(run.theta[:, 0, 0])
        width = field.parameters[0]
        gaps = np.where(np.abs(left) <= width, left**2 / 2, width * np.abs(left) - width**2 / 2)[None]
        subject = Subject(NAME, "worst Huber function for each N", setting, "beta2=0")
        # -1 in the limit; at N near |alpha| the head start of alpha steps still bends the line
        inside, expected = depths >= WORST_WINDOW[0], ours.worst_gap(S)
        slope = float(fit.log_slope(depths[inside], expected[inside]))
        rows.append(row(
            subject, "exponent in N of f(last iterate) - f*", Prediction(slope, "=", "ours-head-start", 0.02),
            fit.exponent(depths, gaps, WORST_WINDOW), window=WORST_WINDOW, window_of="N", n_seeds=0,
        ))  # fmt: skip
        axes = ("N", "f(last iterate) - f*")
        curves.append(curve(subject, rows[-1], axes, depths, gaps, predicted=ours.worst_gap(S)))
        worst = float(np.abs(gaps[0] / ours.worst_gap(S) - 1).max())
        rows.append(row(
            subject, "largest |gap (4 S_N + 2) - 1|", Prediction(0, "=", "ours-head-start", 1e-9),
            fit.Estimate(worst, worst, worst), window=(1, 10_000), window_of="N", n_seeds=0,
        ))  # fmt: skip
    return rows, curves
