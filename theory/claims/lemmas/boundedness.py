"""Bounds that hold along every path: the averages of bounded gradients (paper, Appendix, Lemmas 3, 7, 10)."""

from fractions import Fraction

import sympy as sp

from theory.ledger.claim import Claim
from theory.ledger.evidence import Piece, holds_for, proof
from theory.ledger.formal import formal
from theory.ledger.provers import Check, Query, Square, certificate, magnitude, reals, smt
from theory.method import strategies
from theory.method.sequences import average, exploration, explored
from theory.rocq import LIBRARY

READS = ("formal.json",)

x, y, beta, mixing, G = reals("x y beta c G")


def _average_stays_bounded() -> Check:
    new = beta * x + (1 - beta) * y
    inputs = [beta >= 0, beta <= 1, magnitude(x) <= G, magnitude(y) <= G]
    return smt(Query(inputs, magnitude(new) <= G, control=magnitude(new) <= G / 2))


def _explored_is_bounded() -> Check:
    """|u| <= kappa G with kappa = |1-c| + |c|, for |g|, |h| <= G."""
    u = (1 - mixing) * x + mixing * y
    kappa = magnitude(1 - mixing) + magnitude(mixing)
    inputs = [G >= 0, mixing > -1, mixing < 1, magnitude(x) <= G, magnitude(y) <= G]
    return smt(Query(inputs, magnitude(u) <= kappa * G, control=magnitude(u) <= G))


def _kappa_is_below_three() -> Check:
    kappa = magnitude(1 - mixing) + magnitude(mixing)
    return smt(Query([mixing > -1, mixing < 1], kappa < 3, control=kappa < 2))


def _bounds_on_sequences(gs: list[Fraction], beta1: Fraction, beta2: Fraction, beta3: Fraction, c: Fraction) -> None:
    us = explored(gs, strategies.strength(c, beta1), beta1)
    kappa = abs(1 - c) + abs(c)
    squares = [u * u for u in us]
    for k, (u, h, m, v) in enumerate(
        zip(us, average(gs, beta1), average(us, beta2), average(squares, beta3), strict=True), start=1
    ):
        assert abs(h) <= 1 - beta1**k
        assert abs(u) <= kappa
        assert abs(m) <= kappa * (1 - beta2**k)
        assert 0 <= v <= kappa**2 * (1 - beta3**k)
        # the paper's own form: gradients of size G/16 give averages of size G
        assert kappa / 16 <= 1


lemma_3 = Claim(
    id="lemma-3",
    source="paper, Appendix, Lemma 3",
    statement=(
        r"If $\|g_k\|_\infty \le G_\infty/16$ for all $k$, then $\|u_k\|_\infty, \|m_k\|_\infty \le G_\infty$ and "
        r"$\|v_k\|_\infty \le G_\infty^2$. In fact "
        r"$\|u_k\|_\infty, \|m_k\|_\infty \le \kappa \max_j \|g_j\|_\infty$ and "
        r"$\|v_k\|_\infty \le (\kappa \max_j \|g_j\|_\infty)^2$ with $\kappa = |1-c| + |c| < 3$."
    ),
    plain="If the gradients are bounded, then so are u, m and v.",
    found="True. The paper's factor 16 is not needed: 3 is enough for every allowed alpha.",
    assumptions=(r"$|c| < 1$", "bounded gradients (3.3)"),
    evidence=(
        formal("for every step, with both factors", LIBRARY, "lemma_3"),
        proof(
            "coordinatewise, by induction over k",
            Piece("base: every average starts from 0"),
            Piece(
                "step: an average of two numbers in [-G, G] stays there (h, then m, then v)",
                _average_stays_bounded,
                concludes=True,
            ),
            Piece("|u| <= (|1-c| + |c|) G, as a mixture of g and h", _explored_is_bounded, concludes=True),
            Piece("|1-c| + |c| < 3 <= 16", _kappa_is_below_three),
            Piece("conclusion: h is bounded by G, hence u by kappa G, hence m by kappa G and v by (kappa G)^2"),
        ),
        holds_for(
            "with the finite-k factors, exact rationals, sequences that hit the extremes",
            _bounds_on_sequences,
            gs=strategies.extreme_gradients,
            beta1=strategies.decay_rate,
            beta2=strategies.decay_rate,
            beta3=strategies.decay_rate,
            c=strategies.mixing,
        ),
    ),
)


def _square_of_an_average() -> Check:
    n, a, b = sp.symbols("n a beta2", real=True)
    gap = b * n**2 + (1 - b) * a**2 - (b * n + (1 - b) * a) ** 2
    return certificate(gap, [Square(n - a, times=(b, 1 - b))], nonnegative=(b, 1 - b))


def _second_moment_on_sequences(gs: list[Fraction], beta1: Fraction, beta2: Fraction) -> None:
    a = exploration(gs, beta1)
    n = average(a, beta2)
    for n_before, n_now, a_now in zip([Fraction(0), *n], n, a, strict=False):
        assert n_now**2 <= beta2 * n_before**2 + (1 - beta2) * a_now**2


lemma_7 = Claim(
    id="lemma-7",
    source="paper, Appendix, Lemma 7",
    statement=(
        r"For $n_k = \beta_2 n_{k-1} + (1-\beta_2) a_k$: "
        r"$E\|n_k\|^2 \le \beta_2 E\|n_{k-1}\|^2 + (1-\beta_2) E\|a_k\|^2$. It holds along every path, without $E$."
    ),
    plain="The squared norm of an average is at most the average of the squared norms.",
    found="True along every path, without an expectation.",
    assumptions=(r"$0 \le \beta_2 \le 1$",),
    evidence=(
        proof(
            "a square is convex",
            Piece(
                "beta n^2 + (1-beta) a^2 - (beta n + (1-beta) a)^2 = beta (1-beta) (n-a)^2",
                _square_of_an_average,
                concludes=True,
            ),
            Piece("conclusion: sum over coordinates, then take expectations"),
        ),
        holds_for(
            "every step of a sequence, exact rationals",
            _second_moment_on_sequences,
            gs=strategies.gradients,
            beta1=strategies.decay_rate,
            beta2=strategies.decay_rate,
        ),
    ),
)


def _ratio_step_certificate() -> Check:
    """A_k v_k - m_k^2 as a sum of squares, for A' = A_{k-1} > 0, v' = m'^2 / A' + s and q = beta2^2 / beta3."""
    A_before, s, b3 = sp.symbols("A' s beta3", positive=True)
    m_before, u, b2 = sp.symbols("m' u beta2", real=True)
    first = (1 - b2) ** 2 / (1 - b3)
    A_now = b2**2 / b3 * A_before + first
    v_now = b3 * (m_before**2 / A_before + s) + (1 - b3) * u**2
    m_now = b2 * m_before + (1 - b2) * u
    # The mixed square carries 1/(A1 q A'); written without fractions: (b3 (1-b2) m' - b2 A' (1-b3) u)^2 over
    # b3 (1-b3) A', which stays finite at beta2 = 0.
    squares = [
        Square(b2, times=(A_before, s)),
        Square(1 - b2, times=(b3, s), over=(1 - b3,)),
        Square(b3 * (1 - b2) * m_before - b2 * A_before * (1 - b3) * u, over=(b3, 1 - b3, A_before)),
    ]
    return certificate(A_now * v_now - m_now**2, squares, positive=(A_before, s, b3, 1 - b3))


def _first_ratio() -> Check:
    """At k = 1: m_1 = (1-beta2) u, v_1 = (1-beta3) u^2 and A_1 v_1 - m_1^2 = 0."""
    u, b2, b3 = sp.symbols("u beta2 beta3", real=True)
    return certificate((1 - b2) ** 2 / (1 - b3) * (1 - b3) * u**2 - ((1 - b2) * u) ** 2, [Square(0)])


def _ratio_step_smt() -> Check:
    """The same step for all reals, by solvers, with A' >= 0 (it also covers the first step)."""
    m_before, v_before, A_before, u, b2, b3 = reals("m1 v1 A1 u b2 b3")
    m_now = b2 * m_before + (1 - b2) * u
    v_now = b3 * v_before + (1 - b3) * u * u
    inputs = [b2 >= 0, b2 < 1, b3 > 0, b3 < 1, A_before >= 0, v_before >= 0, m_before * m_before <= A_before * v_before]
    first = (1 - b2) * (1 - b2) / (1 - b3)
    return smt(
        Query(
            inputs,
            m_now * m_now <= (b2 * b2 / b3 * A_before + first) * v_now,
            control=m_now * m_now <= (b2 * b2 / b3 * A_before + first / 2) * v_now,
        )
    )


def _uniform_constant() -> Check:
    """A* = (1-beta2)^2 / ((1-beta3)(1-q)) is the fixed point of A -> q A + A_1, so A <= A* is kept when q < 1."""
    A, q, first = sp.symbols("A q A1")
    fixed = first / (1 - q)
    return certificate(
        fixed - (q * A + first),
        [Square(1, times=(q, fixed - A))],
        nonnegative=(q, fixed - A),
    )


def _ratio_on_sequences(gs: list[Fraction], beta1: Fraction, beta2: Fraction, beta3: Fraction, c: Fraction) -> None:
    us = explored(gs, strategies.strength(c, beta1), beta1)
    A = Fraction(0)
    for m, v in zip(average(us, beta2), average([u * u for u in us], beta3), strict=True):
        A = beta2**2 / beta3 * A + (1 - beta2) ** 2 / (1 - beta3)
        assert m**2 <= A * v
        if beta2**2 < beta3:
            uniform = (1 - beta2) ** 2 / ((1 - beta3) * (1 - beta2**2 / beta3))
            assert uniform >= A


lemma_10 = Claim(
    id="lemma-10",
    source="paper, Appendix, Lemma 10",
    statement=(
        r"If $\beta_2^2/\beta_3 < 1$ then $|m_k| \le \zeta \sqrt{v_k}$ coordinatewise, with "
        r"$\zeta^2 = (1-\beta_2)^2 / ((1-\beta_3)(1-\beta_2^2/\beta_3))$. For all betas $m_k^2 \le A_k v_k$ with "
        r"$A_k = (\beta_2^2/\beta_3) A_{k-1} + (1-\beta_2)^2/(1-\beta_3)$, $A_0 = 0$."
    ),
    plain="The first moment is at most a constant times the root of the second.",
    found="True if beta2^2 < beta3; without that, the constant depends on the step.",
    assumptions=(
        r"$0 \le \beta_2 < 1$, $0 < \beta_3 < 1$",
        r"$\beta_2^2 < \beta_3$ only for the constant that is uniform in $k$",
    ),
    evidence=(
        formal("for every step, with both constants", LIBRARY, "lemma_10", "lemma_10_constant"),
        proof(
            "induction over k, for one coordinate",
            Piece("base: A_1 v_1 - m_1^2 = 0", _first_ratio),
            Piece(
                "step: A_k v_k - m_k^2 is a sum of squares if A_{k-1} v_{k-1} >= m_{k-1}^2",
                _ratio_step_certificate,
                concludes=True,
            ),
            Piece("the same step, by two solvers", _ratio_step_smt),
            Piece(
                "A_{k-1} <= A* gives A_k <= A*, the fixed point, if q = beta2^2/beta3 < 1",
                _uniform_constant,
                concludes=True,
            ),
            Piece("conclusion: A_0 = 0 <= A*, so |m_k| <= sqrt(A*) sqrt(v_k) for every k"),
        ),
        holds_for(
            "with the recursion for A_k and no tolerance, exact rationals",
            _ratio_on_sequences,
            gs=strategies.gradients,
            beta1=strategies.decay_rate,
            beta2=strategies.decay_rate,
            beta3=strategies.positive_decay_rate,
            c=strategies.mixing,
        ),
    ),
)

CLAIMS = (lemma_3, lemma_7, lemma_10)
