"""Which worst cases are computed, and each beside the closed form that is conjectured for it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from theory.worst_case import closed_forms
from theory.worst_case.method import Method, methods
from theory.worst_case.row import Problem, Row

HOLDS = 1e-4
"""A closed form holds on a row if it is this close, relative to the optimum; a hundred times the solver's accuracy."""

BETA1S = (0.5, 0.9, 0.99)
MOMENTUM = {"beta2": 0.9, "eta": 0.1}
"""E-heavy-ball's setting: the step is shortened so that its effective length is 1/L."""
PLAIN = {"beta2": 0.0, "eta": 1.0}


@dataclass(frozen=True)
class Case:
    """A worst case to compute."""

    problem: Problem
    method: Method

    def key(self) -> str:
        """A name that only this case has."""
        return f"{self.problem}: {self.method.label()}"


@dataclass(frozen=True)
class Compared:
    """A numerical worst case beside its closed form.

    Attributes:
        row: the solver's answer; closed_form: the conjecture, None where there is none for the setting.
        relative: closed_form / dual - 1. Negative where the closed form is exceeded.
        holds: whether it is within HOLDS; None without a closed form or without a trusted optimum.
    """

    row: Row
    closed_form: float | None
    relative: float | None
    holds: bool | None

    def to_json(self) -> dict[str, Any]:
        """Plain data, numbers to ten digits."""
        plain = self.row.to_json() | {key: value for key, value in asdict(self).items() if key != "row"}
        return {key: float(f"{value:.10g}") if isinstance(value, float) else value for key, value in plain.items()}


def quick() -> list[Case]:
    """Under a minute: the usual settings with N <= 5, a few with N = 10, each certificate's."""
    few, some = (-0.5, 0.0, 0.05, 0.5), (-0.5, -0.25, 0.0, 0.05, 0.25, 0.5, 0.75)
    return [
        *_cases(Problem.CONVEX, some, (1, 2, 3, 5), PLAIN),
        *_cases(Problem.CONVEX, (-0.5, 0.0, 0.05), (4,), PLAIN),
        *_cases(Problem.CONVEX, (-0.5, 0.0, 0.05, 0.75), (10,), PLAIN),
        *_cases(Problem.CONVEX, few, (1, 2, 3, 5), MOMENTUM),
        *_cases(Problem.STRONGLY_CONVEX, few, (1, 2, 3, 5), PLAIN),
        *_cases(Problem.NONCONVEX, (-0.5, -0.1, 0.0, 0.05, 0.5), (1, 2, 3, 5), PLAIN),
    ]


def full() -> list[Case]:
    """The whole grid over c, beta1 and N, with N = 20 where it is affordable."""
    cs = (-0.95, -0.75, -0.5, -0.25, -0.1, 0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
    short = (1, 2, 3, 4, 5, 10)
    return [
        *_cases(Problem.CONVEX, cs, short, PLAIN),
        *_cases(Problem.CONVEX, (-0.5, 0.0, 0.05, 0.5), (20,), PLAIN),
        *_cases(Problem.CONVEX, cs, (1, 2, 3, 5, 10), MOMENTUM),
        *_cases(Problem.STRONGLY_CONVEX, cs, (1, 2, 3, 5, 10), PLAIN),
        *_cases(Problem.STRONGLY_CONVEX, cs, (5, 10), MOMENTUM),
        *_cases(Problem.NONCONVEX, cs, short, PLAIN),
        *_cases(Problem.NONCONVEX, (-0.5, 0.0, 0.05, 0.5), (5, 10), MOMENTUM),
    ]


def _cases(problem: Problem, cs: tuple, Ns: tuple, setting: dict[str, float]) -> Iterator[Case]:
    for method in methods(cs, BETA1S, Ns, **setting):
        yield Case(problem, method)


def conjecture(case: Case) -> float | None:
    """The closed form for the case, None where none is known."""
    method = case.method
    if method.beta2 != 0 or method.eta != 1 or case.problem is Problem.STRONGLY_CONVEX:
        return None
    if case.problem is Problem.CONVEX:
        return float(closed_forms.smooth_convex(method))
    return float(closed_forms.smooth_nonconvex(method)) if method.c >= 0 else None


def compare(case: Case) -> Compared:
    """Solve a case and set it beside its closed form."""
    from theory.worst_case.pep import solve  # it brings in the modelling packages, which reading rows does not need

    row, expected = solve(case.problem, case.method), conjecture(case)
    if expected is None or row.dual is None:
        return Compared(row, expected, None, None)
    relative = expected / row.dual - 1
    return Compared(row, expected, relative, abs(relative) <= HOLDS if row.trusted else None)
