"""Rational certificates of worst cases in the notation of ``Certificates.v``, which has the theorem about them."""

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path

from theory.ledger.provenance import RESULTS
from theory.worst_case import certificate, nonconvex
from theory.worst_case.certificate import Certificate, Matrix, Pair, positive_semidefinite
from theory.worst_case.nonconvex import NonconvexCertificate

FOLDER = RESULTS / "worst-case" / "certificates"
HEAD = """From Coq Require Import Reals Lra List QArith Qreals.
From Proofs Require Import Sums Vectors Smooth Adaptor Certificates.
Import ListNotations.
Local Open Scope Q_scope.
"""


@cache
def stored() -> dict[str, str]:
    """The module ``Stored``: every certificate of E that is stored, and that the kernel accepts them all."""
    files = sorted(FOLDER.glob("*.json"))
    kinds = {
        name: [f for f in files if f.name.startswith(f"{name}_")]
        for name in ("convex", "strongly-convex", "non-convex")
    }
    lines = ["(** Printed by theory/rocq/certificates.py from results/worst-case/certificates. *)", HEAD]
    for name, found in kinds.items():
        terms = ";\n  ".join(term(read(path)) for path in found)
        label = name.replace("-", "_")
        lines.append(
            f"Definition {label}_certificates : list certificate := [\n  {terms}].\n"
            f"Theorem {label}_worst_cases : forall cert, In cert {label}_certificates -> holds cert.\n"
            f"Proof.\n  assert (A : forallb accepted {label}_certificates = true)\n"
            "    by (vm_cast_no_check (@eq_refl bool true)).\n"
            "  intros cert I. apply accepted_holds. exact (proj1 (forallb_forall _ _) A cert I).\nQed."
        )
    return {"Stored": "\n".join(lines) + "\n"}


def read(path: Path) -> Certificate | NonconvexCertificate:
    """A stored certificate of E, of either kind.

    Raises:
        ValueError: the file is none.
    """
    return nonconvex.read(path) if path.name.startswith("non-convex") else certificate.read(path)


def term(found: Certificate | NonconvexCertificate) -> str:
    """One certificate of E."""
    method = found.method
    setting = f"({', '.join(map(number, (method.c, method.beta1, method.beta2, method.eta)))}, {method.N}%nat)"
    if isinstance(found, Certificate):
        rest = certificate.slack(method, found.mu, found.tau, found.multipliers)
        start = f"OfValue {setting} {number(found.mu)} {number(found.tau)}"
    else:
        # these forms have no x_0; the kernel's begin with it
        rest = [[Fraction(0)] * (method.N + 2), *([Fraction(0), *row] for row in
                nonconvex.slack(method, found.multipliers, found.shares))]  # fmt: skip
        start = f"OfGradient {setting} {number(found.tau)} [{'; '.join(map(number, found.shares))}]"
    return f"{start} {multipliers(found.multipliers)} {squares(rest)}"


def number(q: Fraction) -> str:
    """A rational number."""
    return f"({q.numerator} # {q.denominator})"


def multipliers(found: Mapping[Pair, Fraction]) -> str:
    """The multipliers that are not 0, with their two points."""
    return "[" + "; ".join(f"({_point(i)}, {_point(j)}, {number(w)})" for (i, j), w in found.items() if w) + "]"


def _point(i: int) -> str:
    return "None" if i == certificate.STAR else f"Some {i}%nat"


def squares(matrix: Matrix) -> str:
    """A positive semidefinite matrix as a sum of multiples of squares, in short numbers where it is definite."""
    pieces = _short(matrix) or _exact(matrix)
    return "[" + "; ".join(f"({number(d)}, [{'; '.join(map(number, row))}])" for d, row in pieces) + "]"


Squares = list[tuple[Fraction, list[Fraction]]]


def _short(matrix: Matrix) -> Squares | None:
    """Rounded squares, and what is left, which is dominated by its diagonal; None where the matrix is not definite.

    All of it is in rationals, so that every machine prints the same.
    """
    size = len(matrix)
    used = [any(row) for row in matrix]

    def lowered(margin: Fraction) -> Matrix:
        return [[value - margin * (r == s and used[r]) for s, value in enumerate(row)] for r, row in enumerate(matrix)]

    digits = next((k for k in range(2, 16) if positive_semidefinite(lowered(Fraction(1, 10**k)))), None)
    if digits is None:
        return None
    scale = 10 ** (digits + 3)

    def short(value: Fraction) -> Fraction:
        return Fraction(round(value * scale), scale)

    found = [(short(d), [short(value) for value in row]) for d, row in _exact(lowered(Fraction(1, 10**digits)))]
    left = [[matrix[r][s] - sum(d * row[r] * row[s] for d, row in found) for s in range(size)] for r in range(size)]
    for r in range(size):
        for s in range(r):
            if value := left[r][s]:
                sign = 1 if value > 0 else -1
                found.append((abs(value), [Fraction((k == r) + sign * (k == s)) for k in range(size)]))
        rest = left[r][r] - sum(abs(left[r][s]) for s in range(size) if s != r)
        if rest < 0:
            return None
        if rest:
            found.append((rest, [Fraction(k == r) for k in range(size)]))
    return found


def _exact(matrix: Matrix) -> Squares:
    """L D L' without pivoting."""
    rest, size = [row[:] for row in matrix], len(matrix)
    found: Squares = []
    for p in range(size):
        pivot = rest[p][p]
        if not pivot:
            continue
        row = [rest[p][s] / pivot if s >= p else Fraction(0) for s in range(size)]
        found.append((pivot, row))
        for r in range(p, size):
            for s in range(p, size):
                rest[r][s] -= pivot * row[r] * row[s]
    return found
