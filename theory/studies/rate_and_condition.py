"""The linear rate on quadratics against the condition number: can E accelerate? Tuned by search, not by formula."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize

from theory.ledger.effort import Effort
from theory.plotting import style
from theory.stability import linear

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("rate-and-condition",)
TITLE = "In a search E is fastest where it is heavy ball"
SEE = (
    r"The best E found by search (dots) lies on heavy ball's line and never above; the recommended $\alpha=-5$ stays "
    r"at its floor $z_0$, and $\alpha=.5$ with momentum is near Nesterov."
)

SEED, STARTS, RESTARTS = 0, 8, 6
CASES = ((-5.0, 0.99), (0.5, 0.01))
"""E beside the best one, (alpha, beta1): the paper's two settings."""


def _rate(kappa: float, eta: float, c: float, beta1: float, beta2: float) -> float:
    """The worst spectral radius over 41 eigenvalues in [1/kappa, 1]."""
    eigenvalues = np.geomspace(1 / kappa, 1, 41)
    return float(linear.spectral_radius(eta * eigenvalues, c, beta1, beta2).max())


def _search(cost: Callable[[np.ndarray], float], dimension: int, rng: np.random.Generator) -> float:
    """The least cost that Nelder-Mead finds from several starts in [0, 1]^dimension; the best is started again."""
    options = {"xatol": 1e-8, "fatol": 1e-10, "maxiter": 600}
    starts = rng.uniform(0, 1, (STARTS, dimension))
    best = min((minimize(cost, start, method="Nelder-Mead", options=options) for start in starts), key=lambda r: r.fun)
    for _ in range(RESTARTS):  # a fresh simplex gets out of the corner in which the old one collapsed
        best = min(best, minimize(cost, best.x, method="Nelder-Mead", options=options), key=lambda r: r.fun)
    return float(best.fun)


def _free(kappa: float) -> Callable[[np.ndarray], float]:
    """Best E: c, beta1 and eta free, beta2 = 0."""

    def cost(p: np.ndarray) -> float:
        # c and beta1 by the logarithm of their distance to 1, where the optimum of a large kappa lies
        c, beta1, eta = 1 - 10 ** (-3 * p[0]), 1 - 10 ** (-3 * p[1]), np.exp(p[2] * np.log(4 * np.sqrt(kappa)))
        return _rate(kappa, eta, c, beta1, 0.0) if 0 <= beta1 < 1 and abs(c) < 1 else 2.0

    return cost


def _fixed(kappa: float, alpha: float, beta1: float, momentum: bool) -> Callable[[np.ndarray], float]:
    """A setting of the paper: eta free, and beta2 too if there is momentum."""
    c = -alpha * (1 - beta1)

    def cost(p: np.ndarray) -> float:
        beta2 = p[1] if momentum else 0.0
        eta = np.exp(p[0] * np.log(4 * np.sqrt(kappa))) if momentum else 2 * p[0]
        return _rate(kappa, eta, c, beta1, beta2) if 0 <= beta2 < 1 and eta > 0 else 2.0

    return cost


def compute(effort: Effort) -> dict[str, Any]:
    """Rates found by search for best E and for the paper's two settings, with and without momentum."""
    rng = np.random.default_rng(SEED)
    kappas = np.geomspace(3, 3000, 13 if effort.thorough else 7)
    curves = [{"label": "best E", "rate": [_search(_free(kappa), 3, rng) for kappa in kappas]}]
    for alpha, beta1 in CASES:
        for momentum in (False, True):
            rate = [_search(_fixed(kappa, alpha, beta1, momentum), 1 + momentum, rng) for kappa in kappas]
            curves.append({"label": "fixed", "alpha": alpha, "beta1": beta1, "momentum": momentum, "rate": rate})
    config = {"eigenvalues": 41, "starts": STARTS, "restarts": RESTARTS}
    return {"config": config, "seeds": [SEED], "kappa": kappas, "curves": curves}


def draw(data: Mapping[str, Any]) -> "Figure":
    """1 - rate on logarithmic axes: higher is faster."""
    study = data["rate-and-condition"]
    kappa = style.array(study["kappa"])
    dense = np.geomspace(kappa[0], kappa[-1], 300)
    figure = style.figure(style.COLUMN, 3.5)
    axes = figure.subplots()
    for label, rate, colour, dash in (
        ("heavy ball", (np.sqrt(dense) - 1) / (np.sqrt(dense) + 1), style.BLACK, "-"),
        ("Nesterov, tuned", 1 - 2 / np.sqrt(3 * dense + 1), style.BLUE, "--"),
        ("gradient descent", (dense - 1) / (dense + 1), style.GREY, "-."),
    ):
        axes.plot(dense, 1 - rate, dash, color=colour, label=label, linewidth=1)
    for curve in study["curves"]:
        found = 1 - style.array(curve["rate"])
        if curve["label"] == "best E":
            axes.plot(kappa, found, "o", color=style.BLACK, label="best E (search)")
            continue
        momentum = r", best $\beta_2$" if curve["momentum"] else r", $\beta_2=0$"
        face = style.colour(curve["alpha"]) if curve["momentum"] else "white"
        axes.plot(kappa, found, style.marker(curve["alpha"]), color=style.colour(curve["alpha"]),
                  markerfacecolor=face, label=style.name(curve["alpha"]) + momentum)  # fmt: skip
    for alpha, beta1 in dict.fromkeys((curve["alpha"], curve["beta1"]) for curve in study["curves"][1:]):
        c = -alpha * (1 - beta1)
        if 0 < c < beta1:
            label = rf"$1-z_0$ at {style.name(alpha)}"
            axes.axhline((1 - beta1) / (1 - c), color=style.colour(alpha), linestyle=":", label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(r"condition number $\kappa$")
    axes.set_ylabel(r"$1-$ rate per step (higher is faster)")
    style.legend_below(figure, axes, 2)
    return figure
