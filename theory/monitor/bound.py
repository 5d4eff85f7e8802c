"""Theorem N for any update theta' = theta - eta Q m with diagonal Q and m from E and momentum."""

from dataclasses import dataclass
from functools import lru_cache
from math import inf, isfinite

from theory.method.filters import Filter
from theory.theorems import bounds


@dataclass(frozen=True)
class Bound:
    """Theorem N with its constants.

    Attributes:
        value: the bound of (1/T) sum E|grad f|^2; it is one only where ``allowed``.
        largest: the largest eta that the theorem has for these constants.
        allowed: whether eta is at most that.
    """

    value: float
    largest: float
    allowed: bool


@lru_cache(16)
def tracking(F: Filter) -> bounds.Tracking:
    """Lemma E's triple with the smaller drift; that of the recursion where they are equal, as its noise is smaller."""
    return min(bounds.tracking_by_recursion(F), bounds.tracking_by_filter(F), key=lambda triple: triple.drift)


def bound(
    F: Filter, Q: bounds.Preconditioner, *, L: float, eta: float, T: int, gap: float, first: float, variance: float
) -> Bound:
    """Theorem N. The arguments are those of :func:`theory.theorems.bounds.mean_square_gradient`, with L.

    Raises:
        ValueError: a constant is out of its range.
    """
    for name, value in (("L", L), ("eta", eta), ("Q's smallest", Q.smallest), ("Q's largest", Q.largest)):
        if not (isfinite(value) and value > 0):
            raise ValueError(f"{name} is {value}: allowed are finite numbers above 0")
    for name, value in (("gap", gap), ("first", first), ("variance", variance)):
        if not (isfinite(value) and value >= 0):
            raise ValueError(f"{name} is {value}: allowed are finite numbers from 0 on")
    if not isfinite(F.alpha):
        raise ValueError(f"alpha is {F.alpha}: allowed are finite numbers")
    if Q.smallest > Q.largest:
        raise ValueError(f"Q's bounds are {Q.smallest} and {Q.largest}: the first must not be above the second")
    if T < 1:
        raise ValueError(f"T is {T}: allowed are whole numbers from 1 on")
    try:
        triple = tracking(F)
        largest = bounds.largest_step(triple, Q, L)
        value = bounds.mean_square_gradient(triple, Q, eta=eta, T=T, gap=gap, first=first, variance=variance)
    except OverflowError:
        value = largest = inf
    if not isfinite(value):
        raise ValueError("float64 cannot hold the bound that these constants lead to: choose less extreme ones")
    return Bound(value, largest, eta <= largest)
