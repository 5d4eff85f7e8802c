"""The settings that certificates settle, and the checks that exact arithmetic makes of the stored ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from theory.worst_case import certificate, closed_forms, nonconvex
from theory.worst_case.certificate import Certificate
from theory.worst_case.method import Method, methods
from theory.worst_case.nonconvex import NonconvexCertificate
from theory.worst_case.row import Problem
from theory.worst_case.solved import CERTIFICATES, COMMITTED

ALLOWANCE = Fraction(1, 10**6)
"""How far above the optimum a certificate may prove its bound."""

CS = (Fraction(0), Fraction(1, 20), Fraction(-1, 2))
BETA1S = (Fraction(1, 2), Fraction(9, 10), Fraction(99, 100))
MU = Fraction(1, 10)


@dataclass(frozen=True)
class Setting:
    """A worst case to settle.

    Args:
        method: in Fractions; mu: strong convexity, 0 for the others; problem: the class of functions.
    """

    method: Method
    mu: Fraction = Fraction(0)
    problem: Problem = Problem.CONVEX

    @property
    def name(self) -> str:
        """The certificate's file name without its ending."""
        return f"{self.problem.removeprefix('smooth ').replace(' ', '-')}_{self.method.label()}"

    @property
    def case(self) -> str:
        """The key of the numerical row about the same worst case."""
        return f"{self.problem}: {self.method.label()}"


def bracketed() -> list[Setting]:
    """E(SGD) on smooth convex functions at eta = 1/L, N = 1 ... 5: an attained lower bound is known in closed form."""
    return [Setting(m) for m in methods(CS, BETA1S, (1, 2, 3, 4, 5), beta2=Fraction(0), eta=Fraction(1))]


def bounded() -> list[Setting]:
    """E-heavy-ball, and E(SGD) on strongly convex functions, N = 1 ... 3: bounded from above alone."""
    heavy = methods(CS, BETA1S, (1, 2, 3), beta2=Fraction(9, 10), eta=Fraction(1, 10))
    plain = methods(CS, BETA1S, (1, 2, 3), beta2=Fraction(0), eta=Fraction(1))
    return [*map(Setting, heavy), *(Setting(m, MU, Problem.STRONGLY_CONVEX) for m in plain)]


def gradients() -> list[Setting]:
    """E(SGD) on smooth functions that need not be convex, eta = 1/L, N = 1 ... 3: the smallest squared gradient."""
    plain = methods(CS, BETA1S, (1, 2, 3), beta2=Fraction(0), eta=Fraction(1))
    return [Setting(m, problem=Problem.NONCONVEX) for m in plain]


def every() -> list[Setting]:
    """All settings that have a certificate."""
    return [*bracketed(), *bounded(), *gradients()]


def stored(setting: Setting, folder: Path = COMMITTED) -> Certificate | NonconvexCertificate:
    """The stored certificate of a setting.

    Raises:
        FileNotFoundError: there is none.
        ValueError: the file is none, or speaks of another setting.
    """
    path = folder / CERTIFICATES / f"{setting.name}.json"
    if setting.problem is Problem.NONCONVEX:
        found, mu = nonconvex.read(path), setting.mu
    else:
        found = certificate.read(path)
        mu = found.mu
    if (found.method, mu) != (setting.method, setting.mu):
        raise ValueError(f"{path} speaks of {found.method}, mu = {mu}, not of {setting}")
    return found


def bracket(setting: Setting) -> tuple[Fraction, Fraction]:
    """Attained lower bound and what a certificate of this setting must prove, in exact arithmetic."""
    lower = closed_forms.smooth_convex(setting.method)
    return lower, lower + ALLOWANCE


def refusals(folder: Path = COMMITTED) -> Iterator[tuple[str, str | None]]:
    """Name of each stored certificate that ought to be there, and why it is refused; None where it is accepted."""
    for setting in every():
        try:
            yield setting.name, stored(setting, folder).reject()
        except (FileNotFoundError, ValueError) as error:
            yield setting.name, str(error)


def departure(setting: Setting, rows: Mapping[str, Mapping[str, Any]], folder: Path = COMMITTED) -> float:
    """How far the stored bound lies above the numerical optimum of the same worst case.

    Raises:
        LookupError: there is no trusted optimum of this case among the rows.
        FileNotFoundError, ValueError: there is no certificate.
    """
    row = rows.get(setting.case)
    if row is None or not row["trusted"]:
        raise LookupError(f"{setting.name}: no trusted optimum to compare with")
    return float(stored(setting, folder).tau) - row["dual"]


def far_from(rows: Mapping[str, Mapping[str, Any]], folder: Path = COMMITTED) -> Iterator[tuple[str, str | None]]:
    """Name of each certificate, and why its bound is not the numerical optimum to ``ALLOWANCE``; None where it is.

    A bound below the optimum by more than that contradicts one of the two as well.
    """
    for setting in every():
        try:
            above = departure(setting, rows, folder)
        except (LookupError, FileNotFoundError, ValueError) as error:
            yield setting.name, str(error)
        else:
            near = abs(above) <= ALLOWANCE
            yield setting.name, None if near else f"its bound is {above:.2e} above the numerical optimum"
