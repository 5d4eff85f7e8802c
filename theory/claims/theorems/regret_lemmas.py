"""What our Theorem C makes of the paper's Lemmas 11 and 12."""

from dataclasses import replace

import numpy as np
import sympy as sp

from theory.claims.theorems.regret_pieces import CONVEX, MONOTONE, S3, S4, S5, S6
from theory.claims.theorems.regret_runs import ENFORCED, FREE, draw_setting, regret_chains, run_stream
from theory.ledger.claim import Claim, Repair
from theory.ledger.evidence import About, Piece, holds_for, proof
from theory.ledger.provers import Check, Query, Square, certificate, magnitude, reals, smt
from theory.method import strategies

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
        regret_chains("stages S4", *ENFORCED, *FREE, about=About.CORRECTION, only="S4"),
        regret_chains("stages S5", *ENFORCED, *FREE, about=About.CORRECTION, only="S5"),
    ),
)


def _momentum_on_steps(seed: int) -> None:
    """Lemma 12's own sum is at most kappa_m G times the path, which stage S6 bounds."""
    _, _, F = draw_setting(np.random.default_rng(seed))
    for variant in (*ENFORCED, *FREE):
        run, _, _ = run_stream(seed, variant)
        drift = run.theta[:-2] - run.theta[1:-1]
        summed, path = np.abs((drift * run.m[:-1]).sum(axis=(0, 2))), np.abs(drift).sum(axis=(0, 2))
        right = F.kappa_m * float(np.abs(run.g).max()) * path * (1 + 1e-9)
        assert (summed <= right).all(), f"{variant}: {summed} > {right}"


def _one_step_more() -> Check:
    """|S + x m| <= M (P + |x|) for one coordinate and step more: S is the sum so far, P its path, |m| <= M."""
    S, P, x, m, M = reals("S P x m M")
    inputs = [P >= 0, M >= 0, magnitude(S) <= M * P, magnitude(m) <= M]
    right = M * (P + magnitude(x))
    return smt(Query(inputs, magnitude(S + x * m) <= right, control=magnitude(S + x * m) <= M * P))


def _path_of_all_steps() -> Check:
    """2 kappa_m G sqrt(d) eta Phi sqrt(T) >= the sum, from the sum over the path, the path over the rates, and theirs.

    Phi is D + sqrt(N) eps3, or sqrt(d) zeta + gamma D without the layer factor.
    """
    summed, path, rates, kappa, G, d, eta, Phi, T = sp.symbols(
        "S path rates kappa_m G sqrt(d) eta Phi sqrt(T)", real=True
    )
    by_path, by_rates, by_root = kappa * G * path - summed, d * Phi * rates - path, 2 * eta * T - rates
    given = (kappa, G, d, Phi, by_path, by_rates, by_root)
    squares = [
        Square(1, times=(by_path,)),
        Square(1, times=(kappa, G, by_rates)),
        Square(1, times=(kappa, G, d, Phi, by_root)),
    ]
    return certificate(2 * kappa * G * d * eta * Phi * T - summed, squares, nonnegative=given)


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
            Piece("|sum <x, m>| <= (sum |x|_1) max |m|_inf: one coordinate and step more", _one_step_more),
            S3,
            *S6,
            Piece("|theta_k - theta_{k+1}|_1 <= sqrt(d) eta_k (sum phi_i^2)^(1/2), or |r_k| for it without the factor"),
            Piece("with these, and sum eta_k <= 2 eta sqrt(T), the sum", _path_of_all_steps, concludes=True),
        ),
        holds_for(
            "the sum over m and the steps, float64, relative 1e-9", _momentum_on_steps, share=0.5, seed=strategies.seeds
        ),
        regret_chains("stages S3", *ENFORCED, *FREE, only="S3"),
        regret_chains("stage S6 age", *ENFORCED, *FREE, only="S6 age"),
    ),
)

CLAIMS = (lemma_11, lemma_12)
