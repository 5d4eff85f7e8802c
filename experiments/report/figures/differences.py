"""Where the runs end: paired differences to the baseline, which are what every answer rests on."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.analysis import names
from experiments.analysis.comparison import Difference, Metric
from experiments.analysis.kept import Summary
from experiments.report.figures.palette import COLOURS, dot, heading, house_style, panels, sheet, titled

_FEW = 2  # competitors beside the baseline that share a panel, with one row per setting


def draw(kept: Summary) -> Figure | None:
    """Draw each competitor's test metric minus the baseline's, the mean over pairs with its 95 % t-interval.

    With at most two competitors beside the baseline and several settings, a row is a setting; otherwise a panel is a
    setting.

    Args:
        kept: The experiment; competitors without pairs are left out.

    Returns:
        The figure; None where there is no pair.
    """
    found, experiment = kept.report.differences, kept.experiment
    shown = {key: name for key, name in names.settings(experiment).items() if any(d.setting == key for d in found)}
    labels = [label for label in experiment.optimizers if any(d.label == label for d in found)]
    if not found:
        return None
    together = len(labels) <= _FEW and len(shown) > 1
    with house_style():
        if together:
            figure = sheet(0.2 * len(shown) * len(labels) + 1.1)
            (panel,) = panels(figure, 1)
            rows = [(setting, label) for setting in shown for label in labels]
            _rows(panel, [d for row in rows for d in found if (d.setting, d.label) == row],
                  [shown[setting] + (f", {label}" if len(labels) > 1 else "") for setting, label in rows])  # fmt: skip
        else:
            figure = sheet((0.19 * len(labels) + 0.45) * -(-len(shown) // 2) + 0.7)
            for panel, setting in zip(panels(figure, len(shown), 2, sharex=True, sharey=True), shown, strict=True):
                here = {d.label: d for d in found if d.setting == setting}
                _rows(
                    panel,
                    [here[label] for label in labels if label in here],
                    [label for label in labels if label in here],
                )
                titled(panel, shown[setting], min(len(shown), 2))
        figure.supxlabel(
            axis_words(kept.report.metric, labels if together else [], experiment.baseline), fontsize="medium"
        )
        heading(figure, experiment)
    return figure


def axis_words(metric: Metric, labels: list[str], baseline: str) -> str:
    """What an axis of differences shows, with its unit and which side is better."""
    unit = {"accuracy": "points of test accuracy", "f1": "points of test F1", "loss": "nats of test loss",
            "reward": "return of an episode"}[metric]  # fmt: skip
    better = "left" if metric == "loss" else "right"
    who = labels[0] if len(labels) == 1 else "each optimizer"
    return (
        f"{who} minus {baseline}, {unit} ({better} is better)\n"
        "mean of the pairs and 95 % interval; filled: the interval excludes 0"
    )


def _rows(panel: Axes, differences: list[Difference], words: list[str]) -> None:
    for place, difference in enumerate(differences):
        dot(panel, difference.difference.mean, place, difference.difference, COLOURS[1])
    panel.axvline(0.0, color="0.3", linewidth=0.8)
    panel.set_yticks(range(len(words)), words)
    panel.set_ylim(len(words) - 0.5, -0.5)
