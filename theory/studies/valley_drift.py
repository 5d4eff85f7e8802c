"""Flattening along a valley: log-sharpness under noise, simulated and predicted, at equal eta."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger.effort import Effort
from theory.plotting import style
from theory.simulate.drift import drift, predicted
from theory.simulate.rule import Rule
from theory.studies.intervals import t_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("valley-drift", "label-noise")
TITLE = "At equal step, negative alpha flattens more slowly"
SEE = (
    r"Along a valley the mean log-sharpness (dots, 48 seeds) falls as the theory's line says, slower for $\alpha<0$; "
    r"on a fitted network under label noise the trace of the Hessian is ordered the same way."
)

CASES = ((50.0, 0.99), (0.5, 0.01), (0.0, 0.99), (-5.0, 0.99), (-20.0, 0.99), (-50.0, 0.99), (-80.0, 0.99))
BETA2S, SIGMA, SEED, SEEDS = (0.0, 0.9), 0.04, 0, 48


def compute(effort: Effort) -> dict[str, Any]:
    """Mean y_k with its interval over 48 seeds, beside the adiabatic prediction, with and without momentum."""
    steps, points = (20_000 if effort.thorough else 8000), 40
    panels = []
    for beta2 in BETA2S:
        eta = 0.8 * (1 - beta2)
        rules = [Rule(alpha, beta1, beta2) for alpha, beta1 in CASES]
        seen = drift(rules, eta=eta, sigma=SIGMA, steps=steps, points=points, seeds=SEEDS, seed=SEED)
        curves = []
        for rule, runs in zip(rules, seen, strict=True):
            mean, half = t_interval(runs)
            theory = predicted(rule, eta=eta, sigma=SIGMA, steps=steps, points=points)
            curves.append({"alpha": rule.alpha, "beta1": rule.beta1, "mean": mean, "half": half, "predicted": theory})
        panels.append({"beta2": beta2, "eta": eta, "curves": curves})
    config = {"sigma": SIGMA, "steps": steps, "points": points, "replicas": SEEDS}
    return {"config": config, "seeds": [SEED], "panels": panels}


def draw(data: Mapping[str, Any]) -> "Figure":
    """Two valleys (without and with momentum) and the network."""
    figure = style.figure(style.PAGE, 2.8)
    *valleys, network = figure.subplots(1, 3)
    study = data["valley-drift"]
    steps = np.linspace(0, study["config"]["steps"], study["config"]["points"] + 1) / 1000
    for letter, axes, panel in zip("ab", valleys, study["panels"], strict=True):
        for curve in panel["curves"]:
            alpha, beta1 = curve["alpha"], curve["beta1"]
            axes.plot(steps, curve["predicted"], color=style.colour(alpha), linewidth=0.9)
            axes.errorbar(steps[4::6], curve["mean"][4::6], curve["half"][4::6], fmt=style.marker(alpha), markersize=3,
                          color=style.colour(alpha), elinewidth=0.8,
                          label=style.name(alpha, beta1 if beta1 != 0.99 else None))  # fmt: skip
        axes.set_xlabel("step / 1000")
        style.panel_letter(axes, letter, rf"valley, $\beta_2={panel['beta2']:g}$")
    valleys[0].set_ylabel(r"log-sharpness $y$")
    study = data["label-noise"]
    for run in study["runs"]:
        alpha, mean, half = run["alpha"], style.array(run["trace"]), style.array(run["half"])
        at = style.array(study["steps"]) / 1000
        network.plot(at, mean, color=style.colour(alpha), linewidth=0.9)
        network.fill_between(at, mean - half, mean + half, color=style.colour(alpha), alpha=0.25, linewidth=0)
        network.plot(at[5::12], mean[5::12], style.marker(alpha), color=style.colour(alpha), markersize=3)
    network.set_xlabel("step / 1000")
    network.set_ylabel("trace of the Hessian")
    count = study["config"]["noise_sequences"]
    style.panel_letter(network, "c", f"label noise, {count} seeds")
    style.legend_below(figure, valleys[0], 7)
    return figure
