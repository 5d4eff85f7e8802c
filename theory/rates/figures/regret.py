"""Online regret with its bounds: fair signs, quadratic losses, and Reddi's stream."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from theory.plotting import style
from theory.rates.figures import curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("rates/regret",)
TITLE = r"Regret grows like $\sqrt{T}$, unless $H_k$ may fall"
SEE = (
    r"On random streams, with $H_k$ kept from falling, the regret of all four methods (filled, 95 % intervals) grows "
    r"like $\sqrt T$ or slower, below Theorem C (dashed); on Reddi's stream it is linear where $H_k$ may fall (open "
    r"markers) and bounded by Theorem C where it is kept from falling (filled); grey is what theory expects, "
    r"$E|s_1+\dots+s_T|_1$ in (a) and the proved linear regret in (c)."
)


def draw(data: Mapping[str, Any]) -> "Figure":
    """Three panels, alpha = -5 (alpha = +-.5 or +-5 on Reddi's stream)."""
    study = data["rates/regret"]
    figure = style.figure(style.PAGE, 2.9)
    panels = figure.subplots(1, 3)
    never = ("H enforced", "H never falls")
    for letter, axes, objective in zip("ab", panels, ("linear", "quadratic"), strict=False):
        for curve in curves.curves(study, objective=objective, variants=never, setting=curves.LARGE_BATCH):
            colour, marker = curves.LOOKS[curve["method"]]
            curves.draw(axes, curve, colour=colour, marker=marker, label=curve["method"])
            if curve["predicted"] is not None and curve["method"] == "ESGD":
                axes.plot(curve["x"], curve["predicted"], color=style.GREY, label="expected")
        style.panel_letter(axes, letter, f"{objective} losses")
    reddi = next(c["objective"] for c in study["curves"] if c["objective"].startswith("Reddi"))
    axes = panels[2]
    for curve in curves.curves(study, objective=reddi):
        if curve["alpha"] > 0:
            continue
        colour, marker = curves.LOOKS[curve["method"]]
        free = curve["variant"] == "H free"
        face = {"markerfacecolor": "white"} if free else {}
        curves.draw(axes, curve, colour=colour, marker=marker, bound=not free, **face)
        if free and curve["method"] == "ALTO":
            axes.plot(curve["x"], curve["predicted"], color=style.GREY)
    style.panel_letter(axes, "c", reddi.replace("Reddi's stream", "Reddi"))
    for axes in panels:
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("rounds $T$")
    panels[0].set_ylabel("regret $R(T)$")
    panels[0].plot([], [], "--", color=style.GREY, linewidth=0.8, label="bound of Theorem C")
    panels[0].plot([], [], "o", color=style.GREY, markerfacecolor="white", label="$H_k$ free (c)")
    style.legend_below(figure, panels[0], 7)
    return figure
