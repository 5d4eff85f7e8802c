"""The course of training: test metric and training loss against the epoch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.analysis import names
from experiments.analysis.comparison import metric_words
from experiments.analysis.kept import Column, Summary
from experiments.analysis.statistics import t_interval
from experiments.report.figures.palette import (
    COLOURS,
    COLUMNS,
    band,
    ends_of,
    heading,
    house_style,
    legend,
    limits_of,
    looks_of,
    panels,
    sheet,
    titled,
)

_LEAST = 3  # evaluations; fewer show no course
_BANDS = 3  # competitors; the bands of more hide each other, and `differences` shows where the runs end
_MARKED = 6  # evaluations; a line through as few shows them


def draw(kept: Summary) -> Figure | None:
    """Draw the test metric and, for up to four settings, the training loss against the epoch.

    Lines are means over seeds; up to three competitors have bands, 95 % t-intervals. The baseline is a wide pale line,
    so that another one on top of it stays visible.

    Args:
        kept: The experiment; competitors without runs are left out.

    Returns:
        The figure; None where no run has three evaluations, or more than eight competitors would hide each other.
    """
    experiment = kept.experiment
    labels, metric = list(experiment.optimizers), experiment.tuning.metric
    if max((len(run.epoch) for run in kept.runs), default=0) < _LEAST or len(labels) > len(COLOURS):
        return None
    shown = names.settings(experiment)
    both = len(shown) <= COLUMNS
    with house_style():
        rows = 2 if both else -(-len(shown) // COLUMNS)
        figure = sheet(1.75 * rows + 0.8)
        made = panels(figure, (1 + both) * len(shown), sharex="col" if both else False, sharey="row",
                      most=len(shown) if both else COLUMNS)  # fmt: skip
        tops, bottoms = made[: len(shown)], made[len(shown) :]
        for place, setting in enumerate(shown):
            for label, look in zip(labels, _looks(labels, experiment.baseline), strict=True):
                runs = [run for run in kept.runs if (run.setting, run.label) == (setting, label)]
                tests, losses = ([(run.epoch, getattr(run, name)) for run in runs] for name in ("test", "train_loss"))
                bands = len(labels) <= _BANDS
                _line(tops[place], tests, {**look, "label": label}, limits=limits_of(metric), bands=bands)
                if both:
                    _line(bottoms[place], losses, look, limits=(0.0, np.inf), bands=bands)
            titled(tops[place], shown[setting], min(len(shown), COLUMNS))
            (bottoms or tops)[place].set_xlabel("epoch")
        for panel in (*bottoms, *(tops if metric == "loss" else [])):
            low, high = panel.dataLim.intervaly
            if high > 5 * low > 0:  # within less, a logarithmic axis has no round numbers to label
                panel.set_yscale("log")
        for panel in tops[::COLUMNS]:
            panel.set_ylabel(f"test {metric_words(metric)}")
        if both:  # PPO's loss is a sum of surrogates and penalties; every other is a cross-entropy
            bottoms[0].set_ylabel("PPO's loss" if metric == "reward" else "training loss in nats")
        heading(figure, experiment)
        legend(figure, tops[0])
    return figure


def _looks(labels: Sequence[str], baseline: str) -> list[dict[str, Any]]:
    wide = {"linewidth": 3.5, "alpha": 0.45, "linestyle": "-", "zorder": 1.5}
    return [{**look, **(wide if label == baseline else {})} for label, look in zip(labels, looks_of(len(labels)),
                                                                                   strict=True)]  # fmt: skip


def _line(
    panel: Axes, runs: list[tuple[Column, Column]], look: dict, *, limits: tuple[float, float], bands: bool
) -> None:
    """One competitor's mean, and its band if wanted, over the evaluations that all its runs reached."""
    places, ends = [], []
    columns = zip(*(epoch for epoch, _ in runs), strict=False), zip(*(column for _, column in runs), strict=False)
    for place, here in zip(*columns, strict=True):
        finite = [value for value in here if value is not None]
        if len(finite) < len(here):
            break
        places.append(place[0])
        ends.append(ends_of(t_interval(finite)))
    if not places:
        return
    marker = {"marker": "o", "markersize": 2.5} if len(places) <= _MARKED else {}
    if bands:
        band(panel, places, ends, {**look, **marker}, limits)
    else:
        panel.plot(places, [mean for mean, _, _ in ends], **{"linewidth": 1.2, **look, **marker})
