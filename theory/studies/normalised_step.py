"""ALTO by its normalised step: both sides of the bound along a training, and the rate in T at batch 1 (ours).

The training is of a tanh network, 64-16-10, on scikit-learn's digits in batches of 64, by ALTO (Algorithm 2) with the
paper's settings for large batches and no decay. The biases start at zero, so that their first factor is 1, as in the
library. L is the largest curvature along a step, 2 (f(theta+) - f - <D, theta+ - theta>) / |theta+ - theta|^2: that is
all that the bound uses of smoothness along one run.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger.effort import Effort
from theory.method.algorithms import ALTO
from theory.method.filters import Filter
from theory.method.trajectory import record, split
from theory.objectives.waves import waves
from theory.plotting import style
from theory.studies.intervals import t_interval
from theory.theorems import normalised_step as theorem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("normalised-step",)
TITLE = "ALTO by its normalised step"
SEE = (
    r"(a) The bound along one training on digits: the gradient's norm, weighted by each layer's own and by the "
    r"alignment of its preconditioner, and what bounds it; at the end most of the bound is the momentum's error and "
    r"the curvature; (b) with $\eta \sim T^{-3/4}$ and $1-\beta_2 = T^{-1/2}$ the weighted norm falls with one sample "
    r"per step, for every alpha, at about the rate of its bound, $T^{-1/4}$, and far below it."
)

SEED, BATCH, STEPS, ETA, SIZES = 0, 64, 2000, 0.003, (64 * 16, 16, 16 * 10, 10)
ALPHA, BETA1, BETA2, BETA3, EPS = -5.0, 0.99, 0.9, 0.99, (1e-6, 1e-6, 1e-10)
CASES = ((-5.0, 0.99), (0.0, 0.99), (0.5, 0.01))
LAYERS, ETA_1, RATE_EPS, SIGMA = (2, 3), 1.0, (1e-3, 0.0, 1e-3), 1.0


def _loss(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean cross-entropy of the network and its gradient, (1, d); theta (1, d), x (n, 64), y (n, 10)."""
    w1, b1, w2, b2 = split(theta, SIZES)
    w1, w2 = w1.reshape(64, 16), w2.reshape(16, 10)
    hidden = np.tanh(x @ w1 + b1)
    logits = hidden @ w2 + b2
    shifted = logits - logits.max(-1, keepdims=True)
    log_total = np.log(np.exp(shifted).sum(-1, keepdims=True))
    error = (np.exp(shifted - log_total) - y) / len(x)
    back = (error @ w2.T) * (1 - hidden**2)
    parts = (x.T @ back, back.sum(0), hidden.T @ error, error.sum(0))
    return float(((log_total - shifted) * y).sum() / len(x)), np.concatenate([part.ravel() for part in parts])[None]


def training(steps: int) -> dict[str, Any]:
    """The parts of the pathwise bound along the training, as running means over steps."""
    from sklearn.datasets import load_digits

    rng = np.random.default_rng(SEED)
    images, labels = (np.asarray(part) for part in load_digits(return_X_y=True))
    x, y = images / 16, np.eye(10)[labels]
    scales = np.repeat([64**-0.5, 0.0, 16**-0.5, 0.0], SIZES)
    alto = ALTO(
        ALPHA, BETA1, BETA2, BETA3, *EPS, weight_decay=0.0, bias_correction=True, layerwise=True,
        zero_norm_factor_one=True,
    )  # fmt: skip
    batches = rng.integers(len(x), size=(steps, BATCH))
    run = record(
        alto, lambda k, theta: _loss(theta, x[batches[k - 1]], y[batches[k - 1]])[1],
        rng.normal(size=(1, sum(SIZES))) * scales, steps=steps, eta=lambda _: ETA, layers=SIZES,
    )  # fmt: skip
    values, gradients = zip(*(_loss(theta, x, y) for theta in run.theta), strict=True)
    f, D, move = np.array(values), np.stack(gradients[:-1]), np.diff(run.theta, axis=0)
    L = float((2 * (np.diff(f) - (D * move).sum((1, 2))) / (move**2).sum((1, 2))).max())
    found, T = theorem.of_run(run, alto, D), np.arange(1, steps + 1)
    gap = float(f[0] - f.min())
    right, left = found.right_side(ETA, L, gap)[:, 0], np.cumsum(found.weighted[:, 0]) / T
    error = (found.phi * (1 + found.psi) * found.error).sum(-1)[:, 0]
    at = np.unique(np.geomspace(1, steps, 60).astype(int)) - 1
    return {
        "T": T[at], "left": left[at], "right": right[at], "gap": (gap / (ETA * T))[at],
        "error": (np.cumsum(error) / T)[at], "curvature": (np.cumsum(L * ETA / 2 * found.reach[:, 0] ** 2) / T)[at],
        "unweighted": (np.cumsum(np.sqrt((D[:, 0] ** 2).sum(-1))) / T)[at],
        "loss": f[:-1][at], "L": L, "least": float((right / left).min()),
        "psi": np.quantile(found.psi, [0, 0.5, 1]), "phi": np.quantile(found.phi, [0, 0.5, 1]),
    }  # fmt: skip


def rate(alpha: float, beta1: float, sizes: list[int], seeds: int) -> dict[str, Any]:
    """The weighted norm over T at batch 1 with its interval, what the bound needs, and the exponent over the seeds."""
    objective, d = waves(dimension=sum(LAYERS)), sum(LAYERS)
    assert objective.L is not None
    means, reach = [], []
    for T in sizes:
        eta, beta2 = theorem.schedule(T, ETA_1)
        alto = ALTO(alpha, beta1, beta2, BETA3, *RATE_EPS, weight_decay=0.0, bias_correction=False, layerwise=True)
        rng = np.random.default_rng(SEED)
        theta = alto.init(split(np.tile(objective.start, (seeds, 1)), LAYERS))
        total, farthest = np.zeros(seeds), 0.0
        for _ in range(T):
            before = np.concatenate(theta, 1)
            D = objective.gradient(before)
            theta = alto.step(theta, split(D + SIGMA / d**0.5 * rng.normal(size=D.shape), LAYERS), eta)
            m, v = (np.concatenate(state, 1) for state in (alto.m, alto.v))
            found = theorem.layers(
                before, m, np.sqrt(v) + RATE_EPS[0], D, decay=0.0, eps2=0.0, eps3=RATE_EPS[2], sizes=LAYERS
            )
            total += found.weighted
            farthest = max(farthest, float(found.reach.max()))
        means.append(total / T)
        reach.append(farthest)
    per_seed, window = np.array(means), [i for i, T in enumerate(sizes) if sizes[-1] / 64 <= T]
    slopes = np.polyfit(np.log([sizes[i] for i in window]), np.log(per_seed[window]), 1)[0]
    middle, half = t_interval(per_seed.T)
    exponent, exponent_half = t_interval(slopes)
    start = objective.start[None]
    return {
        "alpha": alpha, "beta1": beta1, "T": sizes, "mean": middle, "half": half, "reach": reach,
        "gap": float(objective.value(start)[0]) - objective.infimum, "L": objective.L, "variance": SIGMA**2,
        "first": float((objective.gradient(start) ** 2).sum()),
        "exponent": exponent, "exponent_half": exponent_half, "window": [sizes[window[0]], sizes[-1]],
    }  # fmt: skip


def compute(effort: Effort) -> dict[str, Any]:
    """The training, and the rates of three settings."""
    steps, largest, seeds = (STEPS, 7, 16) if effort.thorough else (STEPS // 8, 5, 8)
    sizes = [4**k for k in range(2, largest + 1)]
    config = {
        "eta": ETA, "batch": BATCH, "steps": steps, "alpha": ALPHA, "beta1": BETA1, "beta2": BETA2, "beta3": BETA3,
        "eps": EPS, "layers": LAYERS, "eta_1": ETA_1, "rate_eps": RATE_EPS, "sigma": SIGMA, "replicas": seeds,
    }  # fmt: skip
    rates = [rate(*pair, sizes, seeds) for pair in CASES]
    return {"config": config, "seeds": [SEED], "training": training(steps), "rates": rates}


def bound(row: Mapping[str, Any]) -> np.ndarray:
    """The theorem's bound at each T of one of the study's rates, with the largest reach of that run as Phi."""
    from theory.theorems.bounds import tracking_by_filter  # not part of what the study computes

    right = []
    for T, reach in zip(row["T"], row["reach"], strict=True):
        eta, beta2 = theorem.schedule(T, ETA_1)
        triple = tracking_by_filter(Filter(row["alpha"], row["beta1"], beta2))
        given = {key: row[key] for key in ("gap", "first", "variance", "L")}
        right.append(theorem.mean_weighted_gradient(triple, eta=eta, T=T, reach=reach, **given))
    return np.array(right)


def draw(data: Mapping[str, Any]) -> "Figure":
    """Both sides along a training, and the weighted norm over T with the bound."""
    study = data["normalised-step"]
    figure = style.figure(style.PAGE, 2.9)
    left, right = figure.subplots(1, 2)
    run = study["training"]
    for key, colour, line, label in (
        ("right", style.VERMILION, "-", "bound"), ("error", style.ORANGE, "--", "of it: momentum's error"),
        ("gap", style.SKY, "--", r"of it: $\Delta/(\eta T)$"), ("curvature", style.GREEN, "--", "of it: curvature"),
        ("left", style.BLACK, "-", r"$\sum_i \phi_i \psi_i \|D_i\|$"),
        ("unweighted", style.BLACK, ":", r"$\|D\|$"),
    ):  # fmt: skip
        left.plot(style.array(run["T"]), style.array(run[key]), line, color=colour, label=label)
    left.set_xlabel("steps T")
    left.set_ylabel("mean over the first T steps")
    style.panel_letter(left, "a", "a training on digits")
    for row in study["rates"]:
        at, mean, half = (style.array(row[key]) for key in ("T", "mean", "half"))
        colour, name = style.colour(row["alpha"]), style.name(row["alpha"])
        right.errorbar(at, mean, half, color=colour, marker=style.marker(row["alpha"]), label=name)
        right.plot(at, bound(row), "--", color=colour)
    first = study["rates"][0]
    guide = style.array(first["T"])
    falling = first["mean"][0] / 3 * (guide / guide[0]) ** -0.25
    right.plot(guide, falling, ":", color=style.GREY, label=r"$\propto T^{-1/4}$")
    right.set_xlabel("number of steps T")
    right.set_ylabel(r"mean of $\sum_i \phi_i \psi_i \|D_i\|$")
    style.panel_letter(right, "b", "one sample per step; bounds dashed")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_yscale("log")
    style.legend_below(figure, (left, right), 5)
    return figure
