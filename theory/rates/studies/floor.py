"""Study 3: the noise floor of a constant step on a quadratic: the stationary variance V.

For ESGD the closed form is exact. EAdam divides by sqrt(v), which in noise is near sigma sqrt(G) with the gain G of u;
so its floor should be near V at the step eta / sqrt(G). ALTO's is not predicted: its layer factor follows the iterate.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from theory.objectives.noise import Sign
from theory.rates import fit, runner
from theory.rates.records import FULL_SEEDS, QUICK_SEEDS, Cell, Outcome, Prediction, Subject, curve, plain, row
from theory.rates.settings import GRID, QUICK, Setting
from theory.stability import linear

NAME = "floor"
TITLE = "constant step with noise: the variance of the iterate is the closed form V"
STEPS = (0.01, 0.03, 0.1, 0.3, 0.6)
"""eta lambda, with ESGD's literal eta."""
ADAM_STEPS = (0.003, 0.01, 0.03)
NOISE = Sign(1.0)


def cells(full: bool) -> list[Cell]:
    """ESGD without and with momentum, EAdam."""
    pairs, seeds = (GRID, FULL_SEEDS) if full else (QUICK, QUICK_SEEDS)
    last = 200_000 if full else 30_000
    found = []
    for beta2 in (0.0, 0.9):
        settings = [Setting("ESGD", *pair, beta2=beta2, eta=1 / (1 - beta2)) for pair in pairs]
        config = {"settings": plain(settings), "eta lambda": STEPS, "steps": last, "from": last // 10,
                  "tolerance": 0.01}  # fmt: skip
        found.append(Cell(f"esgd-{beta2:g}", config, seeds, partial(_esgd, settings, last, seeds, beta2),
                          len(settings) * len(seeds) * last * len(STEPS)))  # fmt: skip
    settings = [
        Setting("EAdam", *pair, beta2=0.0, beta3=0.9999, eps=(1e-8, 1.0, 1.0), eta=eta)
        for pair in pairs
        for eta in ADAM_STEPS
    ]
    config = {"settings": plain(settings), "steps": last, "from": last // 4, "tolerance": 0.05}
    return [*found, Cell("eadam", config, seeds, partial(_eadam, settings, last, seeds),
                         len(settings) * len(seeds) * last)]  # fmt: skip


def _variances(run: runner.Descent) -> np.ndarray:
    """The mean of theta^2 between the first and the last checkpoint, shape (S, R, d)."""
    first, last = run.steps[[0, -1]]
    return (last * run.square[-1] - first * run.square[0]) / (last - first)


def _esgd(
    settings: list[Setting], last: int, seeds: Sequence[int], beta2: float, done: Callable[[int], None]
) -> Outcome:
    xs, window = np.array(STEPS), (last // 10, last)
    run = runner.descend(
        runner.quadratic(STEPS), settings, checkpoints=np.array(window), seeds=seeds, noise=NOISE,
        start=np.zeros(len(STEPS)), done=done,
    )  # fmt: skip
    rows, curves = [], []
    for setting, squares in zip(settings, _variances(run), strict=True):
        V = linear.variance(xs, setting.filter.c, setting.beta1, setting.beta2)
        scaled = squares * xs**2
        subject = Subject(NAME, "quadratic", setting, f"beta2={beta2:g}")
        about = {"window_of": "step", "n_seeds": len(seeds)}
        rows.append(row(
            subject, "variance over V, mean over eta lambda", Prediction(1, "=", "ours-variance", 0.01),
            fit.mean((scaled / V).mean(-1)), window=window, **about,
        ))  # fmt: skip
        curves.append(curve(subject, rows[-1], ("eta lambda", "V"), xs, scaled, predicted=V))
        ends = (xs[0], xs[-1])
        rows.append(row(
            subject, "exponent in eta of the floor",
            Prediction(float(fit.log_slope(xs, V)), "=", "ours-variance", 0.01), fit.exponent(xs, scaled, ends),
            window=ends, window_of="eta lambda", n_seeds=len(seeds),
        ))  # fmt: skip
    return rows, curves


def _eadam(settings: list[Setting], last: int, seeds: Sequence[int], done: Callable[[int], None]) -> Outcome:
    window = (last // 4, last)
    run = runner.descend(
        runner.quadratic([1.0]), settings, checkpoints=np.array(window), seeds=seeds, noise=NOISE, start=np.zeros(1),
        done=done,
    )  # fmt: skip
    squares, rows, curves = _variances(run)[..., 0], [], []
    for s in range(0, len(settings), len(ADAM_STEPS)):
        setting, etas = settings[s], np.array(ADAM_STEPS)
        F = setting.filter
        # v also sees the gradient theta itself, whose variance is V
        V = linear.variance(etas / np.sqrt(F.noise_gain), F.c, setting.beta1, setting.beta2)
        found = squares[s : s + len(ADAM_STEPS)].T
        subject = Subject(NAME, "quadratic", setting, "in noise")
        rows.append(row(
            subject, "variance over V(eta / sqrt G), mean over eta", Prediction(1, "~", "v near G sigma^2", 0.05),
            fit.mean((found / V).mean(-1)), window=window, window_of="step", n_seeds=len(seeds),
        ))  # fmt: skip
        curves.append(curve(subject, rows[-1], ("eta", "variance"), etas, found, predicted=V))
    return rows, curves
