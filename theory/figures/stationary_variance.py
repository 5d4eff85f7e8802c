"""The stationary variance of ESGD in closed form over simulated dots, and the c that minimises it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from theory.plotting import style
from theory.stability import linear

STUDIES = ("stationary-variance",)
TITLE = "Noise near a minimum"
SEE = (
    r"Simulated variances (dots with 95 % intervals, 64 seeds) lie on the closed form $V$: without momentum all alpha "
    r"agree for small $x$ (a); with $\beta_2=.9$ they do so only below $x=(1-\beta_1)(1-\beta_2)=.001$, left of the "
    r"picture (b), and $\alpha<0$ has the smaller variance at larger $x$, the recommended $\alpha=-5$ hardly so."
)


def draw(data: Mapping[str, Any]) -> Figure:
    """V over x without and with momentum, and the best c over x."""
    study = data["stationary-variance"]
    beta1 = study["config"]["beta1"]
    figure = style.figure(style.PAGE, 2.6)
    *left, right = figure.subplots(1, 3)
    for letter, axes, panel in zip("ab", left, study["panels"], strict=True):
        beta2 = panel["beta2"]
        for curve in panel["curves"]:
            alpha, x = curve["alpha"], style.array(curve["x"])
            dense = np.geomspace(2e-3, x[-1], 300)
            line = linear.variance(dense, -alpha * (1 - beta1), beta1, beta2)
            axes.plot(dense, line, color=style.colour(alpha), label=style.name(alpha))
            axes.errorbar(x, curve["variance"], curve["half"], fmt=style.marker(alpha), color=style.colour(alpha),
                          markersize=3, elinewidth=0.8)  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(r"$x=\eta\lambda$")
        style.panel_letter(axes, letter, rf"$\beta_2={beta2:g}$")
    left[0].set_ylabel(r"$\mathrm{Var}(\theta)\,\lambda^2/\sigma^2$")
    for curve, dash in zip(study["best"], ("-", "--"), strict=True):
        right.plot(curve["x"], curve["c"], dash, color="black", label=rf"$\beta_2={curve['beta2']:g}$")
    right.axhline(0.05, color=style.colour(-5.0), linewidth=0.8, label=r"preset $c=.05$")
    right.set_xscale("log")
    right.set_ylim(0, 1)
    right.set_xlabel(r"$x$, momentum normalised")
    right.set_ylabel(r"$c$ of least variance")
    right.legend(loc="lower right")
    style.panel_letter(right, "c", "best $c$")
    style.legend_below(figure, left[0], 5)
    return figure
