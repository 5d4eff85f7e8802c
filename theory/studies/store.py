"""Stored studies: one JSON file each, with what it was computed by, written whole or not at all.

    {"study": NAME, "effort": "quick" | "thorough", "source": digest, "commit": ..., "computed": ..., "seconds": ...,
     "hardware": {...}, "versions": {...}, "data": {"config": {...}, "seeds": [...], ...}}

``data`` is what the study's ``compute`` returned. Numbers keep six significant digits; what is infinite or undefined is
null, so that the file is strict JSON.
"""

import hashlib
import json
import math
import os
import platform
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from theory.ledger.evidence import Effort

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "results" / "theory"
LOCAL = ROOT / "runs" / "theory" / "studies"
TOOLS = ("numpy", "scipy", "torch", "numba")

Compute = Callable[[Effort], dict[str, Any]]
"""A study: how much to spend -> plain data, with at least ``config`` and ``seeds`` (empty where nothing is random)."""


def plain(value: Any) -> Any:
    """Arrays and numbers as plain JSON data: six significant digits, None for what is not finite.

    Raises:
        TypeError: a value has no JSON form.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    raise TypeError(f"{value!r} has no JSON form: a study returns numbers, strings, lists, arrays and dictionaries")


@cache
def source() -> str:
    """SHA-256 of the code that a study may run: the theory package without its claims, commands and figures."""
    digest = hashlib.sha256()
    package = ROOT / "theory"
    folders = (package, package / "studies", package / "simulate", package / "objectives")
    for path in sorted(path for folder in folders for path in folder.glob("*.py")):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _commit() -> str:
    """The commit of this checkout, marked if its theory package differs from it; "unknown" outside git."""
    git = ["git", "-C", str(ROOT)]
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    if commit.returncode != 0:
        return "unknown"
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--", "theory"], capture_output=True, text=True, check=False
    )
    return commit.stdout.strip() + ("-dirty" if changed.stdout.strip() else "")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def run(name: str, compute: Compute, effort: Effort, folder: Path | None = None) -> dict[str, Any]:
    """Compute a study and store it; if ``folder`` has it from this very source and effort, take that.

    So an interrupted series of studies goes on where it stopped.

    Args:
        name: the study.
        compute: its function.
        effort: how much to spend.
        folder: where it is stored as ``NAME.json``; runs/theory/studies by default.

    Returns:
        The study's data.
    """
    path = (folder or LOCAL) / f"{name}.json"
    if path.exists():
        stored = json.loads(path.read_text())
        if (stored["source"], stored["effort"]) == (source(), effort.name):
            return stored["data"]
    begin = time.perf_counter()
    data = plain(compute(effort))
    record = {
        "study": name,
        "effort": effort.name,
        "source": source(),
        "commit": _commit(),
        "computed": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - begin, 2),
        "hardware": {"processor": _processor(), "cores": os.cpu_count() or 1, "platform": platform.platform()},
        "versions": {"python": platform.python_version()} | {tool: version(tool) for tool in TOOLS},
        "data": data,
    }
    write(path, _dump(record))
    return data


def load(name: str, folder: Path | None = None, results: Path | None = None) -> dict[str, Any]:
    """The data of a stored study; a name with a folder, such as "rates/regret", is a whole file of another command.

    ``folder`` is results/theory by default, and ``results``, where other commands' files lie, results.

    Raises:
        FileNotFoundError: it is not stored; the message says how to compute it.
    """
    if "/" in name:
        path, command = (results or ROOT / "results") / f"{name}.json", name.partition("/")[0]
        if not path.exists():
            raise FileNotFoundError(f"no {path}: compute it with python -m theory {command} --out {path.parent}")
        return json.loads(path.read_text())
    path = (folder or COMMITTED) / f"{name}.json"
    if not path.exists():
        raise FileNotFoundError(f"no stored study {name!r} in {path.parent}: compute it with --fresh")
    return json.loads(path.read_text())["data"]


def write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all; its folder is created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _dump(record: dict[str, Any]) -> str:
    """JSON with one line a key, two levels deep: readable, and small for long arrays."""

    def compact(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    data = ",\n".join(f"  {json.dumps(key)}: {compact(value)}" for key, value in record["data"].items())
    head = ",\n".join(f" {json.dumps(key)}: {compact(value)}" for key, value in record.items() if key != "data")
    return f'{{\n{head},\n "data": {{\n{data}\n }}\n}}\n'
