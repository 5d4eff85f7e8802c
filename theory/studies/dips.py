"""Crossing a narrow dip: the share of noisy runs that cross it by depth, and the first depth that stops a run."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger.effort import Effort
from theory.plotting import style
from theory.simulate.dips import Dip, crosses, first_failure
from theory.simulate.rule import Rule
from theory.studies.intervals import wilson_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("dips",)
TITLE = "Crossing a narrow dip"
SEE = (
    r"Negative $\alpha$ crosses deeper dips: without noise the first depth that stops a run (dots) grows like "
    r"$1/(1-c)$ (line through $\alpha=0$) for EAdam, and down to $\alpha=-50$ for ESGD with momentum, which then "
    r"crosses deeper ones still, while ESGD without momentum gains less; bars are the share of noisy runs "
    r"that cross (dark all, light none), and at the recommended $\alpha=-5$ the gain is at most 5 %."
)

ALPHAS = (50.0, 5.0, 0.0, -5.0, -20.0, -50.0, -80.0, -90.0)
FAMILIES = (
    # label, beta2, beta3, eta
    ("ESGD, momentum .9", 0.9, None, 5e-4),
    ("ESGD, no momentum", 0.0, None, 5e-3),
    ("EAdam", 0.9, 0.99, 5e-3),
)
SIGMA, SEED = 1.0, 0
FACTORS = np.linspace(0.5, 1.7, 25)
"""Depths at which noisy runs are tried, in units of the first depth that stops a run without noise."""


def compute(effort: Effort) -> dict[str, Any]:
    """First failing depth of each alpha without noise; with noise, the share that crosses with Wilson's interval."""
    seeds, families = (200 if effort.thorough else 60), []
    for label, beta2, beta3, eta in FAMILIES:
        rows = []
        for alpha in ALPHAS:
            rule = Rule(alpha, 0.99, beta2, beta3)
            depth = first_failure(rule, eta=eta)
            passed = crosses([rule], depth * FACTORS, eta=eta, sigma=SIGMA, seeds=seeds, seed=SEED)[0].sum(-1)
            low, high = wilson_interval(passed, seeds)
            rows.append({"alpha": alpha, "first_failure": depth, "share": passed / seeds, "low": low, "high": high})
        families.append({"label": label, "beta2": beta2, "beta3": beta3, "eta": eta, "rows": rows})
    config = {"sigma": SIGMA, "replicas": seeds, "steps": 4000, "beta1": 0.99, "width": Dip().width}
    return {"config": config, "seeds": [SEED], "factor": FACTORS, "families": families}


def draw(data: Mapping[str, Any]) -> "Figure":
    """p(cross) by depth for each alpha, and the critical depth without noise; one panel per base optimizer."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    study = data["dips"]
    figure = style.figure(style.PAGE, 2.9)
    panels = figure.subplots(1, 3, sharey=True)
    factor, beta1, width = style.array(study["factor"]), study["config"]["beta1"], study["config"]["width"]
    barrier = 0.9493 * width * np.sqrt(np.e)
    ends = np.sqrt(factor[1:] * factor[:-1])
    edges = np.concatenate([[factor[0] ** 2 / ends[0]], ends, [factor[-1] ** 2 / ends[-1]]])
    for letter, axes, family in zip("abc", panels, study["families"], strict=True):
        rows = family["rows"]
        places, depths = np.arange(len(rows)), style.array([row["first_failure"] for row in rows])
        gains = 1 / (1 + style.array([row["alpha"] for row in rows]) * (1 - beta1))
        base = next(row["first_failure"] for row in rows if row["alpha"] == 0)
        for place, row in zip(places, rows, strict=True):
            axes.pcolormesh(place + np.array([-0.35, 0.35]), row["first_failure"] * edges,
                            style.array(row["share"])[:, None], cmap="Blues", vmin=-0.15, vmax=1.1,
                            rasterized=True)  # fmt: skip
        axes.plot(places, base * gains, color=style.BLACK, linewidth=0.9, label=r"$\propto 1/(1-c)$ through $\alpha=0$")
        axes.plot(places, barrier * gains, color=style.GREY, linestyle="--", linewidth=0.8,
                  label=r"static barrier, $F=.9493$, over $1-c$")  # fmt: skip
        axes.plot(places, depths, "o", color=style.VERMILION, markeredgecolor="white", markeredgewidth=0.5,
                  markersize=5, label="first depth that stops a run without noise")  # fmt: skip
        axes.set_yscale("log")
        axes.set_xticks(places, [style.number(row["alpha"]) for row in rows], rotation=60)
        axes.set_xlabel(r"$\alpha$")
        axes.grid(visible=False)
        style.panel_letter(axes, letter, family["label"])
    bar = figure.colorbar(ScalarMappable(Normalize(-0.15, 1.1), "Blues"), ax=panels, label="noisy runs that cross",
                          aspect=30, ticks=[0, 0.5, 1], boundaries=np.linspace(0, 1, 101))  # fmt: skip
    bar.ax.set_yticklabels(["none", "half", "all"])
    panels[0].set_ylabel("depth")
    style.legend_below(figure, panels[0], 3)
    return figure
