"""K21 ... K23: worst cases, numerical."""

from collections.abc import Iterator

from theory.regressions.check import Check, Quantity
from theory.worst_case import closed_forms
from theory.worst_case.method import Method, methods
from theory.worst_case.row import Problem


def _optimum(problem: Problem, method: Method) -> float:
    from theory.worst_case.pep import solve  # it brings in the modelling packages, slow to import

    return solve(problem, method).dual or float("nan")


def _convex() -> Iterator[Quantity]:
    for c, beta1, N, reference in ((0.0, 0.99, 10, 0.02381), (0.05, 0.99, 10, 0.02495), (-0.5, 0.9, 5, 0.03312)):
        yield f"c={c:g}, beta1={beta1:g}, N={N}", _optimum(Problem.CONVEX, Method(c, beta1, 0.0, 1.0, N)), reference


def _closed_form() -> Iterator[Quantity]:
    for method in methods((-0.5, -0.25, 0.0, 0.05, 0.25, 0.5), (0.5, 0.9, 0.99), (1, 2, 5), beta2=0.0, eta=1.0):
        name = f"c={method.c:g}, beta1={method.beta1:g}, N={method.N}"
        yield name, _optimum(Problem.CONVEX, method), closed_forms.smooth_convex(method)


def _nonconvex() -> list[Quantity]:
    return [
        (f"c={c:g}, beta1=.99, N={N}", _optimum(Problem.NONCONVEX, Method(c, 0.99, 0.0, 1.0, N)), reference)
        for c, N, reference in ((0.05, 5, 0.27590), (0.5, 1, 2.28571))
    ]


CHECKS = (
    Check("K21", "worst case, smooth convex", lambda: list(_convex())),
    Check("K22", "worst case beside its closed form, |c| <= .5, N <= 5", lambda: list(_closed_form()), 1e-4),
    Check("K23", "worst case, smooth non-convex", _nonconvex),
)
