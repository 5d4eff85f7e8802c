"""The stationary variance of ESGD on a noisy quadratic, simulated, and the c that minimises it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize_scalar

from theory.ledger.effort import Effort
from theory.plotting import style
from theory.simulate.batch import Method, simulate
from theory.stability import linear
from theory.studies.intervals import t_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("stationary-variance",)
TITLE = "Noise near a minimum"
SEE = (
    r"Simulated variances (dots with 95 % intervals, 64 seeds) lie on the closed form $V$: without momentum all alpha "
    r"agree for small $x$ (a); with $\beta_2=.9$ they do so only below $x=(1-\beta_1)(1-\beta_2)=.001$, left of the "
    r"picture (b), and $\alpha<0$ has the smaller variance at larger $x$, the recommended $\alpha=-5$ hardly so."
)

ALPHAS, BETA1, BETA2S = (50.0, 0.0, -5.0, -50.0, -80.0), 0.99, (0.0, 0.9)
SEED, SEEDS, FRACTIONS = 0, 64, np.geomspace(0.005, 0.9, 9)


def _simulated(beta2: float, steps: int) -> list[dict[str, Any]]:
    """At 9 fractions of each alpha's stability limit: the time average of theta^2 over the second half, by seed."""
    rng, rows = np.random.default_rng(SEED), []
    for alpha in ALPHAS:
        # beyond ten times SGD's own limit only the slow average acts: no setting in use lies there
        limit = min(linear.largest_stable(-alpha * (1 - BETA1), BETA1, beta2), 10.0)
        xs = limit * FRACTIONS
        methods = [Method(f"x={x:.3g}", "sgd", alpha, BETA1, beta2, x) for x in xs]
        iterates = simulate(
            methods, lambda theta: theta + rng.standard_normal(theta.shape), np.zeros((SEEDS, 1)), steps=steps, keep=5
        )
        settled = iterates[len(iterates) // 2 :, :, :, 0]
        mean, half = t_interval((settled**2).mean(0).T)
        rows.append({"alpha": alpha, "x": xs, "variance": mean, "half": half})
    return rows


def _best(x: float, beta2: float) -> float:
    """The c in [0, 1) with the smallest V at this x."""

    def cost(c: float) -> float:
        return linear.variance(x, c, BETA1, beta2) if linear.jury(x, c, BETA1, beta2) else np.inf

    grid = np.linspace(0, 0.999, 400)
    start = grid[np.argmin([cost(c) for c in grid])]
    found: Any = minimize_scalar(cost, bounds=(max(0, start - 0.003), min(0.999, start + 0.003)), method="bounded")
    return float(found.x)


def compute(effort: Effort) -> dict[str, Any]:
    """Simulated variances for both beta2, and the minimising c over x (in units of normalised momentum)."""
    steps = 40_000 if effort.thorough else 10_000
    x = np.geomspace(3e-4, 1.5, 40)
    best = [{"beta2": beta2, "x": x, "c": [_best(v / (1 - beta2), beta2) for v in x]} for beta2 in BETA2S]
    panels = [{"beta2": beta2, "curves": _simulated(beta2, steps)} for beta2 in BETA2S]
    config = {"beta1": BETA1, "steps": steps, "fractions": FRACTIONS, "replicas": SEEDS}
    return {"config": config, "seeds": [SEED], "panels": panels, "best": best}


def draw(data: Mapping[str, Any]) -> "Figure":
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
