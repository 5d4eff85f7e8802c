"""The dual of the performance estimation problem, formulated here and solved by Clarabel; its answer is numerical."""

import warnings
from collections.abc import Mapping

import cvxpy as cp
import numpy as np

from theory.worst_case.certificate import Pair, inequality, pairs
from theory.worst_case.method import Method

TIGHT = {"tol_gap_abs": 1e-9, "tol_gap_rel": 1e-9, "tol_feas": 1e-9}
"""Clarabel's tolerances; ours, a digit below its defaults. With two more it stalls on some of these problems."""


def _problem(method: Method, mu: float) -> tuple[cp.Variable, cp.Variable, cp.Expression, list[cp.Constraint]]:
    plain = method.floats()
    known = pairs(method.N)
    weights, tau = cp.Variable(len(known), nonneg=True), cp.Variable()
    matrices = [np.array(inequality(plain, float(mu), pair)) for pair in known]
    corner = np.zeros_like(matrices[0])
    corner[0, 0] = 1
    stack = np.stack([matrix.reshape(-1) for matrix in matrices], 1)
    slack = tau * corner + cp.reshape(stack @ weights, corner.shape, order="C")
    flow = np.zeros((method.N + 1, len(known)))
    for column, (i, j) in enumerate(known):
        for point, sign in ((i, -1), (j, 1)):
            if point >= 0:
                flow[point, column] += sign
    final = np.zeros(method.N + 1)
    final[-1] = 1
    return tau, weights, (slack + slack.T) / 2, [flow @ weights == final]


def optimum(method: Method, mu: float = 0.0) -> float:
    """The smallest tau that a certificate can prove, as far as the solver sees.

    Raises:
        ArithmeticError: the solver did not reach an optimum, not even at its default tolerances.
    """
    tau, _, slack, constraints = _problem(method, mu)
    problem = cp.Problem(cp.Minimize(tau), [*constraints, slack >> 0])
    for tolerances in (TIGHT, {}):
        solve_quietly(problem, tolerances)
        if problem.status == cp.OPTIMAL and tau.value is not None:
            return float(tau.value)
    raise ArithmeticError(f"{method}, mu = {mu}: the solver ended with {problem.status}")


def solve_quietly(problem: cp.Problem, tolerances: Mapping[str, float]) -> None:
    """Solve with Clarabel at these tolerances; the status says how it went."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that an answer may be inaccurate shows in the status
        problem.solve(solver=cp.CLARABEL, **tolerances)


def interior(method: Method, mu: float, tau: float) -> Mapping[Pair, float]:
    """Multipliers at this tau whose slack matrix is as far from the boundary as possible.

    Rounding moves the matrix a little; one on the boundary would become indefinite. So tau must lie above the optimum.

    Raises:
        ArithmeticError: the solver found no multipliers with a positive definite slack matrix.
    """
    bound, weights, slack, constraints = _problem(method, mu)
    margin = cp.Variable()
    constraints += [bound == tau, slack >> margin * np.eye(method.N + 2), weights >= margin]
    problem = cp.Problem(cp.Maximize(margin), constraints)
    solve_quietly(problem, TIGHT)
    # an inaccurate answer will do: exact arithmetic judges it
    usable = problem.status in {cp.OPTIMAL, cp.OPTIMAL_INACCURATE}
    if not usable or weights.value is None or margin.value is None or margin.value <= 0:
        raise ArithmeticError(f"{method}, mu = {mu}, tau = {tau}: no interior multipliers ({problem.status})")
    return dict(zip(pairs(method.N), (float(weight) for weight in weights.value), strict=True))
