"""Study 6: how EAdam's floor of E |grad f|^2 at a constant step falls with the batch n.

On lambda theta^2 / 2 with noise of variance sigma^2 / n the linear recursion with x = (1 - beta2) eta lambda / W has
E |grad f|^2 = sigma^2 V(x) / n. What W is decides the power of n:

    eps1 above the noise    W = eps1 + sqrt(v) with v near omega_u sigma^2 / n, omega_u the noise gain of u: W tends to
                            eps1 and the floor to V sigma^2 / n, as Theorem N says of its bound: the exponent is -1
    noise above eps1        W = sqrt(v) falls like n^(-1/2), so that the step grows, and the floor is near
                            eta lambda sigma / (2 sqrt(omega_u n)): a larger batch buys less, unless eta falls with it

and for skewed noise that is not the whole story. On delta (sqrt(1 + x^2) - 1) with rare large noise of one sign the
normalisation weighs the rare large gradients less: the mean step does not vanish where the gradient does, and the
iterate settles beside the minimiser, at the gradient D where the mean step vanishes. D is found by holding the iterate
still. It comes from the third cumulant of the batch's mean, so that D^2 falls like n^-2; the variance of the iterate is
added to it. With batch 1 there is no such point: the iterate runs away, whatever the step. So the floor is not the
variance alone, and does not vanish with eta; Theorem N's 1 / n is an upper bound of it.

Theorem N's bound is compared along all of a run where eta is in its range.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy.optimize import brentq
from scipy.signal import lfilter

from theory.objectives.noise import Sign, Skewed
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
from theory.rates.settings import GRID, QUICK, Setting
from theory.stability import linear
from theory.theorems import bounds

NAME = "batch"
TITLE = "EAdam's floor falls like 1 / batch where eps1 is above the noise, else like 1 / sqrt(batch)"
NOISE = Sign(1.0)
ABOVE, BELOW = "eps1 above the noise", "noise above eps1"
PLAIN_STEP = 0.002
"""eta where the noise is above eps1."""
DELTA = 0.1
SKEWED = Skewed(0.9, 0.1)
START = 0.3
ALPHAS = (-0.5, 0.0, 0.5)
FROZEN = 400_000
"""Steps with the iterate held still from which D is found, with a seed of their own."""
FROZEN_BLOCK = 200
"""Much longer than the memory of g, h and v: means of such blocks are as good as independent."""


def cells(full: bool) -> list[Cell]:
    """The two regimes of symmetric noise, and skewed noise."""
    pairs, seeds = (GRID, FULL_SEEDS) if full else (QUICK, QUICK_SEEDS)
    last = 200_000 if full else 40_000
    found = []
    for variant, batches, window in (
        (ABOVE, tuple(4**k for k in range(9)), (256, 65536)),
        (BELOW, tuple(4**k for k in range(7)), (1, 4096)),
    ):
        settings = [_setting(variant, pair) for pair in pairs]
        config = {"settings": plain(settings), "batches": batches, "steps": last, "from": last // 4,
                  "window": window, "tolerance": 0.05}  # fmt: skip
        run = partial(_symmetric, variant, settings, batches, window, last, seeds)
        found.append(Cell(f"symmetric-{len(found)}", config, seeds, run, len(batches) * _work(settings, last, seeds)))
    last, eta = (1_000_000, 1e-4) if full else (50_000, 2e-3)
    batches = (1, 4, 16, 64, 256, 1024) if full else (1, 4, 16, 64, 256)
    settings = [Setting("EAdam", alpha, 0.5, beta2=0.0, beta3=0.5, eps=(0.01, 1.0, 1.0), eta=eta) for alpha in ALPHAS]
    config = {"settings": plain(settings), "batches": batches, "steps": last, "from": last // 2, "delta": DELTA,
              "window": (16, batches[-1]), "tolerance": 0.05}  # fmt: skip
    run = partial(_skewed, settings, batches, last, seeds)
    return [*found, Cell("skewed", config, seeds, run, len(batches) * _work(settings, last, seeds))]


def _work(settings: Sequence[Setting], last: int, seeds: Sequence[int]) -> int:
    return len(settings) * last * len(seeds)


def _setting(variant: str, pair: tuple[float, float]) -> Setting:
    if variant == BELOW:
        return Setting("EAdam", *pair, beta3=0.9999, eps=(1e-8, 1.0, 1.0), eta=PLAIN_STEP)
    setting = Setting("EAdam", *pair)
    return setting.at(bounds.largest_step(*_constants(setting, 1.0 + NOISE.bound), 1.0))


def _constants(setting: Setting, G: float) -> tuple[bounds.Tracking, bounds.Preconditioner]:
    return bounds.tracking_by_filter(setting.filter), setting.preconditioner(G, 1)


def expected(setting: Setting, batches: np.ndarray) -> np.ndarray:
    """sigma^2 V(x) / n at the step x that W = eps1 + sigma sqrt(omega_u / n) gives, lambda = 1; shape (P,)."""
    F = setting.filter
    W = setting.eps[0] + NOISE.sigma * np.sqrt(F.noise_gain / batches)
    x = (1 - setting.beta2) * setting.eta / W
    return NOISE.sigma**2 / batches * linear.variance(x, F.c, setting.beta1, setting.beta2)


def _floors(
    field: runner.Field, settings: list[Setting], batches: Sequence[int], checkpoints: tuple[int, int],
    seeds: Sequence[int], noise: Sign | Skewed, start: float, done: Callable[[int], None],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """|grad f|^2 averaged between the checkpoints and over all steps, shape (S, R, P), and the largest |g|, (S,)."""
    first, last = checkpoints
    floors, averages, largest = [], [], np.zeros(len(settings))
    for b in batches:
        run = runner.descend(
            field, settings, checkpoints=np.array(checkpoints), seeds=seeds, noise=noise, batch=b,
            start=np.array([start]), done=done,
        )  # fmt: skip
        averages.append(run.gradient[1])
        floors.append((last * run.gradient[1] - first * run.gradient[0]) / (last - first))
        largest = np.maximum(largest, run.largest[-1].max(-1))
    return np.stack(floors, -1), np.stack(averages, -1), largest


def _theorem(
    setting: Setting, field: runner.Field, start: float, batches: Sequence[int], *, G: float, sigma: float, T: int
) -> np.ndarray:
    """Theorem N's bound of the mean of |grad f|^2 over T steps, for each batch."""
    f, theta = field.objective, np.array([[start]])
    gap, first = float(f.value(theta)[0]) - f.infimum, float((f.gradient(theta) ** 2).sum())
    tracking, Q = _constants(setting, G)
    return np.array([
        bounds.mean_square_gradient(tracking, Q, eta=setting.eta, T=T, gap=gap, first=first, variance=sigma**2 / b)
        for b in batches
    ])  # fmt: skip


def _symmetric(
    variant: str, settings: list[Setting], batches: Sequence[int], window: tuple[float, float], last: int,
    seeds: Sequence[int], done: Callable[[int], None],
) -> Outcome:  # fmt: skip
    field, start, x = runner.quadratic([1.0]), 0.0, np.array(batches, dtype=float)
    floors, averages, largest = _floors(field, settings, batches, (last // 4, last), seeds, NOISE, start, done)
    inside = (x >= window[0]) & (x <= window[1])
    rows, curves = [], []
    for s, setting in enumerate(settings):
        level, above = expected(setting, x), variant == ABOVE
        bound, ratio = None, None
        if above:
            G = 1.0 + NOISE.bound
            bound = _theorem(setting, field, start, batches, G=G, sigma=NOISE.sigma, T=last)
            ratio = bound_over(bound, averages[s].mean(0), late=inside, proved=bool(largest[s] <= G))
        subject = Subject(NAME, "quadratic, symmetric noise", setting, variant)
        about = {"window": window, "window_of": "batch", "n_seeds": len(seeds)}
        exponent = Prediction(-1, "=", "W tends to eps1", 0.05) if above else Prediction(
            float(fit.log_slope(x[inside], level[inside])), "~", "v near G sigma^2 / b", 0.05
        )  # fmt: skip
        rows.append(row(
            subject, "exponent in the batch of the floor of |grad f|^2", exponent,
            fit.exponent(x, floors[s], window), bound=ratio, **about,
        ))  # fmt: skip
        theorem = "the variance formula with W = eps1 + sigma sqrt(G / b)"
        rows.append(row(
            subject, "floor of |grad f|^2 over sigma^2 V / b, mean over the batches",
            Prediction(1, "~", theorem, 0.05), fit.mean((floors[s] / level)[:, inside].mean(-1)), **about,
        ))  # fmt: skip
        axes = ("batch", "floor of |grad f|^2")
        curves.append(curve(subject, rows[-2], axes, x, floors[s], bound=bound, predicted=level))
    return rows, curves


def skewed_floor(setting: Setting, batch: int, *, steps: int = FROZEN) -> float:
    """D^2 + f'' eta S / (2 p'), the floor where the mean step vanishes at a gradient D below delta; else delta^2.

    The iterate is held still (beta2 = 0), with the same noise for every gradient and a generator of its own: p is the
    mean step as a function of the gradient, p' its slope at D, and S the long-run variance of the step there, so that
    the second term is the stationary variance of the gradient for small eta.
    """
    xi = SKEWED.block(np.random.default_rng((batch, 77)), (steps,), batch)
    c, beta1, beta3 = setting.filter.c, setting.beta1, setting.beta3

    def direction(D: float) -> np.ndarray:
        u = np.asarray(lfilter([1 - c, c - beta1], [1, -beta1], xi + D))
        v = np.asarray(lfilter([1 - beta3], [1, -beta3], u**2))
        return (u / (np.sqrt(v) + setting.eps[0]))[FROZEN_BLOCK:]

    def push(D: float) -> float:
        return float(direction(D).mean())

    if not push(0.0) < 0 < push(DELTA):
        return DELTA**2
    D = float(np.asarray(brentq(push, 0.0, DELTA, xtol=1e-9)))
    slope = (push(1.01 * D) - push(0.99 * D)) / (0.02 * D)
    blocks = direction(D).reshape(-1, FROZEN_BLOCK).mean(1)
    bend = DELTA * (1 - (D / DELTA) ** 2) ** 1.5
    return D**2 + bend * setting.eta * FROZEN_BLOCK * float(blocks.var()) / (2 * slope)


def _skewed(
    settings: list[Setting], batches: Sequence[int], last: int, seeds: Sequence[int], done: Callable[[int], None]
) -> Outcome:
    field, x = runner.pseudo_huber(DELTA, 1), np.array(batches, dtype=float)
    floors, averages, _ = _floors(field, settings, batches, (last // 2, last), seeds, SKEWED, START, done)
    window = (16, batches[-1])
    inside = x >= window[0]
    rows, curves = [], []
    for s, setting in enumerate(settings):
        G = DELTA + SKEWED.bound
        proved = setting.eta <= bounds.largest_step(*_constants(setting, G), DELTA)
        bound = _theorem(setting, field, START, batches, G=G, sigma=SKEWED.sigma, T=last)
        level = np.array([skewed_floor(setting, int(b)) for b in batches])
        subject = Subject(NAME, "pseudo-Huber, skewed noise", setting)
        about = {"window": window, "window_of": "batch", "n_seeds": len(seeds)}
        met = bound_over(bound, averages[s].mean(0), late=inside, proved=proved)
        rows.append(row(
            subject, "exponent in the batch of the floor of |grad f|^2",
            Prediction(float(fit.log_slope(x[inside], level[inside])), "~", "the mean step vanishes", 0.05),
            fit.exponent(x, floors[s], window), bound=met, **about,
        ))  # fmt: skip
        rows.append(row(
            subject, "floor of |grad f|^2 over its prediction, mean over the batches",
            Prediction(1, "~", "the mean step vanishes", 0.1),
            fit.mean((floors[s] / level)[:, inside].mean(-1)), **about,
        ))  # fmt: skip
        axes = ("batch", "floor of |grad f|^2 over delta^2")
        scaled = floors[s] / DELTA**2
        curves.append(curve(
            subject, rows[-2], axes, x, scaled, bound=bound / DELTA**2, predicted=level / DELTA**2
        ))  # fmt: skip
    return rows, curves
