"""The spectral radius of ESGD on a quadratic over (alpha, x = eta lambda), and its edge, for four pairs of betas."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger.effort import Effort
from theory.plotting import style
from theory.stability import linear

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STUDIES = ("stability-map",)
TITLE = "Where ESGD converges on a quadratic"
SEE = (
    "The edge of the stable region (dots) lies on the exact flip and oscillation curves and not on the paper's "
    r"$|\alpha| < 1/(1-\beta_1)$ (dotted); it is highest where the two cross, at $c_x$ (star), and from there falls "
    r"off a cliff, close to which $\alpha^*$ lies (triangle on the axis); (d) has another range of $\alpha$."
)

PAIRS = ((0.99, 0.0, 120.0), (0.99, 0.9, 120.0), (0.99, 0.95, 120.0), (0.01, 0.9, 1.4))
"""(beta1, beta2, the largest |alpha| shown)."""


def _edge(alpha: float, beta1: float, beta2: float) -> float:
    """The smallest x whose spectral radius passes 1, by bisection on the eigenvalues; NaN if none does below 1000."""
    c, grid = -alpha * (1 - beta1), np.geomspace(1e-3, 1e3, 400)
    unstable = np.nonzero(linear.spectral_radius(grid, c, beta1, beta2) > 1)[0]
    if len(unstable) == 0 or unstable[0] == 0:
        return np.nan
    good, bad = grid[unstable[0] - 1], grid[unstable[0]]
    for _ in range(40):
        middle = np.sqrt(good * bad)
        good, bad = (good, middle) if linear.spectral_radius(middle, c, beta1, beta2) > 1 else (middle, bad)
    return float(good)


def compute(_: Effort) -> dict[str, Any]:
    """The three roots' largest modulus on a grid, and where it passes 1, from eigenvalues; nothing is random."""
    x = np.geomspace(1e-3, 1e3, 61)
    panels = []
    for beta1, beta2, widest in PAIRS:
        alpha = np.linspace(-widest, widest, 81)
        radius = linear.spectral_radius(x[:, None], -alpha[None, :] * (1 - beta1), beta1, beta2)
        sparse = np.linspace(-widest, widest, 33)
        panels.append({
            "beta1": beta1, "beta2": beta2, "alpha": alpha, "radius": np.round(np.minimum(radius, 9), 4),
            "edge_alpha": sparse, "edge": [_edge(a, beta1, beta2) for a in sparse],
        })  # fmt: skip
    return {"config": {"pairs": PAIRS, "points": [len(x), 81]}, "seeds": [], "x": x, "panels": panels}


MARKED = {
    "the paper's presets": ("s", ((-5.0, 0.99, 0.9), (0.5, 0.01, 0.9))),
    "its figure 8": ("D", ((-80.0, 0.99, 0.95), (-90.0, 0.99, 0.9))),
}
"""Label -> marker and settings (alpha, beta1, beta2)."""


def draw(data: Mapping[str, Any]) -> "Figure":
    """One panel per pair of decay rates."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import SymLogNorm

    study = data["stability-map"]
    x = style.array(study["x"])
    count = len(study["panels"])
    columns = 2 if count == 4 else min(count, 3)
    rows = -(-count // columns)
    figure = style.figure(style.PAGE if count > 1 else style.COLUMN, 0.6 + 2.0 * rows if count > 1 else 3.2)
    axes = figure.subplots(rows, columns, squeeze=False)
    for unused in axes.flat[count:]:
        unused.set_axis_off()
    norm = SymLogNorm(linthresh=2e-3, vmin=-1, vmax=1)
    for letter, panel, stored in zip("abcdefghijkl", axes.flat, study["panels"], strict=False):
        alpha, radius = style.array(stored["alpha"]), style.array(stored["radius"])
        panel.pcolormesh(alpha, x, np.minimum(radius, 2) - 1, norm=norm, cmap="PuOr_r", shading="gouraud",
                                  rasterized=True)  # fmt: skip
        beta1, beta2 = stored["beta1"], stored["beta2"]
        _curves(panel, alpha, beta1, beta2)
        panel.plot(stored["edge_alpha"], style.array(stored["edge"]), ".", color="black", markersize=3,
                   label="edge, from eigenvalues")  # fmt: skip
        panel.set_yscale("log")
        panel.set_xlim(alpha[0], alpha[-1])
        panel.set_ylim(1e-3, 1e3)
        panel.grid(False)
        style.panel_letter(panel, letter, rf"$\beta_1={beta1:g},\ \beta_2={beta2:g}$")
        panel.set_xlabel(r"$\alpha$")
        panel.set_ylabel(r"$x = \eta\lambda$")
    ticks = [-1, -0.1, -0.01, 0, 0.01, 0.1, 1]
    bar = figure.colorbar(
        ScalarMappable(norm, "PuOr_r"),
        ax=axes,
        label="spectral radius $-$ 1" + " (converges below 0)" * (rows > 1),
        aspect=40,
        ticks=ticks,
    )
    bar.ax.set_yticklabels([style.number(tick) for tick in ticks])
    style.legend_below(figure, list(axes.flat), 3)
    return figure


def _curves(panel: "Axes", alpha: np.ndarray, beta1: float, beta2: float) -> None:
    # the oscillation threshold falls from infinity within a sliver of alpha: points crowd towards its onset
    onset = -linear.oscillation_onset(beta1, beta2) / (1 - beta1)
    near = onset - (onset - alpha[0]) * np.geomspace(1e-7, 1, 2000)
    dense = np.sort(np.concatenate([np.linspace(alpha[0], alpha[-1], 4001), near]))
    cs = -dense * (1 - beta1)
    flip = np.array([linear.flip_threshold(c, beta1, beta2) for c in cs])
    oscillation = np.array([linear.oscillation_threshold(c, beta1, beta2) for c in cs])
    # the ODE has normalised momentum: the same step is there an x larger by 1 / (1 - beta2)
    ode = (1 - beta2) * np.array([linear.ode_threshold(c, beta1, beta2) for c in cs])
    panel.plot(dense, flip, color=style.BLUE, label="flip (exact)")
    panel.plot(dense, oscillation, color=style.GREEN, label="oscillation (exact)")
    panel.plot(dense, ode, color=style.BLACK, linestyle="--", linewidth=0.7, label="Routh-Hurwitz, ODE")
    for sign in (-1, 1):
        label = r"paper: $|\alpha| < 1/(1-\beta_1)$" if sign > 0 else None
        panel.axvline(sign / (1 - beta1), color=style.VERMILION, linestyle=":", linewidth=1.4, label=label)
    at, height = linear.peak(beta1, beta2)
    if abs(at / (1 - beta1)) < alpha[-1]:
        panel.plot(-at / (1 - beta1), height, "*", color="white", markeredgecolor="black", markeredgewidth=0.7,
                   markersize=9, zorder=4, linestyle="none", label="highest, at $c_x$")  # fmt: skip
    star = 1 / (1 - beta2) - 1 / (1 - beta1)
    if abs(star) < alpha[-1]:
        panel.plot(star, 1e-3, "^", color="black", markersize=6, clip_on=False, zorder=4, linestyle="none",
                   label=r"$\alpha^*$ (on the axis)")  # fmt: skip
    marked = {label: (shape, [a for a, b1, b2 in settings if (b1, b2) == (beta1, beta2)])
              for label, (shape, settings) in MARKED.items()}  # fmt: skip
    for label, (shape, places) in marked.items():
        if places:
            panel.plot(places, [0.1] * len(places), shape, color="white", markeredgecolor="black",
                       markeredgewidth=0.7, markersize=5, linestyle="none", label=label)  # fmt: skip
