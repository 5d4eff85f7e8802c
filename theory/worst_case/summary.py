"""Where the closed forms hold and where they fail, from stored rows."""

from collections.abc import Mapping, Sequence
from typing import Any


def closed_forms(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One entry for each class, N and beta1 that has a closed form.

    Args:
        rows: as stored; those without a closed form or a trusted optimum are left out.

    Returns:
        Entries with ``problem``, ``N``, ``beta1``, ``holds`` (the c's) and ``fails`` (closed form / optimum - 1 by c).
        The rows of c = 0 count for every beta1.
    """
    judged = [row for row in rows if row["holds"] is not None]
    keys = sorted({(row["problem"], row["N"], row["beta1"]) for row in judged})
    found = []
    for problem, N, beta1 in keys:
        same = [row for row in judged if (row["problem"], row["N"]) == (problem, N)]
        members = sorted((row for row in same if row["beta1"] == beta1 or row["c"] == 0), key=lambda row: row["c"])
        found.append({
            "problem": problem, "N": N, "beta1": beta1,
            "holds": [row["c"] for row in members if row["holds"]],
            "fails": {f"{row['c']:g}": float(f"{row['relative']:.3g}") for row in members if not row["holds"]},
        })  # fmt: skip
    return found
