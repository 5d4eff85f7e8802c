"""Divergence inside |alpha| < 1/(1 - beta1): the loss of a small network with momentum .9 near the cliff."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger.effort import Effort
from theory.plotting import style
from theory.simulate.full_batch import train
from theory.stability import linear

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("divergence",)
TITLE = r"Divergence inside the allowed set"
SEE = (
    r"With $\beta_1=.99$, $\beta_2=.9$ the paper allows $|\alpha|<100$, yet $\alpha=-93$ and $-95$ blow up and $-91$ "
    r"trains: the largest sharpness that is stable, $x^*/\eta$, falls below the sharpness that the network has."
)

ALPHAS, BETA1, BETA2, ETA = (0.0, -91.0, -93.0, -95.0), 0.99, 0.9, 0.03


def compute(effort: Effort) -> dict[str, Any]:
    """Loss at log-spaced steps, and the sharpness that each alpha can bear; full batch, one start, no randomness."""
    steps, runs = (20_000 if effort.thorough else 8000), []
    for alpha in ALPHAS:
        seen = train(alpha, BETA1, eta=ETA, beta2=BETA2, steps=steps)
        at = np.unique(np.geomspace(1, len(seen.loss), 200).astype(int))
        finite = [value for value in seen.sharpness if np.isfinite(value)]
        runs.append({
            "alpha": alpha,
            "bears": linear.largest_stable(-alpha * (1 - BETA1), BETA1, BETA2) / ETA,
            "sharpness": finite[-1] if np.isfinite(seen.loss[-1]) and seen.loss[-1] < 1 else None,
            "step": at,
            "loss": [seen.loss[k - 1] for k in at],
        })  # fmt: skip
    config = {"eta": ETA, "beta1": BETA1, "beta2": BETA2, "steps": steps}
    return {"config": config, "seeds": [0], "runs": runs}


def draw(data: Mapping[str, Any]) -> "Figure":
    """The loss by step on logarithmic axes."""
    study = data["divergence"]
    figure = style.figure(style.COLUMN, 2.6)
    axes = figure.subplots()
    for run in study["runs"]:
        alpha = run["alpha"]
        label = rf"{style.name(alpha)}: {run['bears']:.3g}"
        axes.plot(run["step"], run["loss"], color=style.colour(alpha), label=label)
    start = [run["sharpness"] for run in study["runs"] if run["sharpness"] and run["alpha"]]
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylim(1e-12, 1e6)
    axes.set_ylabel("training loss")
    if start:  # of a run with E that trained
        axes.set_title(f"sharpness of the network: {start[0]:.1f}", loc="left")
    handles, labels = axes.get_legend_handles_labels()
    style.legend_of(figure, handles, labels, 2, title=r"largest stable sharpness $x^*/\eta$", title_fontsize=7)
    return figure
