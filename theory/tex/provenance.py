"""Which version of the stored results the numbers are from, and which code computed them."""

import hashlib
from pathlib import Path
from typing import Any

from theory.ledger.stored import read
from theory.tex.book import Book
from theory.tex.markup import code, long_table
from theory.tex.results import StaleError

PATTERNS = ("ledger.json", "worst-case/rows.json", "rates/*.json", "theory/*.json", "experiments/*.json",
            "evidence/*.json", "bench/*.json")  # fmt: skip


def add(book: Book, results: Path) -> None:
    """The table ``provenance``: a line per family of files; its digest is that of the files one after another."""
    rows = []
    for pattern in PATTERNS:
        paths = sorted(results.glob(pattern))
        if paths:
            digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:12]
            commits = {commit for path in paths for commit in _commits(read(path), path)}
            rows.append([
                rf"\texttt{{{code(pattern)}}}", str(len(paths)), rf"\texttt{{{digest}}}",
                code(", ".join(sorted(commits))),
            ])  # fmt: skip
    head = ["below results/", "files", "SHA-256", "commits of the code that ran"]
    book.file("provenance", long_table((0.22, "r", 0.16, 0.54), head, rows))


def _commits(stored: dict[str, Any], path: Path) -> list[str]:
    """The commits that a stored result names, in whichever of the forms of its family; the ledger names digests.

    Raises:
        StaleError: it names none.
    """
    if path.name == "ledger.json":
        return ["in the file, a digest of the code for each group of claims"]
    if "provenance" in stored:
        commits = [stored["provenance"]["commit"]]
    elif path.parent.name == "bench":
        kinds = [kind for kind in stored.values() if isinstance(kind, dict)]  # beside them is the digest of the content
        commits = [kind["versions"]["commit"] for kind in kinds]
    elif "commit" in stored:
        commits = [stored["commit"]]
    else:
        versions = stored.get("report", {}).get("versions", [])
        commits = stored.get("commits") or [entry["commit"] for entry in versions if "commit" in entry]
    if not commits:
        raise StaleError(f"{path} names no commit: compute it again")
    return [commit[:12] + ("-dirty" if commit.endswith("-dirty") else "") for commit in commits]
