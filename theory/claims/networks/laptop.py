"""Our claims about small trained networks: what runs on two cores say, at the tier "laptop".

They say nothing about the paper's tables, whose networks and data are larger. Each can be contradicted by its evidence;
a claim whose interval contains its bound is undecided. Statement, bound and numbers are read from
``results/evidence/ours-*.json``, which ``python -m experiments evidence`` writes. A question that was asked before its
runs have ended stands in ``results/awaited.json``, with what it needs.
"""

from theory.claims.networks.paper_tables import FOLDER, evidence_for
from theory.ledger.claim import Claim
from theory.ledger.stored import read

READS = ("evidence/ours-*.json", "awaited.json")


def _claim(stored: dict) -> Claim:
    """The claim that one file of evidence is about."""
    counts = {"seeds": len(stored["seeds"]), "tasks": stored["tasks"]}
    units = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    sign = "+" if units else ""  # without either it is a ratio of times, not a difference
    low, high = (f"{stored[end]:{sign}.3g}" for end in ("low", "high"))
    p = stored["adjusted"]
    judged = [f"adjusted p against the claim's bound = {p:.2g}"] if p is not None else []
    if stored["at_edge"]:
        judged.append(f"learning rate at the grid's edge: {', '.join(stored['at_edge'])}")
    quantity = stored["quantity"][0].upper() + stored["quantity"][1:]
    return Claim(
        id=stored["claim"],
        source=f"ours; {stored['tier']} tier",
        statement=stored["statement"],
        plain=stored["statement"],
        found=f"{quantity}: {stored['estimate']:{sign}.3g} (95 % interval {low} to {high}{units and ', '}{units})"
        f"{''.join(f'; {words}' for words in judged)}.",
        evidence=evidence_for(stored["claim"]),
    )


def _awaited() -> list[Claim]:
    """The questions whose runs have not ended."""
    path = FOLDER.parent / "awaited.json"
    stored = read(path) if path.exists() else []
    return [
        Claim(
            id=one["claim"],
            source=f"ours; {one['tier']} tier",
            statement=one["statement"],
            plain=one["statement"],
            found=f"Not run: needs {one['needs']}.",
            needs=one["needs"],
        )
        for one in stored
    ]


CLAIMS = (*(_claim(read(path)) for path in sorted(FOLDER.glob("ours-*.json"))), *_awaited())
