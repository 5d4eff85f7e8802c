"""Dual certificates in rational arithmetic: a bound on the worst case that no solver has to be trusted for.

Points are x_* = 0 and x_0 ... x_N with gradients g_i and values f_i (g_* = 0, f_* = 0). Every mu-strongly convex
1-smooth f satisfies, for all i, j,

    f_j - f_i + <g_j, dx> + (|dg|^2 + mu |dx|^2 - 2 mu <dg, dx>) / (2 (1 - mu)) <= 0,  dx = x_i - x_j, dg = g_i - g_j.

Write the quadratic part as <A_ij, G> with the Gram matrix G of (x_0, g_0, ..., g_N). Multipliers l_ij >= 0 for which
sum l_ij (f_j - f_i) = f_N identically and tau e_0 e_0' + sum l_ij A_ij is positive semidefinite prove f_N - f_* <= tau
|x_0 - x_*|^2: the weighted sum of the inequalities reads f_N + <sum l_ij A_ij, G> <= 0.

Reference: Taylor, Hendrickx and Glineur, Smooth strongly convex interpolation and exact worst-case performance of
first-order methods, Mathematical Programming 161 (2017), for the inequalities.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from flint import fmpq

from theory.worst_case.method import Method

STAR = -1
"""The index of the minimiser."""

Matrix = list[list[Any]]
Pair = tuple[int, int]


@dataclass(frozen=True)
class Certificate:
    """A claimed bound with its multipliers.

    Args:
        method: the setting, in Fractions.
        mu: strong convexity in units of L, in [0, 1); 0 for smooth convex functions.
        tau: the bound claimed: f(x_N) - f* <= tau |x_0 - x*|^2.
        multipliers: l_ij by (i, j), with -1 for the minimiser.
    """

    method: Method
    mu: Fraction
    tau: Fraction
    multipliers: Mapping[Pair, Fraction]

    def reject(self) -> str | None:
        """Why exact arithmetic refuses the certificate; None if it proves the bound."""
        if fault := inexact(self.method, self.mu, self.tau, *self.multipliers.values()):
            return fault
        if not 0 <= self.mu < 1:
            return f"mu = {self.mu} lies outside [0, 1)"
        known = set(pairs(self.method.N))
        for pair, weight in self.multipliers.items():
            if pair not in known:
                return f"{pair} is no pair of points"
            if weight < 0:
                return f"the multiplier of {pair} is negative: {weight}"
        for point in range(self.method.N + 1):
            flow = balance(self.multipliers, point)
            if flow != (point == self.method.N):
                return f"the values do not cancel at point {point}: {flow}"
        if not positive_semidefinite(slack(self.method, self.mu, self.tau, self.multipliers)):
            return "the slack matrix is not positive semidefinite"
        return None

    def mutated(self, pair: Pair, change: Fraction) -> "Certificate":
        """The same with one multiplier changed; for controls."""
        return replace(self, multipliers={**self.multipliers, pair: self.multipliers[pair] + change})

    def to_json(self) -> dict[str, Any]:
        """Plain data; rationals as text."""
        method = self.method
        return {
            "statement": "f(x_N) - f* <= tau |x_0 - x*|^2 for every mu-strongly convex 1-smooth f",
            "method": {name: str(getattr(method, name)) for name in ("c", "beta1", "beta2", "eta")} | {"N": method.N},
            "mu": str(self.mu),
            "tau": str(self.tau),
            "multipliers": {f"{i},{j}": str(weight) for (i, j), weight in self.multipliers.items()},
        }


def read(path: Path) -> Certificate:
    """The certificate stored in a file; all of it is checked again.

    Raises:
        ValueError: the file is not a certificate: a key is missing, or a number is not a rational.
    """
    with reading(path):
        stored = json.loads(path.read_text())
        method, multipliers = parsed(stored)
        found = Certificate(method, rational(stored["mu"]), rational(stored["tau"]), multipliers)
        same_statement(stored, found.to_json())
    return found


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say of what goes wrong within that the file is no certificate."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError, ZeroDivisionError) as error:
        raise ValueError(f"{path} is no certificate: {error!r}") from error


def parsed(stored: Mapping[str, Any]) -> tuple[Method, dict[Pair, Fraction]]:
    """The method and the multipliers of a stored certificate."""
    numbers = {name: rational(stored["method"][name]) for name in ("c", "beta1", "beta2", "eta")}
    N = stored["method"]["N"]
    if type(N) is not int:
        raise ValueError(f"N = {N!r} must be an integer")
    multipliers = {}
    for name, weight in stored["multipliers"].items():
        i, j = map(int, name.split(","))
        if (i, j) in multipliers:
            raise ValueError(f"the pair {name!r} is there twice")
        multipliers[i, j] = rational(weight)
    return Method(**numbers, N=N), multipliers


def rational(text: Any) -> Fraction:
    """A rational from its text; a number of JSON is refused, because it may have been rounded."""
    if not isinstance(text, str):
        raise ValueError(f"{text!r} must be a rational as text, such as '1/3'")
    return Fraction(text)


def same_statement(stored: Mapping[str, Any], right: Mapping[str, Any]) -> None:
    """Refuse a file that says something else than what is checked."""
    if stored["statement"] != right["statement"]:
        raise ValueError(f"statement = {stored['statement']!r} must be {right['statement']!r}")


def pairs(N: int) -> list[Pair]:
    """All ordered pairs of different points among x_* and x_0 ... x_N."""
    points = [STAR, *range(N + 1)]
    return [(i, j) for i in points for j in points if i != j]


def balance(multipliers: Mapping[Pair, Any], point: int) -> Any:
    """The coefficient of f_point in sum l_ij (f_j - f_i)."""
    return sum(w for (_, j), w in multipliers.items() if j == point) - sum(
        w for (i, _), w in multipliers.items() if i == point
    )


def _point(method: Method, displacement: Matrix, i: int) -> tuple[list[Any], list[Any]]:
    """(x_i, g_i) in the basis (x_0, g_0, ..., g_N)."""
    size, zero = method.N + 2, method.eta * 0
    x, g = [zero] * size, [zero] * size
    if i == STAR:
        return x, g
    x[0] = zero + 1
    x[1 : method.N + 1] = [-d for d in displacement[i]]
    g[1 + i] = zero + 1
    return x, g


def inequality(method: Method, mu: Any, pair: Pair) -> Matrix:
    """A_ij, symmetric of size N + 2, in the arithmetic of the method."""
    return _inequality(method, method.displacement(), mu, pair)


def _inequality(method: Method, displacement: Matrix, mu: Any, pair: Pair) -> Matrix:
    (xi, gi), (xj, gj) = (_point(method, displacement, i) for i in pair)
    dx = [a - b for a, b in zip(xi, xj, strict=True)]
    dg = [a - b for a, b in zip(gi, gj, strict=True)]
    share = 1 / (2 * (1 - mu))
    half = (1 + 0 * mu) / 2
    return [
        [
            half * (gj[r] * dx[s] + dx[r] * gj[s])
            + share * (dg[r] * dg[s] + mu * dx[r] * dx[s] - mu * (dg[r] * dx[s] + dx[r] * dg[s]))
            for s in range(method.N + 2)
        ]
        for r in range(method.N + 2)
    ]


def slack(method: Method, mu: Fraction, tau: Fraction, multipliers: Mapping[Pair, Fraction]) -> Matrix:
    """Tau e_0 e_0' + sum l_ij A_ij, in Fractions."""
    size, fast, share = method.N + 2, in_flint(method), flint(mu)
    displacement = fast.displacement()
    forms = ((w, _inequality(fast, displacement, share, pair)) for pair, w in multipliers.items() if w)
    return weighted([[tau * (r == s == 0) for s in range(size)] for r in range(size)], forms)


def inexact(method: Method, *numbers: Any) -> str | None:
    """Which of a certificate's numbers is no Fraction, so that its arithmetic would round; None if all are."""
    for value in (method.c, method.beta1, method.beta2, method.eta, *numbers):
        if type(value) not in (int, Fraction):
            return f"{value!r} is no exact rational"
    return None


def flint(q: Fraction) -> fmpq:
    """The same number for FLINT, whose rational arithmetic is exact too and about ten times as fast."""
    return fmpq(q.numerator, q.denominator)


def in_flint(method: Method) -> Method:
    """The same method in FLINT's numbers."""
    return Method(*(flint(getattr(method, name)) for name in ("c", "beta1", "beta2", "eta")), N=method.N)


def weighted(start: Matrix, forms: Iterable[tuple[Fraction, Matrix]]) -> Matrix:
    """A matrix of Fractions plus the weighted sum of symmetric ones in FLINT's numbers."""
    total = [[flint(value) for value in row] for row in start]
    for weight, form in forms:
        factor = flint(weight)
        for row, more in zip(total, form, strict=True):
            for s, value in enumerate(more):
                if value:
                    row[s] += factor * value
    return [[Fraction(int(value.p), int(value.q)) for value in row] for row in total]


def positive_semidefinite(matrix: Matrix) -> bool:
    """Whether a symmetric rational matrix is, by L D L' without pivoting: no rounding, no tolerance.

    A zero pivot needs a zero column below it; a negative pivot refutes. An entry that is no integer or Fraction, as a
    number in floating point, refutes as well: its comparisons would be rounded, and NaN passes all of them.
    """
    if any(type(entry) not in {int, Fraction} for row in matrix for entry in row):
        return False
    rest = [row[:] for row in matrix]
    size = len(rest)
    if any(rest[r][s] != rest[s][r] for r in range(size) for s in range(r)):
        return False
    for p in range(size):
        pivot = rest[p][p]
        if pivot < 0:
            return False
        if pivot == 0:
            if any(rest[r][p] != 0 for r in range(p + 1, size)):
                return False
            continue
        for r in range(p + 1, size):
            factor = rest[r][p] / pivot
            if factor:
                for s in range(p + 1, size):
                    rest[r][s] -= factor * rest[p][s]
    return True
