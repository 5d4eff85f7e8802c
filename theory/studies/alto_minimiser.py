"""ALTO without noise at a constant learning rate: the loss at which it cycles around a minimiser (ours)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger.effort import Effort
from theory.method.algorithms import ALTO
from theory.plotting import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("alto-minimiser",)
TITLE = "ALTO around a minimiser"
SEE = (
    r"(a) On a quadratic without noise ALTO's loss stops falling at a level that a constant learning rate sets, and "
    r"goes on falling under a linear decay (dashed); (b) the late loss is about proportional to $\eta^2$ (dotted), for "
    r"every alpha."
)

CASES = ((0.0, 0.99), (-5.0, 0.99), (0.5, 0.01))
BETA2, BETA3, EPS, CURVATURES = 0.9, 0.99, (1e-6, 1e-6, 1e-10), (1.0, 0.5, 0.1)
ETAS = (0.03, 0.01, 0.003, 0.001)


def losses(alpha: float, beta1: float, eta: float, steps: int, *, decayed: bool = False) -> np.ndarray:
    """The loss at each step, from twice the minimiser theta* of norm 1; shape (steps,)."""
    rule = ALTO(alpha, beta1, BETA2, BETA3, *EPS, weight_decay=0.0, bias_correction=True, layerwise=True)
    curvature = np.array(CURVATURES)
    star = np.full((1, len(curvature)), len(curvature) ** -0.5)
    (theta,), found = rule.init([2 * star]), []
    for k in range(steps):
        found.append(float((curvature * (theta - star) ** 2).sum() / 2))
        (theta,) = rule.step([theta], [curvature * (theta - star)], eta * (1 - k / steps if decayed else 1.0))
    return np.array(found)


def compute(effort: Effort) -> dict[str, Any]:
    """Runs at one learning rate, constant and decayed, and the mean loss of the last half by learning rate."""
    steps = 8000 if effort.thorough else 1000
    at = np.unique(np.geomspace(1, steps, 200).astype(int)) - 1
    runs, late = [], []
    for alpha, beta1 in CASES:
        constant = {eta: losses(alpha, beta1, eta, steps) for eta in ETAS}
        decayed = losses(alpha, beta1, ETAS[1], steps, decayed=True)
        runs.append({
            "alpha": alpha,
            "beta1": beta1,
            "k": at + 1,
            "constant": constant[ETAS[1]][at],
            "decayed": decayed[at],
        })
        late.append({
            "alpha": alpha,
            "beta1": beta1,
            "eta": ETAS,
            "loss": [constant[e][steps // 2 :].mean() for e in ETAS],
        })
    config = {"beta2": BETA2, "beta3": BETA3, "eps": EPS, "curvatures": CURVATURES, "eta": ETAS[1], "steps": steps}
    return {"config": config, "seeds": [], "runs": runs, "late": late}


def draw(data: Mapping[str, Any]) -> "Figure":
    """The loss by step, and the late loss by learning rate."""
    study = data["alto-minimiser"]
    figure = style.figure(style.PAGE, 2.7)
    left, right = figure.subplots(1, 2)
    for run, late in zip(study["runs"], study["late"], strict=True):
        colour, name = style.colour(run["alpha"]), style.name(run["alpha"], run["beta1"])
        k = style.array(run["k"])
        left.plot(k, style.array(run["constant"]), color=colour, label=name)
        left.plot(k, style.array(run["decayed"]), "--", color=colour)
        right.plot(style.array(late["eta"]), style.array(late["loss"]), style.marker(run["alpha"]), color=colour)
    eta, first = style.array(study["late"][0]["eta"]), study["late"][0]["loss"]
    guide = first[-1] * (eta / eta[-1]) ** 2
    right.plot(eta, guide, ":", color=style.GREY, label=r"$\propto \eta^2$")
    left.set_xlabel("steps k")
    left.set_ylabel(r"$f - f^*$")
    style.panel_letter(left, "a", rf"$\eta={study['config']['eta']:g}$; decayed: dashed")
    right.set_xlabel(r"$\eta$")
    right.set_ylabel("late loss")
    style.panel_letter(right, "b", "the loss of the cycle")
    right.set_xscale("log")
    left.set_yscale("log")
    right.set_yscale("log")
    style.legend_below(figure, (left, right), 4)
    return figure
