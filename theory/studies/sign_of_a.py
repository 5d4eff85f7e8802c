"""Table 1 of the paper against a_k: whose sign it has while a well is crossed at constant speed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger.effort import Effort
from theory.plotting import style
from theory.simulate.crossing import crossing, sign_agreement

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("sign-of-a",)
TITLE = r"In a valley the sign of $a_k$ depends on the speed of the crossing"
SEE = (
    r"The argument of Table 1 needs $a_k$ to have the sign of $g_k-g_{k-1}$; with $\beta_1=.99$ it agrees more often "
    r"with the sign of $g_k$ itself in crossings of up to about 150 steps, and only in far longer ones almost always "
    r"with that of $g_k-g_{k-1}$."
)

BETA1S = (0.99, 0.9, 0.01)


def compute(_: Effort) -> dict[str, Any]:
    """Agreement of sign(a_k) by the number of steps that a crossing takes, and two crossings; nothing is random."""
    steps = np.unique(np.geomspace(5, 20_000, 22).astype(int))
    curves = []
    for beta1 in BETA1S:
        shares = np.array([sign_agreement(int(n), beta1) for n in steps])
        curves.append({"beta1": beta1, "difference": shares[:, 0], "gradient": shares[:, 1]})
    paths = []
    for n in (20, 2000):
        x, g, a = crossing(n, 0.99)
        thin = max(1, len(x) // 300)
        paths.append({"steps": n, "x": x[::thin], "gradient": g[::thin], "a": a[::thin] / np.abs(a).max()})
    return {"config": {"beta1": BETA1S}, "seeds": [], "steps": steps, "curves": curves, "paths": paths}


def draw(data: Mapping[str, Any]) -> "Figure":
    """Two crossings, fast and slow, and the share of agreeing signs by speed."""
    study = data["sign-of-a"]
    figure = style.figure(style.PAGE, 2.7)
    *walks, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.3))
    for letter, axes, path in zip("ab", walks, study["paths"], strict=True):
        x = style.array(path["x"])
        slope = x * np.exp(-(x**2) / 2)
        axes.plot(x, slope / np.abs(slope).max(), color=style.BLACK, label=r"$g_k$")
        curvature = (1 - x**2) * np.exp(-(x**2) / 2)
        axes.plot(x, -curvature, color=style.SKY, linestyle="--", label=r"$g_k-g_{k-1}$ (theory)")
        axes.plot(x, path["a"], color=style.VERMILION, label=r"$a_k$ (scaled)")
        for edge in (-1, 0, 1):
            axes.axvline(edge, color=style.GREY, linewidth=0.5, linestyle=":")
        axes.set_xlim(3.2, -3)
        axes.set_yticks([-1, 0, 1])
        axes.set_xlabel(r"$x$ (moving left)")
        style.panel_letter(axes, letter, f"{path['steps']} steps per crossing")
    walks[0].set_ylabel("scaled to 1")
    steps = style.array(study["steps"])
    for curve, colour in zip(study["curves"], (style.BLUE, style.GREEN, style.ORANGE), strict=True):
        beta1 = curve["beta1"]
        right.plot(steps, curve["difference"], "-o", color=colour, markersize=3, label=rf"$\beta_1={beta1:g}$")
        right.plot(steps, curve["gradient"], "--", color=colour, linewidth=0.8)
        right.axvline(1 / (1 - beta1), color=colour, linestyle=":", linewidth=0.9)
    right.plot([], [], "-o", color=style.GREY, markersize=3, label=r"agrees with $g_k-g_{k-1}$")
    right.plot([], [], "--", color=style.GREY, linewidth=0.8, label=r"agrees with $g_k$")
    right.plot([], [], ":", color=style.GREY, label=r"$1/(1-\beta_1)$")
    right.set_xscale("log")
    right.set_ylim(0.3, 1.03)
    right.set_xlabel("steps per crossing")
    right.set_ylabel("share of steps")
    style.panel_letter(right, "c", r"agreement of $a_k$")
    handles, labels = walks[0].get_legend_handles_labels()
    more, more_labels = right.get_legend_handles_labels()
    style.legend_of(figure, handles + more, labels + more_labels, 4)
    return figure
