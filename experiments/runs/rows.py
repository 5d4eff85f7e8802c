"""The rows: one file per finished run, written once, whole or absent. Its folder's name has the run's digest."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.config.parse import build
from experiments.io import stored
from experiments.io.errors import DataError
from experiments.io.files import write_json
from experiments.runs.plan import Run


@dataclass(frozen=True)
class Scores:
    """Of one network on one split.

    Attributes:
        loss: Mean cross-entropy over counted positions, in nats; None where it is not finite (JSON has no NaN).
        accuracy: Share of counted positions that are classified right, in [0, 1]; None without classes.
        f1: Of entities, in [0, 1]; None for data without tags.
        reward: Mean return of an episode, not discounted; None where nothing is simulated.
    """

    loss: float | None
    accuracy: float | None
    f1: float | None = None
    reward: float | None = None


@dataclass(frozen=True)
class Curvature:
    """Of one network on one subsample; None where a value is not finite.

    Attributes:
        top_eigenvalue: Hessian eigenvalue of largest magnitude; its magnitude is the paper's |H|_2.
        trace: Hutchinson's estimate of the Hessian's trace.
        trace_error: Its standard error over the probes.
        sharpness: Rise of the loss over a step of length `SAM_RADIUS` along the gradient (Foret et al. 2021).
        filter_sharpness: Rise over a step of length `FILTER_RADIUS`, each filter measured in units of its own norm
            (Kwon et al. 2021, filter-wise); the same for rescaled networks.
    """

    top_eigenvalue: float | None
    trace: float | None
    trace_error: float | None
    sharpness: float | None
    filter_sharpness: float | None


_INFINITE = 1e150  # its square still fits into 64 bits


def finite(value: float) -> float | None:
    """The value, or None where it is infinite, NaN, or so large that a mean's interval would be infinite."""
    return value if abs(value) < _INFINITE else None


@dataclass(frozen=True)
class Point:
    """One evaluation along a run.

    Attributes:
        step: Steps taken.
        epoch: Epochs passed; may be a fraction.
        seconds: Wall time of the run so far, over all processes that trained it in turn.
        lr: Learning rate of the last step.
        train_loss: Mean training loss of the steps since the point before, in nats; None where it is not finite.
        validation: Scores on the validation split; None where nothing is held out.
        test: Scores on the test split; None in a tuning run.
        moved: |theta_k - theta_0|, Euclidean over all parameters.
        moved_lately: |theta_k - theta_{k-10}|; None in the first ten steps.
        curvature: Where the configuration measures it.
    """

    step: int
    epoch: float
    seconds: float
    lr: float
    train_loss: float | None
    validation: Scores | None
    test: Scores | None = None
    moved: float | None = None
    moved_lately: float | None = None
    curvature: Curvature | None = None


@dataclass(frozen=True)
class Row:
    """A finished run.

    Attributes:
        run: What was run.
        curve: Its evaluations; the last one is its result.
        diverged: The training loss became infinite or NaN, and the run ended there.
        steps: Steps taken.
        parameters: Number of trained parameters.
        weights: Digest of the final parameters and buffers: equal digests mean bitwise equal networks.
        data: Digest of the data set.
        note: What a reader must know about the data.
        seconds: Wall time, over all processes that trained it in turn.
        resumed: How often the run went on from a checkpoint.
        examples_per_second: Training throughput without the evaluations.
        peak_memory: Bytes: allocated on a GPU, resident on a CPU.
        versions: Of Python, the packages and this code.
        hardware: The machine.
        finished: Date and time, UTC.
        gradient_norms: Euclidean norm of each step's gradient, over all parameters and before any clipping, to four
            digits; None where it is not finite. Empty for a simulated task, a step of which has many gradients.
    """

    run: Run
    curve: tuple[Point, ...]
    diverged: bool
    steps: int
    parameters: int
    weights: str
    data: str
    note: str
    seconds: float
    resumed: int
    examples_per_second: float
    peak_memory: int
    versions: dict[str, str]
    hardware: dict[str, str | int]
    finished: str
    gradient_norms: tuple[float | None, ...] = ()

    @property
    def last(self) -> Point:
        """The result."""
        return self.curve[-1]


def read_point(table: dict[str, object]) -> Point:
    """The inverse of ``dataclasses.asdict`` of a `Point`, checked."""
    return build(Point, table)


def folder(out: Path, run: Run) -> Path:
    """The run's own folder below the experiment's output folder."""
    return out / "runs" / run.id


def write(path: Path, row: Row) -> None:
    """Write ``row.json`` in a run's folder, atomically."""
    write_json(path / "row.json", to_table(row))


def to_table(row: Row) -> dict[str, Any]:
    """The row as JSON takes it, with a digest of its content."""
    return stored.sealed(dataclasses.asdict(row))


def from_table(table: object, where: object) -> Row:
    """The inverse of `to_table`, checked.

    Args:
        table: From JSON; rows of older versions have no digest.
        where: What the table is from, for errors.

    Returns:
        The row.

    Raises:
        ConfigError: it is no whole row.
        DataError: it was changed by hand.
    """
    return build(Row, stored.unsealed(table, where))


def read(path: Path, run: Run, data: str | None = None) -> Row | None:
    """Read the row in a run's folder.

    Args:
        path: The folder.
        run: The run that it must be of.
        data: Digest of the data that it must have been trained on; None takes any.

    Returns:
        The row, or None while the run is not finished.

    Raises:
        DataError: the file is damaged, was changed by hand, or is another run's, or the run was trained on other data.
    """
    file = path / "row.json"
    try:
        with stored.own(file):
            row = from_table(stored.read(file), file)
    except FileNotFoundError:
        return None
    if row.run.digest != run.digest:
        raise DataError(f"{file} is the row of another run; delete it to run this again")
    if data is not None and row.data != data:
        raise DataError(
            f"{file}: run {run.id} was trained on other data (digest {row.data}) than those there are now ({data}). "
            "Bring the old data back, or choose another --out folder, or delete the file to run this again"
        )
    return row
