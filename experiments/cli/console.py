"""Console text: a live bar on a terminal, a few quiet lines elsewhere. It decides nothing."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from experiments.config.schema import Experiment

if TYPE_CHECKING:  # these import torch, and the bar is to be on screen before that
    from experiments.analysis.kept import Summary
    from experiments.runs.results import Results
    from experiments.sweep.pool import Event

_out = Console()
_err = Console(stderr=True)


@contextlib.contextmanager
def progress(experiment: Experiment, visible: bool = True) -> Iterator[Callable[["Event"], None]]:
    """Show how far an experiment is.

    Args:
        experiment: The experiment.
        visible: False shows nothing.

    Yields:
        What to tell of each event.
    """
    if not visible:
        yield lambda _: None
        return
    total = experiment.runs
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TimeRemainingColumn())  # fmt: skip
    if not _err.is_terminal:
        yield _QuietLines(experiment.name, total)
        return
    with Progress(*columns, console=_err) as bar:
        task = bar.add_task(experiment.name, total=total)
        parts: dict[str, float] = {}

        def follow(event: "Event") -> None:
            if event.failure:
                bar.console.print(f"[red]{event.run.id}: {event.failure}[/red]", highlight=False)
            parts[event.run.id] = event.done / event.total
            whole = sum(part >= 1 for part in parts.values())
            bar.update(task, completed=whole, description=f"{experiment.name}: {event.run.setting}, {event.run.label}")

        yield follow


class _QuietLines:
    """A line at the start, then one every ten seconds at most, then one at the end."""

    def __init__(self, name: str, total: int):
        self.name, self.total, self.done = name, total, 0
        self.begin = self.last = time.monotonic()
        _err.print(f"{name}: {total} runs", highlight=False)

    def __call__(self, event: "Event") -> None:
        if event.failure:
            _err.print(f"{event.run.id}: {event.failure}", highlight=False, markup=False, soft_wrap=True)
        self.done += event.finished
        now = time.monotonic()
        if now - self.last >= 10 or (event.finished and self.done == self.total):
            self.last = now
            _err.print(f"{self.name}: {self.done} of {self.total} runs, {now - self.begin:.0f} s", highlight=False)


def show_list(experiments: list[tuple[str, Experiment]]) -> None:
    """Print the experiments."""
    table = Table(title="Experiments", title_justify="left")
    for heading in ("name", "what", "source", "runs (laptop)"):
        table.add_column(heading)
    for name, experiment in experiments:
        table.add_row(name, experiment.title, experiment.source, str(experiment.runs))
    _out.print(table)


def show_outcome(results: "Results", out: Path, words: str) -> None:
    """Print where the rows are, which runs failed, and how to report on them; ``words`` chose the experiment."""
    finished = sum(len(rows) for rows in results.rows.values())
    _out.print(f"{finished} final runs are in {out}", highlight=False)
    show_failures(results.failures)
    if results.complete:
        _out.print(f"Now: python -m experiments report {words}", highlight=False, markup=False, soft_wrap=True)


def show_failures(failures: dict[str, str]) -> None:
    """Print which runs have no row that counts, and why."""
    for run, failure in failures.items():
        _out.print(f"failed: {run}: {failure}", highlight=False, markup=False, soft_wrap=True)


def show_report(kept: "Summary", files: list[Path]) -> None:
    """Print a report's tables and where its files are."""
    from experiments.report.tables import remarks, tables

    report = kept.report
    _out.print(f"{report.title}: {report.tier} tier; 95 % t-intervals over seeds, each for itself", style="bold")
    for made in tables(kept):
        table = Table(title=made.title, title_justify="left", caption=made.note or None, caption_justify="left")
        for heading in made.headings:
            table.add_column(heading, justify="left" if heading in {"setting", "optimizer", "difference"} else "right")
        for before, row in zip((None, *made.rows), made.rows, strict=False):
            if before is not None and before[0] != row[0]:
                table.add_section()
            table.add_row(*row)
        _out.print(table)
    for remark in remarks(kept):
        _out.print(remark, style="yellow")
    show_files(files)


def show_files(files: list[Path]) -> None:
    """Print which files were written."""
    for file in files:
        _out.print(f"wrote {file}", highlight=False)


def show_absent(claims: list[str]) -> None:
    """Print which questions have no kept summary to be answered from."""
    for claim in claims:
        _out.print(f"not run: {claim}", style="yellow", highlight=False)


def show_error(error: Exception) -> None:
    """Print an error that the user can mend."""
    _err.print(f"error: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
