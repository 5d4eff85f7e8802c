"""What training costs: the time of a step as a ratio to the baseline's, and the memory that an optimizer keeps."""

from matplotlib.figure import Figure

from experiments.analysis import costs, names, published
from experiments.analysis.contrast import Term, contrast
from experiments.analysis.kept import Summary
from experiments.analysis.statistics import Interval, t_interval
from experiments.report.figures.palette import COLOURS, dot, heading, house_style, sheet


def is_question(kept: Summary) -> bool:
    """Whether an experiment is about time and memory, as the paper's of the same name is."""
    return published.has_numbers(kept.experiment, "MiB", "ms")


def draw(kept: Summary) -> Figure | None:
    """Draw the time of a training step over the baseline's, paired by seed, and the optimizer's state.

    Times are percentages more than the baseline's, from the mean of the logarithms; bars are 95 % t-intervals.

    Args:
        kept: The experiment.

    Returns:
        The figure; None where cost is not the question.
    """
    if not is_question(kept):
        return None
    shown, baseline = names.settings(kept.experiment), kept.report.baseline
    labels = list(kept.experiment.optimizers)
    rows = [(setting, label) for setting in shown for label in labels if label != baseline]
    with house_style():
        figure = sheet(0.19 * len(rows) + 1.2)
        times, memory = figure.subplots(1, 2, width_ratios=[2, 1])
        for place, (setting, label) in enumerate(rows):
            pair = (Term(1, setting, label), Term(-1, setting, baseline))
            interval = _percent(list(contrast(kept, pair, "log10 step_time").values()))
            if interval is not None:
                dot(times, interval.mean, place, interval, COLOURS[1])
        times.axvline(0.0, color="0.3", linewidth=0.8)
        times.set_yticks(range(len(rows)), [f"{shown[setting]}, {label}" for setting, label in rows])
        times.set_ylim(len(rows) - 0.5, -0.5)
        times.set_xlabel(f"time of a step, % more than {baseline}'s")
        kept_bytes = [max(costs.memory(kept, setting, label, on_gpu=False) for setting in shown) for label in labels]
        memory.plot(kept_bytes, range(len(labels)), "o", color=COLOURS[1], markersize=4)
        memory.set_yticks(range(len(labels)), labels)
        memory.set_ylim(len(labels) - 0.5, -0.5)
        memory.set_xlim(left=0.0)
        memory.set_xlabel("optimizer state, MiB")
        heading(figure, kept.experiment)
    return figure


def _percent(logs: list[float]) -> Interval | None:
    """The interval of decimal logarithms of ratios, as percentages above 1."""
    if not logs:
        return None
    found = t_interval(logs)
    ends = [None if end is None else 100 * (10**end - 1) for end in (found.low, found.high)]
    return Interval(100 * (10**found.mean - 1), ends[0], ends[1], found.n)
