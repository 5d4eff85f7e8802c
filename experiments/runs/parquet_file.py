"""The finished runs of an experiment as one Parquet file, one row per run, for DuckDB, polars or pandas.

It is made from the runs' ``row.json`` files, each of which is written once under the digest of its run, and it replaces
the old file whole. So a kill at any moment leaves neither half a file nor a run twice, and the next `run` repairs a
missing or old file.
"""

import dataclasses
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from experiments.config.schema import Experiment
from experiments.io.files import write_atomic
from experiments.runs.rows import Curvature, Point, Row, Scores

FILE = "rows.parquet"

_PARTS = {"validation": Scores, "test": Scores, "curvature": Curvature}  # the nested fields of a point
_NESTED = tuple((part, field.name) for part, kind in _PARTS.items() for field in dataclasses.fields(kind))
_MEASURED = ("step", "epoch", "seconds", "lr", "train_loss", "moved", "moved_lately")
_POINT = pa.struct([
    *((name, pa.int64() if name == "step" else pa.float64()) for name in _MEASURED),
    *((f"{part}_{name}", pa.float64()) for part, name in _NESTED),
])  # fmt: skip
_RESULT = ("train_loss", *(f"{part}_{name}" for part, name in _NESTED if part != "curvature"))
_TEXT, _INTEGER, _REAL = pa.string(), pa.int64(), pa.float64()

SCHEMA = pa.schema([
    *((name, _TEXT) for name in ("experiment", "tier", "id", "digest", "phase", "setting", "label", "optimizer")),
    ("lr", _REAL), ("seed", _INTEGER),
    # nested tables differ from run to run: they are JSON
    *((name, _TEXT) for name in ("options", "data", "model", "training")),
    ("diverged", pa.bool_()), ("steps", _INTEGER), ("parameters", _INTEGER),
    *((name, _REAL) for name in _RESULT),
    ("curve", pa.list_(_POINT)),
    ("weights", _TEXT), ("data_digest", _TEXT), ("note", _TEXT),
    ("seconds", _REAL), ("resumed", _INTEGER), ("examples_per_second", _REAL), ("peak_memory", _INTEGER),
    ("versions", _TEXT), ("hardware", _TEXT), ("finished", _TEXT),
    ("gradient_norms", pa.list_(_REAL)),
])  # fmt: skip
"""Losses in nats, accuracy and F1 in [0, 1], seconds, bytes; the other columns are `experiments.runs.rows.Row`'s."""


def write(folder: Path, experiment: Experiment, rows: Iterable[Row]) -> Path:
    """Write ``rows.parquet``, atomically.

    Args:
        folder: The experiment's output folder; the caller holds its lock.
        experiment: Whose runs they are.
        rows: The finished ones, each run once.

    Returns:
        The file.

    Raises:
        ValueError: a run is there twice.
    """
    records = [_record(experiment, row) for row in rows]
    digests = [record["digest"] for record in records]
    if len(set(digests)) < len(digests):
        raise ValueError(f"{len(digests)} rows are of {len(set(digests))} runs: a run may be counted only once")
    content = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(records, schema=SCHEMA), content)
    write_atomic(folder / FILE, content.getvalue())
    return folder / FILE


_OF_RUN = ("id", "digest", "phase", "setting", "label", "optimizer", "lr", "seed")
_OF_ROW = (
    "diverged", "steps", "parameters", "weights", "note", "seconds", "resumed", "examples_per_second", "peak_memory",
    "finished", "gradient_norms",
)  # fmt: skip


def _record(experiment: Experiment, row: Row) -> dict[str, object]:
    last = _flat(row.last)
    return {
        **{name: getattr(row.run, name) for name in _OF_RUN},
        **{name: _json(dataclasses.asdict(getattr(row.run, name))) for name in ("data", "model", "training")},
        **{name: getattr(row, name) for name in _OF_ROW},
        **{name: last[name] for name in _RESULT},
        "experiment": experiment.name,
        "tier": experiment.tier,
        "options": _json(row.run.options),
        "curve": [_flat(point) for point in row.curve],
        "data_digest": row.data,
        "versions": _json(row.versions),
        "hardware": _json(row.hardware),
    }


def _flat(point: Point) -> dict[str, float | None]:
    flat: dict[str, float | None] = {name: getattr(point, name) for name in _MEASURED}
    for part, name in _NESTED:
        flat[f"{part}_{name}"] = getattr(getattr(point, part), name, None)  # None where the part was not measured
    return flat


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def read(folder: Path, columns: Sequence[str] | None = None) -> list[dict[str, object]]:
    """Read ``rows.parquet``.

    Args:
        folder: The experiment's output folder.
        columns: Which of `SCHEMA`; all of them by default.

    Returns:
        One dictionary per run.
    """
    with (folder / FILE).open("rb") as file:  # Arrow takes no name that is not UTF-8
        return parquet.read_table(file, columns=columns and list(columns)).to_pylist()
