"""What ALTO's lead over NUS's LAMB is made of, switch by switch, beside the lead that the paper prints."""

from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.analysis import evidence, published
from experiments.analysis.evidence import Evidence
from experiments.io.errors import DataError
from experiments.report.figures.palette import COLOURS, house_style, sheet

NAME = "where-the-lead-comes-from"
_STEPS = {
    "ours-headline-beta3": "beta3\n.999 → .99",
    "ours-headline-correction": "bias\ncorrection",
    "ours-headline-clip": "no clip",
    "ours-headline-lead": "E\n(ALTO)",
}
_WHOLE = "ours-headline-nus"


@dataclass(frozen=True)
class Parts:
    """The parts of a lead, in points of test accuracy.

    Attributes:
        steps: One entry per switch, in the order in which they are drawn; they add up to the whole.
        whole: ALTO minus NUS's LAMB.
        printed: The paper's lead of ALTO over LAMB.
    """

    steps: tuple[Evidence, ...]
    whole: Evidence
    printed: float


def parts(results: Path) -> Parts | None:
    """The parts, from the kept evidence.

    Args:
        results: Folder of the results.

    Returns:
        The parts, or None while the runs have not ended.

    Raises:
        DataError: a file of evidence is damaged, or the parts do not add up to the whole.
    """
    files = [results / "evidence" / f"{claim}.json" for claim in (*_STEPS, _WHOLE)]
    if not all(file.exists() for file in files):
        return None
    *steps, whole = (evidence.read(file) for file in files)
    total = sum(step.estimate for step in steps)
    if abs(total - whole.estimate) > 1e-3 * len(steps):  # each estimate is kept to four digits
        raise DataError(
            f"{results}/evidence: the parts add up to {total:.4f} and not to {whole.estimate}: compute them anew"
        )
    return Parts(tuple(steps), whole, _printed())


def _printed() -> float:
    """Table 3's lead on CIFAR-10 at batch 16,384."""
    of = ("cifar-resnet20", "large batch", "")
    row = next(row for row in published.read() if (row.experiment, row.setting, row.data) == of)
    return row.values["ALTO"] - row.values["LAMB"]


def draw(made: Parts) -> Figure:
    """Draw a bar per switch that begins where the one before ends, then the whole, then the paper's lead.

    Args:
        made: From `parts`.

    Returns:
        The figure.
    """
    with house_style():
        figure = sheet(2.6)
        axes = figure.subplots()
        ground = 0.0
        for place, step in enumerate(made.steps):
            _bar(axes, place, ground, step, COLOURS[1] if place < len(made.steps) - 1 else COLOURS[0])
            axes.plot([place - 0.4, place + 1.4], [ground + step.estimate] * 2, color="0.6", linewidth=0.6)
            ground += step.estimate
        place = len(made.steps)
        _bar(axes, place, 0.0, made.whole, COLOURS[7])
        axes.bar(place + 1, made.printed, width=0.8, color="white", edgecolor="0.3", hatch="///")
        axes.annotate(
            f"{made.printed:+.2f}",
            (place + 1, made.printed),
            (0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=7,
        )
        axes.axhline(0.0, color="0.3", linewidth=0.8)
        labels = [*_STEPS.values(), "ALTO -\nLAMB (NUS)", "paper, Table 3:\nALTO - LAMB"]
        axes.set_xticks(range(place + 2), labels)
        axes.grid(visible=False, axis="x")
        axes.set_ylabel("points of test accuracy")
        seeds = len(made.whole.seeds)
        axes.set_title(
            f"Shapley shares of three switches, then E on LAMB; mean over {seeds} paired seeds, 95 % interval",
            fontsize="medium",
        )
        axes.margins(y=0.15)
    return figure


def _bar(axes: Axes, place: int, ground: float, step: Evidence, colour: str) -> None:
    """One bar from the ground, with its interval at its end and its number above."""
    axes.bar(place, step.estimate, width=0.8, bottom=ground, color=colour)
    ends = ground + step.low, ground + step.high
    axes.plot([place, place], ends, color="black", linewidth=1.2)
    top = max(ground, ground + step.estimate, *ends)
    axes.annotate(f"{step.estimate:+.2f}", (place, top), (0, 3), textcoords="offset points", ha="center", fontsize=7)
