"""Stored outcomes, and the fingerprint that says whether they still belong to this source.

A ledger file holds outcomes; verdicts are computed from them again when it is read. If the fingerprint differs, the
outcomes belong to other code and are not used.
"""

import hashlib
import json
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from theory.ledger.claim import Claim, Entry
from theory.ledger.evidence import About, Effort, Kind, Outcome, Result

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "results" / "ledger.json"
LOCAL = ROOT / "runs" / "theory" / "ledger.json"
READ = ("evidence", "experiments", "rates", "theory", "worst-case")
"""The folders of results/ that claims read, and those that the answers they read were drawn from."""
TOOLS = ("sympy", "z3-solver", "cvc5", "hypothesis", "numpy", "scipy", "torch")


def fingerprint() -> str:
    """SHA-256 of what the evidence depends on in this checkout: the theory package and the stored results it reads.

    No claim runs the optimizers of ``alto``: those are tied to theory's literal algorithms by tests of their own.
    """
    digest = hashlib.sha256()
    sources = (ROOT / "theory").rglob("*.py")
    stored = [path for folder in READ for path in (ROOT / "results" / folder).rglob("*.json")]
    for path in sorted([*sources, *stored]):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def to_json(ledger: Iterable[Entry], effort: Effort) -> dict[str, Any]:
    """The whole ledger as plain data, with what it was computed by."""
    return {
        "fingerprint": fingerprint(),
        "effort": effort.name,
        "computed": datetime.now(UTC).isoformat(timespec="seconds"),
        "platform": platform.platform(),
        "versions": {name: version(name) for name in TOOLS},
        "claims": [entry.to_json() for entry in ledger],
    }


def save(ledger: Sequence[Entry], effort: Effort, path: Path) -> None:
    """Write the ledger to ``path``, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(to_json(ledger, effort), indent=1, ensure_ascii=False) + "\n")
    partial.replace(path)


def load(path: Path, claims: Sequence[Claim]) -> list[Entry] | None:
    """The entries stored at ``path`` for ``claims``, or None if there are none for exactly this source."""
    if not path.exists():
        return None
    stored = json.loads(path.read_text())
    if stored["fingerprint"] != fingerprint():
        return None
    results = {entry["id"]: [_result(item) for item in entry["evidence"]] for entry in stored["claims"]}
    if any(claim.id not in results for claim in claims):
        return None
    return [Entry(claim, results[claim.id]) for claim in claims]


def _result(item: dict[str, Any]) -> Result:
    return Result(
        Kind(item["kind"]),
        item["name"],
        About(item["about"]),
        Outcome(item["outcome"]),
        item["detail"],
        item["seconds"],
        item["pieces"],
        item.get("values", {}),
    )
