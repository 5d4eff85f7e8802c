"""Study 2: linear rates on quadratics: the spectral radius.

For ESGD the recursion is linear and its rate is the spectral radius. EAdam and ALTO are nonlinear, but where v has
died away the divisor is eps1 (times eps2 through the layer factor), so near the minimiser they are ESGD with the step
(1 - beta2) eta / eps1 (/ eps2).
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import ceil, log

import numpy as np

from theory.rates import fit, runner
from theory.rates.records import Cell, Outcome, Prediction, Subject, curve, plain, row
from theory.rates.settings import GRID, METHODS, QUICK, Setting
from theory.stability import linear

NAME = "linear"
TITLE = "quadratics, no noise: the linear rate is the spectral radius, to three digits"
SIZES = (1e-40, 1e-240)
"""The window: from where the state is predicted to have this size to where it has that size."""
DIGITS = 5e-4
SHARES = (0.05, 0.2, 0.35, 0.55, 0.65, 0.8, 0.95)
"""eta lambda as a share of the largest stable one, or of 2 if that is larger. At 1 gradient descent has the rate 0."""
TYPICAL = 30_000
"""About how many steps the window takes."""


def cells(full: bool) -> list[Cell]:
    """ESGD on a grid of eta lambda without and with momentum; the others near the minimiser."""
    pairs = GRID if full else QUICK
    plain_settings = [Setting("ESGD", *pair, beta2=beta2) for beta2 in (0.0, 0.9) for pair in pairs]
    local = [Setting(method, *pair, eps=(0.1, 0.5, 0.1)) for method in METHODS[1:] for pair in pairs]
    fixed = {"window of sizes": SIZES, "tolerance": DIGITS}
    return [
        Cell(
            "esgd", {"settings": plain(plain_settings), "shares": SHARES, **fixed}, (),
            partial(_esgd, plain_settings), len(plain_settings) * len(SHARES) * TYPICAL,
        ),
        Cell("local", {"settings": plain(local), "share": 0.3, **fixed}, (), partial(_local, local),
             len(local) * 2 * TYPICAL),
    ]  # fmt: skip


def window(rate: float) -> tuple[int, int]:
    """The steps between which a state that shrinks by ``rate`` has the sizes ``SIZES``."""
    first, last = (ceil(log(size) / log(rate)) for size in SIZES)
    return first, last


def _measured(field: runner.Field, setting: Setting, rate: float, done: Callable[[int], None]) -> float:
    """The rate of |theta| + |m| + |h| over the window that the predicted rate gives; of |theta| + |m| at alpha = 0."""
    steps = np.unique(np.linspace(*window(rate), 200).astype(np.int64))
    run = runner.descend(field, [setting], checkpoints=steps, done=done)
    sizes = sum(np.abs(part[:, 0, 0]).sum(-1) for part in (run.theta, run.m, *([run.h] if setting.alpha else [])))
    return fit.geometric_rate(steps, np.asarray(sizes))


def _esgd(settings: list[Setting], done: Callable[[int], None]) -> Outcome:
    rows, curves = [], []
    field = runner.quadratic([1.0])
    for setting in settings:
        numbers = (setting.filter.c, setting.beta1, setting.beta2)
        xs = np.array(SHARES) * min(linear.largest_stable(*numbers), 2.0)
        predicted = [_observable(x, setting) for x in xs]
        found = [
            _measured(field, setting.at(x / (1 - setting.beta2)), rate, done)
            for x, rate in zip(xs, predicted, strict=True)
        ]
        rows.append(_worst(Subject(NAME, "quadratic", setting, f"beta2={setting.beta2:g}"), predicted, found))
        subject = Subject(NAME, "quadratic", setting, f"beta2={setting.beta2:g}")
        axes = ("eta lambda", "linear rate")
        curves.append(curve(subject, rows[-1], axes, xs, np.array([found]), predicted=np.array(predicted)))
    return rows, curves


def _observable(x: float, setting: Setting) -> float:
    """The spectral radius; at alpha = 0 without the root beta1 of h, which theta does not see."""
    beta1 = setting.beta1 if setting.alpha else 0.0
    return float(linear.spectral_radius(x, setting.filter.c, beta1, setting.beta2))


def _worst(subject: Subject, predicted: list[float], found: list[float]) -> dict:
    """The row of the setting's largest departure: without noise nothing is gained by looking for it."""
    at = int(np.argmax(np.abs(np.array(found) - predicted)))
    return row(
        subject, "linear rate, at the largest of its departures",
        Prediction(predicted[at], "=", "ours-stability-region", DIGITS), fit.Estimate(found[at], found[at], found[at]),
        window=window(predicted[at]), window_of="step", n_seeds=0,
    )  # fmt: skip


def _local(settings: list[Setting], done: Callable[[int], None]) -> Outcome:
    rows = []
    field = runner.quadratic([1.0, 0.3])
    for setting in settings:
        numbers = (setting.filter.c, setting.beta1, setting.beta2)
        x = 0.3 * min(linear.largest_stable(*numbers), 2.0)
        divisor = setting.eps[0] * (setting.eps[1] if setting.layerwise else 1.0)
        tuned = replace(setting, eta=x * divisor / (1 - setting.beta2))
        rate = max(_observable(x * eigenvalue, setting) for eigenvalue in (1.0, 0.3))
        found = _measured(field, tuned, rate, done)
        rows.append(row(
            Subject(NAME, "quadratic", tuned, "near the minimiser"), "linear rate",
            Prediction(rate, "=", "linearisation where v has died away", DIGITS), fit.Estimate(found, found, found),
            window=window(rate), window_of="step", n_seeds=0,
        ))  # fmt: skip
    return rows, []
