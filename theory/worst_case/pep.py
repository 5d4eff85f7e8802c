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
from PEPit import PEP, Expression, Point
from PEPit.functions import SmoothConvexFunction, SmoothFunction, SmoothStronglyConvexFunction

from theory.worst_case.method import Method
from theory.worst_case.row import MU, Problem, Row

CURVATURES = np.linspace(-1, 1, 4001)
"""Of the quadratics that show how large a gradient and a value can become."""


def _formulate(problem: Problem, method: Method) -> tuple[PEP, float]:
    """The problem and the unit of its objective, which is the smallest of its metrics.

    A long step makes values of 1e11, which no solver takes for finite. So gradients and values are counted in the sizes
    that they have on quadratics, where these exceed 1.
    """
    pep = PEP()
    convex = problem is not Problem.NONCONVEX
    sizes, unit = _sizes(method) if convex else ([1.0] * (method.N + 1), 1.0)
    function: Any = {
        Problem.CONVEX: lambda: pep.declare_function(SmoothConvexFunction, L=1.0),
        Problem.STRONGLY_CONVEX: lambda: pep.declare_function(SmoothStronglyConvexFunction, mu=MU, L=1.0),
        Problem.NONCONVEX: lambda: pep.declare_function(SmoothFunction, L=1.0),
    }[problem]()
    start: Any = pep.set_initial_point()
    gradients, values = [], []
    for row, size in zip(method.displacement(), sizes, strict=True):
        x = start - sum((d * g for d, g in zip(row, gradients, strict=False)), 0 * start)
        gradient, value = size * Point(), size**2 * Expression()
        function.add_point((x, gradient, value))
        gradients.append(gradient)
        values.append(value)
    if not convex:
        pep.set_initial_condition(values[0] - values[-1] <= 1)
        for gradient in gradients:
            pep.set_performance_metric(gradient**2)
    else:
        minimiser = function.stationary_point()
        pep.set_initial_condition((start - minimiser) ** 2 <= 1)
        pep.set_performance_metric((values[-1] - function(minimiser)) / unit)
    return pep, unit


def _sizes(method: Method) -> tuple[list[float], float]:
    """The largest |g_0|, ..., |g_N| and f(x_N) of runs from |x_0| = 1 on convex quadratics; at least 1."""
    l = CURVATURES[CURVATURES >= 0]
    x = method.run(l)
    return [max(1.0, float(np.abs(l * y).max())) for y in x], max(1.0, float((l * x[-1] ** 2 / 2).max()))


def _unbounded(method: Method) -> bool:
    """Whether a quadratic shows it: no gradient is 0 and f(x_0) - f(x_N) <= 0, from any |x_0|, however far away."""
    x = np.stack(np.broadcast_arrays(*method.run(CURVATURES)))
    return bool((np.all(CURVATURES * x != 0, axis=0) & (CURVATURES * (1 - x[-1] ** 2) <= 0)).any())


def solve(problem: Problem, method: Method) -> Row:
    """The worst case of f(x_N) - f*, or of the smallest |g_k|^2, k = 0 ... N, where f is not convex.

    The initial conditions are |x_0 - x*| <= 1 and f(x_0) - f(x_N) <= 1.

    Args:
        problem: the class of functions.
        method: the setting; floats.

    Returns:
        The row; without values if the solver found none. The status "unbounded" says that a quadratic shows it, never
        that the solver did; where f is convex, every worst case is finite.
    """
    begin = time.perf_counter()
    setting: dict[str, Any] = {"problem": str(problem), **asdict(method)}
    if problem is Problem.NONCONVEX and _unbounded(method):
        return Row(**setting, status="unbounded", seconds=time.perf_counter() - begin)
    pep: Any = None  # its results are declared None until it is solved
    unit, dual = 1.0, None
    said = io.StringIO()
    with contextlib.redirect_stdout(said), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            pep, unit = _formulate(problem, method)
            dual = pep.solve(wrapper="cvxpy", solver="CLARABEL", verbose=0)
        except Exception as error:  # a solver fails in its own ways, or a size overflows: the row says so
            status = f"{type(error).__name__}: {error}"
        else:
            status = pep.wrapper.prob.status
    seconds = time.perf_counter() - begin
    if pep is None or dual is None:
        if "unbounded" in status:  # a long step can look so
            status = f"no answer: the solver said {status!r}, which nothing shows"
        return Row(**setting, status=status, seconds=seconds)
    remarks = [status, *(str(w.message).split(".")[0] for w in warned), *(["gap warning"] if said.getvalue() else [])]
    primal, dual = unit * float(pep.objective.eval()), unit * float(dual)
    constraints = pep._list_of_prepared_constraints
    return Row(
        **setting,
        primal=primal,
        dual=dual,
        gap=dual - primal,
        violation=max(0.0, *(float(constraint.eval()) for constraint in constraints)),
        gram=float(np.linalg.eigvalsh(pep.G_value)[0]),
        slack=unit * float(np.linalg.eigvalsh(pep.residual)[0]),
        multiplier=unit * float(min(constraint.eval_dual() for constraint in constraints)),
        status="; ".join(dict.fromkeys(remarks)),
        seconds=seconds,
    )
