"""How much computing a check may spend."""

from contextvars import ContextVar
from dataclasses import dataclass

SEED: ContextVar[int | None] = ContextVar("SEED", default=None)
"""The seed of the drawn cases. None: a fixed function of each property, so that a verdict does not depend on luck."""


@dataclass(frozen=True)
class Effort:
    """How much to spend.

    Attributes:
        name: of this amount.
        examples: the number of drawn cases.
        thorough: whether the slow variants run.
        seed: of the drawn cases, see :data:`SEED`.
        kind: the only kind of evidence to run; all kinds by default.
    """

    name: str
    examples: int
    thorough: bool
    seed: int | None = None
    kind: str | None = None


QUICK = Effort("quick", examples=60, thorough=False)
THOROUGH = Effort("thorough", examples=2000, thorough=True)
