"""E with momentum as a linear filter: its two-average form, its lag, and the transport identity (ours)."""

from fractions import Fraction

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from theory.ledger.claim import Claim
from theory.ledger.evidence import Piece, holds_for, proof
from theory.ledger.formal import formal
from theory.ledger.provers import Check, Expr, Query, identity, reals, smt
from theory.method import strategies
from theory.method.filters import Filter
from theory.method.sequences import accumulated, average, differences, explored, transport
from theory.rocq import LIBRARY

READS = ("formal.json",)

g, h, m, a_old, y, alpha, beta1, beta2, z = sp.symbols("g h m A y alpha beta1 beta2 z")
c = -alpha * (1 - beta1)
b = beta2 / (1 - beta2)


def _heavy_ball() -> Check:
    """At c = beta1 the direction u_k = (1 - c) g + c h_{k-1} is h_k itself."""
    return identity(((1 - c) * g + c * h).subs(alpha, -beta1 / (1 - beta1)), beta1 * h + (1 - beta1) * g)


def _nesterov() -> Check:
    """At c = beta1^2 it is the Nesterov direction (1 - beta1) g + beta1 h_k, the look-ahead of the same average."""
    u = ((1 - c) * g + c * h).subs(alpha, -(beta1**2) / (1 - beta1))
    return identity(u, (1 - beta1) * g + beta1 * (beta1 * h + (1 - beta1) * g))


def _nadam_step() -> Check:
    """With beta1 = 0, alpha = beta2: if m = beta2 n + g for the plain momentum n, the same holds a step later.

    Then u_k = g_k + beta2 (g_k - g_{k-1}), and n is the momentum of the gradients without E.
    """
    n_before, g_before = sp.symbols("n g'")
    m_before = beta2 * n_before + g_before
    n_now = beta2 * n_before + g
    return identity(beta2 * m_before + g + beta2 * (g - g_before), beta2 * n_now + g)


def _heavy_ball_and_nesterov_on_sequences(gs: list[Fraction], beta: Fraction) -> None:
    hs = average(gs, beta)
    assert explored(gs, -beta / (1 - beta), beta) == hs
    look_ahead = [(1 - beta) * g + beta * h for g, h in zip(gs, hs, strict=True)]
    assert explored(gs, -(beta**2) / (1 - beta), beta) == look_ahead
    plain = accumulated(gs, beta)
    nesterov = [g + beta * n for g, n in zip(gs, plain, strict=True)]
    assert accumulated(explored(gs, beta, Fraction(0)), beta) == nesterov


heavy_ball_nesterov = Claim(
    id="identity-heavy-ball-nesterov",
    source="ours; the points of QHM (Ma & Yarats 2019) in E's letters",
    statement=(
        r"E on plain SGD is heavy ball at $\alpha = -\beta_1/(1-\beta_1)$ ($c = \beta_1$) and Nesterov's method at "
        r"$\alpha = -\beta_1^2/(1-\beta_1)$ ($c = \beta_1^2$); with $\beta_1 = 0$, $\alpha = \beta_2$ the momentum "
        r"of "
        r"ESGD is Nesterov's $g_k + \beta_2 n_k$ for the plain momentum $n$. All three lie inside "
        r"$|\alpha| < 1/(1-\beta_1)$."
    ),
    plain="Heavy ball and Nesterov's method are special cases of E on SGD.",
    assumptions=(r"$0 \le \beta_1, \beta_2 < 1$",),
    evidence=(
        formal("for every step", LIBRARY, "heavy_ball", "nesterov", "nesterov_in_the_base", "inside_the_region"),
        proof(
            "equal directions at every step",
            Piece("c = beta1: u_k = h_k", _heavy_ball),
            Piece("c = beta1^2: u_k = (1-beta1) g_k + beta1 h_k", _nesterov, concludes=True),
            Piece(
                "beta1 = 0, alpha = beta2: m_{k-1} = g_{k-1} + beta2 n_{k-1} gives the same for k",
                _nadam_step,
                concludes=True,
            ),
            Piece("base: all start from 0; conclusion by induction"),
        ),
        holds_for(
            "whole sequences, exact rationals",
            _heavy_ball_and_nesterov_on_sequences,
            gs=strategies.gradients,
            beta=strategies.decay_rate,
        ),
    ),
)


def _slope(transfer: Expr) -> Expr:
    """Minus the derivative at z = 1: sum_j j w_j, since sum_j j w_j z^(-j-1) = -W'(z)."""
    derivative: Expr = transfer.diff(z)
    return -derivative.subs(z, 1)


def _transfer(alpha: Expr) -> Expr:
    """The z-transform of the weights of m: the momentum's times u's, ((1-c) z + c - beta1) / (z - beta1)."""
    mixing = -alpha * (1 - beta1)
    return (1 - beta2) * z / (z - beta2) * ((1 - mixing) * z + mixing - beta1) / (z - beta1)


def _two_averages() -> Check:
    w = c * (1 - beta2) / (beta1 - beta2)
    mixture = (1 - w) * (1 - beta2) * z / (z - beta2) + w * (1 - beta1) * z / (z - beta1)
    return identity(_transfer(alpha), mixture)


def _two_averages_on_sequences(gs: list[Fraction], beta1: Fraction, beta2: Fraction, c: Fraction) -> None:
    if beta1 == beta2:
        return
    w = c * (1 - beta2) / (beta1 - beta2)
    mixture = [(1 - w) * fast + w * slow for fast, slow in zip(average(gs, beta2), average(gs, beta1), strict=True)]
    assert average(explored(gs, strategies.strength(c, beta1), beta1), beta2) == mixture


two_averages = Claim(
    id="identity-two-ema",
    source="ours",
    statement=(
        r"For $\beta_1 \ne \beta_2$ the normalised momentum of $u$ is a mixture of two averages of the gradient: "
        r"$m = (1-w) \mathrm{EMA}_{\beta_2}(g) + w \mathrm{EMA}_{\beta_1}(g)$, "
        r"$w = c(1-\beta_2)/(\beta_1-\beta_2)$."
    ),
    plain="The momentum of E is a mixture of two moving averages of the gradient.",
    assumptions=(r"$\beta_1 \ne \beta_2$", "zero initial state, normalised momentum"),
    evidence=(
        formal("for every step", LIBRARY, "two_averages"),
        proof(
            "equal z-transforms",
            Piece("partial fractions of the transfer function", _two_averages, concludes=True),
            Piece("causal linear filters with zero initial state and equal transfer functions are equal"),
        ),
        holds_for(
            "whole sequences, exact rationals",
            _two_averages_on_sequences,
            gs=strategies.gradients,
            beta1=strategies.decay_rate,
            beta2=strategies.decay_rate,
            c=strategies.mixing,
        ),
    ),
)


def _cancellation() -> Check:
    star = 1 / (1 - beta2) - 1 / (1 - beta1)
    return identity(_transfer(star), (1 - beta1) * z / (z - beta1))


def _only_there() -> Check:
    """The difference to EMA_beta1 has the factor alpha - alpha*, so no other alpha does it."""
    star = 1 / (1 - beta2) - 1 / (1 - beta1)
    rest = -(z - 1) * z * (1 - beta1) * (1 - beta2) / ((z - beta1) * (z - beta2))
    return identity(_transfer(alpha) - (1 - beta1) * z / (z - beta1), -(alpha - star) * rest)


def _cancellation_on_sequences(gs: list[Fraction], beta1: Fraction, beta2: Fraction) -> None:
    star = 1 / (1 - beta2) - 1 / (1 - beta1)
    assert average(explored(gs, star, beta1), beta2) == average(gs, beta1)


alpha_star = Claim(
    id="ours-alpha-star",
    source="ours",
    statement=(
        r"At $\alpha^\star = 1/(1-\beta_2) - 1/(1-\beta_1)$, and there only, E leaves no trace in the first moment "
        r"but "
        r"a change of its decay rate: $m = \mathrm{EMA}_{\beta_1}(g)$. The settings of Figure 8, "
        r"$(\beta_1, \beta_2, \alpha) = (.99, .95, -80)$ and $(.99, .9, -90)$, are exactly there."
    ),
    plain="At one alpha E only changes the decay rate of the first moment; the paper's Figure 8 is exactly there.",
    assumptions=("normalised momentum, zero initial state",),
    evidence=(
        formal("for all gradients, and the settings of Figure 8", LIBRARY, "alpha_star", "figure_8"),
        proof(
            "pole-zero cancellation",
            Piece("transfer function at alpha*", _cancellation, concludes=True),
            Piece("causal linear filters with zero initial state are equal iff their transfer functions are"),
            Piece("the difference is proportional to alpha - alpha*", _only_there, concludes=True),
            Piece(
                "Figure 8: alpha*(.99, .95) = -80",
                lambda: identity(1 / (1 - sp.Rational(95, 100)) - 1 / (1 - sp.Rational(99, 100)), -80),
            ),
            Piece(
                "Figure 8: alpha*(.99, .9) = -90",
                lambda: identity(1 / (1 - sp.Rational(9, 10)) - 1 / (1 - sp.Rational(99, 100)), -90),
            ),
        ),
        holds_for(
            "whole sequences, exact rationals",
            _cancellation_on_sequences,
            gs=strategies.gradients,
            beta1=strategies.decay_rate,
            beta2=strategies.decay_rate,
        ),
    ),
)


def _weights_sum_to_one() -> Check:
    return identity(_transfer(alpha).subs(z, 1), 1)


def _mean_age() -> Check:
    """Mean lag = -d/dz of the transfer function at z = 1, since sum_j j w_j z^{-j-1} = -W'(z)."""
    return identity(_slope(_transfer(alpha)), b - alpha)


def _explored_age() -> Check:
    u: Expr = ((1 - c) * z + c - beta1) / (z - beta1)
    return identity(_slope(u), -alpha)


def _lag_by_summation(beta1: float, beta2: float, c: float) -> None:
    F = Filter(-c / (1 - beta1), beta1, beta2)
    j = np.arange(len(F.w))
    assert abs(F.w.sum() - 1) < 1e-12 * F.kappa_m
    assert abs((j * F.w).sum() - (F.b - F.alpha)) < 1e-9 * (1 + F.K)
    if F.alpha <= 0:
        assert abs(F.K - (F.b - F.alpha)) < 1e-9 * (1 + F.K)


mean_age = Claim(
    id="ours-mean-age",
    source="ours",
    statement=(
        r"The weights of $u$ and of $m$ on past gradients sum to 1. The mean age of $u$ is exactly $-\alpha$ "
        r"steps, of $m$ it is $\beta_2/(1-\beta_2) - \alpha$: $\alpha < 0$ looks back $|\alpha|$ steps, $\alpha > 0$ "
        r"extrapolates $\alpha$ steps ahead."
    ),
    plain="E looks back by -alpha steps in the mean; positive alpha extrapolates.",
    assumptions=(
        r"infinite past; after $k$ steps the weights sum to 1 up to a multiple of $k \max(\beta_1, \beta_2)^k$",
    ),
    evidence=(
        formal("limits over the steps", LIBRARY, "weights_are", "mean_age_of_u", "mean_age"),
        proof(
            "value and slope of the transfer function at z = 1",
            Piece("the weights of m sum to 1", _weights_sum_to_one),
            Piece("mean age of u", _explored_age, concludes=True),
            Piece("mean age of m", _mean_age, concludes=True),
            Piece("the mean age is -W'(1) for a filter W(z) = sum w_j z^-j, which converges at z = 1"),
        ),
        holds_for(
            "summed weights, relative tolerance 1e-9; for alpha <= 0 the total age equals the mean age",
            _lag_by_summation,
            beta1=st.floats(0, 0.99),
            beta2=st.floats(0, 0.99),
            c=st.floats(-0.99, 0.99),
        ),
    ),
)


def _transport_step() -> Check:
    """One step of the recursions: T_k - T_{k-1} = g_k - m_k for any previous m and h."""
    u = (1 - c) * g + c * h
    m_now = beta2 * m + (1 - beta2) * u
    h_now = beta1 * h + (1 - beta1) * g
    return identity((b * m_now - alpha * h_now) - (b * m - alpha * h), g - m_now)


def _virtual_iterate() -> Check:
    """With theta' = theta - eta m_k and y_k = theta - eta T_{k-1}: y_{k+1} = y_k - eta g_k."""
    theta, eta, before, now = sp.symbols("theta eta T' T")
    m_now = g - (now - before)
    return identity((theta - eta * m_now) - eta * now, (theta - eta * before) - eta * g)


def _transport_on_sequences(gs: list[Fraction], beta1: Fraction, beta2: Fraction, c: Fraction) -> None:
    alpha = strategies.strength(c, beta1)
    ms = average(explored(gs, alpha, beta1), beta2)
    ts = transport(gs, alpha, beta1, beta2)
    assert differences(ts) == [g - m for g, m in zip(gs, ms, strict=True)]


transport_identity = Claim(
    id="ours-transport-identity",
    source="ours",
    statement=(
        r"With $T_k = b m_k - \alpha h_k$, $b = \beta_2/(1-\beta_2)$, $T_0 = 0$: $g_k - m_k = T_k - T_{k-1}$. Hence "
        r"under $\theta_{k+1} = \theta_k - \eta m_k$ the point $y_k = \theta_k - \eta T_{k-1}$ moves by plain SGD, "
        r"$y_{k+1} = y_k - \eta g_k$."
    ),
    plain="The error of the momentum is a difference of consecutive terms, so a shifted iterate moves by plain SGD.",
    assumptions=(r"constant $\alpha, \beta_1, \beta_2$; normalised momentum",),
    evidence=(
        formal("for every step", LIBRARY, "transport", "virtual_iterate"),
        proof(
            "one step of the recursions",
            Piece("T_k - T_{k-1} = g_k - m_k, for any m_{k-1}, h_{k-1}", _transport_step, concludes=True),
            Piece("the virtual iterate", _virtual_iterate, concludes=True),
            Piece("both start from 0: conclusion by induction"),
        ),
        holds_for(
            "whole sequences, exact rationals",
            _transport_on_sequences,
            gs=strategies.gradients,
            beta1=strategies.decay_rate,
            beta2=strategies.decay_rate,
            c=strategies.mixing,
        ),
    ),
)


def _omega2_closed_form() -> Check:
    """Sum w_j^2 from the two-average form, for beta1 != beta2, against the closed form."""
    C = sp.Symbol("c")
    w = C * (1 - beta2) / (beta1 - beta2)
    first, second = (1 - w) * (1 - beta2), w * (1 - beta1)
    series = first**2 / (1 - beta2**2) + 2 * first * second / (1 - beta1 * beta2) + second**2 / (1 - beta1**2)
    bracket = 1 - 2 * C * (1 - beta2) * (1 + beta1 - C) / ((1 + beta1) * (1 - beta1 * beta2))
    return identity(series, (1 - beta2) / (1 + beta2) * bracket)


def _noise_sign() -> Check:
    """The bracket exceeds 1 exactly for c < 0, inside |c| < 1."""
    C, p, q = reals("c p q")
    reduction = C * (1 - q) * (1 + p - C)
    box = [p >= 0, p < 1, q >= 0, q < 1, C > -1, C < 1]
    return smt(Query([*box, C > 0], reduction > 0, control=reduction > C))


def _noise_by_summation(beta1: float, beta2: float, c: float) -> None:
    F = Filter(-c / (1 - beta1), beta1, beta2)
    bracket = 1 - 2 * c * (1 - beta2) * (1 + beta1 - c) / ((1 + beta1) * (1 - beta1 * beta2))
    assert abs(F.omega2 - (1 - beta2) / (1 + beta2) * bracket) < 1e-10
    assert abs(Filter(F.alpha, beta1, 0.0).omega2 - F.noise_gain) < 1e-10


noise_gain = Claim(
    id="ours-noise-gain",
    source="ours",
    statement=(
        r"White noise in the gradient reaches $m$ with the variance gain $\omega_2 = \sum_j w_j^2 = "
        r"\frac{1-\beta_2}{1+\beta_2} [1 - \frac{2c(1-\beta_2)(1+\beta_1-c)}{(1+\beta_1)(1-\beta_1\beta_2)}]$: "
        r"$\alpha < 0$ reduces it."
    ),
    plain="The variance of white noise in the momentum has a closed form, and negative alpha lowers it.",
    assumptions=(r"$|c| < 1$; normalised momentum", "noise uncorrelated over time"),
    rests_on=("identity-two-ema",),
    evidence=(
        proof(
            "geometric series of the two-average form",
            Piece("uncorrelated noise of equal variance: the variance of sum w_j xi_{k-j} tends to sum w_j^2"),
            Piece("closed form, beta1 != beta2", _omega2_closed_form, concludes=True),
            Piece("beta1 = beta2: both sides are continuous in beta2"),
            Piece("the bracket is below 1 for c in (0, 1)", _noise_sign),
        ),
        holds_for(
            "summed squares of the weights, tolerance 1e-10",
            _noise_by_summation,
            beta1=st.floats(0, 0.99),
            beta2=st.floats(0, 0.99),
            c=st.floats(-0.99, 0.99),
        ),
    ),
)

CLAIMS = (heavy_ball_nesterov, two_averages, alpha_star, mean_age, transport_identity, noise_gain)
