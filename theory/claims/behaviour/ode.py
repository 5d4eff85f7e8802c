"""The ODE of Remark 2.2 from the recursions, and its condition beside the paper's and the exact discrete one."""

from fractions import Fraction

import numpy as np
import sympy as sp

from theory.ledger.claim import Claim, Repair
from theory.ledger.evidence import (
    About,
    Effort,
    Finding,
    Outcome,
    Piece,
    counterexample,
    enumerated,
    holds_for,
    measured,
    proof,
)
from theory.ledger.provers import Check, Expr, Query, identity, reals, smt
from theory.method import strategies
from theory.stability import linear

t, alpha, beta1, beta2, c, x, s = sp.symbols("t alpha beta1 beta2 c x s")
theta, h, m = (sp.Function(name)(t) for name in ("theta", "h", "m"))
F = sp.Function("F")
"""The loss's derivative f'."""


def _backward_differences() -> Check:
    """With h_{k-1} = h - dh and m_{k-1} = m - dm the two averages read as below; sum of squares of both differences."""
    now, dh, g, mk, dm, u, weight = sp.symbols("h dh g m dm u weight")
    slow = (beta1 * (now - dh) + (1 - beta1) * g - now) + (beta1 * dh + (1 - beta1) * now - (1 - beta1) * g)
    fast = (beta2 * (mk - dm) + (1 - beta2) * u - mk) + (beta2 * dm + (1 - beta2) * mk - (1 - beta2) * u)
    return identity(slow + weight * fast, 0)


def _paper_s_average() -> Check:
    """The paper's a = h' satisfies beta1 a' + (1-beta1) a = (1-beta1) (f')': h's equation differentiated."""
    slow = beta1 * sp.diff(h, t) + (1 - beta1) * h - (1 - beta1) * F(theta)
    a = sp.diff(h, t)
    own = beta1 * sp.diff(a, t) + (1 - beta1) * a - (1 - beta1) * sp.diff(F(theta), t)
    return _zero(sp.diff(slow, t) - own)


def _eliminate() -> Check:
    """The ODE's left side is a combination of the three equations and their derivatives, for every f and all functions.

    Slow average, momentum and step: beta1 h' + (1-beta1) h = (1-beta1) f', beta2 m' + (1-beta2) m =
    (1-beta2)(f' + alpha h'), theta' = -m.
    """
    slow = beta1 * sp.diff(h, t) + (1 - beta1) * h - (1 - beta1) * F(theta)
    fast = beta2 * sp.diff(m, t) + (1 - beta2) * m - (1 - beta2) * (F(theta) + alpha * sp.diff(h, t))
    step = sp.diff(theta, t) + m

    def first(y: Expr) -> Expr:
        return beta1 * sp.diff(y, t) + (1 - beta1) * y

    combined = (
        first(beta2 * sp.diff(step, t) + (1 - beta2) * step) - first(fast) - (1 - beta2) * alpha * sp.diff(slow, t)
    )
    bend = sp.diff(F(theta), t)
    ode = (
        beta1 * beta2 * sp.diff(theta, t, 3)
        + (beta1 * (1 - beta2) + beta2 * (1 - beta1)) * sp.diff(theta, t, 2)
        + (1 - beta2) * (1 - beta1) * sp.diff(theta, t)
        + (1 - beta2) * (beta1 + alpha * (1 - beta1)) * bend
        + (1 - beta1) * (1 - beta2) * F(theta)
    )
    return _zero(combined - ode)


def _zero(expression: Expr) -> Check:
    """Whether an expression in functions of t is 0: its derivatives become symbols, then exact as any identity."""
    flat = sp.expand(expression.doit())
    terms = sorted(flat.atoms(sp.Derivative, sp.Subs, sp.core.function.AppliedUndef), key=sp.default_sort_key)
    # the derivatives first: a function inside one must not be replaced before it
    terms.sort(key=lambda term: -sp.count_ops(term, visual=False) - 10 * len(term.atoms(sp.Derivative, sp.Subs)))
    return identity(flat.subs([(term, sp.Symbol(f"q{i}")) for i, term in enumerate(terms)]), 0)


def _routh_hurwitz() -> Check:
    """p2 p1 - p3 p0 of the cubic for f' = x theta is (1-beta2) times the margin of ode_stable."""
    spread = beta1 + beta2 - 2 * beta1 * beta2
    p1 = (1 - beta2) * ((1 - beta1) + (beta1 - c) * x)
    p0 = (1 - beta1) * (1 - beta2) * x
    margin = spread * (1 - beta1) - x * (spread * c - beta1**2 * (1 - beta2))
    return identity(spread * p1 - beta1 * beta2 * p0, (1 - beta2) * margin)


def _first_order_limit() -> Check:
    """The usual limit h' = (1-beta1)(f' - h), m' = (1-beta2)(u - m), u = f' + alpha h', theta' = -m, for f' = x theta.

    The determinant of s - (its matrix), in (h, m, theta), is s^3 + (p + q) s^2 + q (p + (1-c) x) s + p q x, p = 1 -
    beta1, q = 1 - beta2.
    """
    p, q = 1 - beta1, 1 - beta2
    matrix = sp.Matrix([[-p, 0, p * x], [q * c, -q, q * (1 - c) * x], [0, -1, 0]])
    characteristic = (s * sp.eye(3) - matrix).det()
    return identity(characteristic, s**3 + (p + q) * s**2 + q * (p + (1 - c) * x) * s + p * q * x)


def _lower_bound() -> Check:
    """Its damping q (p + (1-c) x) is positive for every x >= 0 if c <= 1; for c > 1 it is 0 at x = p / (c - 1) > 0."""
    p, x, c = reals("p x c")
    inputs = [p > 0, x >= 0, c <= 1]
    return smt(
        Query(inputs, p + (1 - c) * x > 0, control=p + (1 - c) * x > 0, control_hypotheses=[p > 0, x >= 0, c <= 2])
    )


def _first_order_hurwitz() -> Check:
    """(p + q) q (p + (1-c) x) > p q x for c < 0, x >= 0, p, q in (0, 1]: every alpha > 0 is stable."""
    p, q, x, c = reals("p q x c")
    inputs = [p > 0, q > 0, x >= 0, c <= 0]
    margin = (p + q) * (p + (1 - c) * x) > p * x
    return smt(Query(inputs, margin, control=margin, control_hypotheses=[p > 0, q > 0, x >= 0, c <= 1]))


def _first_order_cases(_: Effort) -> str:
    """The four cases of CASES in the first-order limit: the same verdicts as in backward differences."""
    seen = []
    for value, strength, slow, fast, _inside, stable in CASES:
        mixing, p, q = float(-strength * (1 - slow)), float(1 - slow), float(1 - fast)
        curvature = float(value)
        roots = np.roots([1, p + q, q * (p + (1 - mixing) * curvature), p * q * curvature])
        growth = float(roots.real.max())
        assert (growth < 0) is stable, f"alpha={strength}, f''={curvature}: largest real part {growth}"
        seen.append(f"alpha={strength}, f''={curvature:g}: {growth:+.2g}")
    return "largest real part of the roots of the first-order limit at " + "; ".join(seen)


CASES = (
    # x (momentum normalised), alpha, beta1, beta2; inside |alpha| < 1/(1-beta1); ODE stable
    (Fraction(1, 2), 150, Fraction(99, 100), Fraction(0), False, True),
    (Fraction(1, 100), -150, Fraction(99, 100), Fraction(0), False, True),
    (Fraction(1, 2), -95, Fraction(99, 100), Fraction(9, 10), True, False),
    (Fraction(10), -60, Fraction(99, 100), Fraction(99, 100), True, False),
)


def _ode_roots(x: Fraction, c: Fraction, beta1: Fraction, beta2: Fraction) -> float:
    """The largest real part of the roots of the ODE's characteristic polynomial."""
    spread = beta1 + beta2 - 2 * beta1 * beta2
    p = [beta1 * beta2, spread, (1 - beta2) * ((1 - beta1) + (beta1 - c) * x), (1 - beta1) * (1 - beta2) * x]
    return float(np.roots([float(value) for value in p]).real.max())


def _ode_cases() -> tuple[bool, str]:
    """In exact rationals, and by the roots: two stable outside the constraint, two unstable inside."""
    fails, seen = True, []
    for value, strength, slow, fast, inside, stable in CASES:
        mixing = -strength * (1 - slow)
        growth = _ode_roots(value, mixing, slow, fast)
        fails &= (abs(mixing) < 1) is inside and linear.ode_stable(value, mixing, slow, fast) is stable
        fails &= (growth < 0) is stable
        seen.append(
            f"alpha={strength}, f''={float(value):g} (beta1={float(slow):g}, beta2={float(fast):g}): {growth:+.2g}"
        )
    return fails, "largest real part of the ODE's roots at " + "; ".join(seen)


def _three_conditions(_: Effort) -> Finding:
    """Largest x by the exact discrete region, the ODE and the paper's condition; unnormalised momentum throughout."""
    parts, values, good = [], {}, True
    for slow, fast, mixing in ((0.99, 0.9, 0.95), (0.99, 0.9, 0.999), (0.99, 0.0, 0.995)):
        exact = linear.oscillation_threshold(mixing, slow, fast)
        hurwitz = (1 - fast) * linear.ode_threshold(mixing, slow, fast)
        damping = (1 - fast) * linear.damping_threshold(mixing, slow)
        name = f"c={mixing:g}, beta1={slow:g}, beta2={fast:g}"
        parts.append(f"{name}: {exact:.5f} exact, {hurwitz:.5f} ODE, {damping:.5f} paper")
        values |= {f"{name}: exact": exact, f"{name}: ODE": hurwitz}
        # without momentum all three coincide; with it the paper's is the largest by far
        close = abs(hurwitz / exact - 1) < 0.03
        good &= close and (damping > 5 * exact if fast else abs(damping / exact - 1) < 1e-9)
    between = 0.0237
    good &= bool(linear.jury(between, 0.95, 0.99, 0.9)) and not linear.ode_stable(between / 0.1, 0.95, 0.99, 0.9)
    parts.append(f"at x = {between} (c = .95, beta2 = .9) the recursion converges and its ODE does not")
    flip = linear.spectral_radius(1.5, -0.5, 0.99, 0.0)
    good &= linear.ode_stable(1.5, -0.5, 0.99, 0.0) and flip > 1
    parts.append(f"at x = 1.5 (alpha = 50, beta2 = 0) the ODE is stable and the recursion diverges, radius {flip:.4f}")
    return Finding(Outcome.SUPPORTS if good else Outcome.CONTRADICTS, "; ".join(parts), values=values)


def _threshold_by_roots(seed: int) -> None:
    """Below ode_threshold all roots have negative real parts, above it one has not; 1e-6 on either side."""
    rng = np.random.default_rng(seed)
    slow, fast, mixing = rng.uniform(0.01, 0.99), rng.uniform(0.01, 0.99), rng.uniform(-1, 2)
    edge = linear.ode_threshold(mixing, slow, fast)
    for share, stable in ((0.5, True), (1 - 1e-6, True), (1 + 1e-6, False)):
        value = share * edge if np.isfinite(edge) else 10 ** rng.uniform(-3, 3)
        expected = stable or not np.isfinite(edge)
        growth = _ode_roots(*(Fraction(float(number)) for number in (value, mixing, slow, fast)))
        assert (growth < 0) is expected


ode = Claim(
    id="remark-2.2-ode",
    source="paper, Remark 2.2",
    statement=r"The 1-D ODE of E with momentum gives the constraint $|\alpha| < 1/(1-\beta_1)$.",
    plain="The differential equation of E with momentum gives the constraint |alpha| < 1/(1 - beta1).",
    found="False: neither equation gives an upper bound; both are stable outside and unstable inside the constraint.",
    corrected=(
        r"$\beta_1\beta_2\theta''' + (\beta_1(1-\beta_2)+\beta_2(1-\beta_1))\theta'' + "
        r"(1-\beta_2)[(1-\beta_1)+(\beta_1-c)f'']"
        r"\theta' + (1-\beta_1)(1-\beta_2)f' = 0$ is stable (with $f' = \lambda\theta$) iff "
        r"$(1-\beta_1)+(\beta_1-c)x > 0$ and "
        r"$x[Sc - \beta_1^2(1-\beta_2)] < S(1-\beta_1)$, $S = \beta_1+\beta_2-2\beta_1\beta_2$: one-sided in "
        r"$\alpha$. The usual first-order limit, $h' = (1-\beta_1)(f' - h)$, $m' = (1-\beta_2)(u - m)$, has damping "
        r"$(1-\beta_2)[(1-\beta_1) + (1-c)f'']$. It is positive for every $f'' \ge 0$ iff $\alpha \ge -1/(1-\beta_1)$, "
        r"which is the paper's lower bound, but stability needs more. Neither has a flip: both call every "
        r"$\alpha > 0$ stable."
    ),
    repairs=Repair.CONCLUSION,
    evidence=(
        counterexample("stable outside the constraint on both sides, unstable inside it", _ode_cases),
        proof(
            "the ODE and Routh-Hurwitz",
            Piece("the recursions in backward differences of unit step", _backward_differences),
            Piece("the paper's a is the derivative of h", _paper_s_average),
            Piece("h and m eliminated, for every f: the ODE, with (f')' = f'' theta'", _eliminate),
            Piece("its Hurwitz determinant", _routh_hurwitz, concludes=True),
            Piece("Routh and Hurwitz: a cubic with positive p3, p2, p0 is stable iff p1 > 0 and p2 p1 > p3 p0"),
            about=About.CORRECTION,
        ),
        proof(
            "the first-order limit",
            Piece("its characteristic polynomial for f' = x theta", _first_order_limit),
            Piece("its damping is positive for every x >= 0 if alpha >= -1 / (1 - beta1)", _lower_bound),
            Piece("for alpha < -1 / (1 - beta1), c > 1, it is negative at x > (1 - beta1) / (c - 1)"),
            Piece("Hurwitz: for alpha > 0 stable", _first_order_hurwitz, concludes=True),
            Piece("Routh and Hurwitz: a cubic with positive p3, p2, p0 is stable iff p1 > 0 and p2 p1 > p3 p0"),
            about=About.CORRECTION,
        ),
        enumerated("the same four cases in the first-order limit", _first_order_cases, about=About.CORRECTION),
        holds_for(
            "the threshold against the roots of the ODE",
            _threshold_by_roots,
            about=About.CORRECTION,
            seed=strategies.seeds,
        ),
        measured(
            "the exact discrete threshold, Routh-Hurwitz, and the paper's condition", _three_conditions,
            about=About.CORRECTION,
        ),
    ),
)  # fmt: skip
CLAIMS = (ode,)
