"""Stability and noise of ESGD near a minimum, and the paper's Remark 2.2."""

from fractions import Fraction

import numpy as np
import sympy as sp
from sympy.polys.solvers import solve_lin_sys

from theory import draws, stability
from theory.evidence import About, Piece, counterexample, holds_for, proof
from theory.ledger import Claim, Repair
from theory.proof import Check, Expr, Query, identity, reals, smt

x, c, beta1, beta2, z = sp.symbols("x c beta1 beta2 z")
A = sp.Matrix([[1 - x * (1 - c), -x * c, -x * beta2], [1 - beta1, beta1, 0], [1 - c, c, beta2]])
B = sp.Matrix([-x * (1 - c), 1 - beta1, 1 - c])
a2 = -(1 + beta1 + beta2) + x * (1 - c)
a1 = beta1 + beta2 + beta1 * beta2 + x * (c - beta1)
a0 = -beta1 * beta2


def _characteristic_polynomial() -> Check:
    return identity((z * sp.eye(3) - A).det(), z**3 + a2 * z**2 + a1 * z + a0)


def _at_one() -> Check:
    return identity(1 + a2 + a1 + a0, x * (1 - beta1))


def _at_minus_one() -> Check:
    return identity(1 - a2 + a1 - a0, 2 * (1 + beta1) * (1 + beta2) - x * (1 + beta1 - 2 * c))


def _pair_on_the_circle() -> Check:
    margin = (1 - beta1 * beta2) * (1 - beta1) * (1 - beta2) - x * (c * (1 - beta1 * beta2) - beta1 * (1 - beta2))
    return identity(1 - a0**2 - (a1 - a0 * a2), margin)


def _other_half() -> Check:
    """P(1) > 0, -P(-1) > 0 and -1 < a0 <= 0 imply 1 - a0^2 > -(a1 - a0 a2): the other half of Jury's condition."""
    p, q, r = reals("a2 a1 a0")
    inputs = [1 + p + q + r > 0, 1 - p + q - r > 0, r > -1, r <= 0]
    claim = 1 - r * r + q - r * p > 0
    return smt(Query(inputs, claim, twin=1 - r * r - q + r * p > 0))


def _jury_against_roots(seed: int) -> None:
    wrong, compared = stability.jury_mismatches(5000, seed)
    assert compared > 4900
    assert wrong == 0


region = Claim(
    id="ours-stability-region",
    source="ours; it replaces the region |alpha| < 1/(1-beta1) of Remark 2.2",
    statement=(
        r"ESGD on $\lambda\theta^2/2$, $x = \eta\lambda$, converges iff $x > 0$, $x(1+\beta_1-2c) < "
        r"2(1+\beta_1)(1+\beta_2)$ "
        r"and $x[c(1-\beta_1\beta_2) - \beta_1(1-\beta_2)] < (1-\beta_1\beta_2)(1-\beta_1)(1-\beta_2)$."
    ),
    assumptions=(r"$0 \le \beta_1, \beta_2 < 1$", r"any real $\alpha$"),
    evidence=(
        proof(
            "Jury's criterion for the cubic",
            Piece("characteristic polynomial", _characteristic_polynomial),
            Piece("P(1) = x (1-beta1)", _at_one),
            Piece("-P(-1): the flip", _at_minus_one),
            Piece("1 - a0^2 - (a1 - a0 a2): a complex pair", _pair_on_the_circle),
            Piece("the other half of that condition follows", _other_half),
            Piece("Jury: all roots inside iff P(1) > 0, -P(-1) > 0, |a0| < 1, 1 - a0^2 > |a1 - a0 a2|"),
        ),
        holds_for("against eigenvalues, 5000 points a case, those within 1e-9 of the boundary left out",
                  _jury_against_roots, share=0.5, seed=draws.seeds),
    ),
)  # fmt: skip


CASES = (
    # x, alpha, beta1, beta2, converges: inside the paper's region and divergent, or outside it and convergent
    (Fraction(3, 2), 50, Fraction(99, 100), Fraction(0), False),
    (Fraction(6, 5), Fraction(1, 2), Fraction(1, 100), Fraction(0), False),
    (Fraction(1, 20), -95, Fraction(99, 100), Fraction(9, 10), False),
    (Fraction(1, 10), -60, Fraction(99, 100), Fraction(99, 100), False),
    (Fraction(1, 100), -150, Fraction(99, 100), Fraction(0), True),
    (Fraction(1, 2), 150, Fraction(99, 100), Fraction(0), True),
)


def _region_cases() -> tuple[bool, str]:
    lines, all_fail = [], True
    for x, alpha, beta1, beta2, converges in CASES:
        c = -alpha * (1 - beta1)
        inside = abs(c) < 1
        stable = bool(stability.jury(x, c, beta1, beta2))
        radius = float(stability.spectral_radius(float(x), float(c), float(beta1), float(beta2)))
        all_fail &= stable is converges and (radius < 1) is converges and inside is not converges
        lines.append(
            f"x={float(x):g}, alpha={float(alpha):g} (beta1={float(beta1):g}, beta2={float(beta2):g}): {radius:.6f}"
        )
    return all_fail, "spectral radius at " + "; ".join(lines)


constraint = Claim(
    id="remark-2.2-constraint",
    source="paper, Remark 2.2",
    statement=r"$|\alpha| < 1/(1-\beta_1)$ is what stability asks of $\alpha$.",
    corrected=r"It is neither necessary nor sufficient; the exact region is that of ours-stability-region.",
    repairs=Repair.CONCLUSION,
    evidence=(
        counterexample("four divergent points inside, two convergent ones outside, in exact rationals", _region_cases),
        proof(
            "the exact region",
            Piece("characteristic polynomial", _characteristic_polynomial),
            Piece("P(1)", _at_one),
            Piece("P(-1)", _at_minus_one),
            Piece("complex pair", _pair_on_the_circle),
            Piece("the other half", _other_half),
            about=About.CORRECTION,
        ),
    ),
)

D, slope = sp.symbols("D lambda")


def _ode_from_the_recursions() -> Check:
    """(beta1 D + 1-beta1)(beta2 D + 1-beta2) theta' + (1-beta2)[(1-beta1) + (beta1 + alpha(1-beta1)) D] f' = 0."""
    alpha = -c / (1 - beta1)
    operator = (beta1 * D + 1 - beta1) * (beta2 * D + 1 - beta2) * D
    forcing = (1 - beta2) * ((1 - beta1) + (beta1 + alpha * (1 - beta1)) * D) * slope
    spread = beta1 * (1 - beta2) + beta2 * (1 - beta1)
    expanded = (
        beta1 * beta2 * D**3
        + spread * D**2
        + (1 - beta2) * ((1 - beta1) + (beta1 - c) * slope) * D
        + (1 - beta1) * (1 - beta2) * slope
    )
    return identity(operator + forcing, expanded)


def _routh_hurwitz() -> Check:
    """p2 p1 - p3 p0 of that cubic is (1-beta2) times the margin of ode_stable."""
    spread = beta1 + beta2 - 2 * beta1 * beta2
    p1 = (1 - beta2) * ((1 - beta1) + (beta1 - c) * x)
    p0 = (1 - beta1) * (1 - beta2) * x
    margin = spread * (1 - beta1) - x * (spread * c - beta1**2 * (1 - beta2))
    return identity(spread * p1 - beta1 * beta2 * p0, (1 - beta2) * margin)


def _lower_bound_at_one() -> Check:
    """Damping vanishes at f'' = 1 exactly for alpha = -1 / (1 - beta1)."""
    return identity((1 - beta1) + (beta1 - c).subs(c, 1) * 1, 0)


def _ode_cases() -> tuple[bool, str]:
    """Alpha = 150 > 100 with f'' = 1/2: damped and stable; alpha = -150 with f'' = 1/100: stable as well."""
    cases = [(Fraction(1, 2), 150), (Fraction(1, 100), -150)]
    beta1 = Fraction(99, 100)
    stable = [stability.ode_stable(x, -alpha * (1 - beta1), beta1, Fraction(0)) for x, alpha in cases]
    return all(stable), "the ODE is stable at alpha = 150 (f'' = 1/2) and alpha = -150 (f'' = 1/100), beta1 = .99"


ode = Claim(
    id="remark-2.2-ode",
    source="paper, Remark 2.2",
    statement=r"The 1-D ODE of E with momentum gives the constraint $|\alpha| < 1/(1-\beta_1)$.",
    corrected=(
        r"$\beta_1\beta_2\theta''' + (\beta_1(1-\beta_2)+\beta_2(1-\beta_1))\theta'' + "
        r"(1-\beta_2)[(1-\beta_1)+(\beta_1-c)f'']"
        r"\theta' + (1-\beta_1)(1-\beta_2)f' = 0$ is stable (with $f' = \lambda\theta$) iff "
        r"$(1-\beta_1)+(\beta_1-c)x > 0$ and "
        r"$x[Sc - \beta_1^2(1-\beta_2)] < S(1-\beta_1)$, $S = \beta_1+\beta_2-2\beta_1\beta_2$: one-sided in "
        r"$\alpha$, and "
        r"$-1/(1-\beta_1)$ is its bound only at $\eta f'' = 1$. It has no flip: it calls every $\alpha > 0$ stable."
    ),
    repairs=Repair.CONCLUSION,
    evidence=(
        counterexample("stable beyond the constraint on both sides", _ode_cases),
        proof(
            "the ODE and Routh-Hurwitz",
            Piece("the ODE from the recursions, backward differences of unit step", _ode_from_the_recursions),
            Piece("its Hurwitz determinant", _routh_hurwitz),
            Piece("the paper's lower bound is its damping at f'' = 1", _lower_bound_at_one),
            about=About.CORRECTION,
        ),
    ),
)


def _lyapunov() -> Check:
    """The stationary covariance solves S = A S A' + B B'; its first entry is V, for all parameters."""
    names = sp.symbols("s00 s01 s02 s11 s12 s22")
    s00, s01, s02, s11, s12, s22 = names
    S = sp.Matrix([[s00, s01, s02], [s01, s11, s12], [s02, s12, s22]])
    residual = S - A * S * A.T - B * B.T
    field = sp.QQ.frac_field(x, c, beta1, beta2)
    ring = field[names]
    equations = [ring.from_sympy(sp.expand(residual[i, j])) for i in range(3) for j in range(i, 3)]
    solution: Expr = solve_lin_sys(equations, ring.ring)
    first = ring.ring.gens[0]
    return identity(solution[first].as_expr(), stability.variance(x, c, beta1, beta2))


def _variance_by_simulation(seed: int) -> None:
    """The noise-driven covariance, iterated to its limit, against V; relative tolerance 1e-6."""
    rng = np.random.default_rng(seed)
    beta1, beta2, c = rng.uniform(0, 0.9), rng.uniform(0, 0.9), rng.uniform(-0.9, 0.9)
    x = min(stability.largest_stable(c, beta1, beta2), 4.0) * rng.uniform(0.1, 0.9)
    A, B = stability.system(x, c, beta1, beta2)
    noise, power = np.outer(B, B), A
    S = noise
    for _ in range(40):  # doubling: S_{2n} = S_n + A^n S_n A^n'
        S = S + power @ S @ power.T
        power = power @ power
    assert abs(S[0, 0] / stability.variance(x, c, beta1, beta2) - 1) < 1e-6


variance = Claim(
    id="ours-variance",
    source="ours",
    statement=(
        r"With gradient noise of variance $\sigma^2$ ESGD on $\lambda\theta^2/2$ has the stationary variance "
        r"$(\sigma^2/\lambda^2) V(x; c, \beta_1, \beta_2)$, $V$ in closed form (theory/stability.py); its two "
        r"denominator "
        r"factors are the margins of the stability region."
    ),
    assumptions=("inside the region of ours-stability-region", "noise uncorrelated over time"),
    evidence=(
        proof(
            "discrete Lyapunov equation",
            Piece("its solution, for all parameters", _lyapunov),
            Piece("inside the region the equation has one solution, and it is the stationary covariance"),
        ),
        holds_for(
            "against the iterated covariance, relative tolerance 1e-6", _variance_by_simulation, seed=draws.seeds
        ),
    ),
)


def _mean_square_cases(seed: int) -> None:
    wrong, compared = stability.mean_square_mismatches(40, seed)
    assert compared > 30
    assert wrong == 0


mean_square = Claim(
    id="ours-mean-square",
    source="ours",
    statement=(
        r"With multiplicative noise $g = \lambda(1 + \rho\xi)\theta$ ESGD is mean-square stable iff $x < x^*$ and "
        r"$\rho^2 V(x; c, \beta_1, \beta_2) < 1$."
    ),
    assumptions=(r"$\xi$ white with variance 1",),
    evidence=(
        holds_for("against the second-moment operator, 40 points a case, none within 1e-7 of its boundary",
                  _mean_square_cases, seed=draws.seeds),
    ),
)  # fmt: skip


CLAIMS = (ode, constraint, region, variance, mean_square)
