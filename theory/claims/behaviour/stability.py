"""Stability and noise of ESGD near a minimum, and the paper's Remark 2.2."""

from fractions import Fraction

import numpy as np
import sympy as sp
from sympy.polys.matrices import DomainMatrix
from sympy.polys.solvers import solve_lin_sys

from theory.ledger.claim import Claim, Repair
from theory.ledger.evidence import About, Effort, Finding, Outcome, Piece, counterexample, holds_for, measured, proof
from theory.ledger.provers import Check, Expr, Query, identity, reals, smt
from theory.method import strategies
from theory.method.algorithms import ESGD
from theory.stability import linear
from theory.studies.intervals import t_interval

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
    return smt(Query(inputs, claim, control=1 - r * r - q + r * p > 0))


def _jury_against_roots(seed: int) -> None:
    wrong, compared = linear.jury_mismatches(5000, seed)
    assert compared > 4900
    assert wrong == 0


UNNORMALISED = (
    r"momentum as in Algorithm 3, $m_k = \beta_2 m_{k-1} + u_k$; with normalised momentum $(1-\beta_2) \eta$ stands "
    r"for $\eta$"
)
JURY = Piece("Jury: all roots inside iff P(1) > 0, -P(-1) > 0, |a0| < 1, 1 - a0^2 > |a1 - a0 a2|")

region = Claim(
    id="ours-stability-region",
    source="ours; it replaces the region |alpha| < 1/(1-beta1) of Remark 2.2",
    statement=(
        r"ESGD on $\lambda\theta^2/2$, $x = \eta\lambda$, converges iff $x > 0$, $x(1+\beta_1-2c) < "
        r"2(1+\beta_1)(1+\beta_2)$ "
        r"and $x[c(1-\beta_1\beta_2) - \beta_1(1-\beta_2)] < (1-\beta_1\beta_2)(1-\beta_1)(1-\beta_2)$."
    ),
    plain="ESGD converges on a quadratic exactly if two inequalities in the step, c and the betas hold.",
    assumptions=(r"$0 \le \beta_1, \beta_2 < 1$", r"any real $\alpha$", UNNORMALISED),
    evidence=(
        proof(
            "Jury's criterion for the cubic",
            Piece("characteristic polynomial", _characteristic_polynomial),
            Piece("P(1) = x (1-beta1)", _at_one, concludes=True),
            Piece("-P(-1): the flip", _at_minus_one, concludes=True),
            Piece("1 - a0^2 - (a1 - a0 a2): a complex pair", _pair_on_the_circle, concludes=True),
            Piece("the other half of that condition follows", _other_half),
            JURY,
        ),
        holds_for("against eigenvalues, 5000 points a case, those within 1e-9 of the boundary left out",
                  _jury_against_roots, share=0.5, seed=strategies.seeds),
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
        stable = bool(linear.jury(x, c, beta1, beta2))
        radius = float(linear.spectral_radius(float(x), float(c), float(beta1), float(beta2)))
        all_fail &= stable is converges and (radius < 1) is converges and inside is not converges
        lines.append(
            f"x={float(x):g}, alpha={float(alpha):g} (beta1={float(beta1):g}, beta2={float(beta2):g}): {radius:.6f}"
        )
    return all_fail, "spectral radius at " + "; ".join(lines)


constraint = Claim(
    id="remark-2.2-constraint",
    source="paper, Remark 2.2",
    statement=r"$|\alpha| < 1/(1-\beta_1)$ is what stability requires of $\alpha$.",
    plain="Stability requires |alpha| < 1/(1 - beta1).",
    found="False: the constraint is neither necessary nor sufficient. The exact region is in ours-stability-region.",
    corrected=(
        r"At a fixed step it is neither necessary nor sufficient; the exact region is that of ours-stability-region. "
        r"Every $\alpha$ is stable at some small step."
    ),
    repairs=Repair.CONCLUSION,
    rests_on=("ours-stability-region",),
    evidence=(
        counterexample("four divergent points inside, two convergent ones outside, in exact rationals", _region_cases),
        proof(
            "the exact region",
            Piece("characteristic polynomial", _characteristic_polynomial),
            Piece("P(1)", _at_one, concludes=True),
            Piece("P(-1)", _at_minus_one, concludes=True),
            Piece("complex pair", _pair_on_the_circle, concludes=True),
            Piece("the other half", _other_half),
            JURY,
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
    return identity(solution[first].as_expr(), linear.variance(x, c, beta1, beta2))


def _iterated_covariance(seed: int) -> None:
    """The noise-driven covariance, iterated to its limit, against V; relative tolerance 1e-6."""
    rng = np.random.default_rng(seed)
    beta1, beta2, c = rng.uniform(0, 0.9), rng.uniform(0, 0.9), rng.uniform(-0.9, 0.9)
    x = min(linear.largest_stable(c, beta1, beta2), 4.0) * rng.uniform(0.1, 0.9)
    A, B = linear.system(x, c, beta1, beta2)
    noise, power = np.outer(B, B), A
    S = noise
    for _ in range(40):  # doubling: S_{2n} = S_n + A^n S_n A^n'
        S = S + power @ S @ power.T
        power = power @ power
    assert abs(S[0, 0] / linear.variance(x, c, beta1, beta2) - 1) < 1e-6


SIMULATED = (
    # x, alpha, beta1, beta2
    (0.3, -5.0, 0.99, 0.0), (0.3, -5.0, 0.99, 0.9), (0.3, 0.5, 0.01, 0.9), (1.0, -50.0, 0.99, 0.0),
    (1.0, -80.0, 0.99, 0.9), (0.5, -1.0, 0.7, 0.2),
)  # fmt: skip
CHAINS, LENGTH, BURN_IN = 64, 20_000, 4_000


def _simulated_variance(_: Effort) -> Finding:
    """ESGD itself, step by step in normal noise: the mean of theta^2 over the late steps, 64 seeds, over V."""
    parts, values, gaps, halves = [], {}, [], []
    for x, alpha, beta1, beta2 in SIMULATED:
        rng = np.random.default_rng(11)
        optimizer = ESGD(alpha, beta1, beta2)
        theta = optimizer.init([np.zeros((CHAINS, 1))])
        total = np.zeros(CHAINS)
        for k in range(LENGTH):
            theta = optimizer.step(theta, [theta[0] + rng.standard_normal((CHAINS, 1))], x)
            total += theta[0][:, 0] ** 2 if k >= BURN_IN else 0.0
        V = float(linear.variance(x, -alpha * (1 - beta1), beta1, beta2))
        mean, half = t_interval(total / (LENGTH - BURN_IN) / V, level=SURE)
        gaps.append(abs(mean - 1) - half)
        halves.append(half)
        name = f"x={x:g}, alpha={alpha:g}, beta1={beta1:g}, beta2={beta2:g}"
        parts.append(f"{name}: {mean:.4f} +- {half:.4f}")
        values[name] = float(mean)
    detail = f"simulated variance over V, {CHAINS} seeds, {100 * SURE:g} % each: {'; '.join(parts)}"
    equal = Outcome.SUPPORTS if max(halves) < 0.05 else Outcome.INCONCLUSIVE  # a wide interval contains 1 too easily
    return Finding(Outcome.CONTRADICTS if max(gaps) > 0 else equal, detail, values=values)


SURE = 0.999
"""Level of each of the six intervals, so that all together hold with more than 99 %."""


variance = Claim(
    id="ours-variance",
    source="ours",
    statement=(
        r"With gradient noise of variance $\sigma^2$ ESGD on $\lambda\theta^2/2$ has the stationary variance "
        r"$(\sigma^2/\lambda^2) V(x; c, \beta_1, \beta_2)$, $V$ in closed form (theory/stability/linear.py); its two "
        r"denominator "
        r"factors are the margins of the stability region."
    ),
    plain="The stationary variance of ESGD on a quadratic has a closed form.",
    assumptions=("inside the region of ours-stability-region", "noise uncorrelated over time", UNNORMALISED),
    rests_on=("ours-stability-region",),
    evidence=(
        proof(
            "discrete Lyapunov equation",
            Piece("its solution, for all parameters", _lyapunov, concludes=True),
            Piece("inside the region the equation has one solution, and it is the stationary covariance"),
        ),
        holds_for(
            "against the iterated covariance, relative tolerance 1e-6", _iterated_covariance, seed=strategies.seeds
        ),
        measured("against ESGD simulated in normal noise", _simulated_variance),
    ),
)


def _one_step() -> Check:
    """E over xi of (A + rho xi B e1') S (A + rho xi B e1')' is A S A' + rho^2 S_00 B B': E xi = 0, E xi^2 = 1."""
    rho, xi = sp.symbols("rho xi")
    S = sp.Matrix(3, 3, lambda i, j: sp.Symbol(f"s{min(i, j)}{max(i, j)}"))
    step = A + rho * xi * B * sp.Matrix([[1, 0, 0]])
    grown = (step * S * step.T).applyfunc(sp.expand)
    expected = grown.applyfunc(lambda entry: entry.coeff(xi, 0) + entry.coeff(xi, 2))
    weights = sp.symbols("w0:9")
    difference = expected - (A * S * A.T + rho**2 * S[0, 0] * B * B.T)
    return identity(sum(w * entry for w, entry in zip(weights, difference, strict=True)), 0)


def _critical() -> Check:
    """det(1 - M) = (1 - rho^2 V) det(1 - M_0), M the map of S in one step, M_0 the same at rho = 0.

    So M has the eigenvalue 1 exactly where rho^2 V = 1: checked for all parameters on the six entries of a symmetric S.
    """
    rho = sp.Symbol("rho")
    pairs = [(i, j) for i in range(3) for j in range(i, 3)]
    entries = [sp.Symbol(f"s{i}{j}") for i, j in pairs]
    S = sp.Matrix(3, 3, lambda i, j: entries[pairs.index((min(i, j), max(i, j)))])
    ring = sp.QQ[x, c, beta1, beta2, rho]

    def left(strength: Expr) -> Expr:
        after = S - (A * S * A.T + strength**2 * S[0, 0] * B * B.T)
        matrix = sp.Matrix([[sp.diff(after[i, j], entry) for entry in entries] for i, j in pairs])
        return ring.to_sympy(DomainMatrix.from_Matrix(matrix).convert_to(ring).charpoly()[-1])

    return identity(left(rho), (1 - rho**2 * linear.variance(x, c, beta1, beta2)) * left(sp.Integer(0)))


def _renewal(seed: int) -> None:
    """s_n = p_n + rho^2 sum_k v_(n-1-k) s_k with v_j = (A^j B)_0^2 and p_n = (A^n S_0 A^n')_00; relative 1e-9."""
    rng = np.random.default_rng(seed)
    beta1, beta2, c, rho = rng.uniform(0, 0.99), rng.uniform(0, 0.95), rng.uniform(-0.95, 0.95), rng.uniform(0.1, 3)
    A, B = linear.system(10 ** rng.uniform(-2, 0.5), c, beta1, beta2)
    root = rng.normal(size=(3, 3))
    start = S = root @ root.T
    power, s, v, p = np.eye(3), [], [], []
    for _ in range(12):
        s.append(S[0, 0])
        p.append((power @ start @ power.T)[0, 0])
        v.append((power @ B)[0] ** 2)
        S, power = A @ S @ A.T + rho**2 * S[0, 0] * np.outer(B, B), A @ power
    for n in range(12):
        unrolled = p[n] + rho**2 * sum(v[n - 1 - k] * s[k] for k in range(n))
        assert abs(s[n] - unrolled) <= 1e-9 * s[n]


def _mean_square_cases(seed: int) -> None:
    wrong, compared = linear.mean_square_mismatches(40, seed)
    assert compared > 30
    assert wrong == 0


mean_square = Claim(
    id="ours-mean-square",
    source="ours; the argument is Willems and Blankenship's (1971) for one multiplicative gain",
    statement=(
        r"With multiplicative noise $g = \lambda(1 + \rho\xi)\theta$ ESGD is mean-square stable iff $0 < x < x^*$ and "
        r"$\rho^2 V(x; c, \beta_1, \beta_2) < 1$."
    ),
    plain="Under multiplicative noise the mean-square stability of ESGD has an exact criterion.",
    assumptions=(r"$\xi$ white with variance 1", UNNORMALISED),
    rests_on=("ours-variance",),
    evidence=(
        proof(
            "a renewal equation for E theta_k^2",
            Piece("one step of the second moment: S -> A S A' + rho^2 S_00 B B'", _one_step),
            Piece("unrolled: s_n = p_n + rho^2 sum_{k<n} v_{n-1-k} s_k for s_n = (S_n)_00, with p_n, v_j >= 0 and "
                  "sum v_j = V where the noise-free iteration converges (ours-variance)"),
            Piece("if x < x* and rho^2 V < 1: sum_{n<=N} s_n <= sum p_n + rho^2 V sum_{n<=N} s_n bounds sum s_n, so "
                  "s_n -> 0, and with it S_n, for every S_0 >= 0"),
            Piece("if S_n -> 0 for every S_0 >= 0: S_n >= A^n S_0 A^n' gives x < x*, and then S_0 = B B' sums to "
                  "total = V + rho^2 V total"),
            Piece("the step has the eigenvalue 1 exactly where rho^2 V = 1", _critical, concludes=True),
            Piece("with the total finite and not negative, so that rho^2 V < 1 (or V = 0)"),
        ),
        holds_for("the unrolled equation, twelve steps a case", _renewal, seed=strategies.seeds),
        holds_for("against the second-moment operator, 40 points a case, none within 1e-7 of its boundary",
                  _mean_square_cases, seed=strategies.seeds),
    ),
)  # fmt: skip


CLAIMS = (constraint, region, variance, mean_square)
