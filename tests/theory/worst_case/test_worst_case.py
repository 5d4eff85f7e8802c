"""Worst cases: the method, the solver beside its dual, the closed forms, and the exact check of certificates."""

import json
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from theory.ledger import provenance
from theory.method.algorithms import ESGD
from theory.worst_case import (
    closed_forms,
    dual,
    grid,
    nonconvex,
    nonconvex_dual,
    pep,
    rounding,
    settled,
    solved,
    summary,
    tables,
    tuned,
)
from theory.worst_case.certificate import STAR, Certificate, balance, inequality, pairs, positive_semidefinite, read
from theory.worst_case.method import Method, methods
from theory.worst_case.row import MU, Problem, Row

SAYS_UNBOUNDED = SimpleNamespace(prob=SimpleNamespace(status="unbounded"))
HALF, ONE = Fraction(1, 2), Fraction(1)
MOMENTUM = Method(Fraction(1, 20), Fraction(99, 100), Fraction(9, 10), Fraction(1, 10), 3)
PLAIN = Method(Fraction(-1, 2), Fraction(9, 10), Fraction(0), ONE, 3)


@pytest.mark.parametrize("method", [MOMENTUM, PLAIN], ids=["momentum", "plain"])
def test_displacement_is_the_literal_algorithm(method):
    gradients = np.random.default_rng(0).normal(size=method.N)
    plain = method.floats()
    optimizer = ESGD(-plain.c / (1 - plain.beta1), plain.beta1, plain.beta2)
    x = optimizer.init([np.zeros((1, 1))])
    for k, row in enumerate(method.displacement()):
        assert x[0].item() == pytest.approx(-sum(float(d) * g for d, g in zip(row, gradients, strict=True)), abs=1e-13)
        if k < method.N:
            x = optimizer.step(x, [np.array([[gradients[k]]])], plain.eta)


def test_total_displacement_has_its_closed_form():
    for method in methods([Fraction(1, 3), -HALF], [HALF, Fraction(9, 10)], [1, 4], beta2=Fraction(0), eta=ONE):
        c, b, N = method.c, method.beta1, method.N
        assert method.total_displacement() == N - c * (1 - b**N) / (1 - b)


def test_residual_is_a_run_on_a_quadratic():
    x = [Fraction(1)]
    for row in MOMENTUM.displacement()[1:]:
        x.append(1 - Fraction(3, 4) * sum(d * y for d, y in zip(row, x, strict=False)))
    assert MOMENTUM.residual(Fraction(3, 4)) == x[-1]


@pytest.mark.parametrize(("arguments", "name"), [
    ((1, HALF, 0, 1, 3), "c"), ((0, 1, 0, 1, 3), "beta1"), ((0, HALF, -1, 1, 3), "beta2"), ((0, HALF, 0, 0, 3), "eta"),
    ((0, HALF, 0, 1, 0), "N"),
])  # fmt: skip
def test_a_method_outside_its_domain(arguments, name):
    with pytest.raises(ValueError, match=f"^{name} = .*allowed is"):
        Method(*arguments)


def test_the_huber_function_attains_its_closed_form():
    """Exact arithmetic, E(SGD) and E-heavy-ball: the lower bound is a run, not a formula."""
    for method in [PLAIN, MOMENTUM, *methods([Fraction(9, 10)], [HALF], [1, 5], beta2=Fraction(0), eta=ONE)]:
        assert closed_forms.huber_run(method) == closed_forms.huber(method)


def test_the_quadratic_lower_bound_is_a_value_at_a_curvature_of_the_class():
    value, l = closed_forms.quadratic(Method(-HALF, HALF, Fraction(0), ONE, 2))
    assert 0 <= l <= 1
    assert value == l * Method(-HALF, HALF, Fraction(0), ONE, 2).residual(l) ** 2 / 2 == Fraction(1, 8)


@pytest.mark.parametrize(("problem", "method", "expected"), [
    (Problem.CONVEX, Method(0.0, 0.99, 0.0, 1.0, 10), 1 / 42),
    (Problem.CONVEX, Method(0.05, 0.99, 0.0, 1.0, 10), 0.02495),
    (Problem.CONVEX, Method(-0.5, 0.9, 0.0, 1.0, 5), 0.03312),
    (Problem.NONCONVEX, Method(0.05, 0.99, 0.0, 1.0, 5), 0.27590),
    (Problem.NONCONVEX, Method(0.5, 0.99, 0.0, 1.0, 1), 2.28571),
    (Problem.STRONGLY_CONVEX, Method(0.05, 0.99, 0.0, 1.0, 10), 0.007674),
    (Problem.CONVEX, Method(0.5, 0.99, 0.9, 0.1, 10), 0.094850),
], ids=str)  # fmt: skip
def test_numerical_optima(problem, method, expected):
    """Values to four or five digits that other code gave."""
    row = pep.solve(problem, method)
    assert row.trusted
    assert row.dual == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize(("method", "mu", "problem"), [
    (MOMENTUM, 0.0, Problem.CONVEX), (PLAIN, MU, Problem.STRONGLY_CONVEX),
], ids=["convex, momentum", "strongly convex"])  # fmt: skip
def test_our_dual_and_pepit_agree(method, mu, problem):
    assert dual.optimum(method, mu) == pytest.approx(pep.solve(problem, method.floats()).dual, rel=1e-6)


@pytest.mark.parametrize("method", [
    Method(-0.95, 0.5, 0.0, 1.0, 3), Method(0.98, 0.5, 0.0, 1.0, 5), Method(0.0, 0.5, 0.0, 2.0, 3),
], ids=str)  # fmt: skip
def test_an_unbounded_worst_case_is_shown_by_a_quadratic(method):
    """Some curvature throws the run out, so that f(x_N) >= f(x_0) from any distance."""
    row = pep.solve(Problem.NONCONVEX, method)
    assert (row.status, row.dual, row.trusted) == ("unbounded", None, False)
    curvatures = np.linspace(0.1, 1, 901)
    assert (method.residual(curvatures) ** 2).max() >= 1


def test_a_solver_that_says_unbounded_is_not_believed(monkeypatch):
    monkeypatch.setattr(pep.PEP, "solve", lambda self, **_: setattr(self, "wrapper", SAYS_UNBOUNDED))
    for problem in Problem:
        row = pep.solve(problem, Method(0.0, 0.5, 0.0, 1.0, 2))
        assert row.status.startswith("no answer")
        assert row.dual is None


@pytest.mark.parametrize(("eta", "N"), [(1e6, 1), (1e3, 1), (100.0, 3), (3.0, 10)])
def test_the_worst_case_of_a_long_step_is_finite(eta, N):
    """The quadratic of curvature 1 has eta^(2N) / 2 about; for gradient descent nothing is worse than quadratics."""
    method = Method(0.0, 0.5, 0.0, eta, N)
    row = pep.solve(Problem.CONVEX, method)
    assert row.trusted
    assert row.dual == pytest.approx((1 - eta) ** (2 * N) / 2, rel=2e-5)
    assert closed_forms.smooth_convex(method) == pytest.approx((1 - eta) ** (2 * N) / 2)


@pytest.mark.parametrize(("eta", "N"), [(10.0, 10), (1e6, 40)])
def test_a_step_too_long_for_the_solver_has_no_answer(eta, N):
    row = pep.solve(Problem.CONVEX, Method(0.0, 0.5, 0.0, eta, N))
    assert row.trusted or (row.dual is None and "unbounded" not in row.status)


def test_a_row_with_a_large_residual_is_not_trusted():
    row = Row("smooth convex", 0.0, 0.5, 0.0, 1.0, 1, "optimal", 0.1, 0.1, 0.1001, 1e-4, 0.0, 0.0, 0.0, 0.0)
    assert not row.trusted


def test_the_closed_form_holds_and_fails_where_it_is_said_to():
    holds = grid.compare(grid.Case(Problem.CONVEX, Method(0.5, 0.5, 0.0, 1.0, 5)))
    fails = grid.compare(grid.Case(Problem.CONVEX, Method(0.75, 0.5, 0.0, 1.0, 5)))
    assert (holds.holds, fails.holds) == (True, False)
    assert fails.relative == pytest.approx(-0.1924, abs=1e-3)


def test_no_closed_form_for_momentum_and_strong_convexity():
    assert grid.conjecture(grid.Case(Problem.CONVEX, MOMENTUM.floats())) is None
    assert grid.conjecture(grid.Case(Problem.STRONGLY_CONVEX, PLAIN.floats())) is None
    with pytest.raises(ValueError, match="c >= 0"):
        closed_forms.smooth_nonconvex(PLAIN)


def test_cases_have_names_of_their_own():
    for cases in (grid.quick(), grid.full()):
        assert len({case.key() for case in cases}) == len(cases)


@pytest.mark.parametrize("curvature", [Fraction(1), Fraction(1, 3), Fraction(1, 10)])
def test_the_inequalities_hold_on_quadratics_of_the_class(curvature):
    """<A_ij, G> + f_j - f_i <= 0 on f = l x^2 / 2 with l in [mu, 1], for every pair; exact arithmetic."""
    mu = Fraction(1, 10)
    x = [Fraction(1)]
    for row in MOMENTUM.displacement()[1:]:
        x.append(1 - curvature * sum(d * y for d, y in zip(row, x, strict=False)))
    basis = [Fraction(1), *(curvature * y for y in x)]
    value = {STAR: Fraction(0)} | {i: curvature * y * y / 2 for i, y in enumerate(x)}
    sums = []
    for i, j in pairs(MOMENTUM.N):
        A = inequality(MOMENTUM, mu, (i, j))
        quadratic = sum(A[r][s] * basis[r] * basis[s] for r in range(len(basis)) for s in range(len(basis)))
        sums.append(value[j] - value[i] + quadratic)
    assert max(sums) <= 0
    if curvature in {1, mu}:
        assert max(sums) == 0


def test_the_inequalities_refuse_a_function_outside_the_class():
    """f = x^2 has curvature 2: some inequality of the class with L = 1 must fail."""
    A = inequality(PLAIN, Fraction(0), (STAR, 0))
    basis = [Fraction(1), Fraction(2)] + [Fraction(0)] * PLAIN.N
    quadratic = sum(A[r][s] * basis[r] * basis[s] for r in range(len(basis)) for s in range(len(basis)))
    assert Fraction(1) + quadratic > 0


@pytest.mark.parametrize("size", [1, 2, 4])
def test_positive_semidefinite_knows_both_sides_exactly(size):
    rng = np.random.default_rng(size)
    root = [[Fraction(int(v)) for v in row] for row in rng.integers(-5, 6, (size, size))]
    gram = [[sum(a * b for a, b in zip(r, s, strict=True)) for s in root] for r in root]
    singular = [[*row, row[0]] for row in gram]
    singular.append(singular[0][:])
    below = [row[:] for row in singular]
    below[-1][-1] -= Fraction(1, 10**30)
    assert positive_semidefinite(singular)
    assert not positive_semidefinite(below)
    assert not positive_semidefinite([[Fraction(1), HALF], [Fraction(1, 3), Fraction(1)]])
    assert not positive_semidefinite([[Fraction(0), ONE], [ONE, Fraction(0)]])


@pytest.fixture(scope="module")
def certificate():
    setting = settled.Setting(Method(Fraction(1, 20), Fraction(99, 100), Fraction(0), ONE, 2))
    return rounding.certify(setting)


def test_rounding_gives_a_proof_within_the_allowance(certificate):
    assert certificate.reject() is None
    lower = closed_forms.smooth_convex(certificate.method)
    assert lower < certificate.tau <= lower + Fraction(1, 10**6)


def test_every_mutated_multiplier_is_refused(certificate):
    for pair in certificate.multipliers:
        assert "cancel" in certificate.mutated(pair, Fraction(1, 1000)).reject()
        assert "negative" in certificate.mutated(pair, -certificate.multipliers[pair] - Fraction(1, 1000)).reject()


def test_a_mutation_that_keeps_the_values_balanced_meets_the_slack_matrix(certificate):
    """Weight moved along a cycle keeps every value cancelled, so that only the exact L D L' can refuse it."""
    moved = certificate
    for pair in ((0, 1), (1, STAR), (STAR, 0)):
        moved = moved.mutated(pair, Fraction(1, 10))
    assert all(balance(moved.multipliers, k) == (k == 2) for k in range(3))
    assert "positive semidefinite" in moved.reject()


def test_a_bound_below_the_attained_value_is_refused(certificate):
    lower = closed_forms.smooth_convex(certificate.method)
    below = Certificate(certificate.method, certificate.mu, lower - Fraction(1, 10**9), certificate.multipliers)
    assert "positive semidefinite" in below.reject()


def test_a_certificate_of_another_setting_is_refused(certificate):
    other = Certificate(
        Method(HALF, HALF, Fraction(0), ONE, 2), certificate.mu, certificate.tau, certificate.multipliers
    )
    assert "positive semidefinite" in other.reject()


def test_a_stray_pair_and_a_wrong_class_are_refused(certificate):
    stray = Certificate(certificate.method, certificate.mu, certificate.tau, {**certificate.multipliers, (7, 0): ONE})
    assert "no pair" in stray.reject()
    assert "mu" in Certificate(certificate.method, ONE, certificate.tau, certificate.multipliers).reject()


def test_a_certificate_survives_its_file(certificate, tmp_path):
    solved.save_certificate(tmp_path, "one", certificate)
    again = read(tmp_path / solved.CERTIFICATES / "one.json")
    assert again == certificate
    assert again.reject() is None


@pytest.mark.parametrize("damage", [
    lambda stored: stored.pop("tau"),
    lambda stored: stored["multipliers"].update({"0,1": "0.5 or so"}),
    lambda stored: stored["method"].update({"N": -3}),
    lambda stored: stored.update({"multipliers": {"0;1": "1"}}),
], ids=["no tau", "no rational", "N < 1", "no pair"])  # fmt: skip
def test_a_damaged_file_is_named(certificate, tmp_path, damage):
    stored = certificate.to_json()
    damage(stored)
    (tmp_path / "bad.json").write_text(json.dumps(stored))
    with pytest.raises(ValueError, match=r"bad\.json is no certificate"):
        read(tmp_path / "bad.json")


def test_a_missing_or_exchanged_certificate_is_a_refusal(certificate, tmp_path):
    first = settled.bracketed()[0]
    solved.save_certificate(tmp_path, first.name, certificate)
    seen = dict(settled.refusals(tmp_path))
    assert len(seen) == 98
    assert "speaks of" in seen[first.name]
    assert all(seen.values())


@pytest.mark.parametrize("curvature", [Fraction(1), Fraction(-1), Fraction(1, 3), Fraction(-1, 2)])
def test_the_non_convex_inequalities_hold_on_quadratics_of_the_class(curvature):
    """<B_ij, G> + f_j - f_i <= 0 on f = l x^2 / 2 with l in [-1, 1], attained at the ends; exact arithmetic."""
    x = [Fraction(1)]
    for row in MOMENTUM.displacement()[1:]:
        x.append(1 - curvature * sum(d * y for d, y in zip(row, x, strict=False)))
    g, value = [curvature * y for y in x], [curvature * y * y / 2 for y in x]
    sums = []
    for i, j in nonconvex.pairs(MOMENTUM.N):
        B = nonconvex.inequality(MOMENTUM, (i, j))
        sums.append(value[j] - value[i] + sum(B[r][s] * g[r] * g[s] for r in range(len(g)) for s in range(len(g))))
    assert max(sums) <= 0
    if abs(curvature) == 1:
        assert max(sums) == 0


def test_the_non_convex_inequalities_refuse_a_function_outside_the_class():
    """f = x^2 has curvature 2: between 1 and its first step some inequality with L = 1 must fail."""
    x = [Fraction(1), 1 - PLAIN.displacement()[1][0] * 2]
    g = [2 * x[0], 2 * x[1], Fraction(0), Fraction(0)]
    B = nonconvex.inequality(PLAIN, (0, 1))
    quadratic = sum(B[r][s] * g[r] * g[s] for r in range(4) for s in range(4))
    assert x[1] ** 2 - x[0] ** 2 + quadratic > 0


@pytest.fixture(scope="module")
def gradients():
    return nonconvex_dual.certify(settled.gradients()[8].method)


def test_a_non_convex_certificate_proves_a_bound_that_a_run_nearly_attains(gradients):
    """Gradient descent, N = 1: 4/3 in closed form."""
    assert gradients.reject() is None
    one = nonconvex_dual.certify(Method(Fraction(0), HALF, Fraction(0), ONE, 1))
    assert Fraction(4, 3) <= one.tau <= Fraction(4, 3) + Fraction(1, 10**6)


def test_a_mutated_non_convex_certificate_is_refused(gradients):
    for pair in gradients.multipliers:
        assert "cancel" in gradients.mutated(pair, Fraction(1, 1000)).reject()
        assert "negative" in gradients.mutated(pair, -gradients.multipliers[pair] - ONE).reject()
    moved = gradients
    for pair in ((0, 1), (1, 2), (2, 0)):
        moved = moved.mutated(pair, -gradients.multipliers[pair] / 2)
    assert moved.reject()
    cycle = replace(gradients, multipliers={pair: Fraction(0) for pair in gradients.multipliers})
    cycle = replace(cycle, multipliers={**cycle.multipliers, (0, gradients.method.N): gradients.tau})
    assert "positive semidefinite" in cycle.reject()
    assert "average" in replace(gradients, shares=gradients.shares[1:]).reject()
    assert "average" in replace(gradients, shares=[2 * s for s in gradients.shares]).reject()


def test_a_non_convex_certificate_survives_its_file(gradients, tmp_path):
    solved.save_certificate(tmp_path, "one", gradients)
    path = tmp_path / solved.CERTIFICATES / "one.json"
    assert nonconvex.read(path) == gradients
    stored = json.loads(path.read_text())
    del stored["shares"]
    path.write_text(json.dumps(stored))
    with pytest.raises(ValueError, match="is no certificate"):
        nonconvex.read(path)


def test_a_loose_bound_and_one_without_an_optimum_are_named(certificate, tmp_path):
    setting = next(s for s in settled.every() if s.method == certificate.method and s.problem is Problem.CONVEX)
    row = {"trusted": True, "dual": float(certificate.tau) - 5e-7}
    solved.save_certificate(tmp_path, setting.name, certificate)
    assert dict(settled.far_from({setting.case: row}, tmp_path))[setting.name] is None
    solved.save_certificate(tmp_path, setting.name, replace(certificate, tau=certificate.tau + Fraction(1, 10**6)))
    assert "above the numerical optimum" in dict(settled.far_from({setting.case: row}, tmp_path))[setting.name]
    for rows in ({}, {setting.case: {**row, "trusted": False}}):
        assert "no trusted optimum" in dict(settled.far_from(rows, tmp_path))[setting.name]


def test_the_quick_grid_holds_the_case_of_every_certificate():
    for cases in (grid.quick(), grid.full()):
        assert {setting.case for setting in settled.every()} <= {case.key() for case in cases}


def test_interior_multipliers_do_not_exist_below_the_optimum():
    with pytest.raises(ArithmeticError, match="no interior"):
        dual.interior(PLAIN, 0.0, 0.9 * dual.optimum(PLAIN))


def test_tuning_finds_a_step_no_worse_than_its_neighbours():
    best = tuned.tune(0.1, 0.5, 2)
    assert best.trusted
    assert best.worst_case == pytest.approx(0.06419, rel=1e-3)
    for eta in (0.9 * best.eta, 1.1 * best.eta):
        assert pep.solve(Problem.CONVEX, Method(0.1, 0.5, 0.0, eta, 2)).dual > best.worst_case


def test_rows_survive_their_file_and_other_code_does_not_use_them(tmp_path, monkeypatch):
    case = grid.Case(Problem.CONVEX, Method(0.05, 0.99, 0.0, 1.0, 1))
    rows = {case.key(): grid.compare(case).to_json()}
    solved.save(tmp_path, rows, [], solved.code())
    solved.save_table(tmp_path, rows)
    assert solved.load(tmp_path)["rows"] == rows
    assert not list(tmp_path.glob("*.partial"))
    monkeypatch.setattr(solved, "code", lambda: provenance.Code("other code", ()))
    assert solved.load(tmp_path)["rows"] == {}


def test_tables_show_what_fails_and_what_is_missing():
    cases = [
        grid.Case(Problem.CONVEX, Method(c, 0.5, 0.0, 1.0, 5)) for c in (0.5, 0.75)
    ]  # fmt: skip
    rows = [grid.compare(case).to_json() for case in cases]
    (table,) = tables.worst_case_tables(rows)
    styles = [str(cell.style) for column in table.columns[2:] for cell in column._cells]
    assert styles == ["green", "red"]
    assert "0 not trusted" in tables.residual_line(rows)
    (entry,) = summary.closed_forms(rows)
    assert entry["holds"] == [0.5]
    assert entry["fails"] == {"0.75": pytest.approx(-0.192, abs=1e-3)}
    assert tables.closed_form_table([entry]).row_count == 1
