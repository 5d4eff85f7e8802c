"""The three tools that prove a statement for all reals. Each returns a :class:`Check`; a false claim does not raise.

- :func:`identity`: both sides are the same rational function (sympy, exact).
- :func:`certificate`: an expression is a sum of squares with non-negative multipliers (sympy, exact rationals).
- :func:`smt`: two independent solvers, z3 and cvc5, find no counterexample (logic QF_NRA). A solver's answer is not a
  proof object, so a query also shows that its hypotheses can be met and that a negative control is refuted.

A symbolic number of terms is out of reach for all three: an induction is written as base, step and conclusion.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import cvc5 as _cvc5
import sympy as sp
import z3

TIMEOUT_MS = 20_000

cvc5: Any = _cvc5  # its classes come from a compiled module without stubs

Expr = Any
"""A sympy expression."""

Term = Any
"""A z3 term or formula over the reals."""


@dataclass(frozen=True)
class Check:
    """The result of one machine check.

    Args:
        ok: whether it went through.
        tool: which tool checked it.
        detail: what was seen, in words.
        value: the same as a number.
        symbols: the names of the variables that the checked relation is about; none if it says nothing, as x = x.
        controlled: a negative control, a false relation that resembles the true one, was refuted as well.

    Raises:
        TypeError: ``ok`` is no truth value.
    """

    ok: bool
    tool: str
    detail: str
    value: float | None = None
    symbols: Sequence[str] = ()
    controlled: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.ok, bool):
            raise TypeError(f"ok = {self.ok!r} must be True or False")


def identity(left: Expr, right: Expr = 0) -> Check:
    """Whether ``left == right`` as functions of their symbols made by + * / and powers, wherever both are defined.

    Args:
        left: a sympy expression in exact numbers.
        right: the other side.

    Returns:
        A check whose detail shows the remaining difference if there is one. It fails if a side is defined nowhere.

    Raises:
        ValueError: a side holds a floating-point number, which would make an exact check meaningless; a symbol that
            does not stand for all reals (of a half-line, or all integers); another function than sums, products and
            powers, whose zeros may be hidden; or what is no number, such as infinity.
    """
    sides = sp.sympify(left), sp.sympify(right)
    for side in sides:
        _check_exact(side)
        hole = _zero_divisor(side)
        if hole is not None:
            return Check(False, "sympy identity", f"the divisor {hole} is 0 everywhere: the side is defined nowhere")
    numerator = sp.expand(sp.fraction(sp.together(sides[0] - sides[1]))[0])
    ok = numerator == 0
    detail = "difference is 0" if ok else f"difference has the numerator {numerator}"
    same = sides[0] == sides[1]  # before any algebra: nothing was shown
    return Check(ok, "sympy identity", detail, symbols=() if same else _names(*sides))


def _names(*expressions: Expr) -> tuple[str, ...]:
    return tuple(sorted({str(symbol) for expression in expressions for symbol in expression.free_symbols}))


def _check_exact(expression: Expr) -> None:
    if expression.has(sp.Float):
        raise ValueError(f"floating-point number in an identity: {expression}")
    if expression.has(sp.nan, sp.zoo, sp.oo, -sp.oo, sp.Order):
        raise ValueError(f"{expression} is no number: an identity holds between finite numbers")
    for part in sp.preorder_traversal(expression):
        if not isinstance(part, sp.Add | sp.Mul | sp.Pow | sp.Symbol | sp.Number | sp.core.numbers.ImaginaryUnit):
            raise ValueError(f"{part} is no sum, product or power: give it a symbol of its own")
    for symbol in expression.free_symbols:
        complex_ = symbol.is_complex and symbol.is_real is None
        if (
            complex_
            or not symbol.is_commutative
            or symbol.is_real is False
            or symbol.is_zero
            or symbol.is_even
            or symbol.is_odd
        ):
            raise ValueError(f"the symbol {symbol} does not stand for all reals, a half-line, or all integers")


def _zero_divisor(expression: Expr) -> Expr | None:
    """A divisor within the expression that is the zero function, at any depth; None if there is none."""
    divisors: list[Any] = [part for part in sp.preorder_traversal(expression) if isinstance(part, sp.Pow)]
    for part in divisors:
        if part.exp.could_extract_minus_sign() and _is_zero(part.base):
            return part.base
    return None


def _is_zero(expression: Expr) -> bool:
    """Whether it is the zero function: by algebra, or if it has roots, at two points to 40 digits."""
    if sp.expand(sp.fraction(sp.together(expression))[0]) == 0:
        return True
    if all(power.exp.is_integer is not False for power in expression.atoms(sp.Pow)):
        return False
    symbols = sorted(expression.free_symbols, key=str)
    points = ({x: sp.Rational(3 * i + shift, 7) for i, x in enumerate(symbols, 1)} for shift in (1, 2))
    return all(abs(sp.N(expression.xreplace(point), 50)) < sp.Rational(1, 10**40) for point in points)


@dataclass(frozen=True)
class Square:
    """One term of a certificate: weight x product(times) / product(over) x base^2.

    Args:
        base: the expression that is squared.
        times: factors, each declared non-negative (or positive) to :func:`certificate`.
        over: divisors, each declared positive.
        weight: a non-negative rational.
    """

    base: Expr
    times: Sequence[Expr] = ()
    over: Sequence[Expr] = ()
    weight: Expr = 1

    def value(self) -> Expr:
        """The term as an expression."""
        return sp.Rational(self.weight) * sp.prod(self.times) / sp.prod(self.over) * sp.sympify(self.base) ** 2


def certificate(
    expression: Expr,
    squares: Sequence[Square],
    *,
    nonnegative: Sequence[Expr] = (),
    positive: Sequence[Expr] = (),
) -> Check:
    """Whether ``expression`` equals the sum of ``squares``, and so is >= 0 where the declared factors are.

    Args:
        expression: what is claimed to be >= 0.
        squares: the certificate.
        nonnegative: expressions assumed >= 0; only these and the positive ones may stand in ``times``.
        positive: expressions assumed > 0; only these may stand in ``over``.

    Returns:
        A check; it fails if a multiplier was not declared, a weight is negative, the two sides differ, or what is
        claimed is declared.
    """
    tool = "sum of squares"
    claimed = sp.sympify(expression)
    ratios = [sp.cancel(claimed / f) for f in (*nonnegative, *positive) if sp.expand(f) != 0]
    if any(ratio.is_number and ratio.is_positive for ratio in ratios):
        return Check(False, tool, "the expression, or a multiple of it, is declared: nothing is left to show")
    allowed_times = {sp.expand(f) for f in (*nonnegative, *positive)}
    allowed_over = {sp.expand(f) for f in positive}
    for square in squares:
        undeclared = [f for f in square.times if sp.expand(f) not in allowed_times]
        undeclared += [f for f in square.over if sp.expand(f) not in allowed_over]
        if undeclared:
            return Check(False, tool, f"multipliers of undeclared sign: {undeclared}")
        if not sp.Rational(square.weight) >= 0:
            return Check(False, tool, f"negative weight {square.weight}")
        if not _is_real(square.base):
            return Check(
                False, tool, f"the base {square.base} is no real rational function: its square may be negative"
            )
    equal = identity(expression, sp.Add(*(square.value() for square in squares)))
    if equal.ok and _point(nonnegative, positive) is None:
        return Check(False, tool, "no point was found at which the declared signs hold: the certificate may be vacuous")
    detail = f"{len(squares)} non-negative terms; {equal.detail}"
    return Check(equal.ok, tool, detail, symbols=_names(claimed))


def _is_real(base: Expr) -> bool:
    """Whether the base is a quotient of polynomials with real coefficients, and so real for all reals."""
    parts = sp.fraction(sp.together(sp.sympify(base)))
    symbols = sorted(sp.sympify(base).free_symbols, key=str)
    if not symbols:
        return bool(sp.sympify(base).is_real)
    polynomials = all(part.is_polynomial(*symbols) for part in parts)
    return polynomials and all(bool(c.is_real) for part in parts for c in sp.Poly(part, *symbols).coeffs())


TRIES = 4000


def _point(nonnegative: Sequence[Expr], positive: Sequence[Expr]) -> dict[Expr, Expr] | None:
    """A rational point at which the declared signs hold, checked exactly; None if no drawn point is one."""
    declared = [sp.sympify(f) for f in (*nonnegative, *positive)]
    symbols = sorted(set().union(*(f.free_symbols for f in declared)), key=str)
    drawn = random.Random(0)
    near = sp.lambdify(symbols, declared, "math")
    for number in range(TRIES):
        reach = 8 if number % 2 else 64  # within (-1, 1), or up to 8 in magnitude
        numerators = [
            drawn.randint(1, reach - 1) * (1 if number < TRIES // 2 else drawn.choice((-1, 1))) for _ in symbols
        ]
        try:
            if any(value < -1e-9 for value in near(*(n / 8 for n in numerators))):
                continue
        except (ArithmeticError, ValueError, TypeError):  # not defined there
            continue
        point = {symbol: sp.Rational(n, 8) for symbol, n in zip(symbols, numerators, strict=True)}
        signs = [sp.sympify(f).xreplace(point) for f in (*nonnegative, *positive)]
        if all(s >= 0 for s in signs) and all(s > 0 for s in signs[len(nonnegative) :]):
            return point
    return None


def reals(names: str) -> tuple[Term, ...]:
    """Real variables for :func:`smt`, from their names separated by blanks."""
    return tuple(z3.Reals(names))


def magnitude(term: Term) -> Term:
    """|term|, as both solvers understand it."""
    return z3.If(term >= 0, term, -term)


def either(condition: Term, then: Term, otherwise: Term) -> Term:
    """``then`` where the condition holds, else ``otherwise``."""
    return z3.If(condition, then, otherwise)


@dataclass(frozen=True)
class Query:
    """A statement ``hypotheses => conclusion`` over the reals, with the controls that keep its proof honest.

    Args:
        hypotheses: z3 formulas.
        conclusion: z3 formula.
        control: a conclusion that resembles the true one and is false: it must be refuted by a model.
        control_hypotheses: the control's hypotheses if they differ (to drop one of them, say).
    """

    hypotheses: Sequence[Term]
    conclusion: Term
    control: Term
    control_hypotheses: Sequence[Term] | None = field(default=None)


def smt(query: Query) -> Check:
    """Whether both solvers prove the query, its hypotheses are satisfiable, and its negative control is refuted.

    ``unknown`` from either solver is a failure. Models are evaluated again, formula by formula, before they count. A
    solver may give a quotient by zero any value: so a model counts only if no divisor of the query is zero in it.
    """
    tool = f"z3 {z3.get_version_string()} and cvc5 {cvc5.__version__}, QF_NRA"
    plainly, *given = (z3.simplify(f, arith_lhs=True, som=True) for f in (query.conclusion, *query.hypotheses))
    if z3.is_true(plainly) or any(plainly.eq(hypothesis) for hypothesis in given):
        return Check(False, tool, "the conclusion is one of the hypotheses, or says nothing")
    same = query.control.eq(query.conclusion) and query.control_hypotheses is None
    if same or not list(_variables(query.control)):
        return Check(False, tool, "the negative control must speak of the query's variables, and differ from the query")
    control_hypotheses = query.hypotheses if query.control_hypotheses is None else query.control_hypotheses
    formulas = [*query.hypotheses, query.conclusion, query.control, *control_hypotheses]
    odd = [part for formula in formulas for part in _parts(formula) if _inexact(part)]
    if odd:
        return Check(
            False, tool, f"{odd[0]} may be rounded or undefined: write z3.Q(1, 3), powers as products, and reals alone"
        )
    negated = [*query.hypotheses, z3.Not(query.conclusion)]
    answers = {"z3": _ask_z3(negated), "cvc5": _ask_cvc5(negated)}
    if set(answers.values()) != {"unsat"}:
        return Check(False, tool, f"not proved: {answers}")
    defined = [divisor != 0 for formula in formulas for divisor in _divisors(formula)]
    if not _has_model([*query.hypotheses, *defined]):
        return Check(False, tool, "the hypotheses were not shown satisfiable: the proof may be vacuous")
    if not _has_model([*control_hypotheses, z3.Not(query.control), *defined]):
        return Check(False, tool, "the negative control was not refuted")
    symbols = tuple(sorted({str(variable) for variable in _variables(query.conclusion)}))
    detail = "unsat twice; hypotheses satisfiable; negative control refuted"
    return Check(True, tool, detail, symbols=symbols, controlled=True)


def _parts(term: Term) -> Iterator[Term]:
    """A term and all terms within it."""
    yield term
    for child in term.children():
        yield from _parts(child)


def _inexact(part: Term) -> bool:
    """A number with as many digits as a rounded float has, a power with no natural exponent, or no real variable."""
    if z3.is_app_of(part, z3.Z3_OP_POWER):
        exponent = part.arg(1)
        return not (z3.is_rational_value(exponent) and exponent.denominator_as_long() == 1 and exponent.as_long() > 0)
    if z3.is_rational_value(part):
        return part.denominator_as_long() > 10**9
    return z3.is_const(part) and part.decl().kind() == z3.Z3_OP_UNINTERPRETED and not z3.is_real(part)


def _divisors(formula: Term) -> Iterator[Term]:
    return (part.arg(1) for part in _parts(formula) if z3.is_app_of(part, z3.Z3_OP_DIV))


def _variables(formula: Term) -> Iterator[Term]:
    return (part for part in _parts(formula) if z3.is_const(part) and part.decl().kind() == z3.Z3_OP_UNINTERPRETED)


def _solver(formulas: Sequence[Term]) -> z3.Solver:
    solver = z3.Solver()
    solver.set(timeout=TIMEOUT_MS)
    solver.add(*formulas)
    return solver


def _ask_z3(formulas: Sequence[Term]) -> str:
    return str(_solver(formulas).check())


def _ask_cvc5(formulas: Sequence[Term]) -> str:
    """The same formulas, as SMT-LIB text, to the other solver."""
    solver = cvc5.Solver(cvc5.TermManager())
    solver.setLogic("QF_NRA")
    solver.setOption("tlimit-per", str(TIMEOUT_MS))
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, _solver(formulas).sexpr(), "query")
    symbols = parser.getSymbolManager()
    while not (command := parser.nextCommand()).isNull():
        command.invoke(solver, symbols)
    answer = solver.checkSat()
    return "unsat" if answer.isUnsat() else "sat" if answer.isSat() else "unknown"


def _has_model(formulas: Sequence[Term]) -> bool:
    solver = _solver(formulas)
    if solver.check() != z3.sat:
        return False
    model = solver.model()
    return all(z3.is_true(z3.simplify(model.eval(formula, model_completion=True))) for formula in formulas)
