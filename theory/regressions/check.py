"""A regression check: quantities computed now beside the values that the derivation printed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

Quantity = tuple[str, float, float]
"""(name, computed, reference)."""


@dataclass(frozen=True)
class Check:
    """One of K1 ... K25.

    Args:
        id: its number in the derivation.
        title: what is checked.
        compute: the quantities, computed now, with their references.
        tolerance: how far apart the two may lie; relative to the reference unless ``absolute``.
        absolute: whether the tolerance is absolute.
        mended: what was wrong in the derivation, if something was.
    """

    id: str
    title: str
    compute: Callable[[], Sequence[Quantity]]
    tolerance: float = 1e-3
    absolute: bool = False
    mended: str | None = None


@dataclass(frozen=True)
class Comparison:
    """A quantity beside its reference.

    Attributes:
        id, title, mended: the check's; quantity: what it is; computed, reference: the two; tolerance: absolute.
    """

    id: str
    title: str
    quantity: str
    computed: float
    reference: float
    tolerance: float
    mended: str | None

    @property
    def agrees(self) -> bool:
        """Whether the two are within the tolerance; infinities agree with themselves alone."""
        if not (isfinite(self.computed) and isfinite(self.reference)):
            return self.computed == self.reference
        return abs(self.computed - self.reference) <= self.tolerance

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON: an infinite value is null."""
        plain = {
            "id": self.id, "title": self.title, "quantity": self.quantity, "computed": self.computed,
            "reference": self.reference, "tolerance": self.tolerance, "agrees": self.agrees, "mended": self.mended,
        }  # fmt: skip
        undefined = {key for key, value in plain.items() if isinstance(value, float) and not isfinite(value)}
        return plain | dict.fromkeys(undefined)


def compared(check: Check) -> list[Comparison]:
    """Compute a check. Values are plain floats, whatever they were computed as."""
    found = []
    for quantity, computed, reference in check.compute():
        tolerance = check.tolerance * (1.0 if check.absolute or abs(reference) == inf else abs(reference))
        found.append(
            Comparison(check.id, check.title, quantity, float(computed), float(reference), tolerance, check.mended)
        )
    return found


def setting(alpha: float, beta1: float, beta2: float | None = None) -> str:
    """A setting as the tables name it: alpha/beta1, or alpha/beta1/beta2."""
    return f"{alpha:g}/{beta1:g}" + ("" if beta2 is None else f"/{beta2:g}")
