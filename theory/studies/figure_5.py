"""A small stand-in for the paper's figure 5: test accuracy over (beta1, alpha) of a network on handwritten digits.

ALTO trains scikit-learn's digits (1797 images of 8 x 8) with a tanh network 64-32-10, large batches, one learning rate
for all. All settings and seeds run side by side; a seed gives every setting the same start, split and batches.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger.effort import Effort
from theory.plotting import style
from theory.studies.intervals import t_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("figure-5",)
TITLE = r"Accuracy over $(\beta_1, \alpha)$, a small stand-in for the paper's figure 5"
SEE = (
    r"On digits with one learning rate, not the paper's setting, the differences to $\alpha=0$ are small beside the "
    r"spread of the seeds up to the cliff (dashed); beyond it, at large $c=-\alpha(1-\beta_1)$, accuracy falls."
)

BETA1S, CS = (0.5, 0.9, 0.99), (-0.5, -0.05, 0.0, 0.05, 0.25, 0.5, 0.75, 0.9)
BETA2, BETA3, DECAY, EPS = 0.9, 0.99, 1e-4, 1e-6
ETA, BATCH, EPOCHS, TRAIN, SEED = 0.02, 256, 30, 1280, 0
Layers = list[np.ndarray]


def _gradient(theta: Layers, x: np.ndarray, y: np.ndarray) -> Layers:
    """Of the mean cross-entropy; theta (R, 64, 32), (R, 1, 32), (R, 32, 10), (R, 1, 10), x (R, n, 64), y (R, n, 10)."""
    w1, b1, w2, b2 = theta
    hidden = np.tanh(x @ w1 + b1)
    logits = hidden @ w2 + b2
    chances = np.exp(logits - logits.max(-1, keepdims=True))
    chances /= chances.sum(-1, keepdims=True)
    error = (chances - y) / x.shape[1]
    back = (error @ w2.swapaxes(1, 2)) * (1 - hidden**2)
    return [
        x.swapaxes(1, 2) @ back, back.sum(1, keepdims=True),
        hidden.swapaxes(1, 2) @ error, error.sum(1, keepdims=True),
    ]  # fmt: skip


def _accuracy(theta: Layers, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    w1, b1, w2, b2 = theta
    found = (np.tanh(x @ w1 + b1) @ w2 + b2).argmax(-1)
    return 100 * (found == labels).mean(-1)


def _train(seed: int, epochs: int) -> np.ndarray:
    """Test accuracy in percent of every setting for one seed; shape (beta1, c)."""
    from sklearn.datasets import load_digits

    rng = np.random.default_rng((SEED, seed))
    images, targets = (np.asarray(part) for part in load_digits(return_X_y=True))
    order = rng.permutation(len(targets))
    x, labels = images[order] / 16, targets[order]
    onehot = np.eye(10)[labels]
    count = len(BETA1S) * len(CS)
    w1, w2 = rng.normal(size=(64, 32)) / 8, rng.normal(size=(32, 10)) / 32**0.5
    theta: Layers = [np.repeat(w[None], count, 0) for w in (w1, np.zeros((1, 32)), w2, np.zeros((1, 10)))]
    beta1 = np.repeat(BETA1S, len(CS))[:, None, None]
    c = np.tile(CS, len(BETA1S))[:, None, None]
    h, m, v = ([np.zeros_like(w) for w in theta] for _ in range(3))
    k = 0
    for _ in range(epochs):
        shuffled = rng.permutation(TRAIN)
        for start in range(0, TRAIN, BATCH):
            k += 1
            batch = shuffled[start : start + BATCH]
            for i, g in enumerate(_gradient(theta, x[batch][None], onehot[batch][None])):
                u = (1 - c) * g + c * h[i]
                h[i] = beta1 * h[i] + (1 - beta1) * g
                m[i] = BETA2 * m[i] + (1 - BETA2) * u
                v[i] = BETA3 * v[i] + (1 - BETA3) * u**2
                adam = m[i] / (1 - BETA2**k) / (np.sqrt(v[i] / (1 - BETA3**k)) + EPS)
                r = adam + DECAY * theta[i] if i % 2 == 0 else adam
                factor = _factor(theta[i], r) if i % 2 == 0 else 0.1  # biases: no decay and no layer factor
                theta[i] = theta[i] - ETA * factor * r
    return _accuracy(theta, x[TRAIN:][None], labels[TRAIN:]).reshape(len(BETA1S), len(CS))


def _factor(theta: np.ndarray, r: np.ndarray) -> np.ndarray:
    """|theta| / |r| of one layer; shape (R, 1, 1)."""
    norms = [np.linalg.norm(w, axis=(1, 2), keepdims=True) for w in (theta, r)]
    return norms[0] / (norms[1] + EPS * norms[0])


def compute(effort: Effort) -> dict[str, Any]:
    """Test accuracy by seed, shape (seeds, beta1, c)."""
    seeds = 20 if effort.thorough else 10
    accuracy = np.stack([_train(seed, EPOCHS) for seed in range(seeds)])
    config = {"beta1": BETA1S, "c": CS, "beta2": BETA2, "beta3": BETA3, "eta": ETA, "batch": BATCH, "epochs": EPOCHS,
              "train": TRAIN, "data": "scikit-learn digits", "network": "tanh 64-32-10"}  # fmt: skip
    return {"config": config, "seeds": list(range(seeds)), "accuracy": accuracy}


def draw(data: Mapping[str, Any]) -> "Figure":
    """Boxes over the seeds above, paired differences to alpha = 0 with 95 % intervals below."""
    study = data["figure-5"]
    accuracy, c = style.array(study["accuracy"]), style.array(study["config"]["c"])
    zero = int(np.flatnonzero(c == 0)[0])
    figure = style.figure(style.PAGE, 4.4)
    panels = figure.subplots(2, 3, sharex="col", sharey="row", height_ratios=(1, 1.3))
    for column, beta1 in enumerate(study["config"]["beta1"]):
        top, bottom = panels[:, column]
        values = accuracy[:, column]
        boxes = top.boxplot(values, positions=range(len(c)), widths=0.6, patch_artist=True,
                            flierprops={"markersize": 2}, medianprops={"color": style.BLACK})  # fmt: skip
        for box, strength in zip(boxes["boxes"], c, strict=True):
            box.set_facecolor(style.GREY if strength == 0 else style.ORANGE if strength < 0 else style.SKY)
        mean, half = t_interval(values - values[:, zero : zero + 1])
        bottom.errorbar(np.arange(len(c)), mean, half, fmt="o", color=style.BLUE, capsize=2)
        bottom.axhline(0, color=style.BLACK, linewidth=0.8)
        # the cliff: c0, beyond which oscillation limits the step
        beta2 = study["config"]["beta2"]
        cliff = beta1 * (1 - beta2) / (1 - beta1 * beta2)
        place = float(np.interp(cliff, c, np.arange(len(c)), right=np.nan))
        for axes in (top, bottom):
            axes.axvline(place, color=style.VERMILION, linestyle="--", linewidth=0.9)
        labels = [style.number(round(-strength / (1 - beta1), 3) + 0.0) for strength in c]
        bottom.set_xticks(range(len(c)), labels, rotation=60)
        bottom.set_xlabel(r"$\alpha$")
        style.panel_letter(top, "abc"[column], rf"$\beta_1={beta1:g}$")
    panels[0, 0].set_ylim(5 * np.floor(accuracy.min() / 5 - 0.5), 100)
    panels[1, 0].set_yscale("symlog", linthresh=2)
    panels[1, 0].set_ylim(-50, 3)
    panels[1, 0].set_yticks([-30, -10, -4, -2, 0, 2], [style.number(tick) for tick in (-30, -10, -4, -2, 0, 2)])
    panels[0, 0].set_ylabel("test accuracy (%)")
    panels[1, 0].set_ylabel("minus $\\alpha=0$, paired (points);\nlogarithmic below \N{MINUS SIGN}2")
    panels[0, 0].plot([], [], "--", color=style.VERMILION, label=r"cliff $c_0=\beta_1(1-\beta_2)/(1-\beta_1\beta_2)$")
    style.legend_below(figure, panels[0, 0], 1)
    return figure
