"""Performance estimation with PEPit and Clarabel: numerical optima, each with its residuals.

PEPit holds its problem in class attributes, so that only one problem exists at a time; nothing here is thread-safe.
"""

import contextlib
import io
import time
import warnings
from dataclasses import asdict
from typing import Any

import numpy as np
from PEPit import PEP
from PEPit.functions import SmoothConvexFunction, SmoothFunction, SmoothStronglyConvexFunction

from theory.worst_case.method import Method
from theory.worst_case.row import MU, Problem, Row


def _formulate(problem: Problem, method: Method) -> PEP:
    """The problem; its objective is the smallest of its metrics."""
    pep = PEP()
    function: Any = {
        Problem.CONVEX: lambda: pep.declare_function(SmoothConvexFunction, L=1.0),
        Problem.STRONGLY_CONVEX: lambda: pep.declare_function(SmoothStronglyConvexFunction, mu=MU, L=1.0),
        Problem.NONCONVEX: lambda: pep.declare_function(SmoothFunction, L=1.0),
    }[problem]()
    start: Any = pep.set_initial_point()
    gradients, values = [], []
    for row in method.displacement():
        x = start - sum((d * g for d, g in zip(row, gradients, strict=False)), 0 * start)
        gradient, value = function.oracle(x)
        gradients.append(gradient)
        values.append(value)
    if problem is Problem.NONCONVEX:
        pep.set_initial_condition(values[0] - values[-1] <= 1)
        for gradient in gradients:
            pep.set_performance_metric(gradient**2)
    else:
        minimiser = function.stationary_point()
        pep.set_initial_condition((start - minimiser) ** 2 <= 1)
        pep.set_performance_metric(values[-1] - function(minimiser))
    return pep


def solve(problem: Problem, method: Method) -> Row:
    """The worst case of f(x_N) - f*, or of the smallest |g_k|^2, k = 0 ... N, where f is not convex.

    The initial conditions are |x_0 - x*| <= 1 and f(x_0) - f(x_N) <= 1.

    Args:
        problem: the class of functions.
        method: the setting; floats.

    Returns:
        The row; without values if the solver found none.
    """
    begin = time.perf_counter()
    setting: dict[str, Any] = {"problem": str(problem), **asdict(method)}
    pep: Any = _formulate(problem, method)  # its results are declared None until it is solved
    said = io.StringIO()
    with contextlib.redirect_stdout(said), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            dual = pep.solve(wrapper="cvxpy", solver="CLARABEL", verbose=0)
        except Exception as error:  # a solver may fail in its own ways: the row says so, and the grid goes on
            dual, status = None, f"{type(error).__name__}: {error}"
        else:
            status = pep.wrapper.prob.status
    seconds = time.perf_counter() - begin
    if dual is None:
        return Row(**setting, status=status, seconds=seconds)
    remarks = [status, *(str(w.message).split(".")[0] for w in warned), *(["gap warning"] if said.getvalue() else [])]
    primal = float(pep.objective.eval())
    constraints = pep._list_of_prepared_constraints
    return Row(
        **setting,
        primal=primal,
        dual=float(dual),
        gap=float(dual) - primal,
        violation=max(0.0, *(float(constraint.eval()) for constraint in constraints)),
        gram=float(np.linalg.eigvalsh(pep.G_value)[0]),
        slack=float(np.linalg.eigvalsh(pep.residual)[0]),
        multiplier=float(min(constraint.eval_dual() for constraint in constraints)),
        status="; ".join(dict.fromkeys(remarks)),
        seconds=seconds,
    )
