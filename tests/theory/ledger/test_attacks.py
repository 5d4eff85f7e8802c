"""False statements against each checker: none may come out as proved, holding, or a counterexample."""

import sys

import numpy as np
import pytest
import sympy as sp
import z3
from hypothesis import assume
from hypothesis import strategies as st

from theory.ledger.effort import Effort
from theory.ledger.evidence import (
    Evidence,
    Finding,
    Kind,
    Outcome,
    counterexample,
    enumerated,
    holds_for,
    measured,
    published,
    run,
)
from theory.ledger.provers import Check, Query, Square, certificate, identity, reals, smt

FEW = Effort("few", examples=30, thorough=False)
x, y = sp.symbols("x y", real=True)
p = sp.Symbol("p", positive=True)
free, nothing, left, even = (
    sp.Symbol("f"),
    sp.Symbol("o", zero=True),
    sp.Symbol("a", commutative=False),
    sp.Symbol("e", even=True),
)
imaginary = sp.Symbol("i", imaginary=True)
hidden_zero = sp.Add((x + 1) ** 2, -(x**2), -2 * x, -1)  # not simplified on sight
circle = sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1  # 0
nested = sp.sqrt(3 + 2 * sp.sqrt(2)) - 1 - sp.sqrt(2)  # 0
rooted = sp.sqrt(p**2 + 2 * p + 1) - p - 1  # 0
spun = sp.Symbol("z", complex=True)
NAN = float("nan")
X, Y = reals("X Y")

IDENTITIES = {
    "plainly false": lambda: identity((x + y) ** 2, x**2 + y**2),
    "0/0 is 7": lambda: identity(hidden_zero * x / hidden_zero.func(*hidden_zero.args) ** 2, 7),
    "a hidden zero over a hidden zero": lambda: identity(hidden_zero / hidden_zero**3, 7),
    "one over one over zero": lambda: identity(1 / (1 + 1 / hidden_zero), 0),
    "a root is not its argument": lambda: identity(sp.sqrt(free**2), free),
    "absolute value": lambda: identity(sp.Abs(x), x),
    "a float that rounds to equal": lambda: identity(x + sp.Float("1e-30"), x),
    "infinity": lambda: identity(sp.oo * p, sp.oo),
    "undefined": lambda: identity(sp.nan, sp.nan),
    "complex infinity": lambda: identity(sp.zoo, 1),
    "a symbol that is zero by declaration": lambda: identity(nothing * 5, 0),
    "a symbol that is imaginary": lambda: identity(imaginary * x, imaginary * x),
    "symbols that do not commute": lambda: identity(left * x, x * left),
    "0 over sin^2 + cos^2 - 1": lambda: identity((x + 1) / circle, x / circle + 1 / circle),
    "roots that cancel": lambda: identity((x + 1) / nested, x / nested + 1 / nested),
    "a root of a square that is one": lambda: identity((x + 1) / rooted, x / rooted + 1 / rooted),
    "a sum that diverges": lambda: identity(
        sp.Sum(1 / free, (free, 1, sp.oo)) + x, sp.Sum(1 / free, (free, 1, sp.oo)) + x
    ),
    "a derivative that was not taken": lambda: identity(
        sp.Derivative(x, y) * 2, sp.Derivative(x, y) + sp.Derivative(x, y)
    ),
    "a complex symbol": lambda: identity(spun * x, x * spun),
    "an order term swallows the rest": lambda: identity(sp.O(x) + x - sp.O(x), sp.O(x)),
}

CERTIFICATES = {
    "x is a square of its root": lambda: certificate(x, [Square(sp.sqrt(x))]),
    "minus 1 is a square": lambda: certificate(-1 - x**2, [Square(sp.I), Square(sp.I * x)]),
    "a cube root of minus 1": lambda: certificate(
        sp.expand(((-1) ** sp.Rational(1, 3)) ** 2), [Square((-1) ** sp.Rational(1, 3))]
    ),
    "a fourth root": lambda: certificate(sp.sqrt(x), [Square(x ** sp.Rational(1, 4))]),
    "a logarithm": lambda: certificate(sp.log(x) ** 2 * x / x, [Square(sp.log(x))]),
    "an exponential of i": lambda: certificate(sp.exp(2 * sp.I * x), [Square(sp.exp(sp.I * x))]),
    "an imaginary symbol": lambda: certificate(imaginary**2, [Square(imaginary)]),
    "an undeclared multiplier": lambda: certificate(x**3, [Square(x, times=(x,))]),
    "a negative constant declared": lambda: certificate(sp.Integer(-1), [Square(1, times=(-1,))], nonnegative=(-1,)),
    "signs that contradict": lambda: certificate(-x - 1, [Square(1, times=(-x - 1,))], nonnegative=(x, -x - 1)),
    "zero declared positive": lambda: certificate(x**2, [Square(x)], positive=(sp.Integer(0),)),
    "a divisor that may be 0": lambda: certificate(x**2 / y, [Square(x, over=(y,))], nonnegative=(y,)),
    "a negative weight": lambda: certificate(-(x**2), [Square(x, weight=-1)]),
    "a weight that is no number": lambda: certificate(x**2, [Square(x, weight=sp.nan)]),
    "a complex base": lambda: certificate(spun**2, [Square(spun)]),
    "what is claimed is declared": lambda: certificate(x, [Square(1, times=(x,))], nonnegative=(x,)),
    "a multiple of it is declared": lambda: certificate(3 * x, [Square(1, times=(x,), weight=3)], positive=(x,)),
    "a missing term": lambda: certificate(x**2 - 2 * x * y, [Square(x - y)]),
}

QUERIES = {
    "plainly false": Query([X >= 0], X >= 1, control=X >= 2),
    "no point satisfies the hypotheses": Query([X > 0, X < 0], X == 7, control=X == 8),
    "met by a quotient by zero alone": Query([X == 0, Y / X == 1], Y == 2, control=Y == 3),
    "met by a quotient by zero, deeper": Query([X * X == 0, 1 / (X + X) > 1], Y > 5, control=Y > 6),
    "the conclusion is assumed": Query([X >= 0, Y >= X], Y >= X, control=Y > X),
    "the negative control is true": Query([X >= 0], X * X + X >= 0, control=X * X + X >= -1),
    "the negative control says nothing": Query([X >= 0], X * X + X >= 0, control=z3.BoolVal(False)),
    "the negative control is the conclusion": Query([X >= 0], X * X + X >= 0, control=X * X + X >= 0),
    "the negative control fails by a quotient by zero alone": Query(
        [X >= 0], X * X + X >= 0, control=z3.Implies(X == 0, Y / X == 0)
    ),
    "a strict bound that is attained": Query([X >= 0, X <= 1], X * X < 1, control=X < 0),
    "true of integers alone": Query([X > 0], X >= 1, control=X >= 2),
    "a third that was rounded": Query([3 * X >= 1], X > 1 / 3, control=X > 1),
    "zero to the power of zero": Query([X == 0], X**X == 1, control=Y >= 1),
    "a root of a negative number": Query([X == -1, Y == X**0.5], Y * Y == -1, control=Y >= 1),
    "the conclusion is assumed, in other words": Query([X >= Y], -X <= -Y, control=X > Y),
    "the conclusion is assumed, twice over": Query([X >= 0], 2 * X >= 0, control=X > 1),
    "true of everything": Query([X >= 0], z3.Or(Y > 0, Y <= 0), control=Y > 0),
    "a truth value in place of a number": Query([z3.Bool("q")], z3.Or(z3.Bool("q"), X > 0), control=X > 0),
    "a root that need not exist": Query([Y * Y == X], X >= 1, control=X >= 2),
}


def _odd_cases_only(n):
    assume(n % 2)
    assert n != 0


def _returns_instead_of_asserting(n):
    return n < 0


def _never_runs(n):
    yield n
    assert n < 0


async def _never_awaited():
    raise AssertionError


_COROUTINE = _never_awaited()
_COROUTINE.close()  # else Python would warn of it wherever it is collected


def _rejects_everything(n):
    assume(False)


PROPERTIES = {
    "plainly false": lambda n: _fails(n >= 0),
    "false at one value": lambda n: _fails(n != 0),
    "false beyond a bound": lambda n: _fails(n * n <= 6),
    "false of NaN": lambda n: _fails(n < NAN),
    "a truth value": _returns_instead_of_asserting,
    "a generator": _never_runs,
    "a coroutine": lambda n: _COROUTINE,
    "no case is left": _rejects_everything,
    "an error in the check": lambda n: 1 / 0,
    "a lambda that compares": lambda n: n == n + 1,
}


def _fails(true):
    assert true, "false here"


EXPECTATIONS = {
    "plainly false": lambda _: _fails(False),
    "says nothing": lambda _: None,
    "a truth value": lambda _: False,
    "an empty text": lambda _: "",
    "a generator": lambda _: (_fails(False) for _ in range(1)),
    "a number that is none": lambda _: ("seen", {"ratio": float("nan")}),
    "an infinite bound": lambda _: ("seen", {"bound": float("inf")}),
    "a list": lambda _: ["seen", {}],
    "an error": lambda _: 1 / 0,
    "no words": lambda _: (None, {}),
    "a blank text": lambda _: "  ",
    "it ends the program with success": lambda _: sys.exit(0),
    "a finding of its own": lambda _: Finding(Outcome.SUPPORTS, "seen"),
}

COUNTEREXAMPLES = {
    "the case holds": lambda: (False, "seen"),
    "a number that is none": lambda: (float("nan"), "seen"),
    "a text in place of a truth value": lambda: ("no", "seen"),
    "a list in place of a truth value": lambda: ([False], "seen"),
    "nothing": lambda: None,
    "no words": lambda: (True, None),
    "a number of failures": lambda: (3, "seen"),
    "an error": lambda: (1 / 0, "seen"),
    "one value": lambda: True,
    "a comparison that was not made": lambda: (x < y, "seen"),
    "one failure, counted": lambda: (1, "seen"),
    "an array of one truth value": lambda: (np.array([True]), "seen"),
    "an empty text": lambda: (True, ""),
    "it ends the program with success": lambda: sys.exit(0),
}

FINDINGS = {
    "a truth value": lambda _: True,
    "nothing": lambda _: None,
    "a text": lambda _: "1.0 [0.9, 1.1]",
    "an outcome alone": lambda _: Outcome.SUPPORTS,
    "an outcome in words": lambda _: Finding("supports", "1.0 [0.9, 1.1]"),  # type: ignore[arg-type]
    "a truth value for an outcome": lambda _: Finding(True, "1.0 [0.9, 1.1]"),  # type: ignore[arg-type]
    "no words": lambda _: Finding(Outcome.SUPPORTS, ""),
    "words without a number": lambda _: Finding(Outcome.SUPPORTS, "the ratio is as predicted"),
    "a number that is none": lambda _: Finding(Outcome.SUPPORTS, "the ratio is nan, predicted 1.0"),
    "a value that is none": lambda _: Finding(Outcome.SUPPORTS, "ratio 1.0", values={"ratio": NAN}),
    "an infinite value": lambda _: Finding(Outcome.SUPPORTS, "ratio 1.0", values={"ratio": float("inf")}),
    "a value in words": lambda _: Finding(Outcome.SUPPORTS, "ratio 1.0", values={"ratio": "1"}),  # type: ignore[dict-item]
    "a generator": lambda _: (Finding(Outcome.SUPPORTS, "1.0") for _ in range(1)),
    "an error": lambda _: 1 / 0,
    "an assertion that fails": lambda _: _fails(False),
    "it ends the program with success": lambda _: sys.exit(0),
}
"""What neither a measurement nor arithmetic on printed numbers may find."""

PROOFS = {
    "no piece": lambda _: Finding(Outcome.SUPPORTS, "trust me"),
    "prose alone": lambda _: Finding(Outcome.SUPPORTS, "argued", [{"name": "a", "tool": "prose", "ok": True}]),
    "a piece that failed": lambda _: Finding(Outcome.SUPPORTS, "seen", [{"name": "a", "tool": "sympy", "ok": False}]),
}


def refused(check):
    try:
        return not check().ok
    except (ValueError, TypeError, ArithmeticError):
        return True


@pytest.mark.parametrize("attack", IDENTITIES.values(), ids=IDENTITIES)
def test_no_false_identity(attack):
    assert refused(attack)


@pytest.mark.parametrize("attack", CERTIFICATES.values(), ids=CERTIFICATES)
def test_no_false_certificate(attack):
    assert refused(attack)


@pytest.mark.parametrize("attack", QUERIES.values(), ids=QUERIES)
def test_no_false_query(attack):
    assert refused(lambda: smt(attack))


@pytest.mark.parametrize("attack", PROPERTIES.values(), ids=PROPERTIES)
@pytest.mark.filterwarnings("ignore:coroutine")
def test_no_false_property(attack):
    assert run(holds_for("a", attack, n=st.integers(-5, 5)), FEW).outcome is not Outcome.SUPPORTS


@pytest.mark.parametrize("attack", EXPECTATIONS.values(), ids=EXPECTATIONS)
def test_no_false_expectation(attack):
    assert run(enumerated("a", attack), FEW).outcome is not Outcome.SUPPORTS


@pytest.mark.parametrize("attack", COUNTEREXAMPLES.values(), ids=COUNTEREXAMPLES)
def test_no_false_counterexample(attack):
    assert run(counterexample("a", attack), FEW).outcome is not Outcome.CONTRADICTS


@pytest.mark.parametrize("kind", [measured, published])
@pytest.mark.parametrize("attack", FINDINGS.values(), ids=FINDINGS)
def test_no_false_finding(kind, attack):
    assert run(kind("a", attack), FEW).outcome is Outcome.ERROR


@pytest.mark.parametrize("kind", [Kind.PROOF, Kind.FORMAL])
@pytest.mark.parametrize("attack", PROOFS.values(), ids=PROOFS)
def test_no_proof_without_a_checked_piece(kind, attack):
    assert run(Evidence(kind, "a", attack), FEW).outcome is Outcome.ERROR


def test_only_cases_that_were_checked_are_counted():
    found = run(holds_for("odd", _odd_cases_only, n=st.integers(0, 9)), Effort("few", examples=30, thorough=False))
    assert found.outcome is Outcome.SUPPORTS
    checked = int(found.detail.split()[0])
    assert 0 < checked <= 30


def test_checks_of_one_shape_draw_different_cases():
    seen = {"first": [], "second": []}

    def first(n):
        seen["first"].append(n)

    def second(n):
        assert n >= 0
        seen["second"].append(n)

    for check in (first, second):
        for _ in range(2):
            run(holds_for("one name", check, n=st.integers(0, 10**9)), FEW)
    for drawn in seen.values():
        assert drawn[: len(drawn) // 2] == drawn[len(drawn) // 2 :]  # the same cases each time
    assert seen["first"] != seen["second"]


@pytest.mark.parametrize("ok", ["no", 1, np.bool_(True), x < y, None], ids=str)
def test_no_check_but_a_truth_value(ok):
    with pytest.raises(TypeError, match="ok = "):
        Check(ok, "mine", "trust me")
