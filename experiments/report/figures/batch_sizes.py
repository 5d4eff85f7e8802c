"""The test metric over the batch size: the paper's Figures 12 and 13."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from experiments.analysis.comparison import metric_words
from experiments.analysis.contrast import values
from experiments.analysis.kept import Summary
from experiments.analysis.statistics import t_interval
from experiments.config.schema import Experiment
from experiments.report.figures.palette import (
    band,
    dot,
    ends_of,
    heading,
    house_style,
    legend,
    limits_of,
    looks_of,
    sheet,
)

_LEAST = 5  # settings; fewer are no course
_NEAR = 1.12


def draw(kept: Summary) -> Figure | None:
    """Draw each competitor's test metric over the batch, and below it the paired difference to the baseline.

    Lines are means over seeds, bands and bars 95 % t-intervals.

    Args:
        kept: The experiment.

    Returns:
        The figure; None where fewer than five settings differ by the batch and its warm-up alone.
    """
    places = _places(kept)
    if len(places) < _LEAST:
        return None
    labels, words = list(kept.experiment.optimizers), metric_words(kept.report.metric)
    with house_style():
        figure = sheet(4.6)
        top, bottom = figure.subplots(2, sharex=True)
        for label, look in zip(labels, looks_of(len(labels)), strict=True):
            found = {place: list(values(kept, setting, label).values()) for setting, place in places.items()}
            ends = {place: ends_of(t_interval(column)) for place, column in found.items() if column}
            if ends:
                line: dict[str, Any] = {**look, "label": label, "marker": "o", "markersize": 3}
                band(top, list(ends), list(ends.values()), line, limits_of(kept.report.metric))
            for difference in kept.report.differences:
                if difference.label == label and difference.setting in places:
                    interval = difference.difference
                    dot(bottom, places[difference.setting], interval.mean, interval, look["color"], upright=True)
        bottom.axhline(0.0, color="0.3", linewidth=0.8)
        _ticks(bottom, places, kept.experiment)
        bottom.set_xlabel("batch size")
        top.set_ylabel(f"test {words}")
        bottom.set_ylabel(f"minus {kept.report.baseline}'s")
        heading(figure, kept.experiment)
        legend(figure, top)
    return figure


def _ticks(panel: Axes, places: dict[str, float], experiment: Experiment) -> None:
    """Mark every batch on a logarithmic axis, and label it unless another label is too near."""
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(FixedLocator(list(places.values())))
    panel.xaxis.set_minor_locator(NullLocator())
    words, last = [], 0.0
    for setting, place in places.items():
        near = place < _NEAR * last  # the two labels would overlap
        words.append("" if near else str(experiment.resolve(setting)[2].batch_size))
        last = last if near else place
    panel.set_xticklabels(words, rotation=60, ha="right", rotation_mode="anchor")


def _places(kept: Summary) -> dict[str, float]:
    """The batch of each setting that changes the batch, and at most the warm-up with it.

    The number of all examples is not kept. It is at most what the steps of the smallest batch took in.
    """
    experiment = kept.experiment
    sizes = {
        setting: experiment.resolve(setting)[2].batch_size
        for setting, changes in experiment.settings.items()
        if not (changes.data or changes.model or changes.learning_rates)
        and {"batch_size"} <= set(changes.training) <= {"batch_size", "warmup"}
    }
    parts = {setting: size for setting, size in sizes.items() if isinstance(size, int)}
    seen = [
        parts[run.setting] * run.step[-1] / run.epoch[-1]
        for run in kept.runs
        if run.setting in parts and run.step[-1] and run.epoch[-1]
    ]
    largest = max(parts.values(), default=1)
    full = max(min(seen, default=2.0 * largest), 1.1 * largest)
    return {setting: float(parts.get(setting, full)) for setting in sizes}
