"""Which version of each stored result the numbers are from, and on what it was computed."""

import json
from pathlib import Path
from typing import Any

from theory.tex.book import Book
from theory.tex.markup import code, long_table
from theory.tex.results import StaleError, digest

PATTERNS = ("ledger.json", "worst-case/rows.json", "rates/*.json", "theory/*.json", "experiments/*.json",
            "evidence/*.json", "bench/*.json")  # fmt: skip


def add(book: Book, results: Path) -> None:
    """The table ``provenance``: a line a file."""
    rows = []
    for pattern in PATTERNS:
        for path in sorted(results.glob(pattern)):
            name = rf"\texttt{{{code(str(path.relative_to(results)))}}}"
            rows.append([name, rf"\texttt{{{digest(path)}}}", code(_commit(json.loads(path.read_text()), path))])
    book.file(
        "provenance",
        long_table((0.46, 0.2, 0.34), ["file below results/", "SHA-256", "commit of the code that ran"], rows),
    )


def _commit(stored: dict[str, Any], path: Path) -> str:
    """The commits that a stored result names, in whichever of the forms of its family; the ledger names a digest.

    Raises:
        StaleError: it names none.
    """
    if "provenance" in stored:
        return stored["provenance"]["commit"]
    if "fingerprint" in stored:
        return f"of the sources with SHA-256 {stored['fingerprint'][:12]}"
    if path.parent.name == "bench":
        stored = {"commits": [kind["versions"]["commit"] for kind in stored.values()]}
    versions = stored.get("report", {}).get("versions", [])
    named = stored.get("commits") or [entry["commit"] for entry in versions if "commit" in entry]
    commits = [stored["commit"]] if "commit" in stored else named
    if not commits:
        raise StaleError(f"{path} names no commit: compute it again")
    return ", ".join(sorted({commit[:12] + ("-dirty" if commit.endswith("-dirty") else "") for commit in commits}))
