"""Box plots of the test metric over a grid of alpha and beta1: the paper's Figure 5."""

from matplotlib.figure import Figure

from experiments.analysis import names
from experiments.analysis.comparison import metric_words
from experiments.analysis.contrast import values
from experiments.analysis.kept import Summary
from experiments.config.schema import Experiment
from experiments.report.figures.palette import COLOURS, heading, house_style, panels, sheet, titled

_LEAST = 10  # competitors of a grid


def draw(kept: Summary) -> Figure | None:
    """Draw a box for each competitor over its final seeds, a panel for each setting, in the order of the config.

    A box reaches from the lower to the upper quartile, its whiskers to the extremes; a dot is a seed.

    Args:
        kept: The experiment.

    Returns:
        The figure; None where fewer than ten competitors are points of a grid of alpha and beta1.
    """
    labels = _grid(kept.experiment)
    if len(labels) < _LEAST:
        return None
    shown = names.settings(kept.experiment)
    with house_style():
        figure = sheet((0.24 * len(labels) + 0.5) * -(-len(shown) // 2) + 0.6)
        made = panels(figure, len(shown), 2, sharey=True)
        for panel, setting in zip(made, shown, strict=True):
            found = [list(values(kept, setting, label).values()) for label in labels]
            panel.boxplot(found, orientation="horizontal", positions=range(len(labels)), whis=(0, 100), widths=0.6,
                          medianprops={"color": COLOURS[0]})  # fmt: skip
            for place, ends in enumerate(found):
                panel.plot(ends, [place] * len(ends), "o", color=COLOURS[1], markersize=2.5, alpha=0.7)
            titled(panel, shown[setting], min(len(shown), 2))
            panel.set_xlabel(f"test {metric_words(kept.report.metric)}")
            panel.set_yticks(range(len(labels)), labels)
        made[0].set_ylim(len(labels) - 0.5, -0.5)
        heading(figure, kept.experiment)
    return figure


def _grid(experiment: Experiment) -> list[str]:
    """The competitors that have an alpha and a beta1 and nothing else, and LAMB, whose alpha is 0."""
    return [
        label
        for label, optimizer in experiment.optimizers.items()
        if set(optimizer.options) == {"alpha", "beta1"}
        or ((optimizer.name or label) == "LAMB" and not optimizer.options)
    ]
