"""Convex online regret: our Theorem C, and what it makes of the paper's Theorem 2 and its Lemmas 11 and 12."""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any, cast

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from theory.claims.lemmas.tracking import split_of_a_sum
from theory.claims.theorems.descent import chains
from theory.ledger.claim import Claim, Repair
from theory.ledger.evidence import About, Evidence, Kind, Piece, holds_for, proof
from theory.ledger.formal import formal
from theory.ledger.provers import Check, Query, Square, certificate, either, identity, magnitude, reals, smt
from theory.method import strategies
from theory.method.algorithms import ALTO
from theory.method.filters import Filter
from theory.method.sequences import average, explored
from theory.method.trajectory import Trajectory, record
from theory.rocq import LIBRARY
from theory.theorems import stage, tightness
from theory.theorems.bounds import Online
from theory.theorems.regret_chain import BOX, Stream, draw_stream, stages
from theory.theorems.varying_alpha import Envelope

READS = ("formal.json",)


@dataclass(frozen=True)
class Variant:
    """Which algorithm runs: with or without layer factor, enforced monotonicity, varying alpha, bias correction."""

    layerwise: bool
    monotone: bool
    varying: bool = False
    corrected: bool = False


def _setting(rng: np.random.Generator) -> tuple[tuple[int, ...], int, Filter]:
    """The first draws of a problem: the sizes of its layers, its steps, and the filter."""
    layers = tuple(int(n) for n in rng.integers(1, 3, size=rng.integers(1, 4)))
    steps = int(rng.integers(2, 60))
    beta1, c = rng.uniform(0, 0.95), rng.uniform(-0.95, 0.95)
    return layers, steps, Filter(-c / (1 - beta1), beta1, rng.uniform(0, 0.95))


def _strengths(rng: np.random.Generator, F: Filter, steps: int) -> np.ndarray:
    """alpha_k: alpha / sqrt(k), the same with signs that alternate, one change of sign, or any c_k in (-1, 1)."""
    ends = -rng.uniform(-0.99, 0.99, size=steps) / (1 - F.beta1)
    decaying = F.alpha / np.sqrt(np.arange(1, steps + 1))
    once = np.where(np.arange(steps) < rng.integers(1, steps), -1, 1) * abs(ends[0])
    alternating = decaying * (-1.0) ** np.arange(steps)
    return (decaying, alternating, once, ends)[rng.integers(4)]


def run_stream(seed: int, variant: Variant) -> tuple[Trajectory, Stream, list[stage.Stage]]:
    """A drawn online problem, solved with eta / sqrt(k), and its chain S1 ... S6."""
    rng = np.random.default_rng(seed)
    layers, steps, F = _setting(rng)
    eta, decay = 10 ** rng.uniform(-2, 1), float(rng.choice([0.0, 0.1, 1.0]))
    alto = ALTO(
        F.alpha, F.beta1, F.beta2, rng.uniform(0.3, 0.999),
        eps1=10 ** rng.uniform(-6, 0), eps2=10 ** rng.uniform(-3, 0), eps3=10 ** rng.uniform(-3, 0),
        weight_decay=decay, bias_correction=variant.corrected, layerwise=variant.layerwise,
    )  # fmt: skip
    stream = draw_stream(rng, steps=steps, replicas=4, dimension=sum(layers))

    alphas = _strengths(rng, F, steps) if variant.varying else np.full(steps, F.alpha)

    def vary(k: int) -> dict[str, float]:
        return {"weight_decay": decay / np.sqrt(k), "alpha": alphas[k - 1]}

    run = record(
        alto, stream.gradient, rng.uniform(*BOX, size=stream.comparator.shape), steps=steps,
        eta=lambda k: eta / np.sqrt(k), layers=layers, vary=vary, box=BOX, monotone=variant.monotone,
    )  # fmt: skip

    gains = Envelope(tuple(alphas), F.beta1, F.beta2) if variant.varying else F

    def constants(measured: dict[str, float]) -> Online:
        return Online(
            cast("Filter", gains), alto.beta3, alto.eps1, alto.eps2, alto.eps3, eta, decay, layers, variant.layerwise,
            varying=variant.varying, corrected=variant.corrected, **measured,
        )  # fmt: skip

    return run, stream, stages(run, stream, constants)


def _chains(name: str, *variants: Variant, about: About = About.STATEMENT, only: str = "") -> Evidence:
    """A property: the chain's stages (those whose name starts with ``only``) on drawn problems, tolerance 1e-9."""

    def check(seed: int) -> None:
        for variant in variants:
            _, _, found = run_stream(seed, variant)
            chosen = [stage for stage in found if stage.name.startswith(only)]
            assert chosen
            stage.check(chosen)

    return holds_for(f"{name}, tolerance 1e-9 of the terms", check, about=about, share=0.5, seed=strategies.seeds)


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

VARIATION = Piece("the variation of |alpha_k| <= alpha / sqrt(k) is at most 4 alpha sqrt(T): one step", _variation)

CONVEX = (
    r"each $f_k$ convex on a box $X$ that holds $\theta^*$",
    r"$\|g_k\|_\infty \le G$",
    r"$\eta_k = \eta/\sqrt k$, $\gamma_k \le \gamma/\sqrt k$",
    r"(C4) every iterate stays in $X$",
)
MONOTONE = r"(C3) $H_k = (\sqrt{v_k} + \epsilon_1)/(\eta_k s_k)$ does not decrease, coordinate by coordinate"

ENFORCED = (Variant(layerwise=False, monotone=True), Variant(layerwise=True, monotone=True))
FREE = (Variant(layerwise=False, monotone=False), Variant(layerwise=True, monotone=False))


lemma_11 = Claim(
    id="lemma-11",
    source="paper, Appendix, Lemma 11 (as described; bound of sum <theta* - theta_k, m_k>)",
    statement=(
        r"Under 3.5: $\sum_k \langle m_k, \theta_k - \theta^* \rangle \le \frac12 \sum_j D_j^2 H_{T,j} + \sum_k "
        r"\frac{\gamma_k}{4} \|\theta^*\|^2_{W_k} + \frac12 \sum_k \|M_k\|^2_{H_k^{-1}}$."
    ),
    plain="The sum of the momentum's products with the distance to the optimum is bounded.",
    found="True with eps1 in the quantity of Assumption 3.5. Without monotonicity the bound gains a term.",
    assumptions=(*CONVEX, MONOTONE),
    corrected=(
        r"The same with eps1 inside the monotone quantity (3.5 leaves it out); without monotonicity the right-hand "
        r"side "
        r"gains $\frac12 \sum_j D_j^2 \sum_k (H_{k-1,j} - H_{k,j})_+$."
    ),
    repairs=Repair.ASSUMPTION,
    evidence=(
        proof(
            "stages S4 and S5",
            replace(S4[0], concludes=True),
            *S4[1:],
            *S5,
            Piece("sum over coordinates and steps"),
            about=About.CORRECTION,
        ),
        _chains("stages S4", *ENFORCED, *FREE, about=About.CORRECTION, only="S4"),
        _chains("stages S5", *ENFORCED, *FREE, about=About.CORRECTION, only="S5"),
    ),
)


def _momentum_on_steps(seed: int) -> None:
    """Lemma 12's own sum is at most kappa_m G times the path, which stage S6 bounds."""
    _, _, F = _setting(np.random.default_rng(seed))
    for variant in (*ENFORCED, *FREE):
        run, _, _ = run_stream(seed, variant)
        drift = run.theta[:-2] - run.theta[1:-1]
        summed, path = np.abs((drift * run.m[:-1]).sum(axis=(0, 2))), np.abs(drift).sum(axis=(0, 2))
        right = F.kappa_m * float(np.abs(run.g).max()) * path * (1 + 1e-9)
        assert (summed <= right).all(), f"{variant}: {summed} > {right}"


lemma_12 = Claim(
    id="lemma-12",
    source="paper, Appendix, Lemma 12 (as described; bound of sum <theta_{k-1} - theta_k, m_{k-1}>)",
    statement=(
        r"$|\sum_{k \ge 2} \langle \theta_{k-1} - \theta_k, m_{k-1} \rangle| \le \kappa_m G \sum_k \|\theta_k - "
        r"\theta_{k+1}\|_1 \le 2 \kappa_m G \sqrt{d} \eta (D + \sqrt N \epsilon_3) \sqrt T$ with the layer factor; "
        r"without it $\sqrt d \zeta + \gamma D$ stands for $D + \sqrt N \epsilon_3$. The same with $K$ for "
        r"$\kappa_m$ bounds the sum of $\langle \theta_{k-1} - \theta_k, T_{k-1} \rangle$, $T_k = b m_k - \alpha "
        r"h_k$, which Theorem C uses in its place."
    ),
    plain="The sum of the momentum's products with the steps is bounded.",
    found="True, with our constants. Theorem C uses the same bound of another sum, over b m - alpha h.",
    assumptions=CONVEX,
    rests_on=(
        "lemma-3",
        "lemma-9",
    ),
    evidence=(
        proof(
            "stages S3 and S6",
            Piece("|m_k|_inf <= kappa_m G, kappa_m the sum of |weights| of m on the gradients (lemma-3)"),
            Piece("|<x, m>| <= |x|_1 |m|_inf: Hoelder, step by step, and the triangle inequality"),
            S3,
            *S6,
            Piece("|theta_k - theta_{k+1}|_1 <= sqrt(d) eta_k (sum phi_i^2)^(1/2), or |r_k| for it without the factor"),
        ),
        holds_for(
            "the sum over m and the steps, float64, relative 1e-9", _momentum_on_steps, share=0.5, seed=strategies.seeds
        ),
        _chains("stages S3", *ENFORCED, *FREE, only="S3"),
        _chains("stage S6 age", *ENFORCED, *FREE, only="S6 age"),
    ),
)
RIGHT_SIDE = ("python_regret_alto", "python_regret_eadam")
"""The kernel's A and B are those of theory/theorems/bounds.py."""

theorem_c = Claim(
    id="ours-theorem-c",
    source="ours",
    statement=(
        r"For constant $\alpha$, $|c| < 1$, vanilla ALTO (and EAdam) has regret $R(T) \le A\sqrt T + B$ with the "
        r"explicit "
        r"$A, B$ of theory/theorems/bounds.py. No decay of $\alpha$, no $\beta_2^2 < \beta_3$. "
        r"For $\alpha \le 0$ E costs "
        r"$2|\alpha| G \sqrt d \eta (D + \sqrt N \epsilon_3)\sqrt T + |\alpha| G d D_\infty$ in ALTO, and in EAdam the "
        r"same with $\sqrt d \zeta + \gamma D$ in place of $D + \sqrt N \epsilon_3$."
    ),
    plain="With monotonicity and constant alpha, ALTO and EAdam have regret of order sqrt(T), with explicit constants.",
    assumptions=(*CONVEX, MONOTONE),
    rests_on=(
        "ours-transport-identity",
        "lemma-3",
        "lemma-9",
        "lemma-10",
    ),
    evidence=(
        formal(
            "for every sequence of losses with these subgradients, and E's cost",
            LIBRARY,
            "regret_monotone",
            "exploration_costs",
            *RIGHT_SIDE,
        ),
        proof("chain S1 ... S6", *CHAIN),
        _chains("chain S1 ... S6, monotonicity enforced", *ENFORCED),
        Evidence(
            Kind.EXACT, "each term of A and B is attained", lambda _: tightness.attained(tightness.convex_ratios())
        ),
    ),
)


def _gains_on_sequences(
    steps: list[tuple[Fraction, Fraction]], beta1: Fraction, beta2: Fraction, *, largest_alone: bool = False
) -> None:
    """What S3 and S6 use of u, m and h, for G = 1; with kappa of the largest |alpha_k| alone it is false."""
    gs, alphas = [g for g, _ in steps], [strategies.strength(c, beta1) for _, c in steps]
    gains: Any = Filter if largest_alone else Envelope  # in fractions
    F = gains(max(alphas, key=abs) if largest_alone else alphas, beta1, beta2)
    us = explored(gs, lambda k: alphas[k - 1], beta1)
    ms, hs = average(us, beta2), average(gs, beta1)
    assert max(map(abs, (*us, *ms))) <= F.kappa
    lags = [F.b * m - alpha * h for alpha, m, h in zip(alphas[1:], ms, hs, strict=False)]
    assert max(map(abs, lags)) <= F.kappa * F.b + abs(F.alpha)


theorem_c_varying = Claim(
    id="ours-theorem-c-varying-alpha",
    source="ours; the paper's Theorem 2 requires alpha_k <= alpha / sqrt(k)",
    statement=(
        r"For any $\alpha_k$, also of both signs, $R(T) \le A\sqrt T + B$ with $\kappa = "
        r"\max_k (|1-c_k| + |c_k|)$, $c_k = -\alpha_k (1-\beta_1)$, also in place of $\kappa_m$, "
        r"$K = \kappa b + \max_k |\alpha_k|$, "
        r"and $B$ larger by $G d D_\infty \sum_k |\alpha_k - \alpha_{k+1}|$. That is $O(\sqrt T)$ if the variation is: "
        r"for every $|\alpha_k| \le \alpha/\sqrt k$ it is at most $4\alpha\sqrt T$. The $\kappa$ of the largest "
        r"$|\alpha_k|$ alone is too small where $\alpha_k$ changes its sign."
    ),
    plain="The regret bound holds for every alpha whose variation over T steps is of order sqrt(T).",
    assumptions=(*CONVEX, MONOTONE),
    rests_on=(
        "ours-transport-identity",
        "lemma-3",
        "lemma-9",
        "lemma-10",
    ),
    evidence=(
        formal(
            "for every sequence of losses with these subgradients",
            LIBRARY,
            "regret_monotone",
            "largest_alpha_is_not_enough",
            *RIGHT_SIDE,
        ),
        proof("chain S1 ... S6", *VARYING, VARIATION),
        holds_for(
            "|u_k|, |m_k| <= kappa G and |b m_{k-1} - alpha_k h_{k-1}| <= K G, alpha_k of both signs, exact rationals",
            _gains_on_sequences,
            control=partial(_gains_on_sequences, largest_alone=True),
            steps=st.lists(st.tuples(strategies.unit_gradient, strategies.mixing), min_size=2, max_size=9),
            beta1=strategies.decay_rate,
            beta2=strategies.decay_rate,
        ),
        _chains(
            "alpha/sqrt(k), or alpha_k of both signs; monotonicity enforced",
            Variant(layerwise=False, monotone=True, varying=True),
            Variant(layerwise=True, monotone=True, varying=True),
        ),
    ),
)

theorem_c_free = Claim(
    id="ours-theorem-c-no-monotonicity",
    source="ours",
    statement=(
        r"Without monotonicity $R(T) \le A\sqrt T + B + \frac12 \sum_j D_j^2 \sum_{k \ge 2} (H_{k-1,j} - "
        r"H_{k,j})_+$: "
        r"3.5 may be weakened to a total decrease of $H$ of order $\sqrt T$."
    ),
    plain="Without monotonicity the regret bound gains the total decrease of H.",
    assumptions=CONVEX,
    rests_on=(
        "ours-transport-identity",
        "lemma-3",
        "lemma-9",
        "lemma-10",
    ),
    evidence=(
        formal("for every sequence of losses with these subgradients", LIBRARY, "regret_literal", *RIGHT_SIDE),
        proof("chain S1 ... S6; H_1 + sum of rises = H_T + sum of falls", *CHAIN),
        _chains("chain S1 ... S6, unmodified algorithms", *FREE),
    ),
)

theorem_2 = Claim(
    id="theorem-2",
    source="paper, Theorem 2 (convex, Algorithm 1)",
    statement=(
        r"Under 3.3-3.6, $\eta_k = \eta/\sqrt k$, $\alpha_k \le \alpha/\sqrt k$, $\gamma_k \le \gamma/\sqrt k$, "
        r"$\beta_2^2/\beta_3 < 1$: the regret is $R(T) = O(\sqrt T)$."
    ),
    plain="On convex losses the regret of ALTO is of order sqrt(T).",
    found=(
        "True if monotonicity, with eps1, is enforced. ALTO itself rarely has it, and without it the regret can be "
        "linear."
    ),
    assumptions=(*CONVEX, MONOTONE),
    corrected=(
        "R(T) = O(sqrt T) under (C3), that is 3.5 with eps1 where the update has it; alpha constant, or with a "
        "variation of order sqrt(T), as |alpha_k| <= alpha / sqrt(k) has; any beta2, beta3. For ALTO itself (C3) "
        "essentially never holds (assumption-3.5-monotonicity), and without it the regret can be linear "
        "(ours-linear-regret-counterexample)."
    ),
    repairs=Repair.ASSUMPTION,
    rests_on=("ours-theorem-c-varying-alpha",),
    evidence=(
        proof("chain S1 ... S6", *VARYING, VARIATION, about=About.CORRECTION),
        _chains(
            "alpha/sqrt(k) or alpha_k of both signs, and layer factor, monotonicity enforced",
            Variant(layerwise=True, monotone=True, varying=True),
            about=About.CORRECTION,
        ),
    ),
)


def _corrected_ratio() -> Check:
    """(1 - s^2)(1 - t^2) <= (1 - s t)^2, with s^2 = beta3^k, t^2 = (beta2^2/beta3)^k and s t = beta2^k."""
    s, t = sp.symbols("s t", real=True)
    return certificate((1 - s * t) ** 2 - (1 - s**2) * (1 - t**2), [Square(s - t)])


def _ratio_closed_form() -> Check:
    """A_k = A_1 (1 - q^k) / (1 - q) solves A_k = q A_{k-1} + A_1; Q stands for q^{k-1}."""
    A1, q, Q = sp.symbols("A1 q Q")
    return identity(A1 * (1 - q * Q) / (1 - q), q * A1 * (1 - Q) / (1 - q) + A1)


remark_3_4 = Claim(
    id="remark-3.4-bias-correction",
    source="paper, Remark 3.4",
    statement=r"Both theorems carry over to Algorithm 2 up to a factor in $[1, 1/(1-\beta_i)]$.",
    plain="Both theorems hold with bias correction, up to a factor between 1 and 1/(1 - beta).",
    found="True of the repaired theorems; in Theorem 1 the preconditioner's upper bound grows by 1/(1 - beta2).",
    assumptions=(
        "those of the corrected theorems",
        MONOTONE + ", enforced: with bias correction no step size gives it",
    ),
    corrected=(
        r"Theorem C holds for Algorithm 2 with $H_k = \hat W_k (1-\beta_2^k)/(\eta_k s_k)$, the same $\zeta$ where "
        r"$\beta_2^2 < \beta_3$ (Lemma 10 survives bias correction without any factor), and $\kappa$ for $\kappa_m$ "
        r"elsewhere; Theorem N with $q_{max}/(1-\beta_2)$. (C3) has to be enforced: no $\beta_3 < 1$ gives it, as "
        r"$u_k = 0$ lowers $\sqrt k \sqrt{\hat v_k}$ (assumption-3.5-monotonicity); Lemma M is for Algorithm 1 only."
    ),
    repairs=Repair.ASSUMPTION,
    rests_on=(
        "lemma-3",
        "lemma-10",
        "ours-theorem-c",
        "ours-theorem-n-adam",
        "ours-theorem-n-alto",
    ),
    evidence=(
        proof(
            "what bias correction changes",
            Piece(
                "A_k = A_1 (1 - q^k) / (1 - q), so m_hat^2 <= A* v_hat (1-beta3^k)(1-q^k)/(1-beta2^k)^2",
                _ratio_closed_form,
            ),
            Piece("and that last factor is at most 1", _corrected_ratio, concludes=True),
            Piece(
                "|m_k| <= (1 - beta2^k) kappa G, v_k <= (1 - beta3^k)(kappa G)^2 (lemma-3 with its finite-k factors)"
            ),
            *CHAIN,
            about=About.CORRECTION,
        ),
        _chains(
            "Algorithm 2, chain S1 ... S6, monotonicity enforced",
            Variant(layerwise=False, monotone=True, corrected=True),
            Variant(layerwise=True, monotone=True, corrected=True),
            about=About.CORRECTION,
        ),
        chains("adam+bias", About.CORRECTION, count=15),
        chains("alto+bias", About.CORRECTION, count=15),
    ),
)

CLAIMS = (lemma_11, lemma_12, theorem_c, theorem_c_varying, theorem_c_free, theorem_2, remark_3_4)
