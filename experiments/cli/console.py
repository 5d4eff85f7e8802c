"""What the commands print: a live bar on a terminal, a few lines elsewhere, and tables."""

import contextlib
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from experiments.config.schema import Experiment
from experiments.io.own import without_digests

if TYPE_CHECKING:  # these import torch, and the bar is to be on screen before that
    from experiments.analysis.comparison import Difference
    from experiments.analysis.kept import Summary
    from experiments.config.schema import Metric
    from experiments.io.environment import Environment
    from experiments.runs.results import Results
    from experiments.sweep.campaign import Outcome, Step
    from experiments.sweep.pool import Event

_out = Console(markup=False, emoji=False)  # titles, remarks and names such as net.py:B are printed as they are
_err = Console(stderr=True, markup=False, emoji=False)
_SECONDS = 10  # between two lines of a log


def widen(columns: int) -> None:
    """Print in this many columns from now on, whatever the terminal has."""
    _out.width = _err.width = columns


class Following:
    """Counts what became of the runs, and shows it; call it with each event.

    Args:
        name: The experiment.
        total: Number of runs; it may be set later.
    """

    def __init__(self, name: str, total: int):
        self.name, self.total, self.trained = name, total, 0
        self._parts: dict[str, float] = {}

    @property
    def finished(self) -> int:
        """Runs that have their row."""
        return sum(part >= 1 for part in self._parts.values())

    def __call__(self, event: "Event") -> None:
        """Count and show one event."""
        if event.failure:
            words = without_digests(event.failure)
            _err.print(f"{event.run.id}: {words}", highlight=False, markup=False, soft_wrap=True)
        self.trained += event.finished and not event.before
        self._parts[event.run.id] = 0.0 if event.failure else event.done / event.total
        self._show(event, sum(self._parts.values()))

    def _show(self, event: "Event", done: float) -> None:
        """Show the state after an event; ``done`` is in runs, with parts of runs."""


class _Bar(Following):
    """A live bar."""

    def __init__(self, name: str, total: int, bar: Progress):
        super().__init__(name, total)
        self._bar, self._task = bar, bar.add_task(f"{name}: preparing", total=None)

    def _show(self, event: "Event", done: float) -> None:
        words = f"{self.name}: {self.finished} of {count(self.total, 'run')}; {event.run.setting}, {event.run.label}"
        self._bar.update(self._task, total=self.total, completed=done, description=words)


class _Lines(Following):
    """A line at most every ten seconds, for a log."""

    def __init__(self, name: str, total: int):
        super().__init__(name, total)
        self._begin = self._last = time.monotonic()
        self._first = 0.0  # when the first run of this call had made a step: before, imports and data took the time
        self._before = 0  # runs that were finished before this call

    def _show(self, event: "Event", done: float) -> None:
        self._before += event.before
        now = time.monotonic()
        self._first = self._first or (0.0 if event.before else now)
        if now - self._last >= _SECONDS:
            self._last = now
            here, words = done - self._before, f"{self.name}: {self.finished} of {count(self.total, 'run')} finished"
            words += f" after {now - self._begin:.0f} s"
            if here >= 1:  # less says nothing of the speed
                words += f", about {(self.total - done) * (now - self._first) / here:.0f} s left"
            _err.print(words, highlight=False)


@contextlib.contextmanager
def progress(name: str, total: int = 0, visible: bool = True) -> Iterator[Following]:
    """Show how far an experiment is.

    Args:
        name: The experiment.
        total: Number of runs, as far as it is known.
        visible: False shows nothing.

    Yields:
        To be called with each event.
    """
    if not visible:
        yield Following(name, total)
    elif not _err.is_terminal:
        yield _Lines(name, total)
    else:
        words = TextColumn("{task.description}", markup=False)
        columns = (words, BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        with Progress(*columns, console=_err, transient=True) as bar:
            yield _Bar(name, total, bar)


def count(number: int, noun: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def show_list(experiments: list[tuple[str, Experiment]]) -> None:
    """Print the experiments."""
    table = Table(title="Experiments", title_justify="left")
    for heading in ("name", "what", "source", "runs (laptop)"):
        table.add_column(heading)
    for name, experiment in experiments:
        table.add_row(name, experiment.title, experiment.source, str(experiment.runs))
    _out.print(table)


def show_outcome(results: "Results", trained: int, place: "Environment", words: str) -> None:
    """Print where the rows are, which runs diverged or failed, and how to report on them; ``words`` chose them."""
    rows = [row for cell in results.rows.values() for row in cell]
    diverged = sum(row.diverged for row in rows)
    show_trained(trained, results.experiment.runs, place.out)
    end = f"; {diverged} of them diverged" if diverged else ""
    _say(f"{count(len(rows), 'final run')} of {results.planned} finished{end}")
    show_failures(results.failures)
    if place.tensorboard:
        _say(f"TensorBoard: {shlex.join(['tensorboard', '--logdir', str(place.out / 'tensorboard')])}")
    if results.complete:
        _say(f"Now: python -m experiments report {words}")


def show_trained(trained: int, total: int, out: Path) -> None:
    """Print how many runs were trained, and why others were not."""
    if trained:
        _say(f"trained {trained} of {count(total, 'run')}; their rows are in {out}")
    else:
        _say(f"nothing was left to train: {out} has finished rows, found by a digest of all that decides a result")


def show_comparison(made: "Summary", kept: "Summary", source: Path) -> None:
    """Print a few optimizers side by side: means, paired differences in words, and how they agree with what is kept.

    Args:
        made: The runs of this call.
        kept: The summary that the learning rates are from.
        source: Its file.
    """
    from experiments.analysis.comparison import metric_words
    from experiments.report.tables import numbers
    from experiments.sweep.repeat import agreement

    report = made.report
    heading = f"test {metric_words(report.metric)}"
    table = Table(title=f"{report.title}: {count(len(report.seeds), 'seed')}", title_justify="left")
    for name in ("setting", "optimizer", "learning rate", heading, "95 % interval"):
        table.add_column(name, justify="left" if name in {"setting", "optimizer"} else "right")
    before = ""
    for cell in report.summaries:
        if before not in {"", cell.setting}:
            table.add_section()
        before = cell.setting
        mean, interval, _ = numbers(cell.test)
        table.add_row(cell.setting, cell.label, "-" if cell.lr is None else f"{cell.lr:g}", mean, interval)
    _out.print(table)
    for difference in report.differences:
        mean, interval, _ = numbers(difference.difference, "+")
        pair = f"{difference.label} - {difference.baseline}"
        _say(f"{difference.setting}: {pair} = {mean} {interval}, paired by seed: {meaning(difference, report.metric)}")
    _say(f"The learning rates were chosen before, on validation data: {source}")
    _say(agreement(kept, made))


def meaning(difference: "Difference", metric: "Metric") -> str:
    """A paired difference in plain words.

    Args:
        difference: The competitor minus the baseline.
        metric: The test metric: a loss is better low, the others are better high.

    Returns:
        Who is better, or that the interval leaves it open.
    """
    low, high = difference.difference.low, difference.difference.high
    if low is None or high is None:
        return "open: one seed gives no interval"
    if low == high == 0:
        return "equal for every seed"
    if difference.difference.tied:
        return "open: all seeds tie, which gives no interval"
    if low <= 0 <= high:
        return "undecided: the interval holds 0"
    better = difference.label if (low > 0) == (metric != "loss") else difference.baseline
    return f"{better} is better: the interval does not hold 0"


def show_failures(failures: dict[str, str]) -> None:
    """Print which runs have no row that counts, and why."""
    for run, failure in failures.items():
        _say(f"failed: {run}: {without_digests(failure)}")


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
        _say(f"wrote {file}")


def show_absent(claims: list[str]) -> None:
    """Print which questions have no kept summary to be answered from."""
    for claim in claims:
        _out.print(f"not run: {claim}", style="yellow", highlight=False)


def show_differing(lines: list[str], folder: Path) -> None:
    """Print a line for each file that is not as it was written."""
    for line in lines or [f"every file of {folder} is as it was written"]:
        _say(line)


def show_step(step: "Step", outcome: "Outcome | None") -> None:
    """Print a campaign's step as it begins, and what became of it."""
    words = f"{step.name}: {step.about}" if outcome is None else f"  {outcome.state} after {outcome.seconds:.0f} s"
    if outcome is not None and outcome.state == "finished":
        words = f"{step.name}: {outcome.state} after {outcome.seconds:.0f} s"
    _out.print(words, highlight=False, markup=False, soft_wrap=True)


def show_campaign(finished: int, steps: int, folder: Path) -> None:
    """Print how much of a campaign is finished."""
    _out.print(f"{finished} of {steps} steps are finished; logs are in {folder}", highlight=False, soft_wrap=True)


def show_exchange(file: Path, gained: int, folder: Path, given: int) -> None:
    """Print how many rows a file and a folder gave each other."""
    _out.print(f"{file} gained {gained} rows, {folder} gained {given}", highlight=False, markup=False, soft_wrap=True)


def show_error(error: Exception) -> None:
    """Print an error that the user can mend."""
    _err.print(f"error: {without_digests(str(error))}", style="red", highlight=False, markup=False, soft_wrap=True)


def show_interrupted(kept: str) -> None:
    """Print, after Ctrl-C, what is kept and the command that goes on."""
    again = shlex.join(["python", "-m", "experiments", *sys.argv[1:]])
    _err.print(f"stopped: {kept}. Go on with: {again}", highlight=False, markup=False, soft_wrap=True)


def _say(line: str) -> None:
    _out.print(line, highlight=False, markup=False, soft_wrap=True)


def show_plan(seeds: int, power: float, lead: float, sd: float, level: float) -> None:
    """How many seeds a lead needs."""
    line = (
        f"{seeds} seeds: a true lead of {lead:g} is seen with probability {power:.2f} by a two-sided t test at level "
        f"{level:g}, where the paired differences have a standard deviation of {sd:g}"
    )
    _out.print(line, highlight=False, markup=False, soft_wrap=True)
