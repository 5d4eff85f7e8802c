"""The chain that proves Theorem C, piece by piece: S1 convexity to S6, and what the claims on regret assume."""

import sympy as sp

from theory.claims.lemmas.tracking import split_of_a_sum
from theory.ledger.evidence import Piece
from theory.ledger.provers import Check, Query, Square, certificate, either, identity, magnitude, reals, smt


def _three_points() -> Check:
    """2 m x = H x^2 - H (x - M/H)^2 + M^2/H - 2 (M - m) x, one coordinate."""
    H = sp.Symbol("H", positive=True)
    m, x, M = sp.symbols("m x M", real=True)
    return identity(2 * m * x, H * x**2 - H * (x - M / H) ** 2 + M**2 / H - 2 * (M - m) * x)


def _clip_is_nonexpansive() -> Check:
    """|clip(z) - y| <= |z - y| for y in [lo, hi]."""
    z, y, low, high = reals("z y lo hi")
    clipped = either(z < low, low, either(z > high, high, z))
    inputs = [low <= y, y <= high]
    shorter = (clipped - y) * (clipped - y) <= (z - y) * (z - y)
    return smt(Query(inputs, shorter, control=(clipped - y) * (clipped - y) <= (z - y) * (z - y) / 2))


def _quarter() -> Check:
    """-t (t - y) <= y^2 / 4."""
    t, y = sp.symbols("t y", real=True)
    return certificate(y**2 / 4 + t * (t - y), [Square(t - y / 2)])


def _telescope_step() -> Check:
    """H' x^2 - H x^2 <= D^2 max(H' - H, 0) for x^2 <= D^2: each increment of the weights, one coordinate."""
    H, new, x2, D2 = reals("H new x2 D2")
    rise = either(new > H, new - H, 0)
    return smt(Query([x2 >= 0, x2 <= D2], (new - H) * x2 <= D2 * rise, control=(new - H) * x2 <= D2 * rise / 2))


def _root_sum_step() -> Check:
    """1 / sqrt(k) <= 2 (sqrt(k) - sqrt(k-1)): with s^2 - t^2 = 1, 2 s (s - t) - 1 = (s - t)^2."""
    s, t = sp.symbols("s t", real=True)
    return certificate(2 * s * (s - t) - (s**2 - t**2), [Square(s - t)])


def _inverse_factor() -> Check:
    A, N, gamma, eps2, eps3 = sp.symbols("A N gamma eps2 eps3", positive=True)
    gap = (A + (gamma + eps2) * eps3) * (N + eps3) - eps3 * (A + gamma * N + eps2 * (N + eps3))
    return certificate(gap, [Square(1, times=(A, N)), Square(eps3, times=(gamma,))], positive=(A, N, gamma))


def _transport() -> Check:
    """<g_k - m_k, x_k> by T_k = b m_k - alpha_k h_k: what telescopes, and two terms at x_{k-1}. alpha_k may vary."""
    g, h, m, x, last_x, beta1, beta2 = sp.symbols("g h m x x' beta1 beta2")
    alpha, last_alpha = sp.symbols("alpha alpha'")
    b, u = beta2 / (1 - beta2), g + alpha * (1 - beta1) * (g - h)
    m_now, h_now = beta2 * m + (1 - beta2) * u, beta1 * h + (1 - beta1) * g
    telescoping = (b * m_now - alpha * h_now) * x - (b * m - last_alpha * h) * last_x
    return identity(
        (g - m_now) * x,
        telescoping + (b * m - alpha * h) * (last_x - x) - (last_alpha - alpha) * h * last_x,
    )


def _gain() -> Check:
    """|u_k| <= kappa G for every c_k with |1 - c_k| + |c_k| <= kappa."""
    g, h, c, kappa, G = reals("g h c kappa G")
    u = (1 - c) * g + c * h
    inputs = [G >= 0, magnitude(g) <= G, magnitude(h) <= G, magnitude(1 - c) + magnitude(c) <= kappa]
    return smt(Query(inputs, magnitude(u) <= kappa * G, control=magnitude(u) <= G))


def _varying_age() -> Check:
    """|b m_{k-1} - alpha_k h_{k-1}| <= (kappa b + A) G for |alpha_k| <= A, |m| <= kappa G, |h| <= G."""
    m, h, b, alpha, kappa, A, G = reals("m h b alpha kappa A G")
    lag = magnitude(b * m - alpha * h)
    inputs = [b >= 0, G >= 0, magnitude(m) <= kappa * G, magnitude(h) <= G, magnitude(alpha) <= A]
    return smt(Query(inputs, lag <= (kappa * b + A) * G, control=lag <= kappa * b * G))


def _variation() -> Check:
    """|alpha_k - alpha_{k+1}| <= 2 alpha / s <= 4 alpha (s - t), with s = sqrt(k), t = sqrt(k-1), s^2 - t^2 = 1."""
    now, later, alpha, s, t = reals("now later alpha s t")
    inputs = [alpha >= 0, t >= 0, s > t, s * s - t * t == 1, magnitude(now) * s <= alpha, magnitude(later) * s <= alpha]
    change = magnitude(now - later)
    return smt(Query(inputs, change <= 4 * alpha * (s - t), control=change <= 3 * alpha * (s - t)))


def _terms_add_up() -> Check:
    """R <= P + Q by S1 and S2, P = sum <m, x> by S4 to S6, Q = sum <g - m, x> by S3 and S6."""
    R, T, root, P, Q, A, B = reals("R T root P Q A B")
    distance, step, decay, age, boundary, variation = reals("distance step decay age boundary variation")
    inputs = [
        root >= 0, root * root == T, R <= P + Q, (distance + step + decay) * root >= P,
        age * root + boundary + variation >= Q, distance + step + decay + age == A, boundary + variation == B,
    ]  # fmt: skip
    return smt(Query(inputs, A * root + B >= R, control=A * root + B >= R + variation))


S2 = Piece("S2 g_k - m_k = b (m_k - m_{k-1}) - alpha_k (h_k - h_{k-1}), by parts: one step of the sum", _transport)
S3 = Piece("S3 |T_k|_inf <= K G: weights t_i of T, and |g|_inf <= G")
S4 = (
    Piece("S4 three points, before clipping", _three_points),
    Piece("S4 clipping does not lengthen x in a diagonal norm", _clip_is_nonexpansive),
)
S5 = (
    Piece("S5 telescoping, one increment of H", _telescope_step),
    Piece("S5 weight decay: -t (t - y) <= y^2 / 4", _quarter),
)
S6 = (
    Piece("S6 1/s <= (sqrt(d_i) zeta + (gamma + eps2) eps3) / eps3 (lemma-9)", _inverse_factor),
    Piece("S6 |r|^2 s <= phi |r|, Cauchy-Schwarz over layers: (sum t x)^2 <= (sum t)(sum t x^2)", split_of_a_sum),
    Piece("S6 sum 1/sqrt(k) <= 2 sqrt(T), by induction", _root_sum_step),
)
CONCLUSION = Piece("conclusion: the terms add up to A sqrt(T) + B", _terms_add_up, concludes=True)
CHAIN = (Piece("S1 convexity"), S2, S3, *S4, *S5, *S6, CONCLUSION)

VARYING = (
    CHAIN[0],
    S2,
    Piece("S3 |u_k|_inf <= kappa G, kappa = max_k kappa(c_k); so |m_k|_inf, an average of them", _gain),
    Piece("S3 |b m_{k-1} - alpha_k h_{k-1}|_inf <= K G, K = kappa b + max |alpha_k|", _varying_age),
    *CHAIN[3:],
)
"""The chain where alpha_k varies: the largest kappa(c_k) stands for kappa and kappa_m, and K has its cruder form."""

VARIATION = Piece(
    "the variation of |alpha_k| <= alpha / sqrt(k) is at most 4 alpha sqrt(T): one step", _variation, concludes=True
)

CONVEX = (
    r"each $f_k$ convex on a box $X$ that holds $\theta^*$",
    r"$\|g_k\|_\infty \le G$",
    r"$\eta_k = \eta/\sqrt k$, $\gamma_k \le \gamma/\sqrt k$",
    r"(C4) every iterate stays in $X$",
    r"$D = \sup_k \|\theta_k\|$, $D_j = \sup_k |\theta_{k,j} - \theta^*_j|$, $D_\infty = \max_j D_j$: distances from "
    r"$\theta^*$, where the paper's $D_\infty$ bounds $\|\theta_k\|_\infty$",
)
MONOTONE = r"(C3) $H_k = (\sqrt{v_k} + \epsilon_1)/(\eta_k s_k)$ does not decrease, coordinate by coordinate"
