"""Study 7: Polyak-Lojasiewicz functions: linear to a floor that shrinks with eta.

The floor is proportional to eta for small eta only: the theorem's own has a factor 1 + 2 L eta tau2. What it should be
near the minimiser follows from the stationary covariance of the linearised recursion; for EAdam and ALTO, of which no
theorem is claimed here, with the divisor that v near G sigma^2 gives (G the noise gain of u).
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy.linalg import solve_discrete_lyapunov

from theory.objectives.noise import Sign
from theory.rates import fit, runner
from theory.rates.records import (
    FULL_SEEDS,
    QUICK_SEEDS,
    Bound,
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
from theory.stability import linear
from theory.theorems import virtual_iterate_bounds as ours

NAME = "pl"
TITLE = "PL functions: linear to a floor that shrinks with eta"
DIMENSION = 2
L, MU = 8.0, 1 / 32
"""Of x^2 + 3 sin^2 x; L is also the curvature at the minimiser."""
NOISE = Sign(1.0)
SHARES = (1.0, 0.25, 0.0625)
"""eta over the largest one."""
PRACTICAL = 0.02
"""That largest one for the methods without a theorem."""
SIZES = (1e-20, 1e-200)
"""The window of |theta| for the linear rate near the minimiser, by its prediction."""
TYPICAL = 100_000
"""About how many steps that takes."""
LINEARISED = "linearisation where v has died away"


def cells(full: bool) -> list[Cell]:
    """With noise, ESGD and the others; without noise, ESGD."""
    pairs, seeds = (GRID, FULL_SEEDS) if full else (QUICK, QUICK_SEEDS)
    last = 200_000 if full else 30_000
    esgd = [Setting("ESGD", *pair, eta=ours.largest_step_pl(Setting("ESGD", *pair).filter, L, MU)) for pair in pairs]
    others = [Setting(method, *pair, eta=PRACTICAL) for method in METHODS[1:] for pair in pairs]
    settings = [s.at(share * s.eta) for s in (*esgd, *others) for share in SHARES]
    noisy = {"settings": plain(settings), "steps": last, "from": last // 2, "tolerance": 0.05}
    still = [*esgd, *others]
    quiet = {"settings": plain(still), "window of sizes": SIZES, "tolerance": 5e-4}
    work = len(settings) * len(seeds) * last * DIMENSION
    return [
        Cell("noisy", noisy, seeds, partial(_noisy, settings, last, seeds), work),
        Cell("quiet", quiet, (), partial(_quiet, still), len(still) * TYPICAL * DIMENSION),
    ]


def floor(setting: Setting, curvature: float) -> float:
    """The stationary E f(y) of ESGD on curvature theta^2 / 2 in ``DIMENSION`` coordinates, y the virtual iterate."""
    A, B = linear.system(setting.literal_eta * curvature, setting.filter.c, setting.beta1, setting.beta2)
    P = solve_discrete_lyapunov(A, np.outer(B, B)) * (NOISE.sigma / curvature) ** 2
    step = setting.eta * curvature
    # y = theta - eta (b m - alpha h) with m = (1 - beta2) times the literal one; h and m are in units of the curvature
    read = np.array([1.0, setting.alpha * step, -setting.beta2 * step])
    return float(DIMENSION * curvature / 2 * read @ P @ read)


def expected_floor(setting: Setting) -> float:
    """The floor to expect: of f(y) for ESGD, exactly; of f(theta) for the others, with v near G sigma^2."""
    if setting.method == "ESGD":
        return floor(setting, L)
    F = setting.filter
    W = (setting.eps[0] + NOISE.sigma * np.sqrt(F.noise_gain)) * (setting.eps[1] if setting.layerwise else 1.0)
    V = linear.variance((1 - setting.beta2) * setting.eta * L / W, F.c, setting.beta1, setting.beta2)
    return float(DIMENSION * NOISE.sigma**2 * V / (2 * L))


def _gaps(field: runner.Field, run: runner.Descent, s: int, setting: Setting) -> np.ndarray:
    """The gap f - f* of one setting, at the virtual iterate for ESGD, shape (R, P)."""
    F, theta = setting.filter, run.theta[:, s]
    if setting.method == "ESGD":
        theta = theta - setting.eta * (F.b * run.m[:, s] - F.alpha * run.h[:, s])
    return np.stack([field.objective.value(x) for x in theta], -1) - field.objective.infimum


def _noisy(settings: list[Setting], last: int, seeds: Sequence[int], done: Callable[[int], None]) -> Outcome:
    field = runner.pl_sine(DIMENSION)
    f = field.objective
    late = np.linspace(last // 2, last, 40).astype(np.int64)
    x = np.unique(np.concatenate([runner.log_spaced(1, last // 2, 30), late]))
    run = runner.descend(field, settings, checkpoints=x, seeds=seeds, noise=NOISE, done=done)
    gap, window = float(f.value(f.start[None])[0]) - f.infimum, (last // 2, last)
    shown = np.isin(x, runner.log_spaced(1, last // 2, 30)) | (x == last)
    rows, curves = [], []
    for s in range(0, len(settings), len(SHARES)):
        group = settings[s : s + len(SHARES)]
        covered = group[0].method == "ESGD"
        etas = np.array([setting.eta for setting in group])
        gaps = [_gaps(field, run, s + i, setting) for i, setting in enumerate(group)]
        limits = [
            np.asarray(ours.pl_gap(
                setting.filter, eta=setting.eta, L=L, mu=MU, n=x, gap=gap,
                variance=DIMENSION * NOISE.sigma**2,
            )) if covered else None
            for setting in group
        ]  # fmt: skip
        floors = np.stack([g[:, x >= window[0]].mean(-1) for g in gaps], -1)
        met = [
            bound_over(b, g.mean(0), late=x >= window[0]) for b, g in zip(limits, gaps, strict=True) if b is not None
        ]
        tightest = Bound(min(b.ratio for b in met), min(b.late for b in met), True) if met else None
        subject = Subject(NAME, "sum of x^2 + 3 sin^2 x", group[0])
        expected = np.array([expected_floor(setting) for setting in group])
        theorem = "linearisation; ours-pl bounds it" if covered else "linearisation with v near G sigma^2"
        prediction = Prediction(float(fit.log_slope(etas, expected)), "=" if covered else "~", theorem, 0.05)
        rows.append(row(
            subject, "exponent in eta of the floor of f - f*", prediction,
            fit.exponent(etas, floors, (etas.min(), etas.max())), window=(etas.min(), etas.max()), window_of="eta",
            n_seeds=len(seeds), bound=tightest,
        ))  # fmt: skip
        for i, (setting, g, bound) in enumerate(zip(group, gaps, limits, strict=True)):
            about = Subject(NAME, subject.objective, setting, f"eta={setting.eta:.3g}")
            axes = ("step", "f - f*")
            thinned = None if bound is None else bound[shown]
            level = np.full(int(shown.sum()), expected[i])
            curves.append(curve(about, rows[-1], axes, x[shown], g[:, shown], bound=thinned, predicted=level))
    return rows, curves


def _quiet(settings: list[Setting], done: Callable[[int], None]) -> Outcome:
    """Near the minimiser the curvature is L = 8, so the local rate is known; ESGD's theorem, 1 - eta mu, is global.

    No theorem is claimed for the others: near the minimiser, where v has died away, they divide by eps1 (and eps2).
    """
    field, x = runner.pl_sine(DIMENSION), runner.log_spaced(1, 2_000, 40)
    gap = float(field.objective.value(field.objective.start[None])[0])
    rows, curves = [], []
    for setting in settings:
        covered = setting.method == "ESGD"
        divisor = 1.0 if covered else setting.eps[0] * (setting.eps[1] if setting.layerwise else 1.0)
        literal = (1 - setting.beta2) * setting.eta * L / divisor
        c = setting.filter.c
        beta1 = setting.beta1 if setting.alpha else 0.0  # h is not seen at alpha = 0
        local = float(linear.spectral_radius(literal, c, beta1, setting.beta2))
        first, last = (int(np.ceil(np.log(size) / np.log(local))) for size in SIZES)
        steps = np.unique(np.linspace(first, last, 200).astype(np.int64))
        run = runner.descend(field, [setting], checkpoints=steps, done=done)
        sizes = sum(np.abs(part[:, 0, 0]).sum(-1) for part in (run.theta, run.m))
        found = fit.geometric_rate(steps, np.asarray(sizes))
        about = {"window": (first, last), "window_of": "step", "n_seeds": 0}
        estimate = fit.Estimate(found, found, found)
        subject = Subject(NAME, "sum of x^2 + 3 sin^2 x", setting, "no noise")
        rows.append(row(
            subject, "linear rate near the minimiser",
            Prediction(local, "=", "ours-stability-region" if covered else LINEARISED, 5e-4), estimate, **about,
        ))  # fmt: skip
        if not covered:
            continue
        gaps = _gaps(field, runner.descend(field, [setting], checkpoints=x, done=done), 0, setting)
        bound = np.asarray(ours.pl_gap(setting.filter, eta=setting.eta, L=L, mu=MU, n=x, gap=gap, variance=0.0))
        rows.append(row(
            subject, "linear rate of f - f*", Prediction(1 - setting.eta * MU, "<=", "ours-pl", 0.0),
            estimate.through(lambda r: r**2), bound=bound_over(bound, gaps[0], late=x >= x[-1] / 10), derived=True,
            **about,
        ))  # fmt: skip
        curves.append(curve(subject, rows[-1], ("step", "f - f*"), x, gaps, bound=bound))
    return rows, curves
