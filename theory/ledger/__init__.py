"""Claims, their evidence, and the verdicts that follow. Nothing here knows of E: another paper's claims can use it.

A file of claims needs these names:

    from theory.ledger import Claim, Piece, provers, identity, holds_for, counterexample, enumerated, measured

``python -m theory verify --claims FILE.py`` runs the tuple ``CLAIMS`` of such a file. The names are imported at their
first use, because the solvers behind them are slow to import.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theory.ledger.claim import Claim, Entry, Repair, Statement, Verdict, entries
    from theory.ledger.effort import QUICK, THOROUGH, Effort
    from theory.ledger.evidence import (
        About,
        Finding,
        Outcome,
        Piece,
        counterexample,
        enumerated,
        holds_for,
        measured,
        proof,
        published,
    )
    from theory.ledger.provers import Check, Query, Square, certificate, either, identity, magnitude, reals, smt

_HOMES = {
    "claim": ("Claim", "Entry", "Repair", "Statement", "Verdict", "entries"),
    "effort": ("QUICK", "THOROUGH", "Effort"),
    "evidence": (
        "About",
        "Finding",
        "Outcome",
        "Piece",
        "counterexample",
        "enumerated",
        "holds_for",
        "measured",
        "proof",
        "published",
    ),
    "provers": ("Check", "Query", "Square", "certificate", "either", "identity", "magnitude", "reals", "smt"),
}
_NAMES = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "QUICK", "THOROUGH", "About", "Check", "Claim", "Effort", "Entry", "Finding", "Outcome", "Piece", "Query", "Repair",
    "Square", "Statement", "Verdict", "certificate", "counterexample", "either", "entries", "enumerated", "holds_for",
    "identity", "magnitude", "measured", "proof", "published", "reals", "smt",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """A public name, imported now."""
    if name in _NAMES:
        return getattr(import_module(f"theory.ledger.{_NAMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
