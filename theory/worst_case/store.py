"""Numerical worst cases in a folder: rows.json, which a later run continues, rows.parquet, and certificates/."""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from theory.worst_case.certificate import Certificate
from theory.worst_case.grid import HOLDS
from theory.worst_case.nonconvex import NonconvexCertificate
from theory.worst_case.row import MU, TRUSTED

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "results" / "worst-case"
LOCAL = ROOT / "runs" / "theory" / "worst-case"
CERTIFICATES = "certificates"
INITIAL = "|x_0 - x*| <= 1, or f(x_0) - f(x_N) <= 1 where f is not convex"
TOOLS = ("PEPit", "clarabel", "cvxpy", "numpy", "scipy")


def source() -> str:
    """What the rows depend on: SHA-256 of this package and the versions of the tools."""
    digest = hashlib.sha256(repr([(name, version(name)) for name in TOOLS]).encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    partial.replace(path)


def load(folder: Path) -> dict[str, Any]:
    """The stored rows by the name of their case, and the stored tuned steps; empty if they belong to other code."""
    path = folder / "rows.json"
    if not path.exists():
        return {"rows": {}, "tuned": []}
    stored = json.loads(path.read_text())
    if stored["source"] != source():
        return {"rows": {}, "tuned": []}
    return {"rows": rows_of(stored), "tuned": stored["tuned"]}


def rows_of(stored: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows of a file's content, by the name of their case."""
    return {row[0]: dict(zip(stored["columns"][1:], row[1:], strict=True)) for row in stored["rows"]}


def save(folder: Path, rows: Mapping[str, Mapping[str, Any]], tuned: Sequence[Mapping[str, Any]]) -> None:
    """Write rows.json, whole or not at all: a row a line, with what computed it. Nothing is random: no seeds."""
    columns = ["case", *next(iter(rows.values()), {})]
    head = {
        "kind": "numerical optima of a semidefinite program, not proofs",
        "config": {
            "L": 1,
            "mu": MU,
            "trusted": TRUSTED,
            "holds": HOLDS,
            "initial": "|x_0 - x*| <= 1, or f(x_0) - f(x_N) <= 1 where f is not convex",
        },
        "seeds": [],
        "source": source(),
        "commit": _commit(),
        "computed": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(sum(row["seconds"] for row in rows.values()), 1),
        "versions": {name: version(name) for name in TOOLS} | {"python": platform.python_version()},
        "hardware": {"machine": platform.machine(), "cores": os.cpu_count()},
        "tuned": list(tuned),
        "columns": columns,
    }
    lines = ",\n".join(json.dumps([key, *row.values()], allow_nan=False) for key, row in rows.items())
    _write(folder / "rows.json", json.dumps(head, indent=1)[:-2] + f',\n "rows": [\n{lines}\n]}}\n')


def save_summary(folder: Path, closed_forms: Sequence[Mapping[str, Any]], residuals: str) -> None:
    """Write summary.json: where the closed forms hold, and the largest residuals in words; whole or not at all."""
    content = {"kind": "numerical", "commit": _commit(), "residuals": residuals, "closed_forms": list(closed_forms)}
    _write(folder / "summary.json", json.dumps(content, indent=1, allow_nan=False) + "\n")


def save_table(folder: Path, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Write rows.parquet, whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([{"case": key, **row} for key, row in rows.items()])
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "rows.parquet.partial"
    pq.write_table(table, partial)
    partial.replace(folder / "rows.parquet")


def save_certificate(folder: Path, name: str, certificate: Certificate | NonconvexCertificate) -> None:
    """Write a certificate into the folder's certificates/, whole or not at all."""
    _write(folder / CERTIFICATES / f"{name}.json", json.dumps(certificate.to_json(), indent=1) + "\n")


def _commit() -> str:
    """The commit of this checkout, marked if this package differs from it; "unknown" outside git."""
    git = ["git", "-C", str(ROOT)]
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    if commit.returncode != 0:
        return "unknown"
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--", "theory/worst_case"], capture_output=True, text=True, check=False
    )
    return commit.stdout.strip() + ("-dirty" if changed.stdout.strip() else "")
