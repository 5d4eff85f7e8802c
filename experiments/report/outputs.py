"""Which files a report is: tables in Markdown and LaTeX, figures, and the summary that is kept."""

from pathlib import Path

from experiments.analysis import kept
from experiments.analysis.kept import Summary
from experiments.config.schema import Experiment
from experiments.io.files import inside, write_atomic
from experiments.report import tables
from experiments.report.figures import draw


def write(made: Summary, folder: Path) -> list[Path]:
    """Write tables, figures and summary.

    Args:
        made: The experiment.
        folder: Where.

    Returns:
        The files.
    """
    kept.write(made, folder / "summary.json")
    return [folder / "summary.json", *_shown(made, folder, ("png", "pdf"))]


def keep(made: Summary, results: Path) -> list[Path]:
    """Write what is committed: the summary, and beside it the tables and figures for readers.

    Args:
        made: The experiment.
        results: Folder of the results; the summary goes to ``experiments/NAME-TIER.json``, the rest to ``NAME``, or to
            ``NAME-TIER`` for a tier other than the laptop's.

    Returns:
        The files.
    """
    path = kept_file(results, made.experiment.name, made.experiment.tier)
    kept.write(made, path)
    return [path, *show(made, results)]


def show(made: Summary, results: Path) -> list[Path]:
    """Write the tables and figures of a kept summary, without any run.

    Args:
        made: The summary.
        results: As in `keep`.

    Returns:
        The files.
    """
    return _shown(made, shown(results, made.experiment), ("png",))


def shown(results: Path, experiment: Experiment) -> Path:
    """The folder of an experiment's tables and figures for readers."""
    name, tier = experiment.name, experiment.tier
    return results / (name if tier == "laptop" else f"{name}-{tier}")


def kept_file(results: Path, name: str, tier: str) -> Path:
    """Where an experiment's summary is kept."""
    return inside(results / "experiments", f"{name}-{tier}.json")


def _shown(made: Summary, folder: Path, kinds: tuple[str, ...]) -> list[Path]:
    texts = {folder / "report.md": tables.markdown(made), folder / "report.tex": tables.latex(made)}
    for path, text in texts.items():
        write_atomic(path, text.encode())
    return [*texts, *draw.draw(made, folder, kinds)]
