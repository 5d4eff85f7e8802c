"""What a numerical worst case is stored as: the class of functions, the method, the value and its residuals."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

MU = 0.1
"""Strong convexity of the strongly convex class, in units of L; ours."""

TRUSTED = 1e-5
"""A row counts where gap and violations lie below this, relative to the value; ours."""


class Problem(StrEnum):
    """The class of functions, the metric and the initial condition."""

    CONVEX = "smooth convex"
    STRONGLY_CONVEX = "smooth strongly convex"
    NONCONVEX = "smooth non-convex"


@dataclass(frozen=True)
class Row:
    """One numerical worst case.

    Attributes:
        problem: class of functions; c, beta1, beta2, eta, N: the method.
        primal: value of the worst function found; dual: value that the multipliers reach. Equal at an exact optimum.
        gap: dual - primal; violation: largest violation of a primal constraint; gram: smallest eigenvalue of the Gram
            matrix; slack: smallest eigenvalue of the dual slack matrix; multiplier: smallest multiplier.
        status: the solver's own word, or why there is no value.
        seconds: wall time, modelling included.
    """

    problem: str
    c: float
    beta1: float
    beta2: float
    eta: float
    N: int
    status: str
    seconds: float
    primal: float | None = None
    dual: float | None = None
    gap: float | None = None
    violation: float | None = None
    gram: float | None = None
    slack: float | None = None
    multiplier: float | None = None

    @property
    def trusted(self) -> bool:
        """Whether all residuals are small beside the value."""
        if self.primal is None or self.gap is None or self.violation is None:
            return False
        negative = [-value for value in (self.gram, self.slack, self.multiplier) if value is not None]
        return max(abs(self.gap), self.violation, *negative) <= TRUSTED * max(self.primal, TRUSTED)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self) | {"trusted": self.trusted}
