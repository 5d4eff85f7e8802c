"""The test metric over the batch size: the paper's Figures 12 and 13."""

from matplotlib.figure import Figure

from experiments.analysis.comparison import metric_words
from experiments.analysis.contrast import values
from experiments.analysis.kept import Summary
from experiments.analysis.statistics import t_interval
from experiments.config.schema import Experiment
from experiments.report.figures.palette import band, columns, house_style, looks_of

_LEAST = 5  # settings; fewer are no course


def draw(kept: Summary) -> Figure | None:
    """Draw each competitor's test metric over the settings' batches, evenly spaced, in the order of the config.

    Lines are means over seeds, bands 95 % t-intervals.

    Args:
        kept: The experiment.

    Returns:
        The figure; None where fewer than five settings differ by the batch and its warm-up alone.
    """
    settings = _sizes(kept.experiment)
    if len(settings) < _LEAST:
        return None
    labels = list(kept.experiment.optimizers)
    with house_style():
        width = 0.4 * len(settings) + 1.4
        figure = Figure(figsize=(width, 3.4), layout="constrained", dpi=160)
        panel = figure.subplots()
        for label, look in zip(labels, looks_of(len(labels)), strict=True):
            found = {place: list(values(kept, setting, label).values()) for place, setting in enumerate(settings)}
            intervals = {place: t_interval(ends) for place, ends in found.items() if ends}
            if intervals:
                ends = [
                    (i.mean, i.mean if i.low is None else i.low, i.mean if i.high is None else i.high)
                    for i in intervals.values()
                ]
                band(panel, list(intervals), ends, {**look, "label": label, "marker": "o", "markersize": 3})
        panel.set_xticks(range(len(settings)), settings, rotation=60, ha="right", rotation_mode="anchor")
        panel.set_ylabel(f"test {metric_words(kept.report.metric)}")
        handles, names = panel.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper center", ncols=columns(labels, width), frameon=False)
    return figure


def _sizes(experiment: Experiment) -> list[str]:
    """The settings that change the batch, and at most the warm-up with it."""
    return [
        setting
        for setting, changes in experiment.settings.items()
        if not (changes.data or changes.model or changes.learning_rates)
        and {"batch_size"} <= set(changes.training) <= {"batch_size", "warmup"}
    ]
