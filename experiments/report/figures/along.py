"""Sharpness and movement along the runs, a line a competitor: the paper's Figure 3."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.analysis.kept import Line, Summary
from experiments.analysis.statistics import t_interval
from experiments.report.figures.palette import band, columns, house_style, looks_of

_SHOWN = {
    "top_eigenvalue": r"$\lambda_{\max}$ of the Hessian",
    "filter_sharpness": "filter sharpness",
    "moved": r"$|\theta_k - \theta_0|$",
    "moved_lately": r"$|\theta_k - \theta_{k-10}|$",
}


def draw(kept: Summary) -> Figure | None:
    """Draw what was measured along the runs, a row a measure and a column a setting, on a logarithmic scale.

    Lines are geometric means over seeds, bands 95 % t-intervals of the logarithm. A point at which a run has no
    positive value is left out.

    Args:
        kept: The experiment.

    Returns:
        The figure; None where nothing was measured.
    """
    if not any(run.measures for run in kept.runs):
        return None
    settings, labels = list(kept.experiment.settings), list(kept.experiment.optimizers)
    with house_style():
        width = 2.4 * len(settings) + 0.8
        lines = -(-len(labels) // columns(labels, width))
        figure = Figure(figsize=(width, 1.5 * len(_SHOWN) + 0.6 + 0.18 * lines), layout="constrained", dpi=160)
        panels = figure.subplots(len(_SHOWN), len(settings), squeeze=False, sharex="col", sharey="row")
        for row, (name, words) in enumerate(_SHOWN.items()):
            for panel, setting in zip(panels[row], settings, strict=True):
                for label, look in zip(labels, looks_of(len(labels)), strict=True):
                    runs = [run for run in kept.runs if (run.setting, run.label) == (setting, label)]
                    _line(panel, runs, name, {**look, "label": label})
                panel.set_yscale("log")
                if row == 0:
                    panel.set_title(setting)
            panels[row][0].set_ylabel(words)
        for panel in panels[-1]:
            panel.set_xlabel("epoch")
        handles, names = panels[-2][0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=columns(labels, width), frameon=False)
    return figure


def _line(panel: Axes, runs: Sequence[Line], name: str, look: dict) -> None:
    places, ends = [], []
    for index, place in enumerate(runs[0].epoch if runs else ()):
        found = [run.measures[name][index] for run in runs if index < len(run.measures.get(name, ()))]
        logs = [math.log(value) for value in found if value is not None and value > 0]
        if place is None or not logs or len(logs) < len(runs):
            continue
        interval = t_interval(logs)
        low, high = (interval.mean if end is None else end for end in (interval.low, interval.high))
        places.append(place)
        ends.append((math.exp(interval.mean), math.exp(low), math.exp(high)))
    if places:
        band(panel, places, ends, look)
