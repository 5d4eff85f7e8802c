"""What E is: the paper's two-buffer adaptor rewritten, and its relatives (paper, Section 2)."""

from fractions import Fraction
from math import comb

import sympy as sp
from hypothesis import strategies as st

from theory.ledger.claim import Claim
from theory.ledger.evidence import Piece, holds_for, proof
from theory.ledger.formal import formal
from theory.ledger.provers import Check, identity
from theory.method import strategies
from theory.method.sequences import average, differences, exploration, explored, explored_by_slow_average
from theory.rocq import LIBRARY

READS = ("formal.json",)

g, g_before, h_before, h_two_before, alpha, beta1, nu = sp.symbols("g g' h' h'' alpha beta1 nu")
c = -alpha * (1 - beta1)


def _step_of_slow_average() -> Check:
    """Assuming a_{k-1} = h_{k-1} - h_{k-2}, one step of the paper's recursion gives h_k - h_{k-1}."""
    h_one_before = beta1 * h_two_before + (1 - beta1) * g_before
    h_now = beta1 * h_one_before + (1 - beta1) * g
    a_before = h_one_before - h_two_before
    a_now = beta1 * a_before + (1 - beta1) * (g - g_before)
    return identity(a_now, h_now - h_one_before)


def _average_difference_is_deviation() -> Check:
    h_now = beta1 * h_before + (1 - beta1) * g
    return identity(h_now - h_before, (1 - beta1) * (g - h_before))


def _slow_average_on_sequences(gs: list[Fraction], beta1: Fraction, c: Fraction) -> None:
    hs = average(gs, beta1)
    a = exploration(gs, beta1)
    assert a == differences(hs)
    assert a == [(1 - beta1) * (g - h) for g, h in zip(gs, [Fraction(0), *hs], strict=False)]
    alpha = strategies.strength(c, beta1)
    assert explored(gs, alpha, beta1) == explored_by_slow_average(gs, alpha, beta1)


slow_average = Claim(
    id="identity-slow-average",
    source="ours, on the paper's Section 2 (definition of a_k)",
    statement=(
        r"With $h_k = \beta_1 h_{k-1} + (1-\beta_1) g_k$, $h_0 = 0$: "
        r"$a_k = h_k - h_{k-1} = (1-\beta_1)(g_k - h_{k-1})$ and $u_k = (1-c) g_k + c h_{k-1}$, "
        r"$c = -\alpha(1-\beta_1)$. One buffer replaces two."
    ),
    plain="The paper's two buffers can be replaced by one: a_k is a difference of slow averages.",
    assumptions=(r"constant $\beta_1$; the first equality also for varying $\alpha_k$",),
    evidence=(
        formal("both forms are one, for alpha that varies", LIBRARY, "slow_average", "one_buffer_vector"),
        proof(
            "induction over k",
            Piece("base: a_1 = (1-beta1) g_1 = h_1 - h_0", lambda: identity((1 - beta1) * (g - 0), (1 - beta1) * g)),
            Piece("step: a_{k-1} = h_{k-1} - h_{k-2} gives a_k = h_k - h_{k-1}", _step_of_slow_average, concludes=True),
            Piece("h_k - h_{k-1} = (1-beta1)(g_k - h_{k-1})", _average_difference_is_deviation),
            Piece(
                "u_k = g_k + alpha a_k = (1-c) g_k + c h_{k-1}",
                lambda: identity(g + alpha * (1 - beta1) * (g - h_before), (1 - c) * g + c * h_before),
                concludes=True,
            ),
            Piece("conclusion: the base and the step give every k"),
        ),
        holds_for(
            "both forms on whole sequences, exact rationals",
            _slow_average_on_sequences,
            gs=strategies.gradients,
            beta1=strategies.decay_rate,
            c=strategies.mixing,
        ),
    ),
)


def _qhm_step() -> Check:
    """QHM reads the average after its update; E's reads it before. With nu = c / beta1 they are the same."""
    h_now = beta1 * h_before + (1 - beta1) * g
    qhm = (1 - nu) * g + nu * h_now
    return identity(qhm.subs(nu, c / beta1), (1 - c) * g + c * h_before)


def _qhm_on_sequences(gs: list[Fraction], beta1: Fraction, c: Fraction) -> None:
    nu = c / beta1
    qhm = [(1 - nu) * g + nu * h for g, h in zip(gs, average(gs, beta1), strict=True)]
    assert explored(gs, strategies.strength(c, beta1), beta1) == qhm


qhm = Claim(
    id="identity-qhm",
    source="ours; QHM is Ma & Yarats, ICLR 2019",
    statement=(
        r"E applied to plain SGD is quasi-hyperbolic momentum with the same $\beta = \beta_1$ and $\nu = c/\beta_1$: "
        r"$u_k = (1-\nu) g_k + \nu h_k$. In the range $[0, 1]$ that is usual for $\nu$ it has $0 \le c \le \beta_1$."
    ),
    plain="E applied to plain SGD is quasi-hyperbolic momentum.",
    assumptions=(r"$0 < \beta_1 < 1$", r"no momentum in the base ($\beta_2 = 0$)"),
    evidence=(
        formal("for every step", LIBRARY, "quasi_hyperbolic"),
        proof(
            "the two directions are equal at each step",
            Piece("(1-nu) g + nu h_k = (1-c) g + c h_{k-1} at nu = c/beta1", _qhm_step, concludes=True),
            Piece("both start from h_0 = 0, so the averages agree at every k"),
        ),
        holds_for(
            "E's literal u_k against QHM's direction, exact rationals",
            _qhm_on_sequences,
            gs=strategies.gradients,
            beta1=strategies.positive_decay_rate,
            c=strategies.mixing,
        ),
    ),
)


def _pascal() -> Check:
    """C(j+n-1, n-1) = C(j+n-2, n-1) + C(j+n-2, n-2) with symbolic j and n, as a quotient that must be 1."""
    j, n = sp.symbols("j n", positive=True, integer=True)
    parts = sp.binomial(j + n - 2, n - 1) + sp.binomial(j + n - 2, n - 2)
    quotient = sp.expand(parts / sp.binomial(j + n - 1, n - 1))
    return identity(sum(map(sp.combsimp, quotient.as_ordered_terms())), 1)


def _n_fold_weights(n: int, beta: Fraction, lags: int) -> None:
    response = [Fraction(1)] + [Fraction(0)] * lags
    for _ in range(n):
        response = average(response, beta)
    assert response == [comb(j + n - 1, n - 1) * (1 - beta) ** n * beta**j for j in range(lags + 1)]


n_fold_weights = Claim(
    id="ema-n-weights",
    source="paper, Section 2 (n-fold moving average)",
    statement=(
        r"In the $n$-fold exponential moving average the difference $g_i - g_{i-1}$ has at step $k$ the weight "
        r"$\binom{k-i+n-1}{n-1} (1-\beta)^n \beta^{k-i}$."
    ),
    plain="In an n-fold moving average the differences of the gradients have negative binomial weights.",
    found="True, by induction over n.",
    assumptions=(r"the same $\beta$ in each of the $n$ averages", r"$n \ge 1$"),
    evidence=(
        proof(
            "induction over n and the lag j = k - i",
            Piece("base n = 1: (1-beta) beta^j is the response of one average, by its recursion"),
            Piece("base j = 0: n averages multiply the newest term by (1-beta)^n, and C(n-1, n-1) = 1"),
            Piece(
                "step: w_n(j) = beta w_n(j-1) + (1-beta) w_{n-1}(j) reduces to Pascal's rule", _pascal, concludes=True
            ),
            Piece("conclusion: (1-beta)^n beta^j factors out of the recursion, so the step gives every n >= 2, j >= 1"),
        ),
        holds_for(
            "all weights up to lag 12, exact rationals",
            _n_fold_weights,
            n=st.integers(1, 6),
            beta=strategies.decay_rate,
            lags=st.integers(0, 12),
        ),
    ),
)

CLAIMS = (slow_average, qhm, n_fold_weights)
