"""E under other names: Grokfast, MARS and EMA-Nesterov (ours; the methods are those of their papers)."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from theory.ledger.claim import Claim
from theory.ledger.evidence import Effort, Piece, enumerated, holds_for, proof
from theory.ledger.formal import formal
from theory.ledger.provers import Check, Query, Square, certificate, identity, reals, smt
from theory.method import strategies
from theory.method.sequences import explored
from theory.method.setting import Setting
from theory.rocq import LIBRARY
from theory.stability import family

READS = ("formal.json",)

g, h, lam, b, gamma, B, eta = sp.symbols("g h lambda b gamma B eta")

small = st.fractions(min_value=Fraction(1, 16), max_value=8, max_denominator=16)
inner = st.fractions(min_value=Fraction(1, 16), max_value=Fraction(15, 16), max_denominator=16)


def _mixed(F: Setting, g: Any, h: Any) -> Any:
    return (1 - F.c) * g + F.c * h


# ----------------------------------------------------------------------------------------------------------- Grokfast


def _grokfast_step() -> Check:
    """The step g + lam mu_k with mu_k = b h + (1-b) g is (1 + lam) u_k."""
    return identity(g + lam * (b * h + (1 - b) * g), (1 + lam) * _mixed(family.grokfast_setting(lam, b), g, h))


def _amplification_back() -> Check:
    return identity(family.amplification(family.grokfast_setting(lam, b)), lam)


def _grokfast_range() -> Check:
    """No amplification >= 0 belongs to c >= beta1."""
    c, beta1, lamb = reals("c beta1 lambda")
    inputs = [beta1 > 0, beta1 < 1, lamb > 0, c * (1 + lamb) == lamb * beta1]
    return smt(Query(inputs, c < beta1, control=2 * c < beta1))


def _grokfast_positive() -> Check:
    c, beta1, lamb = reals("c beta1 lambda")
    inputs = [beta1 > 0, beta1 < 1, lamb > 0, c * (1 + lamb) == lamb * beta1]
    return smt(Query(inputs, c > 0, control=c > beta1 / 2))


def _scale_free() -> Check:
    """Adam's squared step m^2 / v, and its layer's norm ratios, do not change if g is multiplied by 1 + lam."""
    m, v = sp.symbols("m v", positive=True)
    return identity(((1 + lam) * m) ** 2 / ((1 + lam) ** 2 * v), m**2 / v)


def _filtered(gs: list[Fraction], lamb: Fraction, beta: Fraction, mu: Fraction) -> list[Fraction]:
    found = []
    for gradient in gs:
        mu = beta * mu + (1 - beta) * gradient
        found.append(gradient + lamb * mu)
    return found


def _mixed_from(gs: list[Fraction], F: Setting, before: Any) -> list[Any]:
    found = []
    for gradient in gs:
        found.append(_mixed(F, gradient, before))
        before = F.beta1 * before + (1 - F.beta1) * gradient
    return found


def _grokfast_on_sequences(gs: list[Fraction], lamb: Fraction, beta: Fraction) -> None:
    F = family.grokfast_setting(lamb, beta)
    assert _filtered(gs, lamb, beta, Fraction(0)) == [(1 + lamb) * u for u in explored(gs, F.alpha, F.beta1)]


def _grokfast_from_first(gs: list[Fraction], lamb: Fraction, beta: Fraction) -> None:
    F = family.grokfast_setting(lamb, beta)
    assert family.amplification(F) == lamb
    assert _filtered(gs, lamb, beta, gs[0]) == [(1 + lamb) * u for u in _mixed_from(gs, F, gs[0])]


def _grokfast_other_start(gs: list[Fraction], lamb: Fraction, beta: Fraction) -> None:
    """False: Grokfast as published begins at g_1, E at 0."""
    F = family.grokfast_setting(lamb, beta)
    assert _filtered(gs, lamb, beta, gs[0]) == [(1 + lamb) * u for u in explored(gs, F.alpha, F.beta1)]


grokfast = Claim(
    id="identity-grokfast",
    source="ours; Grokfast-EMA is Lee, Kang, Kim & Lee 2024, arXiv:2405.20233",
    statement=(
        r"E is Grokfast-EMA in front of the same base, up to a factor: with $\mu_k = b \mu_{k-1} + (1-b) g_k$, "
        r"$\mu_0 = h_0 = 0$, $g_k + \lambda \mu_k = (1 + \lambda) u_k$ at $\beta_1 = b$, "
        r"$c = \lambda b / (1 + \lambda)$."
    ),
    plain="With 0 < c < beta1 E is Grokfast: the same gradient filter in front of the same optimizer, up to a factor.",
    assumptions=(r"$\lambda > 0$, $0 < b < 1$", "Grokfast's averages begun at 0 (ours-grokfast-map has other starts)"),
    evidence=(
        formal("for every step", LIBRARY, "grokfast"),
        proof(
            "one step",
            Piece("g + lambda mu_k = (1 + lambda) u_k", _grokfast_step, concludes=True),
            Piece("both averages follow one recursion from 0"),
        ),
        holds_for(
            "both filters on whole sequences, exact rationals",
            _grokfast_on_sequences, gs=strategies.gradients, lamb=small, beta=strategies.positive_decay_rate,
            control=_grokfast_other_start,
        ),
    ),
)  # fmt: skip

grokfast_map = Claim(
    id="ours-grokfast-map",
    source="ours",
    statement=(
        r"A setting of E is Grokfast's for exactly one $\lambda > 0$, $\lambda = c / (\beta_1 - c)$, if "
        r"$0 < c < \beta_1$, and for none otherwise. The factor $1 + \lambda$ does not change a base that is free of "
        r"the gradient's scale, and for SGD it is one of the learning rate. Begun alike, $\mu_0 = h_0$, they agree "
        r"from any start; Grokfast's published code begins with $\mu_0 = g_1$."
    ),
    plain="Which settings of E are Grokfast's, and what the factor between them does to the base.",
    assumptions=(
        r"$0 < \beta_1 < 1$",
        "free of scale: Adam, NAdam, RMSprop and LAMB with decoupled weight decay, their eps apart",
    ),
    rests_on=("identity-grokfast",),
    evidence=(
        proof(
            "the map and its inverse",
            Piece("lambda = c / (beta1 - c)", _amplification_back, concludes=True),
            Piece("c < beta1 for every lambda > 0", _grokfast_range),
            Piece("c > 0 for every lambda > 0", _grokfast_positive),
            Piece("Adam's step does not change if all gradients are multiplied", _scale_free),
            Piece("one step from any average", _grokfast_step),
        ),
        holds_for(
            "the filters from g_1, exact rationals",
            _grokfast_from_first, gs=strategies.gradients, lamb=small, beta=strategies.positive_decay_rate,
        ),
    ),
)  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- MARS


def _mars_step() -> Check:
    """At beta1 = 0 the slow average before step k is g_{k-1}."""
    before = sp.Symbol("g'")
    return identity(g + gamma * b / (1 - b) * (g - before), _mixed(family.mars_setting(gamma, b), g, before))


def _mars_region() -> Check:
    """The region |alpha| < 1 at beta1 = 0 is gamma < (1 - b) / b."""
    gamma, b = reals("gamma b")
    inputs = [gamma > 0, b > 0, b < 1, gamma * b / (1 - b) < 1]
    return smt(Query(inputs, gamma * b < 1 - b, control=2 * gamma * b < 1 - b))


def _mars_on_sequences(gs: list[Fraction], gamma: Fraction, beta: Fraction) -> None:
    F = family.mars_setting(gamma, beta)
    assert family.correction(F) == gamma
    before = [Fraction(0), *gs]
    corrected = [now + gamma * beta / (1 - beta) * (now - last) for now, last in zip(gs, before, strict=False)]
    assert explored(gs, F.alpha, F.beta1) == corrected


mars = Claim(
    id="identity-mars",
    source="ours; MARS is Yuan, Liu, Wu, Zhou & Gu, ICML 2025, arXiv:2411.10438",
    statement=(
        r"MARS's correction $g_k + \gamma \frac{b}{1-b} (g_k - g_{k-1})$, with the last step's gradient as $g_{k-1}$, "
        r"is $u_k$ at $\beta_1 = 0$, $\alpha = \gamma b / (1-b)$."
    ),
    plain="MARS without a second gradient per step is E, with beta1 = 0 and alpha > 0, around an Adam that clips.",
    assumptions=(
        r"$\gamma > 0$, $0 < b < 1$ (its momentum: E's $\beta_2 = b$); E's region is $\gamma < (1-b)/b$",
        "the base is the rest of MARS: per tensor it divides what it gets by its norm where that exceeds 1",
    ),
    evidence=(
        formal("for every step", LIBRARY, "mars"),
        proof(
            "one step",
            Piece("MARS's correction is u_k with h_{k-1} = g_{k-1}", _mars_step, concludes=True),
            Piece("inside E's region where gamma b < 1 - b", _mars_region),
            Piece("both begin with g_0 = 0"),
        ),
        holds_for(
            "both on whole sequences, exact rationals",
            _mars_on_sequences, gs=strategies.gradients, gamma=small, beta=inner,
        ),
    ),
)  # fmt: skip


# ------------------------------------------------------------------------------------------------------- EMA-Nesterov


def _nesterov_step() -> tuple[sp.Expr, sp.Expr]:
    """(y_{k+1} - y_k, m_{k+1}) from theta+ = y - eta d, y = theta + B m, with m_k = -eta / (1 - B) h."""
    m = -eta / (1 - B) * h
    theta = -B * m  # y_k = 0
    new = -eta * g
    m_new = gamma * m + (1 - gamma) * (new - theta)
    return new + B * m_new, m_new


def _nesterov_moves() -> Check:
    return identity(_nesterov_step()[0], -eta / (1 - B) * _mixed(family.ema_nesterov_setting(gamma, B), g, h))


def _nesterov_average() -> Check:
    """M_{k+1} = -eta / (1 - B) h_k with the same factor: the induction's step."""
    beta1 = family.ema_nesterov_setting(gamma, B).beta1
    return identity(_nesterov_step()[1], -eta / (1 - B) * (beta1 * h + (1 - beta1) * g))


def _lookahead_back() -> Check:
    found = family.lookahead(family.ema_nesterov_setting(gamma, B))
    first, second = identity(found[0], gamma), identity(found[1], B)
    return first if second.ok else second


def _adam_ratio_is_bounded() -> Check:
    """(b2 + q)^2 / (b3 + q^2) <= (b2^2 + b3) / b3: Adam's second step in units of its first, q = u_2 / u_1."""
    b2, b3 = sp.symbols("beta2 beta3", positive=True)
    q = sp.symbols("q", real=True)
    gap = (b2**2 + b3) * (b3 + q**2) / b3 - (b2 + q) ** 2
    return certificate(gap, [Square(b2 * q - b3, over=(b3,))], positive=(b2, b3))


def _points(gradient: Callable[[Any], Any], start: Any, gamma: Any, B: Any, eta: Any, steps: int) -> list[Any]:
    """Where EMA-Nesterov over SGD reads its gradients: y_1 ... y_{steps + 1}."""
    theta, m, ys = start, 0 * start, [start]
    for _ in range(steps):
        new = ys[-1] - eta * gradient(ys[-1])
        m = gamma * m + (1 - gamma) * (new - theta)
        theta = new
        ys.append(theta + B * m)
    return ys


def _through_e(gradient: Callable[[Any], Any], start: Any, F: Setting, lr: Any, steps: int) -> list[Any]:
    h, xs = 0 * start, [start]
    for _ in range(steps):
        now = gradient(xs[-1])
        xs.append(xs[-1] - lr * _mixed(F, now, h))
        h = F.beta1 * h + (1 - F.beta1) * now
    return xs


def _rational_slope(x: Fraction) -> Fraction:
    """The slope of a function that is no quadratic, log(1 + x^2) + x^2 / 4, exactly."""
    return 2 * x / (1 + x * x) + x / 2


def _nesterov_on_runs(start: Fraction, gamma: Fraction, B: Fraction, eta: Fraction) -> None:
    F = family.ema_nesterov_setting(gamma, B)
    assert _points(_rational_slope, start, gamma, B, eta, 4) == _through_e(_rational_slope, start, F, eta / (1 - B), 4)


def _nesterov_own_rate(start: Fraction, gamma: Fraction, B: Fraction, eta: Fraction) -> None:
    """False: the learning rate changes as well."""
    F = family.ema_nesterov_setting(gamma, B)
    assert _points(_rational_slope, start, gamma, B, eta, 4) == _through_e(_rational_slope, start, F, eta, 4)


def _adam(b2: float, b3: float) -> Callable[[float], float]:
    """Adam's direction without eps, one gradient after the other."""
    m = v = 0.0
    k = 0

    def direction(gradient: float) -> float:
        nonlocal m, v, k
        k, m, v = k + 1, b2 * m + (1 - b2) * gradient, b3 * v + (1 - b3) * gradient**2
        return m / (1 - b2**k) / np.sqrt(v / (1 - b3**k))

    return direction


def _with_adam(_: Effort) -> str:
    """E mixes before the preconditioner, EMA-Nesterov after it: runs from one start part."""
    gamma, B, lr = 0.9, 0.9, 0.01
    F = family.ema_nesterov_setting(gamma, B)
    adam, inside, before = _adam(0.9, 0.99), _adam(0.9, 0.99), 0.0
    after = _points(lambda y: adam(4 * y**3), 1.0, gamma, B, lr, 40)
    mixed = [1.0]
    for _step in range(40):
        now = 4 * mixed[-1] ** 3
        mixed.append(mixed[-1] - lr / (1 - B) * inside(_mixed(F, now, before)))
        before = F.beta1 * before + (1 - F.beta1) * now
    apart = float(np.abs(np.subtract(after, mixed)).max())
    assert apart > 0.1, f"{apart:g}"
    return f"theta^4 from 1, 40 steps, Adam inside: the points are up to {apart:.2g} apart"


ema_nesterov = Claim(
    id="identity-ema-nesterov",
    source="ours; EMA-Nesterov is Yau et al. 2026, arXiv:2605.25395",
    statement=(
        r"EMA-Nesterov over SGD, $\theta_{k+1} = y_k - \eta \nabla f(y_k)$, "
        r"$m_{k+1} = \gamma m_k + (1-\gamma)(\theta_{k+1} - \theta_k)$, $y_{k+1} = \theta_{k+1} + B m_{k+1}$ with "
        r"constant $B < 1$ is E on SGD for every $f$: its points $y_k$ are E's iterates with "
        r"$\beta_1 = \gamma + (1-\gamma) B$, $c = B \beta_1$ and the learning rate $\eta / (1-B)$."
    ),
    plain="EMA-Nesterov over SGD is E on SGD for every function.",
    assumptions=(
        r"$0 \le \gamma < 1$, $0 < B < 1$ constant ($B_k$ scheduled is not covered)", r"$m_1 = 0$, $y_1 = \theta_1$",
    ),
    evidence=(
        formal("for every step and every gradient", LIBRARY, "ema_nesterov"),
        proof(
            "induction over the steps",
            Piece("base: m_1 = 0 = -eta / (1 - B) h_0, and y_1 = theta_1"),
            Piece("step: m_{k+1} = -eta / (1 - B) h_k", _nesterov_average),
            Piece("y_{k+1} - y_k = -eta / (1 - B) u_k", _nesterov_moves, concludes=True),
            Piece("gamma = (beta1 - B) / (1 - B), B = c / beta1", _lookahead_back),
        ),
        holds_for(
            "both on a function that is no quadratic, exact rationals",
            _nesterov_on_runs, start=st.fractions(1, 2, max_denominator=4), gamma=inner, B=inner,
            eta=st.fractions(Fraction(1, 8), 1, max_denominator=8), control=_nesterov_own_rate,
        ),
    ),
)  # fmt: skip

ema_nesterov_adam = Claim(
    id="ours-ema-nesterov-adam",
    source="ours",
    statement=(
        r"EMA-Nesterov over Adam is no setting of E: with $d_k$ Adam's direction, its $y_{k+1} - y_k$ mixes $d_k$ with "
        r"their slow average, and E mixes $g_k$ before Adam."
    ),
    plain="EMA-Nesterov over Adam mixes after the base, and E before it.",
    assumptions=(r"bias-corrected, its eps 0, $\beta_3 > 0$; any setting and rate of E, the same base",),
    rests_on=("identity-ema-nesterov",),
    evidence=(
        proof(
            "the second step over the first",
            Piece(
                "with r = g_2 / g_1 free, it is F(r + s') in E and F(r) + s in EMA-Nesterov, "
                "s = c (1 - beta1) / (1 - c) > 0; so F(r + n s') = F(r) + n s for every n"
            ),
            Piece("but F is bounded", _adam_ratio_is_bounded),
            Piece("so F(r) + n s would have to be bounded in n, although s > 0"),
        ),
        enumerated("with Adam inside they part", _with_adam),
    ),
)

CLAIMS = (grokfast, grokfast_map, mars, ema_nesterov, ema_nesterov_adam)
