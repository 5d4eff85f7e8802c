"""The weights of past gradients in the momentum, measured: an impulse through the literal recursion."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger.effort import Effort
from theory.method.algorithms import ESGD
from theory.method.filters import Filter
from theory.plotting import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("impulse-response",)
TITLE = "The momentum is a mixture of two averages"
SEE = (
    r"The weights of past gradients (dots) are $(1-w)$ of an average with decay rate $\beta_2$ and $w$ of one with "
    r"$\beta_1$ (lines); the recommended $\alpha=-5$ moves 5.6 % of the weight to the slow one, $\alpha=-90$ all of it."
)

BETA1, BETA2, LENGTH = 0.99, 0.9, 400
ALPHAS = (0.0, -5.0, -50.0, -90.0)


def compute(_: Effort) -> dict[str, Any]:
    """The normalised m after an impulse, 400 steps; nothing is random."""
    curves = []
    for alpha in ALPHAS:
        optimizer = ESGD(alpha, BETA1, BETA2)
        theta = optimizer.init([np.zeros((1, 1))])
        weights = []
        for k in range(LENGTH):
            optimizer.step(theta, [np.full((1, 1), float(k == 0))], 0.0)
            weights.append((1 - BETA2) * optimizer.m[0][0, 0])
        curves.append({"alpha": alpha, "weights": weights})
    config = {"beta1": BETA1, "beta2": BETA2, "length": LENGTH}
    return {"config": config, "seeds": [], "curves": curves}


def draw(data: Mapping[str, Any]) -> "Figure":
    """Weights by lag on a logarithmic axis."""
    study = data["impulse-response"]
    beta1, beta2 = study["config"]["beta1"], study["config"]["beta2"]
    figure = style.figure(style.COLUMN, 2.5)
    axes = figure.subplots()
    lag = np.arange(study["config"]["length"])
    shown = np.unique(np.round(np.geomspace(1, len(lag), 26)).astype(int)) - 1
    for curve in study["curves"]:
        alpha = curve["alpha"]
        share = abs(Filter(alpha, beta1, beta2).c * (1 - beta2) / (beta1 - beta2))  # not -0
        line = (1 - share) * (1 - beta2) * beta2**lag + share * (1 - beta1) * beta1**lag
        axes.plot(lag, line, color=style.colour(alpha), label=rf"{style.name(alpha)}, $w={share:.3g}$")
        weights = style.array(curve["weights"])[shown]
        axes.plot(shown, weights, style.marker(alpha), color=style.colour(alpha), markersize=3)
    axes.set_yscale("log")
    axes.set_ylim(1e-6, 0.2)
    axes.set_xlabel(r"age of the gradient (steps)")
    axes.set_ylabel("weight in $m$")
    style.legend_below(figure, axes, 2)
    return figure
