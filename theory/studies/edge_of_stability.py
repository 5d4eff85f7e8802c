"""The edge of stability: sharpness of a small network along full-batch training with E(SGD), for several alpha."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger.effort import Effort
from theory.plotting import style
from theory.simulate.full_batch import PROBE_EVERY, train
from theory.stability import linear

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("edge-of-stability",)
TITLE = "The edge of stability moves with alpha"
SEE = (
    r"Each run's sharpness settles at its dashed line $x^*/\eta$: higher for $\alpha<0$, lower for $\alpha>0$, so that "
    r"at equal step negative $\alpha$ trains at *sharper* points; measured against predicted lies on the diagonal."
)

CASES = ((50.0, 0.99), (0.5, 0.01), (0.0, 0.99), (-5.0, 0.99), (-20.0, 0.99))
ETA = 0.3


def compute(effort: Effort) -> dict[str, Any]:
    """Sharpness every 100 steps, and its mean over the last quarter; full batch, one start, nothing is random."""
    steps, runs = (8000 if effort.thorough else 4000), []
    for alpha, beta1 in CASES:
        seen = train(alpha, beta1, eta=ETA, steps=steps)
        predicted = linear.largest_stable(-alpha * (1 - beta1), beta1, 0.0) / ETA
        settled = {"predicted": predicted, "settled": seen.settled}
        runs.append({"alpha": alpha, "beta1": beta1, **settled, "sharpness": seen.sharpness})
    config = {"eta": ETA, "beta2": 0.0, "steps": steps, "probe_every": PROBE_EVERY}
    return {"config": config, "seeds": [0], "runs": runs}


def draw(data: Mapping[str, Any]) -> "Figure":
    """Sharpness by step, and its settled value against the prediction."""
    study = data["edge-of-stability"]
    figure = style.figure(style.PAGE, 2.7)
    left, right = figure.subplots(1, 2, width_ratios=(2.2, 1))
    every = study["config"]["probe_every"]
    for run in study["runs"]:
        alpha = run["alpha"]
        label = style.name(alpha, run["beta1"] if run["beta1"] != 0.99 else None)
        steps = every * np.arange(1, len(run["sharpness"]) + 1)
        left.plot(steps, run["sharpness"], color=style.colour(alpha), linewidth=0.9, label=label)
        left.axhline(run["predicted"], color=style.colour(alpha), linestyle="--", linewidth=0.8)
        right.plot(run["predicted"], run["settled"], style.marker(alpha), color=style.colour(alpha))
    left.set_xlabel("step")
    left.set_ylabel(r"sharpness $\lambda_{\max}$")
    levels = style.array([[run["predicted"], run["settled"]] for run in study["runs"]])
    span = [0.9 * np.nanmin(levels), 1.05 * np.nanmax(levels)]
    left.set_ylim(0.8 * span[0], 1.1 * span[1])
    style.panel_letter(left, "a", rf"one start, $\eta={study['config']['eta']:g}$, no momentum")
    right.plot(span, span, color=style.GREY, linestyle="--", linewidth=0.8, label="measured = predicted")
    right.legend(loc="upper left")
    right.set_xlabel(r"predicted $x^*/\eta$")
    right.set_ylabel("settled sharpness")
    right.set_aspect("equal")
    style.panel_letter(right, "b", "last quarter")
    style.legend_below(figure, left, 5)
    return figure
