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
    r"The share of noisy runs that cross (colour: dark all, light none), by $1/(1-c)$ and depth, beside the first "
    r"depth that stops a run without noise (markers): the line is $\propto 1/(1-c)$ through the marker of $\alpha=0$, "
    r"the dashed one the static barrier $F=.9493$ over $1-c$, and negative $\alpha$ crosses deeper dips: EAdam as the "
    r"line says, ESGD with momentum too down to $\alpha=-50$ and deeper beyond, without momentum less deep than the "
    r"line; at the recommended $\alpha=-5$ that is 5 %, and with noise and no momentum even that is gone."
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
    """p(cross) over (alpha, depth) and the critical depth without noise, one panel a base optimizer."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    study = data["dips"]
    figure = style.figure(style.PAGE, 2.9)
    panels = figure.subplots(1, 3, sharey=True, sharex=True)
    factor, beta1, width = style.array(study["factor"]), study["config"]["beta1"], study["config"]["width"]
    gains = np.geomspace(0.6, 12, 50)
    barrier = 0.9493 * width * np.sqrt(np.e)
    for letter, axes, family in zip("abc", panels, study["families"], strict=True):
        base = next(row["first_failure"] for row in family["rows"] if row["alpha"] == 0)
        for row in family["rows"]:
            alpha, depth = row["alpha"], row["first_failure"]
            gain = 1 / (1 + alpha * (1 - beta1))
            ends = np.sqrt(factor[1:] * factor[:-1])
            edges = depth * np.concatenate([[factor[0] ** 2 / ends[0]], ends, [factor[-1] ** 2 / ends[-1]]])
            axes.pcolormesh(gain * np.array([0.955, 1.047]), edges, style.array(row["share"])[:, None], cmap="Blues",
                            vmin=-0.15, vmax=1.1, rasterized=True)  # fmt: skip
            axes.plot(gain, depth, style.marker(alpha), color=style.colour(alpha), markeredgecolor="white",
                      markeredgewidth=0.5, markersize=5, label=style.name(alpha))  # fmt: skip
        axes.plot(gains, base * gains, color=style.BLACK, linewidth=0.9,
                  label=r"$\propto 1/(1-c)$ through $\alpha=0$")  # fmt: skip
        axes.plot(gains, barrier * gains, color=style.GREY, linestyle="--", linewidth=0.8,
                  label=r"static barrier$\,/(1-c)$")  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks([1, 2, 5, 10], ["1", "2", "5", "10"])
        axes.set_xlabel(r"$1/(1-c)$")
        axes.grid(visible=False)
        style.panel_letter(axes, letter, family["label"])
    bar = figure.colorbar(ScalarMappable(Normalize(-0.15, 1.1), "Blues"), ax=panels, label="noisy runs that cross",
                          aspect=30, ticks=[0, 0.5, 1], boundaries=np.linspace(0, 1, 101))  # fmt: skip
    bar.ax.set_yticklabels(["0", "half", "all"])
    panels[0].set_ylabel("depth")
    style.legend_below(figure, panels[0], 5)
    return figure
