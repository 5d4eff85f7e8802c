"""One file for all benchmarks of a machine: the newest object of each kind, under its name."""

import json
from pathlib import Path
from typing import Any

from experiments.bench.record import FORMAT
from experiments.errors import ConfigError
from experiments.files import locked, write_json

NAME = "bench.json"


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """What is stored.

    Args:
        folder: Where `write` was told to write.

    Returns:
        The objects by kind; none, if there is no file.

    Raises:
        ConfigError: the file is damaged or of another format.
    """
    path = folder / NAME
    stored: object = {}
    if path.exists():
        try:
            stored = json.loads(path.read_text())
        except (ValueError, OSError):
            stored = None
    if isinstance(stored, dict) and all(isinstance(r, dict) and r.get("format") == FORMAT for r in stored.values()):
        return stored
    raise ConfigError("--out", f"{path} is not from this version of the benchmark; move it away, or name another")


def write(folder: Path, report: dict[str, Any]) -> Path:
    """Put a report in the place of the last one of its kind, atomically.

    Args:
        folder: Where; it is created.
        report: From `record.make`.

    Returns:
        The file.
    """
    with locked(folder, wait=10.0):
        write_json(folder / NAME, {**read(folder), report["bench"]: report})
    return folder / NAME
