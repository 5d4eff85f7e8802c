"""Dual certificates for the smooth functions that need not be convex, in rational arithmetic.

Points are x_0 ... x_N with gradients g_i and values f_i. Every 1-smooth f satisfies, for all i, j,

    f_j - f_i - |dx|^2 / 4 + <g_i + g_j, dx> / 2 + |dg|^2 / 4 <= 0,    dx = x_i - x_j, dg = g_i - g_j.

Write the quadratic part as <B_ij, G> with the Gram matrix G of (g_0, ..., g_N); x_0 cancels. Multipliers l_ij >= 0 and
shares s_k >= 0 with sum s_k = 1, for which sum l_ij (f_j - f_i) = tau (f_N - f_0) identically and
sum l_ij B_ij - diag(s) is positive semidefinite, prove min_k |g_k|^2 <= sum s_k |g_k|^2 <= tau (f_0 - f_N).

Reference: Taylor, Hendrickx and Glineur, Exact worst-case performance of first-order methods for composite convex
optimization, SIAM Journal on Optimization 27 (2017), Theorem 3.10, for the inequalities.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from theory.worst_case.certificate import (
    Matrix,
    Pair,
    balance,
    in_flint,
    inexact,
    parsed,
    positive_semidefinite,
    rational,
    reading,
    same_statement,
    weighted,
)
from theory.worst_case.method import Method


@dataclass(frozen=True)
class NonconvexCertificate:
    """A claimed bound with its multipliers.

    Args:
        method: the setting, in Fractions.
        tau: the bound claimed: min_k |g_k|^2 <= tau (f(x_0) - f(x_N)), k = 0 ... N.
        multipliers: l_ij by (i, j).
        shares: s_0 ... s_N.
    """

    method: Method
    tau: Fraction
    multipliers: Mapping[Pair, Fraction]
    shares: Sequence[Fraction]

    def reject(self) -> str | None:
        """Why exact arithmetic refuses the certificate; None if it proves the bound."""
        if fault := inexact(self.method, self.tau, *self.multipliers.values(), *self.shares):
            return fault
        N, known = self.method.N, set(pairs(self.method.N))
        for pair, weight in self.multipliers.items():
            if pair not in known:
                return f"{pair} is no pair of points"
            if weight < 0:
                return f"the multiplier of {pair} is negative: {weight}"
        if len(self.shares) != N + 1 or min(self.shares) < 0 or sum(self.shares) != 1:
            return f"the shares are no average of the {N + 1} gradients"
        for point in range(N + 1):
            due = self.tau * ((point == N) - (point == 0))
            if (flow := balance(self.multipliers, point)) != due:
                return f"the values do not cancel at point {point}: {flow} instead of {due}"
        if not positive_semidefinite(slack(self.method, self.multipliers, self.shares)):
            return "the slack matrix is not positive semidefinite"
        return None

    def mutated(self, pair: Pair, change: Fraction) -> "NonconvexCertificate":
        """The same with one multiplier changed; for controls."""
        return replace(self, multipliers={**self.multipliers, pair: self.multipliers[pair] + change})

    def to_json(self) -> dict[str, Any]:
        """Plain data; rationals as text."""
        method = self.method
        return {
            "statement": "min_k |grad f(x_k)|^2 <= tau (f(x_0) - f(x_N)) for every 1-smooth f",
            "method": {name: str(getattr(method, name)) for name in ("c", "beta1", "beta2", "eta")} | {"N": method.N},
            "tau": str(self.tau),
            "multipliers": {f"{i},{j}": str(weight) for (i, j), weight in self.multipliers.items()},
            "shares": [str(share) for share in self.shares],
        }


def read(path: Path) -> NonconvexCertificate:
    """The certificate stored in a file; all of it is checked again.

    Raises:
        ValueError: the file is not a certificate: a key is missing, or a number is not a rational.
    """
    with reading(path):
        stored = json.loads(path.read_text())
        method, multipliers = parsed(stored)
        shares = tuple(map(rational, stored["shares"]))
        found = NonconvexCertificate(method, rational(stored["tau"]), multipliers, shares)
        same_statement(stored, found.to_json())
    return found


def pairs(N: int) -> list[Pair]:
    """All ordered pairs of different points among x_0 ... x_N."""
    return [(i, j) for i in range(N + 1) for j in range(N + 1) if i != j]


def inequality(method: Method, pair: Pair) -> Matrix:
    """B_ij, symmetric of size N + 1, in the arithmetic of the method."""
    return _inequality(method, method.displacement(), pair)


def _inequality(method: Method, rows: Matrix, pair: Pair) -> Matrix:
    i, j = pair
    size, zero = method.N + 1, method.eta * 0
    quarter = (1 + zero) / 4
    dx = [b - a for a, b in zip(rows[i], rows[j], strict=True)] + [zero]
    both = [zero + (r == i) + (r == j) for r in range(size)]
    dg = [zero + (r == i) - (r == j) for r in range(size)]
    return [
        [quarter * (both[r] * dx[s] + dx[r] * both[s] + dg[r] * dg[s] - dx[r] * dx[s]) for s in range(size)]
        for r in range(size)
    ]


def slack(method: Method, multipliers: Mapping[Pair, Fraction], shares: Sequence[Fraction]) -> Matrix:
    """Sum l_ij B_ij - diag(s), in Fractions."""
    size, fast = method.N + 1, in_flint(method)
    displacement = fast.displacement()
    forms = ((w, _inequality(fast, displacement, pair)) for pair, w in multipliers.items() if w)
    return weighted([[-shares[r] * (r == s) for s in range(size)] for r in range(size)], forms)
