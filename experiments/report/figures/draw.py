"""Figures from rows alone: mean curves with 95 % t-intervals over the seeds."""

import io
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.analysis.comparison import Report, metric_words
from experiments.analysis.contrast import values
from experiments.analysis.kept import Column, Summary
from experiments.analysis.statistics import t_interval
from experiments.config.schema import Experiment
from experiments.io.files import write_atomic
from experiments.report.figures import along, batch_sizes, boxes
from experiments.report.figures.palette import COLOURS, columns, house_style, looks_of


def curves(summary: Summary) -> Figure:
    """Draw the test metric and the training loss against the epoch, one column a setting.

    Lines are means over seeds, bands 95 % t-intervals; beyond eight competitors there are no bands.

    Args:
        summary: The experiment; competitors without runs are left out.

    Returns:
        The figure.
    """
    experiment = summary.experiment
    metric = experiment.tuning.metric
    settings, looks = list(experiment.settings), looks_of(len(experiment.optimizers))
    band = len(looks) <= len(COLOURS)  # more bands hide each other; `intervals` shows where the runs end
    with house_style():
        width = max(1.6, min(3.2, 18 / len(settings))) * len(settings) + 0.6
        lines = -(-len(looks) // columns(list(experiment.optimizers), width))  # of the legend
        figure = Figure(figsize=(width, 4.0 + 0.18 * lines), layout="constrained", dpi=160)
        panels = figure.subplots(2, len(settings), squeeze=False, sharex="col")
        for column, setting in enumerate(settings):
            top, bottom = panels[0][column], panels[1][column]
            for index, label in enumerate(experiment.optimizers):
                runs = [run for run in summary.runs if (run.setting, run.label) == (setting, label)]
                look = {**looks[index], "label": label}
                _draw(top, [(run.epoch, run.test) for run in runs], look, positive=metric == "loss", band=band)
                _draw(bottom, [(run.epoch, run.train_loss) for run in runs], look, positive=True, band=band)
            top.set_title(setting)
            bottom.set_xlabel("epoch")
            for panel in (bottom, *([top] if metric == "loss" else [])):
                low, high = panel.dataLim.intervaly
                if high > 5 * low > 0:  # within less, a logarithmic axis has no round numbers to label
                    panel.set_yscale("log")
        panels[0][0].set_ylabel(f"test {metric_words(metric)}")
        # An agent's loss is a sum of surrogates and penalties; every other is a cross-entropy.
        panels[1][0].set_ylabel("PPO's loss" if metric == "reward" else "training loss in nats")
        handles, labels = panels[0][0].get_legend_handles_labels()
        if handles:
            figure.legend(
                handles,
                labels,
                loc="outside lower center",
                ncols=columns(labels, width),
                frameon=False,
            )
    return figure


def intervals(made: Report) -> Figure:
    """Draw each competitor's test metric with its 95 % t-interval, one panel a setting, the baseline as a line.

    Args:
        made: The report; competitors without rows are left out.

    Returns:
        The figure.
    """
    settings = list(dict.fromkeys(summary.setting for summary in made.summaries))
    labels = list(dict.fromkeys(summary.label for summary in made.summaries))
    with house_style():
        figure = Figure(
            figsize=(max(1.6, min(3.0, 18 / len(settings))) * len(settings) + 0.8, 0.24 * len(labels) + 1.2),
            layout="constrained",
            dpi=160,
        )
        panels = figure.subplots(1, len(settings), squeeze=False, sharey=True)[0]
        for panel, setting in zip(panels, settings, strict=True):
            for summary in (s for s in made.summaries if s.setting == setting and s.test is not None):
                assert summary.test is not None
                place, test = labels.index(summary.label), summary.test
                reach = 0.0 if test.high is None else test.high - test.mean
                panel.errorbar(test.mean, place, xerr=reach, fmt="o", color=COLOURS[1], capsize=3, markersize=4)
                if summary.label == made.baseline:
                    panel.axvline(test.mean, color="0.5", linewidth=0.8, linestyle=":")
            panel.set_title(setting)
            panel.set_xlabel(f"test {metric_words(made.metric)}")
            panel.set_yticks(range(len(labels)), labels)
        panels[0].set_ylim(len(labels) - 0.5, -0.5)
    return figure


def by_exploration(kept: Summary) -> Figure | None:
    """Draw the test metric, and the filter sharpness where it was measured, against c = -alpha (1 - beta1).

    Bars are 95 % t-intervals over seeds. The dotted line is the baseline, E with c = 0.

    Args:
        kept: The experiment.

    Returns:
        The figure; None where fewer than three competitors differ by alpha alone.
    """
    places = {label: c for label, c in _explorations(kept.experiment).items() if c is not None}
    if len(places) < 3:
        return None
    measured = any(run.measures for run in kept.runs)
    quantities = ["test", *(["log10 filter_sharpness"] if measured else [])]
    settings = list(kept.experiment.settings)
    with house_style():
        size = (2.4 * len(settings) + 0.6, 1.9 * len(quantities) + 0.4)
        figure = Figure(figsize=size, layout="constrained", dpi=160)
        panels = figure.subplots(len(quantities), len(settings), squeeze=False, sharex=True, sharey="row")
        for row, quantity in enumerate(quantities):
            for panel, setting in zip(panels[row], settings, strict=True):
                for label, place in places.items():
                    found = list(values(kept, setting, label, quantity).values())
                    if found:
                        interval = t_interval(found)
                        reach = 0.0 if interval.high is None else interval.high - interval.mean
                        panel.errorbar(place, interval.mean, yerr=reach, fmt="o", color=COLOURS[1], capsize=2.5,
                                       markersize=3.5)  # fmt: skip
                        if place == 0:
                            panel.axhline(interval.mean, color="0.5", linewidth=0.8, linestyle=":")
                if row == 0:
                    panel.set_title(setting)
                if row == len(quantities) - 1:
                    panel.set_xlabel(r"$c = -\alpha\,(1 - \beta_1)$")
        panels[0][0].set_ylabel(f"test {metric_words(kept.report.metric)}")
        if measured:
            panels[1][0].set_ylabel("log10 filter sharpness")
    return figure


def _explorations(experiment: Experiment) -> dict[str, float | None]:
    """C of every competitor, from alpha and beta1 = 0.99; None where something else differs too."""
    found: dict[str, float | None] = {}
    for label, optimizer in experiment.optimizers.items():
        options = optimizer.options
        alpha, beta1 = options.get("alpha"), options.get("beta1")
        if (optimizer.name or label) == "LAMB" and not options:
            found[label] = 0.0
        elif set(options) == {"alpha", "beta1"} and beta1 == 0.99 and isinstance(alpha, float):
            found[label] = round(-alpha * (1 - 0.99), 12)
        else:
            found[label] = None
    return found


def draw(summary: Summary, folder: Path, kinds: tuple[str, ...] = ("png", "pdf")) -> list[Path]:
    """Draw and write all figures of an experiment.

    Args:
        summary: The experiment.
        folder: Where.
        kinds: File formats, ``"png"`` or ``"pdf"``.

    Returns:
        The files.
    """
    drawn = {
        # a run that is evaluated at its end alone has no course
        "curves": curves(summary) if any(len(run.epoch) > 1 for run in summary.runs) else None,
        "intervals": intervals(summary.report),
        "exploration": by_exploration(summary),
        "along": along.draw(summary),
        "batches": batch_sizes.draw(summary),
        "boxes": boxes.draw(summary),
    }
    return [path for name, figure in drawn.items() if figure is not None for path in write(figure, folder, name, kinds)]


def write(figure: Figure, folder: Path, name: str, kinds: tuple[str, ...] = ("png", "pdf")) -> list[Path]:
    """Write a figure, atomically and without a date, so that equal rows give equal files.

    Args:
        figure: The figure.
        folder: Where.
        name: File name without suffix.
        kinds: File formats.

    Returns:
        The paths.
    """
    paths, undated = [], {"png": {"Software": None}, "pdf": {"CreationDate": None}}
    for kind in kinds:
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, metadata=undated[kind])
        paths.append(folder / f"{name}.{kind}")
        write_atomic(paths[-1], buffer.getvalue())
    return paths


def _draw(panel: Axes, runs: list[tuple[Column, Column]], look: dict, *, positive: bool, band: bool) -> None:
    """One competitor's mean curve, and its band if wanted, over the evaluations that all its runs reached."""
    if not runs:
        return
    epochs, means, lows, highs = [], [], [], []
    places = zip(*(epoch for epoch, _ in runs), strict=False)
    values = zip(*(column for _, column in runs), strict=False)
    for place, here in zip(places, values, strict=True):
        finite = [value for value in here if value is not None]
        if len(finite) < len(here):
            break
        interval = t_interval(finite)
        epochs.append(place[0])
        means.append(interval.mean)
        lows.append(interval.mean if interval.low is None else interval.low)
        highs.append(interval.mean if interval.high is None else interval.high)
    panel.plot(epochs, means, linewidth=1.4, **look)
    if not band:
        return
    floor = min(means, default=1.0) * 0.05 if positive else -np.inf  # a logarithmic axis has no room below 0
    panel.fill_between(epochs, np.maximum(lows, floor), highs, color=look["color"], alpha=0.15, linewidth=0)
