"""How much computing a check may spend."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """How much to spend: the number of drawn cases, and whether the slow variants run."""

    name: str
    examples: int
    thorough: bool


QUICK = Effort("quick", examples=60, thorough=False)
THOROUGH = Effort("thorough", examples=2000, thorough=True)
