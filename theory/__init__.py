"""The theory of E and ALTO as running checks: every claim of the paper, with the evidence that a machine produces.

``python -m theory verify`` runs the evidence, ``python -m theory ledger`` prints the verdicts. The same from Python:

    import theory

    theory.advise(lr=0.1, alpha=-5.0, beta1=0.99, beta2=0.9)   # is a setting stable? lag, noise, near relatives
    watch = theory.watch(optimizer)                            # the theorems' constants along a training
    theory.ledger.outcomes.load(theory.ledger.outcomes.COMMITTED)   # what the evidence found

The subpackages, in the order in which data flows: :mod:`theory.method` holds the objects, :mod:`theory.ledger` the
kinds of evidence and the verdicts, :mod:`theory.theorems` bounds and their proofs, :mod:`theory.claims` what is
claimed. A subpackage or a name is imported at its first use.

Notation: one symbol, one meaning; the documentation's page "Notation" has them all. ``g`` gradient, ``h`` slow average,
``a = h_k - h_{k-1}``, ``u`` what E feeds to the base optimizer, ``c = -alpha (1 - beta1)``. Every beta is a decay rate:
``h = beta1 h + (1 - beta1) g``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theory.ledger.claim import Claim, Verdict
    from theory.monitor.report import Report
    from theory.monitor.sharpness import sharpness
    from theory.monitor.watch import watch
    from theory.stability.advice import Advice, advise

_NAMES = {
    "Advice": "theory.stability.advice",
    "Claim": "theory.ledger.claim",
    "Report": "theory.monitor.report",
    "Verdict": "theory.ledger.claim",
    "advise": "theory.stability.advice",
    "sharpness": "theory.monitor.sharpness",
    "watch": "theory.monitor.watch",
}
_ROOMS = (
    "claims", "conform", "figures", "ledger", "method", "monitor", "objectives", "rates", "simulate", "stability",
    "studies", "theorems", "worst_case",
)  # fmt: skip

__all__ = ["Advice", "Claim", "Report", "Verdict", "advise", "sharpness", "watch"]


def __getattr__(name: str) -> Any:
    """A public name or a subpackage, imported now."""
    if name in _NAMES:
        return getattr(import_module(_NAMES[name]), name)
    if name in _ROOMS:
        return import_module(f"theory.{name}")
    raise AttributeError(f"module 'theory' has no attribute {name!r}; it has {', '.join(__dir__())}")


def __dir__() -> list[str]:
    return sorted((*_NAMES, *_ROOMS))
