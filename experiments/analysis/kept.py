"""What is kept of an experiment: one small file with its config, its report and every final run's curve."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from experiments.analysis import comparison
from experiments.analysis.comparison import Report, in_reported_unit
from experiments.config.parse import build
from experiments.config.schema import Experiment
from experiments.io import stored
from experiments.io.errors import DataError
from experiments.io.files import write_atomic
from experiments.optimizers.state_size import state_bytes
from experiments.runs.results import Results
from experiments.runs.rows import Point, Row
from experiments.runs.tuning import value_of

_MEASURES = ("top_eigenvalue", "trace", "trace_error", "sharpness", "filter_sharpness")

Column = tuple[float | None, ...]

DIGITS = 6
"""Significant digits of the kept numbers; the rows have all."""


@dataclass(frozen=True)
class Line:
    """One final run; a column has one entry an evaluation, the last one being the result.

    Attributes:
        setting: The condition.
        label: The competitor.
        seed: Its seed.
        lr: The chosen learning rate.
        diverged: The run ended early.
        seconds: Wall time.
        weights: Digest of the final network.
        examples_per_second: Training throughput without the evaluations.
        peak_memory: Bytes: allocated on a GPU; resident on a CPU, where it is the whole process's.
        step: Column of steps.
        time: Column of wall times in seconds.
        epoch: Column of epochs.
        train_loss: Column of mean training losses, in nats.
        test: Column of test metrics, in the report's unit.
        measures: Columns of curvature and movement, by name; empty where they were not measured.
        state_bytes: What the optimizer keeps between steps; 0 where it was not weighed.
        clipped: Share of the steps whose gradient, before any clipping, was longer than the clip, or than 1 without
            one; None where the norms were not recorded.
    """

    setting: str
    label: str
    seed: int
    lr: float
    diverged: bool
    seconds: float
    weights: str
    examples_per_second: float
    peak_memory: int
    step: Column
    time: Column
    epoch: Column
    train_loss: Column
    test: Column
    measures: dict[str, Column]
    state_bytes: int = 0
    clipped: float | None = None


@dataclass(frozen=True)
class Summary:
    """An experiment as it is kept.

    Attributes:
        experiment: Its config, complete.
        report: Means, intervals and differences, versions and hardware.
        runs: The final runs.
        source: The user's config file; empty for an experiment of this package.
    """

    experiment: Experiment
    report: Report
    runs: tuple[Line, ...]
    source: str = ""


def summarise(results: Results, source: str = "") -> Summary:
    """Summarise what is known of an experiment.

    Args:
        results: The results.
        source: The user's config file, if it is one.

    Returns:
        The summary.
    """
    rows = [row for cell_rows in results.rows.values() for row in cell_rows]
    runs = tuple(_line(row, results.experiment) for row in rows)
    return Summary(results.experiment, comparison.make(results), runs, source)


def write(summary: Summary, path: Path) -> None:
    """Write a summary as JSON, one line per run, atomically.

    Args:
        summary: The summary.
        path: The file.
    """
    table = stored.sealed(dataclasses.asdict(summary))
    # Keys keep their order: that of the settings and competitors is the config's, and figures follow it.
    runs = ",\n  ".join(json.dumps(run) for run in table.pop("runs"))
    head = json.dumps(table, indent=1).removesuffix("\n}")
    write_atomic(path, f'{head},\n "runs": [\n  {runs}\n ]\n}}\n'.encode())


def read(path: Path) -> Summary:
    """Read what `write` wrote.

    Args:
        path: The file.

    Returns:
        The summary.

    Raises:
        DataError: there is no such file, it is no summary, or it was changed by hand.
    """
    try:
        with stored.own(path):
            return build(Summary, stored.read(path))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; report with --results writes it") from None


def _line(row: Row, experiment: Experiment) -> Line:
    metric = experiment.tuning.metric
    test = tuple(in_reported_unit(value_of(point, metric, "test"), metric) for point in row.curve)
    return Line(
        setting=row.run.setting,
        label=row.run.label,
        seed=row.run.seed,
        lr=row.run.lr,
        diverged=row.diverged,
        seconds=round(row.seconds, 2),
        weights=row.weights,
        examples_per_second=float(f"{row.examples_per_second:.6g}"),
        peak_memory=row.peak_memory,
        step=tuple(float(point.step) for point in row.curve),
        time=tuple(_short(point.seconds) for point in row.curve),
        epoch=tuple(_short(point.epoch) for point in row.curve),
        train_loss=tuple(_short(point.train_loss) for point in row.curve),
        test=tuple(_short(value) for value in test),
        measures=_measures(row.curve) if experiment.resolve(row.run.setting)[2].curvature else {},
        state_bytes=state_bytes(row.run.optimizer, row.run.options, row.parameters),
        clipped=_clipped(row),
    )


def _clipped(row: Row) -> float | None:
    clip, norms = row.run.training.clip, row.gradient_norms
    longest = 1.0 if clip == "none" else clip
    return _short(sum(norm is None or norm > longest for norm in norms) / len(norms)) if norms else None


def _measures(curve: tuple[Point, ...]) -> dict[str, Column]:
    columns: dict[str, Column] = {
        name: tuple(_short(getattr(point.curvature, name, None)) for point in curve) for name in _MEASURES
    }
    columns["moved"] = tuple(_short(point.moved) for point in curve)
    columns["moved_lately"] = tuple(_short(point.moved_lately) for point in curve)
    return columns


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")
