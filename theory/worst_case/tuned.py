"""The step that minimises the worst case, by a bounded search over numerical optima: is E better when tuned?"""

from dataclasses import dataclass
from typing import Any

from scipy.optimize import minimize_scalar

from theory.worst_case.method import Method
from theory.worst_case.pep import solve
from theory.worst_case.row import Problem, Row

SETTINGS = (
    # c, beta1: gradient descent, then E with both signs of alpha
    (0.0, 0.5), (0.1, 0.5), (-0.5, 0.5), (0.25, 0.9), (0.05, 0.99), (0.75, 0.99), (-0.5, 0.99),
)  # fmt: skip


@dataclass(frozen=True)
class Tuned:
    """The best step of a setting on smooth convex functions: numerical, a local minimum in eta.

    Attributes:
        c, beta1, N: the setting; eta: the step found, to 1e-4.
        worst_case: the dual value there; gap: dual - primal there; trusted: whether its residuals are small.
    """

    c: float
    beta1: float
    N: int
    eta: float
    worst_case: float
    gap: float
    trusted: bool


def tune(c: float, beta1: float, N: int) -> Tuned:
    """Minimise over eta in [1, 3/(1-c)] for c >= 0, in [0.7, 3] else.

    Raises:
        ArithmeticError: the solver returned no value.
    """

    def row(eta: float) -> Row:
        return solve(Problem.CONVEX, Method(c, beta1, 0.0, float(eta), N))

    def value(eta: float) -> float:
        found = row(eta).dual
        if found is None:
            raise ArithmeticError(f"c = {c}, beta1 = {beta1}, N = {N}, eta = {eta}: the solver returned no value")
        return found

    bracket = (1.0, 3.0 / (1 - c)) if c >= 0 else (0.7, 3.0)
    search: Any = minimize_scalar(value, bounds=bracket, method="bounded", options={"xatol": 1e-4})
    best = row(search.x)
    return Tuned(c, beta1, N, best.eta, best.dual or float("nan"), best.gap or float("nan"), best.trusted)
