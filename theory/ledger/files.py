"""Files that are whole or absent: one writer for every store, and a lock for what is read, changed and written."""

import json
import os
import secrets
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock


def write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all, on the disk when this returns; its folder is created.

    Several processes may write the same file at once: the last one wins, and no reader sees a part.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    if hasattr(os, "O_DIRECTORY"):  # the new name has to reach the disk, too
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def lock(path: Path) -> FileLock:
    """A lock on a file for ``with``, between processes: for a file that is read, changed and written again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path.with_name(f".{path.name}.lock"))


def to_json(record: Mapping[str, Any], long: Collection[str] = ()) -> str:
    """Strict JSON with one line per key, so that differences can be read and long lists of numbers stay small.

    Args:
        record: plain data; see also ``long``.
        long: the keys whose value, a list or a mapping, gets one line per item.

    Returns:
        The text.

    Raises:
        ValueError: a number is infinite or not a number.
    """
    lines = ",\n".join(f" {_compact(key)}: {_lines(value) if key in long else _compact(value)}"
                       for key, value in record.items())  # fmt: skip
    return f"{{\n{lines}\n}}\n"


def parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows with the same keys as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(list(rows)), buffer, compression="zstd")
    return buffer.getvalue().to_pybytes()


def _lines(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{\n" + ",\n".join(f"  {_compact(key)}: {_compact(item)}" for key, item in value.items()) + "\n }"
    return "[\n" + ",\n".join(f"  {_compact(item)}" for item in value) + "\n ]"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
