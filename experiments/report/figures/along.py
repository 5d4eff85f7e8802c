"""Sharpness and movement along the runs, one line per competitor: the paper's Figure 3."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.analysis import names
from experiments.analysis.kept import Line, Summary
from experiments.analysis.statistics import t_interval
from experiments.report.figures.palette import band, ends_of, heading, house_style, legend, looks_of, sheet, titled

_SHOWN = {
    "top_eigenvalue": r"$\lambda_{\max}$ of the Hessian",
    "filter_sharpness": "filter sharpness",
    "moved": r"$|\theta_k - \theta_0|$",
    "moved_lately": r"$|\theta_k - \theta_{k-10}|$",
}


def draw(kept: Summary) -> Figure | None:
    """Draw what was measured along the runs on a logarithmic scale: a row is a measure, a column is a setting.

    Lines are geometric means over seeds, bands 95 % t-intervals of the logarithm. A point at which a run has no
    positive value is left out.

    Args:
        kept: The experiment.

    Returns:
        The figure; None where nothing was measured.
    """
    if not any(run.measures for run in kept.runs):
        return None
    settings, labels = names.settings(kept.experiment), list(kept.experiment.optimizers)
    with house_style():
        figure = sheet(1.45 * len(_SHOWN) + 1.1)
        panels = figure.subplots(len(_SHOWN), len(settings), squeeze=False, sharex="col", sharey="row")
        for row, (name, words) in enumerate(_SHOWN.items()):
            for panel, setting in zip(panels[row], settings, strict=True):
                for label, look in zip(labels, looks_of(len(labels)), strict=True):
                    runs = [run for run in kept.runs if (run.setting, run.label) == (setting, label)]
                    _line(panel, runs, name, {**look, "label": label})
                panel.set_yscale("log")
                if row == 0:
                    titled(panel, settings[setting], len(settings))
            panels[row][0].set_ylabel(words)
        for panel in panels[-1]:
            panel.set_xlabel("epoch")
        heading(figure, kept.experiment)
        legend(figure, panels[-2][0])
    return figure


def _line(panel: Axes, runs: Sequence[Line], name: str, look: dict) -> None:
    places, ends = [], []
    for index, place in enumerate(runs[0].epoch if runs else ()):
        found = [run.measures[name][index] for run in runs if index < len(run.measures.get(name, ()))]
        logs = [math.log(value) for value in found if value is not None and value > 0]
        if place is None or not logs or len(logs) < len(runs):
            continue
        mean, low, high = ends_of(t_interval(logs))
        places.append(place)
        ends.append((math.exp(mean), math.exp(low), math.exp(high)))
    if places:
        band(panel, places, ends, look)
