"""One registered objective with its own noise: the exponent in T of the mean squared gradient, alpha beside alpha = 0.

A run of T steps with batch 1 has eta ~ T^(-1/2), as in study 5. Theorem N for ESGD then says T^(-1/2) or faster: faster
where the noise vanishes at the minimisers, or while the start is what is left. It is a bound: an exponent above -1/2
with a ratio above 1 is a T at which the bound is not near yet. No theorem covers the others at batch 1: they get no
prediction and no verdict.

The literal algorithms run here, vectorised over seeds, so that any objective will do.

ESGD's bound counts as proved where L held all along (the iterates stayed in the objective's domain) and the noise is
additive; elsewhere its variance is the largest one met.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from theory.method import algorithms
from theory.objectives import Objective
from theory.objectives.noise import Gaussian, Sign, Skewed
from theory.rates import fit
from theory.rates.records import Cell, Outcome, Prediction, Subject, bound_over, curve, plain, row
from theory.rates.settings import PAPER, TWIN, Setting
from theory.theorems import bounds

SETTINGS = tuple(Setting(method, *pair) for method in ("ESGD", "EAdam", "ALTO") for pair in (*PAPER, TWIN))
PRACTICAL = 0.05
"""eta at the smallest T for the methods that no theorem covers."""
TOLERANCE = 0.0
"""An interval that leaves out the prediction does not agree with it."""
NO_THEOREM = "no theorem, no verdict"


@dataclass(frozen=True)
class Descended:
    """What a run saw: the mean of |grad f|^2 per seed, ESGD's largest variance, whether it stayed in the domain."""

    squares: np.ndarray
    variance: float
    inside: bool


def sizes(full: bool) -> tuple[list[int], range]:
    """The numbers of steps, and seeds."""
    Ts = [100, 316, 1_000, 3_162, 10_000]
    return ([10 * T for T in Ts], range(64)) if full else (Ts, range(16))


def measure(
    f: Objective,
    Ts: Sequence[int],
    seeds: Sequence[int],
    *,
    settings: Sequence[Setting] = SETTINGS,
    done: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """Rows and curves, as those of a study; a row without a theorem has no prediction, and ``NO_THEOREM`` as verdict.

    Raises:
        ValueError: f is not smooth: no exponent of its gradient is predicted.
    """
    if f.L is None:
        raise ValueError(f"objective = {f.name!r} is not smooth: no exponent of its gradient is predicted")
    x, window = np.array(Ts), (float(Ts[-1]) / 10.001, float(Ts[-1]))
    gap = float(f.value(f.start[None])[0]) - f.infimum
    additive = isinstance(f.noise, Gaussian | Sign | Skewed)
    rows, curves = [], []
    for setting in settings:
        covered = setting.method == "ESGD"
        etas = steps(f, setting, Ts)
        runs = [descend(f, setting.at(eta), T, seeds, done) for eta, T in zip(etas, Ts, strict=True)]
        squares = np.stack([run.squares for run in runs], -1)
        bound, ratio = None, None
        if covered:
            bound = np.array([
                bounds.mean_square_gradient_small_batch(
                    setting.filter, L=f.L, eta=eta, T=T, gap=gap, variance=run.variance
                )
                for eta, T, run in zip(etas, Ts, runs, strict=True)
            ])  # fmt: skip
            proved = additive and all(run.inside for run in runs)
            ratio = bound_over(bound, squares.mean(0), late=x >= window[0], proved=proved)
        subject = Subject("objective", f.name, setting, "eta ~ T^(-1/2), batch 1")
        theorem = "ours-theorem-n-sgd-small-batch" if covered else "no theorem"
        rows.append(row(
            subject, "exponent in T of the mean of |grad f|^2", Prediction(-0.5, "<=", theorem, TOLERANCE),
            fit.exponent(x, squares, window), window=window, window_of="T", n_seeds=len(seeds), bound=ratio,
        ))  # fmt: skip
        if not covered:
            rows[-1] |= {"predicted": None, "relation": None, "tolerance": None, "verdict": NO_THEOREM}
        curves.append(curve(subject, rows[-1], ("T", "mean of |grad f|^2"), x, squares, bound=bound))
    return rows, curves


def steps(f: Objective, setting: Setting, Ts: Sequence[int]) -> list[float]:
    """The eta of each T: the largest that the theorem allows at the smallest T, or ``PRACTICAL`` without a theorem."""
    first = PRACTICAL
    if setting.method == "ESGD" and f.L is not None:
        first = bounds.largest_step_small_batch(setting.filter, f.L)
    return [first * sqrt(Ts[0] / T) for T in Ts]


@dataclass(frozen=True)
class ObjectiveStudy:
    """One objective as a study: one cell per setting, so that a full run continues where it stopped."""

    name: str
    f: Objective

    @property
    def NAME(self) -> str:
        """The name of its results."""
        return f"objective-{self.name}"

    @property
    def TITLE(self) -> str:
        """What ran."""
        return f"{self.name} with {type(self.f.noise).__name__} noise: eta ~ T^(-1/2), batch 1"

    def cells(self, full: bool) -> list[Cell]:
        """One per setting, with every number that it uses."""
        Ts, seeds = sizes(full)
        return [
            Cell(
                f"{s.method}-{s.alpha:g}-{s.beta1:g}",
                {
                    "setting": plain([s])[0], "T": Ts, "eta": steps(self.f, s, Ts), "batch": 1,
                    "tolerance": TOLERANCE if s.method == "ESGD" else None,
                },
                seeds,
                lambda done, s=s: measure(self.f, Ts, seeds, settings=[s], done=done),
                sum(Ts) * self.f.dimension * len(seeds),
            )
            for s in SETTINGS
        ]  # fmt: skip


def lines(study: dict[str, Any]) -> list[str]:
    """A stored study as text: every number used, and for each setting the exponent with its verdict."""
    one = next(iter(study["config"].values()))
    found = [
        f"{study['title']} ({study['mode']}, {study['wall_s']:.0f} s)",
        f"T = {', '.join(str(T) for T in one['T'])}; {one['seeds']} seeds; exponents in T of the mean of |grad f|^2, "
        f"fitted from T = {study['rows'][0]['window'][0]:g} on, with 95 % intervals",
        "",
        f"{'method':<8}{'alpha':>6}{'beta1':>7}{'eta at smallest T':>19}  {'eps':<10}{'exponent [95 %]':<30}verdict",
    ]
    for line, config in zip(study["rows"], study["config"].values(), strict=True):
        eps = "none" if line["method"] == "ESGD" else ", ".join(f"{e:g}" for e in config["setting"]["eps"])
        measured = f"{line['measured']:.4f} [{line['low']:.4f}, {line['high']:.4f}]"
        said = line["verdict"]
        if line["predicted"] is not None:
            said += (
                f": predicted {line['relation']} {line['predicted']:g}, tolerance {line['tolerance']:g}; smallest "
                f"bound/measured {line['bound_over_measured']:.4g}"
                + ("" if line["proved"] else " (hypotheses assumed)")
            )
        found.append(f"{line['method']:<8}{line['alpha']:>6g}{line['beta1']:>7g}{config['eta'][0]:>19.4g}  {eps:<10}"
                     f"{measured:<30}{said}")  # fmt: skip
    return found


def descend(f: Objective, setting: Setting, T: int, seeds: Sequence[int], done: Callable[[int], None]) -> Descended:
    """T steps of the literal algorithm from the objective's start: a replica per seed, their noise from one generator.

    Raises:
        ValueError: f has no noise model; those that :func:`theory.objectives.make` builds have one.
    """
    if f.noise is None:
        raise ValueError(f"objective = {f.name!r} has no noise")
    optimizer = _literal(setting)
    theta = optimizer.init([np.tile(f.start, (len(seeds), 1))])
    rng = np.random.default_rng(list(seeds))
    squares, inside = np.zeros(len(seeds)), True
    variance = float(f.noise.variance(theta[0]).max())
    varies = setting.method == "ESGD" and not isinstance(
        f.noise, Gaussian | Sign | Skewed
    )  # the theorem alone needs it
    for k in range(T):
        gradient = f.gradient(theta[0])
        squares += (gradient**2).sum(-1)
        if varies:
            variance = max(variance, float(f.noise.variance(theta[0]).max()))
        inside &= bool((theta[0] >= f.domain[0]).all() and (theta[0] <= f.domain[1]).all())
        theta = optimizer.step(theta, [gradient + f.noise.draw(rng, theta[0])], setting.literal_eta)
        if (k + 1) % 100 == 0 or k + 1 == T:
            done((k % 100 + 1) * theta[0].size)
    return Descended(squares / T, variance, inside)


def _literal(setting: Setting) -> Any:
    if setting.method == "ESGD":
        return algorithms.ESGD(setting.alpha, setting.beta1, setting.beta2)
    return algorithms.ALTO(
        setting.alpha, setting.beta1, setting.beta2, setting.beta3, *setting.eps, 0.0,
        bias_correction=setting.corrected, layerwise=setting.layerwise,
    )  # fmt: skip
