"""The result over the strength of exploration, c = -alpha (1 - beta1)."""

from matplotlib.figure import Figure

from experiments.analysis import names
from experiments.analysis.comparison import metric_words
from experiments.analysis.contrast import Term, contrast
from experiments.analysis.kept import Summary
from experiments.analysis.statistics import t_interval
from experiments.config.schema import Experiment
from experiments.report.figures.palette import COLOURS, dot, heading, house_style, sheet, titled

_LEAST = 3  # places on the axis
_BETA1 = 0.99
_WITH_E = {"LAMB": "ALTO", "AdamW": "EAdamW"}  # the baseline is E with alpha = 0


def draw(kept: Summary) -> Figure | None:
    """Draw the paired difference to the baseline, E with c = 0, against c: of the test metric, and of the sharpness.

    Bars are 95 % t-intervals over the pairs; a dot is filled where its interval excludes 0. The filter sharpness is
    drawn where it was measured, as the decimal logarithm of a ratio.

    Args:
        kept: The experiment.

    Returns:
        The figure; None where competitors that differ by alpha alone have fewer than three values of c.
    """
    places = _explorations(kept.experiment)
    if len(set(places.values())) < _LEAST:
        return None
    measured = any(run.measures for run in kept.runs)
    quantities = {"test": f"test {metric_words(kept.report.metric)}"}
    quantities |= {"log10 filter_sharpness": "log10 filter sharpness"} if measured else {}
    shown, baseline = names.settings(kept.experiment), kept.report.baseline
    with house_style():
        figure = sheet(1.7 * len(quantities) + 1.0)
        grid = figure.subplots(len(quantities), len(shown), squeeze=False, sharex=True, sharey="row")
        for row, (quantity, words) in zip(grid, quantities.items(), strict=True):
            for panel, setting in zip(row, shown, strict=True):
                for label, place in places.items():
                    terms = (Term(1, setting, label), Term(-1, setting, baseline))
                    found = list(contrast(kept, terms, quantity).values())
                    if found and label != baseline:
                        interval = t_interval(found)
                        dot(panel, place, interval.mean, interval, COLOURS[1], upright=True)
                panel.axhline(0.0, color="0.3", linewidth=0.8)
                panel.plot([0.0], [0.0], "s", color="0.3", markersize=4)
            row[0].set_ylabel(f"{words}\nminus {baseline}'s")
        for panel, name in zip(grid[0], shown.values(), strict=True):
            titled(panel, name, len(shown))
        for panel in grid[-1]:
            panel.set_xlabel(r"$c = -\alpha\,(1 - \beta_1)$")
        heading(figure, kept.experiment)
    return figure


def _explorations(experiment: Experiment) -> dict[str, float]:
    """C of the baseline, which explores nothing, and of E around it with beta1 = 0.99 and an alpha alone."""
    found: dict[str, float] = {}
    base = experiment.optimizers[experiment.baseline].name or experiment.baseline
    for label, optimizer in experiment.optimizers.items():
        options, name = optimizer.options, optimizer.name or label
        if optimizer.clip != "shared":
            continue  # its clip differs as well
        if label == experiment.baseline and name in _WITH_E and not options:
            found[label] = 0.0
        elif name != _WITH_E.get(base) or set(options) != {"alpha", "beta1"} or options["beta1"] != _BETA1:
            continue  # it differs from the baseline by more than exploration, or has another average
        elif isinstance(alpha := options["alpha"], float):
            found[label] = -alpha * (1 - _BETA1)
    return found
