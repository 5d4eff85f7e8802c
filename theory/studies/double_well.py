"""A sharp and a flat well of equal depth under noise: the share of time in the flat one, and both exit times."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger.effort import Effort
from theory.plotting import style
from theory.simulate.double_well import Visits, Well, visits
from theory.simulate.rule import Rule
from theory.studies.intervals import t_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("double-well",)
TITLE = "A sharp and a flat well of equal depth"
SEE = (
    r"The share of time in the flat well falls as $\alpha$ goes negative, for ESGD because the noise in the sharp well "
    r"is damped, so that it is hardly left, for EAdam although both wells are left sooner; at $\alpha=-5$ neither "
    r"differs from $\alpha=0$."
)

ALPHAS = (50.0, 20.0, 0.0, -5.0, -20.0, -50.0, -65.0, -80.0)
FAMILIES = (("ESGD", 0.0, None, 0.05), ("EAdam", 0.9, 0.999, 0.0315))
SEED, RESAMPLES = 0, 1000


def exit_intervals(seen: Visits, rule: int, rng: np.random.Generator) -> dict[str, Any]:
    """Both mean exit times with percentile intervals, by resampling whole seeds."""
    found = {}
    for name, stay, exits in (
        ("sharp", seen.stay_sharp[rule], seen.exits_sharp[rule]),
        ("flat", seen.stay_flat[rule], seen.exits_flat[rule]),
    ):
        drawn = rng.integers(len(stay), size=(RESAMPLES, len(stay)))
        with np.errstate(divide="ignore", invalid="ignore"):
            times = stay[drawn].sum(1) / exits[drawn].sum(1)
            found[f"exit_{name}"] = stay.sum() / exits.sum()
        found[f"exit_{name}_interval"] = np.percentile(times, [2.5, 97.5], method="closest_observation")
    return found


def compute(effort: Effort) -> dict[str, Any]:
    """Occupancy with its interval over seeds and exit times with bootstrap intervals, for ESGD and EAdam."""
    steps, seeds = (1_000_000 if effort.thorough else 300_000), 16
    rng, families = np.random.default_rng(SEED), []
    for label, beta2, beta3, eta in FAMILIES:
        rules = [Rule(alpha, 0.99, beta2, beta3) for alpha in ALPHAS]
        seen = visits(rules, eta=eta, steps=steps, seeds=seeds, seed=SEED)
        rows = []
        for i, alpha in enumerate(ALPHAS):
            mean, half = t_interval(seen.occupancy[i])
            rows.append({"alpha": alpha, "occupancy": mean, "half": half, **exit_intervals(seen, i, rng)})
        families.append({"label": label, "beta2": beta2, "beta3": beta3, "eta": eta, "rows": rows})
    well = Well()
    config = {"steps": steps, "replicas": seeds, "beta1": 0.99, "barrier": well.barrier, "sigma": well.sigma,
              "widths": [well.sharp, well.flat]}  # fmt: skip
    return {"config": config, "seeds": [SEED], "families": families}


def draw(data: Mapping[str, Any]) -> "Figure":
    """Occupancy and the exit times, ESGD beside EAdam."""
    study = data["double-well"]
    figure = style.figure(style.PAGE, 2.6)
    occupancy, *times = figure.subplots(1, 3)
    for family, look in zip(study["families"], ((style.BLUE, "o"), (style.VERMILION, "s")), strict=True):
        alpha = [row["alpha"] for row in family["rows"]]
        occupancy.errorbar(alpha, [row["occupancy"] for row in family["rows"]], [row["half"] for row in family["rows"]],
                           color=look[0], marker=look[1], label=family["label"])  # fmt: skip
    # at one temperature for both, wells of equal depth are occupied in proportion to their widths
    sharp, flat = study["config"]["widths"]
    occupancy.axhline(flat / (flat + sharp), color=style.GREY, linestyle="--", linewidth=0.8, label="equal temperature")
    occupancy.set_ylim(0, 1)
    occupancy.set_ylabel("share of time in the flat well")
    occupancy.legend(loc="lower right")
    style.panel_letter(occupancy, "a", "occupancy")
    for letter, axes, family in zip("bc", times, study["families"], strict=True):
        alpha = [row["alpha"] for row in family["rows"]]
        for well, colour, shape in (("sharp", style.PURPLE, "^"), ("flat", style.GREEN, "v")):
            mean = style.array([row[f"exit_{well}"] for row in family["rows"]])
            low, high = style.array([row[f"exit_{well}_interval"] for row in family["rows"]]).T
            axes.errorbar(alpha, mean, [mean - low, high - mean], color=colour, marker=shape, label=f"{well} well")
        axes.set_yscale("log")
        style.panel_letter(axes, letter, f"{family['label']}: steps to leave")
        axes.legend(loc="best")
    for axes in (occupancy, *times):
        axes.set_xlabel(r"$\alpha$")
    return figure
