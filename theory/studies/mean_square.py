"""Mean-square stability under multiplicative noise: where the exact second-moment operator reaches radius 1."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import root_scalar

from theory.ledger.effort import Effort
from theory.plotting import style
from theory.stability import linear

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("mean-square",)
TITLE = "Which minima are stable under minibatch noise"
SEE = (
    r"Below its line (dots: the exact second-moment operator) a minimum is mean-square stable: $\alpha<0$ tolerates "
    r"more sharpness *and* more non-uniformity, the opposite of a preference for flat minima."
)

CASES = ((50.0, 0.99), (0.5, 0.01), (0.0, 0.99), (-5.0, 0.99), (-50.0, 0.99), (-80.0, 0.99))
BETA2S = (0.0, 0.9)


def _critical(x: float, c: float, beta1: float, beta2: float) -> float:
    """The rho at which the spectral radius of the second-moment operator is 1, at an x that is stable without noise."""

    def excess(log_rho: float) -> float:
        return linear.mean_square_radius(x, np.exp(log_rho), c, beta1, beta2) - 1

    low, high = np.log(1e-4), np.log(1e4)
    return float(np.exp(root_scalar(excess, bracket=(low, high), method="brentq", xtol=1e-6).root))


def compute(_: Effort) -> dict[str, Any]:
    """For each case and x a critical rho from the 9 x 9 operator, without the formula for V; nothing is random."""
    panels = []
    for beta2 in BETA2S:
        curves = []
        for alpha, beta1 in CASES:
            c = -alpha * (1 - beta1)
            limit = linear.largest_stable(c, beta1, beta2)
            x = limit * np.array([0.02, 0.1, 0.25, 0.45, 0.65, 0.8, 0.92, 0.98])
            rho = [_critical(v, c, beta1, beta2) for v in x]
            curves.append({"alpha": alpha, "beta1": beta1, "limit": limit, "x": x, "rho": rho})
        panels.append({"beta2": beta2, "curves": curves})
    return {"config": {"cases": CASES, "beta2": BETA2S}, "seeds": [], "panels": panels}


def draw(data: Mapping[str, Any]) -> "Figure":
    """The critical non-uniformity rho x over the sharpness x, without and with momentum."""
    study = data["mean-square"]
    figure = style.figure(style.PAGE, 2.7)
    panels = figure.subplots(1, 2, sharey=True)
    for letter, axes, panel in zip("ab", panels, study["panels"], strict=True):
        beta2 = panel["beta2"]
        for curve in panel["curves"]:
            alpha, beta1 = curve["alpha"], curve["beta1"]
            x = (1 - np.geomspace(1e-5, 0.999, 500)) * curve["limit"]
            variance = linear.variance(x, -alpha * (1 - beta1), beta1, beta2)
            label = style.name(alpha, beta1 if beta1 != 0.99 else None)
            axes.plot(x, x / np.sqrt(variance), color=style.colour(alpha), label=label)
            dots = style.array(curve["x"])
            axes.plot(dots, dots * style.array(curve["rho"]), style.marker(alpha), color=style.colour(alpha),
                      markersize=4, markeredgecolor="white", markeredgewidth=0.4, zorder=3)  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(left=0.02)
        axes.set_ylim(0.03, 8)
        axes.set_xlabel(r"sharpness $x=\eta\lambda$")
        style.panel_letter(axes, letter, rf"$\beta_2={beta2:g}$")
    panels[0].set_ylabel(r"non-uniformity $\rho x$")
    style.legend_below(figure, panels[0], 6)
    return figure
