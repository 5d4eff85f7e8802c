"""Mean-square stability in the plane of sharpness and non-uniformity."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from theory.plotting import style
from theory.stability import linear

STUDIES = ("mean-square",)
TITLE = "Which minima minibatch noise lets be"
SEE = (
    r"Below its line (dots: the exact second-moment operator) a minimum is mean-square stable: $\alpha<0$ tolerates "
    r"more sharpness *and* more non-uniformity, the opposite of a preference for flat minima."
)


def draw(data: Mapping[str, Any]) -> Figure:
    """The critical non-uniformity rho x over the sharpness x, without and with momentum."""
    study = data["mean-square"]
    figure = style.figure(style.PAGE, 2.7)
    panels = figure.subplots(1, 2)
    for letter, axes, panel in zip("ab", panels, study["panels"], strict=True):
        beta2 = panel["beta2"]
        for curve in panel["curves"]:
            alpha, beta1 = curve["alpha"], curve["beta1"]
            x = np.linspace(1e-3, 0.9999, 500) * curve["limit"]
            variance = linear.variance(x, -alpha * (1 - beta1), beta1, beta2)
            label = style.name(alpha, beta1 if beta1 != 0.99 else None)
            axes.plot(x, x / np.sqrt(variance), color=style.colour(alpha), label=label)
            dots = style.array(curve["x"])
            axes.plot(dots, dots * style.array(curve["rho"]), style.marker(alpha), color=style.colour(alpha),
                      markersize=3)  # fmt: skip
        axes.set_xscale("log")
        axes.set_xlim(left=0.02)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(r"sharpness $x=\eta\lambda$")
        style.panel_letter(axes, letter, rf"$\beta_2={beta2:g}$")
    panels[0].set_ylabel(r"non-uniformity $\rho x$")
    style.legend_below(figure, panels[0], 6)
    return figure
