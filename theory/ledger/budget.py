"""A reader's own amount of computing: how many drawn cases, from which seed, of which kind of evidence."""

from contextvars import ContextVar
from dataclasses import dataclass

from theory.ledger.effort import Effort

SEED: ContextVar[int | None] = ContextVar("SEED", default=None)
"""The seed of the drawn cases. None: a fixed function of each property, so that a verdict does not depend on luck."""


@dataclass(frozen=True)
class Budget(Effort):
    """How much to spend, and on what.

    Attributes:
        seed: of the drawn cases, see :data:`SEED`.
        kind: the only kind of evidence to run; all kinds by default.
    """

    seed: int | None = None
    kind: str | None = None
