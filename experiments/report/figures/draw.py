"""All figures of a kept summary, and how a figure is written."""

import io
from pathlib import Path

from matplotlib.figure import Figure

from experiments.analysis.kept import Summary
from experiments.io.files import remove, write_atomic
from experiments.io.plain_style import plain_style
from experiments.report.figures import along, batch_sizes, boxes, cost, curves, differences, exploration, trials

FIGURES = {
    "curves": curves.draw,
    "differences": lambda kept: None if cost.is_question(kept) else differences.draw(kept),
    "exploration": exploration.draw,
    "along": along.draw,
    "batches": batch_sizes.draw,
    "boxes": boxes.draw,
    "cost": cost.draw,
    "trials": trials.draw,
}
"""By file name; a figure that an experiment has nothing for is None."""


def draw(summary: Summary, folder: Path, kinds: tuple[str, ...] = ("png", "pdf")) -> list[Path]:
    """Draw and write all figures of an experiment, and delete those of an earlier time that it has nothing for now.

    Args:
        summary: The experiment.
        folder: Where.
        kinds: File formats, ``"png"`` or ``"pdf"``.

    Returns:
        The files.
    """
    drawn = {name: figure for name, make in FIGURES.items() if (figure := make(summary)) is not None}
    for path in (folder / f"{name}.{kind}" for name in FIGURES.keys() - drawn.keys() for kind in kinds):
        if path.exists():
            remove(path)
    return [path for name, figure in drawn.items() for path in write(figure, folder, name, kinds)]


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
        with plain_style({}):  # what is settled only while a figure is written
            figure.savefig(buffer, format=kind, metadata=undated[kind])
        paths.append(folder / f"{name}.{kind}")
        write_atomic(paths[-1], buffer.getvalue())
    return paths
