"""ALTO's lead over LAMB in every kept setting of the laptop tier: one picture of what small networks say."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

import alto
from experiments.analysis import kept, names
from experiments.analysis.contrast import Term, contrast
from experiments.analysis.statistics import Interval, t_interval
from experiments.config.schema import Experiment, Metric
from experiments.report.figures import cost
from experiments.report.figures.palette import COLOURS, dot, ends_of, house_style, sheet

NAME = "lead-over-lamb"
OURS, THEIRS = "ALTO", "LAMB"
_UNITS: dict[str, tuple[Metric, ...]] = {
    "points of test accuracy or F1": ("accuracy", "f1"),
    "nats of test loss": ("loss",),
    "return of an episode": ("reward",),
}
ABSTRACT = 2.5
"""What the paper's abstract says that ALTO gains on average at large batch, in percent."""
_LEGEND = (
    "mean over pairs of seeds, 95 % interval; right: ALTO better; filled: the interval excludes 0\n"
    "c = -alpha (1 - beta1); LAMB is c = 0; dashed: the abstract's 2.5 points"
)
_TICKS = (-30, -10, -3, -1, 0, 1, 3, 10)
_LINEAR = 1.0  # points: between -1 and 1 the axis is linear, beyond it is logarithmic
_NEAR_LAMB = 0.1  # |c| of an ALTO that is nearly LAMB: c = 0 is LAMB


@dataclass(frozen=True)
class Row:
    """One setting.

    Attributes:
        name: What ran.
        metric: Its test metric.
        lead: ALTO minus LAMB, paired by seed; positive is better, for a loss too.
        c: ALTO's -alpha (1 - beta1).
    """

    name: str
    metric: Metric
    lead: Interval
    c: float


def rows(results: Path) -> list[Row]:
    """Every kept setting of the laptop tier that compares ALTO with LAMB, the largest lead first.

    Experiments about time and memory are left out: their learning rates are not tuned.

    Args:
        results: Folder of the results.

    Returns:
        The rows; names are all different.

    Raises:
        DataError: a kept summary is damaged.
    """
    found: list[tuple[list[str], Row]] = []
    for path in sorted((results / "experiments").glob("[!.]*-laptop.json")):
        made = kept.read(path)
        if cost.is_question(made) or not {OURS, THEIRS} <= set(made.experiment.optimizers):
            continue
        sign = -1 if made.report.metric == "loss" else 1
        for setting in made.experiment.settings:
            pairs = list(contrast(made, (Term(sign, setting, OURS), Term(-sign, setting, THEIRS))).values())
            (chosen,) = (
                cell.options for cell in made.report.summaries if (cell.setting, cell.label) == (setting, OURS)
            )
            row = Row("", made.report.metric, t_interval(pairs), exploration(made.experiment, setting, chosen))
            found.append((_names(made.experiment, setting), row))
    taken = [Counter(shorter) for shorter in zip(*(shown for shown, _ in found), strict=True)]
    named = [
        replace(row, name=next((name for name, seen in zip(shown, taken, strict=True) if seen[name] == 1), shown[-1]))
        for shown, row in found
    ]
    return sorted(named, key=lambda row: -row.lead.mean)


def standing(found: list[Row], *, near: bool) -> dict[str, int]:
    """How many settings show ALTO ahead of LAMB, behind it, or neither.

    Args:
        found: From `rows`.
        near: Of the settings whose ALTO is nearly LAMB, or of the others.

    Returns:
        Counts under ``all``, ``ahead``, ``behind`` and ``undecided``; the interval decides.
    """
    leads = [ends_of(row.lead) for row in found if (abs(row.c) < _NEAR_LAMB) == near]
    ahead, behind = sum(low > 0 for _, low, _ in leads), sum(high < 0 for _, _, high in leads)
    return {"all": len(leads), "ahead": ahead, "behind": behind, "undecided": len(leads) - ahead - behind}


def draw(found: list[Row]) -> Figure:
    """Draw the rows, a panel for each unit.

    Args:
        found: From `rows`.

    Returns:
        The figure.
    """
    groups = {unit: [row for row in found if row.metric in metrics] for unit, metrics in _UNITS.items()}
    groups = {unit: group for unit, group in groups.items() if group}
    with house_style():
        figure = sheet(0.145 * len(found) + 0.5 * len(groups) + 0.7)
        made = figure.subplots(len(groups), squeeze=False, height_ratios=[len(group) for group in groups.values()])[
            :, 0
        ]
        for panel, (unit, group) in zip(made, groups.items(), strict=True):
            wide = ""
            for place, row in enumerate(group):
                dot(panel, row.lead.mean, place, row.lead, _colour(row.c))
            panel.axvline(0.0, color="0.3", linewidth=0.8)
            if "accuracy" in unit:
                panel.axvline(ABSTRACT, color="0.3", linewidth=0.8, linestyle="--")
            panel.set_yticks(range(len(group)), [row.name for row in group], fontsize=6.5)
            panel.set_ylim(len(group) - 0.4, -0.6)
            if len(group) > len(_TICKS):
                panel.set_xscale("symlog", linthresh=_LINEAR, linscale=0.8)
                panel.xaxis.set_major_locator(FixedLocator(_TICKS))
                panel.xaxis.set_minor_locator(NullLocator())
                panel.set_xticklabels([f"{tick:+d}" if tick else "0" for tick in _TICKS])
                ends = [end for row in group for end in ends_of(row.lead)]
                panel.set_xlim(1.3 * min(*ends, -_LINEAR), 1.3 * max(*ends, _LINEAR))
            wide = (
                f"\n(linear from -{_LINEAR:g} to {_LINEAR:g}, logarithmic beyond)" if len(group) > len(_TICKS) else ""
            )
            panel.set_xlabel(f"lead of ALTO over LAMB, {unit}{wide}", fontsize="small")
        words = {"below": (0.0, "nearly LAMB"), "above": (1.0, "another method")}
        handles = [
            Line2D([], [], marker="o", linestyle="", color=_colour(c), label=f"|c| {side} {_NEAR_LAMB:g}: {what}")
            for side, (c, what) in words.items()
        ]
        look = {"frameon": False, "fontsize": "small", "title_fontsize": "small"}
        figure.legend(handles=handles, loc="outside upper center", ncols=2, title=_LEGEND, **look)
    return figure


def exploration(experiment: Experiment, setting: str, chosen: Mapping[str, object]) -> float:
    """ALTO's c = -alpha (1 - beta1) in one setting, from its options or from the paper's preset for the batch.

    Args:
        experiment: The experiment.
        setting: The config's label.
        chosen: The options that were tuned.

    Returns:
        c; a full batch counts as a large one.
    """
    optimizer, batch = experiment.optimizers[OURS], experiment.resolve(setting)[2].batch_size
    options = dict(optimizer.options)
    if optimizer.preset == "batch":
        options = {**(alto.large_batch() if batch == "full" else alto.for_batch(batch)), **options}
    options |= chosen
    return -float(options["alpha"]) * (1 - float(options["beta1"]))  # type: ignore[arg-type]


def _colour(c: float) -> str:
    return COLOURS[1] if abs(c) < _NEAR_LAMB else COLOURS[0]


def _names(experiment: Experiment, setting: str) -> list[str]:
    """Names of a setting from short to long: without the sizes in brackets, with the length, with the experiment."""
    short = re.sub(r" \([^)]*\)", "", names.one(experiment, setting))
    longer = f"{short}, {names.length(experiment.resolve(setting)[2])}"
    return [short, longer, f"{longer} ({experiment.name})"]
