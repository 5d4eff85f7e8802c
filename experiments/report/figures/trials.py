"""The best validation result of n trials against n: who wins with a small budget of tuning."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.analysis import names
from experiments.analysis.comparison import metric_words
from experiments.analysis.kept import Summary
from experiments.analysis.trials import best_of
from experiments.report.figures.palette import (
    COLOURS,
    COLUMNS,
    band,
    heading,
    house_style,
    legend,
    looks_of,
    panels,
    sheet,
    titled,
)

_LEAST = 3  # trials; fewer make no curve
_BANDS = 3  # competitors; the bands of more hide each other


def draw(kept: Summary) -> Figure | None:
    """Draw the expected best validation result of n learning rates, drawn from those that were tried.

    Up to three competitors have bands, in which 95 % of the draws lie.

    Args:
        kept: The experiment; a trial that diverged is the worst of its competitor's.

    Returns:
        The figure; None where the trials are not kept, are fewer than three, or more than eight competitors would hide
        each other.
    """
    cells = [cell for cell in kept.report.summaries if len(cell.trials) >= _LEAST]
    labels = [label for label in kept.experiment.optimizers if any(cell.label == label for cell in cells)]
    settings = [setting for setting in kept.experiment.settings if any(cell.setting == setting for cell in cells)]
    if not cells or len(labels) > len(COLOURS):
        return None
    metric, shown = kept.report.metric, names.settings(kept.experiment)
    with house_style():
        figure = sheet(1.75 * -(-len(settings) // COLUMNS) + 0.8)
        made = panels(figure, len(settings))
        for panel, setting in zip(made, settings, strict=True):
            for label, look in zip(labels, looks_of(len(labels)), strict=True):
                for cell in cells:
                    if (cell.setting, cell.label) == (setting, label):
                        best = best_of(cell.trials, metric)
                        ends = [(one.mean, one.low, one.high) for one in best]
                        places = [one.n for one in best]
                        if len(labels) <= _BANDS:
                            band(panel, places, ends, {**look, "label": label, "marker": "o", "markersize": 2.5})
                        else:
                            panel.plot(
                                places, [one.mean for one in best], **look, label=label, marker="o", markersize=2.5
                            )
            titled(panel, shown[setting], min(len(settings), COLUMNS))
            panel.set_xlabel("learning rates tried")
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        made[0].set_ylabel(f"best validation {metric_words(metric)}")
        heading(figure, kept.experiment)
        legend(figure, made[0])
    return figure
