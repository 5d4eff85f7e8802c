"""The theory of E and ALTO as running checks: every claim of the paper, with the evidence that a machine produces.

``python -m theory verify`` runs the evidence, ``python -m theory ledger`` prints the verdicts. The rooms, in
the order in which data flows: :mod:`theory.method` holds the objects, :mod:`theory.ledger` the kinds of evidence and
the verdicts, :mod:`theory.theorems` bounds and their proofs, :mod:`theory.claims` what is claimed.

Notation (one symbol, one meaning, everywhere): ``g`` gradient, ``h`` slow average, ``a = h_k - h_{k-1}``, ``u`` what E
feeds to the base optimizer, ``m`` and ``v`` its two averages, ``c = -alpha (1 - beta1)``, ``b = beta2 / (1 - beta2)``.
Every beta is a retention: ``h = beta1 h + (1 - beta1) g``.
"""

from theory.stability.advice import Advice, advise

__all__ = ["Advice", "advise"]
