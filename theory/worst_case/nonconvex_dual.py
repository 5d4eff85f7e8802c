"""From Clarabel's multipliers for the smooth non-convex class to a rational certificate; exact arithmetic judges it."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import cvxpy as cp
import numpy as np

from theory.worst_case.certificate import Pair, balance
from theory.worst_case.dual import TIGHT, solve_quietly
from theory.worst_case.method import Method
from theory.worst_case.nonconvex import NonconvexCertificate, inequality, pairs
from theory.worst_case.rounding import DENOMINATOR
from theory.worst_case.settled import ALLOWANCE


def _problem(method: Method) -> tuple[cp.Variable, cp.Variable, cp.Variable, cp.Expression, list[cp.Constraint]]:
    plain, known, N = method.floats(), pairs(method.N), method.N
    weights, shares, tau = cp.Variable(len(known), nonneg=True), cp.Variable(N + 1, nonneg=True), cp.Variable()
    stack = np.stack([np.array(inequality(plain, pair)).reshape(-1) for pair in known], 1)
    slack = cp.reshape(stack @ weights, (N + 1, N + 1), order="C") - cp.diag(shares)
    flow = np.zeros((N + 1, len(known)))
    for column, (i, j) in enumerate(known):
        flow[i, column] -= 1
        flow[j, column] += 1
    due = np.zeros(N + 1)
    due[0], due[N] = -1, 1
    constraints: list[cp.Constraint] = [flow @ weights == tau * due]
    constraints.append(cp.Zero(cp.sum(shares) - 1))
    return tau, weights, shares, (slack + slack.T) / 2, constraints


def optimum(method: Method) -> float:
    """The smallest tau that a certificate can prove, as far as the solver sees.

    Raises:
        ArithmeticError: the solver did not reach an optimum.
    """
    tau, _, _, slack, constraints = _problem(method)
    problem = cp.Problem(cp.Minimize(tau), [*constraints, slack >> 0])
    for tolerances in (TIGHT, {}):
        solve_quietly(problem, tolerances)
        if problem.status == cp.OPTIMAL and tau.value is not None:
            return float(tau.value)
    raise ArithmeticError(f"{method}: the solver ended with {problem.status}")


def interior(method: Method, tau: float) -> tuple[Mapping[Pair, float], Sequence[float]]:
    """Multipliers and shares at a tau above the optimum, with the slack matrix as far from the boundary as possible.

    Raises:
        ArithmeticError: the solver found none with a positive definite slack matrix.
    """
    bound, weights, shares, slack, constraints = _problem(method)
    margin = cp.Variable()
    constraints += [bound == tau, slack >> margin * np.eye(method.N + 1), weights >= margin, shares >= margin]
    problem = cp.Problem(cp.Maximize(margin), constraints)
    solve_quietly(problem, TIGHT)
    usable = problem.status in {cp.OPTIMAL, cp.OPTIMAL_INACCURATE}
    if not usable or weights.value is None or shares.value is None or margin.value is None or margin.value <= 0:
        raise ArithmeticError(f"{method}, tau = {tau}: no interior multipliers ({problem.status})")
    return dict(zip(pairs(method.N), map(float, weights.value), strict=True)), [float(s) for s in shares.value]


def certify(method: Method) -> NonconvexCertificate:
    """A certificate within ALLOWANCE of the solver's optimum, accepted by exact arithmetic.

    Raises:
        ArithmeticError: the solver found no interior multipliers, or exact arithmetic refused the rounded ones.
    """
    tau = Fraction(round(optimum(method) * 10**7), 10**7) + ALLOWANCE / 2
    weights, shares = interior(method, float(tau))
    N = method.N
    exact = {pair: Fraction(round(max(w, 0.0) * DENOMINATOR), DENOMINATOR) for pair, w in weights.items()}
    for point in range(1, N + 1):
        # what is missing at a point flows from or to x_0, which then balances too
        missing = tau * (point == N) - balance(exact, point)
        exact[(0, point) if missing > 0 else (point, 0)] += abs(missing)
    rounded = [Fraction(round(max(s, 0.0) * DENOMINATOR), DENOMINATOR) for s in shares]
    largest = max(range(N + 1), key=lambda k: rounded[k])
    rounded[largest] += 1 - sum(rounded)
    found = NonconvexCertificate(method, tau, exact, tuple(rounded))
    if reason := found.reject():
        raise ArithmeticError(f"{method.label()}, tau = {tau}: {reason}")
    return found
