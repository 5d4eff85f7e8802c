"""What a result was computed by: commit, versions, machine."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (
    "theory/rates",
    "theory/objectives",
    "theory/theorems/bounds.py",
    "theory/method/filters.py",
    "theory/stability/linear.py",
)
TOOLS = ("numpy", "numba", "scipy", "pyarrow", "torch")


def commit() -> str:
    """The commit of this checkout, with ``+`` if what the studies run differs from it; ``unknown`` without git."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "--", *SOURCES) else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True, timeout=30
    ).stdout.strip()


def cpu() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def provenance(cores: int) -> dict[str, Any]:
    """The ``provenance`` of :mod:`theory.rates`, as of now."""
    return {
        "commit": commit(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": cpu(),
        "cores": cores,
        "load": [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "versions": {name: version(name) for name in TOOLS},
    }
