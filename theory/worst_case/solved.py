"""Numerical worst cases in a folder: rows.json, which a later run continues, rows.parquet, and certificates/."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from theory.ledger import provenance
from theory.ledger.files import parquet, to_json, write
from theory.ledger.provenance import Code
from theory.ledger.stored import own, read
from theory.worst_case.certificate import Certificate
from theory.worst_case.grid import HOLDS
from theory.worst_case.nonconvex import NonconvexCertificate
from theory.worst_case.row import MU, TRUSTED

COMMITTED = provenance.RESULTS / "worst-case"
LOCAL = provenance.RUNS / "theory" / "worst-case"
CERTIFICATES = "certificates"
TOOLS = ("PEPit", "clarabel", "cvxpy", "numpy", "scipy")


def code() -> Code:
    """The code that computes the rows and the tuned steps."""
    return provenance.code("theory.worst_case.grid", "theory.worst_case.tuned")


def load(folder: Path) -> dict[str, Any]:
    """The rows by the name of their case and the tuned steps; empty if they belong to other code or other tools."""
    path = folder / "rows.json"
    with own(path):
        stored = read(path) if path.exists() else {}
        origin = stored.get("provenance", {})
        if (origin.get("source"), origin.get("versions")) != (code().digest, provenance.versions(TOOLS)):
            return {"rows": {}, "tuned": []}
        return {"rows": rows_of(stored), "tuned": stored["tuned"]}


def rows_of(stored: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows of a file's content, by the name of their case."""
    return {row[0]: dict(zip(stored["columns"][1:], row[1:], strict=True)) for row in stored["rows"]}


def save(folder: Path, rows: Mapping[str, Mapping[str, Any]], tuned: Sequence[Mapping[str, Any]], code: Code) -> None:
    """Write rows.json: one line per row, with what computed it. Nothing is random: no seeds.

    Args:
        folder: where.
        rows: by the name of their case.
        tuned: the tuned steps.
        code: what computed them, read before it ran.
    """
    record = {
        "kind": "numerical optima of a semidefinite program, not proofs",
        "config": {
            "L": 1,
            "mu": MU,
            "trusted": TRUSTED,
            "holds": HOLDS,
            "initial": "|x_0 - x*| <= 1, or f(x_0) - f(x_N) <= 1 where f is not convex",
        },
        "seeds": [],
        "seconds": round(sum(row["seconds"] for row in rows.values()), 1),
        "provenance": provenance.record(code, TOOLS),
        "tuned": list(tuned),
        "columns": ["case", *next(iter(rows.values()), {})],
        "rows": [[key, *row.values()] for key, row in rows.items()],
    }
    write(folder / "rows.json", to_json(record, long=("tuned", "rows")))


def save_summary(folder: Path, closed_forms: Sequence[Mapping[str, Any]], residuals: str) -> None:
    """Write summary.json: where the closed forms hold, and the largest residuals in words."""
    content = {"kind": "numerical", "commit": provenance.commit(), "residuals": residuals,
               "closed_forms": list(closed_forms)}  # fmt: skip
    write(folder / "summary.json", to_json(content, long=("closed_forms",)))


def save_table(folder: Path, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Write rows.parquet."""
    write(folder / "rows.parquet", parquet([{"case": key, **row} for key, row in rows.items()]))


def save_certificate(folder: Path, name: str, certificate: Certificate | NonconvexCertificate) -> None:
    """Write a certificate into the folder's certificates/."""
    write(folder / CERTIFICATES / f"{name}.json", json.dumps(certificate.to_json(), indent=1) + "\n")
