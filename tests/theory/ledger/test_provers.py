"""Each proof tool accepts a true statement and fails on a false, vacuous or unsupported one."""

import pytest
import sympy as sp

from theory.ledger.provers import Query, Square, certificate, identity, magnitude, reals, smt

x, y = sp.symbols("x y", real=True)
X, Y, B = reals("X Y B")


def test_identity_accepts_and_rejects():
    assert identity((x + y) ** 2, x**2 + 2 * x * y + y**2).ok
    assert identity(1 / (1 - x) - 1, x / (1 - x)).ok
    wrong = identity((x + y) ** 2, x**2 + y**2)
    assert not wrong.ok
    assert "2*x*y" in wrong.detail


def test_identity_refuses_floats():
    with pytest.raises(ValueError, match="floating-point"):
        identity(0.1 * x, x / 10)


def test_certificate_accepts():
    b = sp.Symbol("b", real=True)
    convexity = b * x**2 + (1 - b) * y**2 - (b * x + (1 - b) * y) ** 2
    assert certificate(convexity, [Square(x - y, times=(b, 1 - b))], nonnegative=(b, 1 - b)).ok


@pytest.mark.parametrize(("squares", "nonnegative", "why"), [
    ([Square(x + y, times=(x,))], (), "undeclared sign"),
    ([Square(x, over=(y,))], (y,), "undeclared sign"),
    ([Square(x, weight=-1)], (), "negative weight"),
    ([Square(x), Square(y)], (), "numerator"),
], ids=["multiplier", "divisor not positive", "weight", "not equal"])  # fmt: skip
def test_certificate_rejects(squares, nonnegative, why):
    check = certificate((x + y) ** 2, squares, nonnegative=nonnegative)
    assert not check.ok
    assert why in check.detail


def test_smt_proves():
    average = B * X + (1 - B) * Y
    hypotheses = [B >= 0, B <= 1, magnitude(X) <= 1, magnitude(Y) <= 1]
    check = smt(Query(hypotheses, magnitude(average) <= 1, control=magnitude(average) < 1))
    assert check.ok
    assert "z3" in check.tool
    assert "cvc5" in check.tool


@pytest.mark.parametrize(("query", "why"), [
    (Query([X >= 0], X * X >= 1, control=X >= 1), "not proved"),
    (Query([X > 0, X < 0], X == 7, control=X == 8), "vacuous"),
    (Query([X >= 0], X * X + X >= 0, control=X * X + X >= -1), "control was not refuted"),
], ids=["false", "vacuous", "control is true"])  # fmt: skip
def test_smt_rejects(query, why):
    check = smt(query)
    assert not check.ok
    assert why in check.detail


@pytest.mark.parametrize("silent", ["_ask_z3", "_ask_cvc5"])
def test_unknown_is_never_success(monkeypatch, silent):
    monkeypatch.setattr(f"theory.ledger.provers.{silent}", lambda _: "unknown")
    assert not smt(Query([X >= 0], X + 1 >= 1, control=X >= 1)).ok
