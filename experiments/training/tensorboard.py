"""A run's evaluations for TensorBoard, on request; results are read from ``metrics.jsonl`` and the row only."""

import dataclasses
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

from experiments.io.environment import Environment
from experiments.io.errors import ConfigError
from experiments.runs.plan import Run
from experiments.runs.rows import Point


class Log:
    """Writes the scalars of evaluations; without a writer it does nothing.

    Args:
        writer: A ``SummaryWriter``, or None.
    """

    def __init__(self, writer: Any = None):
        self._writer = writer

    def add(self, point: Point) -> None:
        """Write one evaluation's scalars, and flush them."""
        if self._writer is not None:
            for tag, value in scalars(point):
                self._writer.add_scalar(tag, value, point.step)
            self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()


def open_log(place: Environment, run: Run, curve: Sequence[Point], leads: bool) -> Log:
    """Begin a run's log in ``OUT/tensorboard/RUN`` again: an older log is replaced by the curve so far.

    A killed writer may leave half a record, or points after the checkpoint; so nothing is appended to its log.

    Args:
        place: Whether to write a log, and where.
        run: The run.
        curve: The evaluations up to its checkpoint.
        leads: Whether this process writes files.

    Returns:
        The log.

    Raises:
        ConfigError: the package tensorboard is absent.
    """
    if not place.tensorboard or not leads:
        return Log()
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError as error:
        raise ConfigError("--tensorboard", "needs the package tensorboard: pip install tensorboard") from error
    folder = place.out / "tensorboard" / run.id
    shutil.rmtree(folder, ignore_errors=True)
    log = Log(SummaryWriter(str(folder)))
    for point in curve:
        log.add(point)
    return log


def scalars(point: Point) -> Iterator[tuple[str, float]]:
    """Every number of an evaluation, with a name such as ``test/accuracy``; what was not measured is left out."""
    table = dataclasses.asdict(point)
    del table["step"]
    for key, value in table.items():
        parts = {f"{key}/{name}": part for name, part in value.items()} if isinstance(value, dict) else {key: value}
        yield from ((tag, float(part)) for tag, part in parts.items() if part is not None)
