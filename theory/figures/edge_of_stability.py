"""Sharpness along full-batch training with E(SGD), settling at the predicted edge of stability."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from theory.plotting import style

STUDIES = ("edge-of-stability",)
TITLE = "The edge of stability moves with alpha"
SEE = (
    r"Each run's sharpness settles at its dashed line $x^*/\eta$: higher for $\alpha<0$, lower for $\alpha>0$, so that "
    r"at equal step negative $\alpha$ trains at *sharper* points; measured against predicted lies on the diagonal."
)


def draw(data: Mapping[str, Any]) -> Figure:
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
    left.set_ylim(2.5, 9.5)
    style.panel_letter(left, "a", rf"one start, $\eta={study['config']['eta']:g}$, no momentum")
    span = [3, 8.8]
    right.plot(span, span, color=style.GREY, linestyle="--", linewidth=0.8, label="measured = predicted")
    right.legend(loc="upper left")
    right.set_xlabel(r"predicted $x^*/\eta$")
    right.set_ylabel("settled sharpness")
    right.set_aspect("equal")
    style.panel_letter(right, "b", "last quarter")
    style.legend_below(figure, left, 5)
    return figure
