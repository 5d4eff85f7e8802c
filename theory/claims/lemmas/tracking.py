"""How well the averages track the gradient, in expectation (paper, Appendix, Lemmas 1, 5, 6; our Lemma E).

D_k is the gradient at theta_k, xi_k = g_k - D_k the noise, delta_k = D_{k-1} - D_k with D_0 := D_1, e = m - D and
w = h - D. Nothing is assumed about independence: xi_k has mean zero given the past, and that is enough.
"""

from fractions import Fraction
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from theory.ledger.claim import Claim, Repair
from theory.ledger.evidence import About, Effort, Piece, counterexample, enumerated, holds_for, proof
from theory.ledger.provers import Check, Square, certificate, identity
from theory.method.algorithms import ESGD
from theory.method.filters import Filter
from theory.method.trajectory import Trajectory, record
from theory.theorems import bounds
from theory.theorems.noise_paths import noisy_gradient, sign_paths, starts, waves

beta1, beta2, c, rate = sp.symbols("beta1 beta2 c r", positive=True)
x, y = sp.symbols("x y", real=True)

NORMALISED = r"normalised momentum, $m_k = \beta_2 m_{k-1} + (1-\beta_2) u_k$; Algorithm 3 has no factor $1-\beta_2$"
CONDITIONAL = (
    r"$E[g_k | \text{past}] = \nabla f(\theta_k)$, $E[\|g_k - \nabla f(\theta_k)\|^2 | \text{past}] \le \sigma^2/n$"
)


def _variance_step() -> Check:
    """Adding one sample to a mean of n: Var = (n^2 sigma^2 / n + sigma^2) / (n + 1)^2 = sigma^2 / (n + 1)."""
    n, variance = sp.symbols("n sigma2", positive=True)
    return identity((n**2 * variance / n + variance) / (n + 1) ** 2, variance / (n + 1))


def _variance_of_all_batches(values: list[Fraction], size: int) -> None:
    mean = sum(values, Fraction(0)) / len(values)
    variance = sum(((value - mean) ** 2 for value in values), Fraction(0)) / len(values)
    squares = [(sum(batch, Fraction(0)) / size - mean) ** 2 for batch in product(values, repeat=size)]
    assert sum(squares, Fraction(0)) / len(squares) == variance / size


lemma_1 = Claim(
    id="lemma-1",
    source="paper, Appendix, Lemma 1",
    statement=r"The mean of $n$ independent samples of variance at most $\sigma^2$ has variance at most $\sigma^2/n$.",
    plain="The mean of n independent samples has at most 1/n of their variance.",
    found="True.",
    assumptions=("samples of one batch independent given the past",),
    evidence=(
        proof(
            "induction over the batch size",
            Piece("base: one sample"),
            Piece("independent samples: the variance of a sum is the sum of variances"),
            Piece("step: from n to n + 1 samples", _variance_step, concludes=True),
        ),
        holds_for(
            "all batches of a finite population, exact rationals",
            _variance_of_all_batches,
            values=st.lists(st.fractions(-8, 8, max_denominator=4), min_size=1, max_size=4),
            size=st.integers(1, 4),
        ),
    ),
)


def convex_split(beta: sp.Expr) -> Check:
    """Beta x^2 + y^2 / (1 - beta) >= (beta x + y)^2: the step from the past, and the rest."""
    gap = beta * x**2 + y**2 / (1 - beta) - (beta * x + y) ** 2
    return certificate(gap, [Square((1 - beta) * x - y, times=(beta,), over=(1 - beta,))], positive=(beta, 1 - beta))


def _lemma_5_split() -> Check:
    gap = (1 - rate) * x**2 + (1 - rate) ** 2 / rate * y**2 - ((1 - rate) * (x + y)) ** 2
    square = Square(rate * x - (1 - rate) * y, times=(1 - rate,), over=(rate,))
    return certificate(gap, [square], positive=(rate, 1 - rate))


def _error_recursion() -> Check:
    """Ybar' - D' = (1 - r)(ybar - D + delta) + r xi for ybar' = (1 - r) ybar + r g, g = D' + xi, delta = D - D'."""
    average, D, D_now, xi = sp.symbols("ybar D D' xi")
    new = (1 - rate) * average + rate * (D_now + xi)
    return identity(new - D_now, (1 - rate) * ((average - D) + (D - D_now)) + rate * xi)


def m_recursion() -> Check:
    """The error e_k = m_k - D_k from e_{k-1}, w_{k-1}, delta_k and xi_k."""
    m, h, D, D_now, xi = sp.symbols("m h D D' xi")
    e, w, delta = m - D, h - D, D - D_now
    u = (1 - c) * (D_now + xi) + c * h
    right = beta2 * e + (beta2 + (1 - beta2) * c) * delta + (1 - beta2) * c * w + (1 - beta2) * (1 - c) * xi
    return identity(beta2 * m + (1 - beta2) * u - D_now, right)


def square_of_two() -> Check:
    """|x + y|^2 <= 2 |x|^2 + 2 |y|^2."""
    return certificate(2 * x**2 + 2 * y**2 - (x + y) ** 2, [Square(x - y)])


def _noisy_run(rng: np.random.Generator, steps: int) -> tuple[Trajectory, ESGD, np.ndarray, float, float, float]:
    """ESGD over all 2^steps sign paths: (run, optimizer, D with D_0 = D_1 first, L, eta, sigma^2)."""
    problem = waves(rng, dimension=2, sigma=rng.uniform(0, 2))
    beta1, c = rng.uniform(0, 0.95), rng.uniform(-0.95, 0.95)
    esgd = ESGD(alpha=-c / (1 - beta1), beta1=beta1, beta2=rng.uniform(0, 0.95))
    signs, eta = sign_paths(steps), 10 ** rng.uniform(-2, 0)
    run = record(esgd, noisy_gradient(problem, signs), starts(problem, signs), steps=steps, eta=lambda _: eta)
    D = problem.gradient(run.theta)
    return run, esgd, np.concatenate([D[:1], D]), problem.L, eta, problem.sigma**2


def _mean_square(x: np.ndarray) -> np.ndarray:
    """E|x_k|^2 at each step, from (T, R, d)."""
    return (x**2).sum(-1).mean(-1)


def _lemma_5_exactly(effort: Effort) -> str:
    worst = 0.0
    for seed in range(200 if effort.thorough else 30):
        run, esgd, D, L, _, variance = _noisy_run(np.random.default_rng(seed), steps=8)
        r = 1 - esgd.beta1
        error = _mean_square(np.concatenate([-D[:1], run.h - D[1:-1]]))
        moved = np.concatenate([[0.0], _mean_square(np.diff(run.theta, axis=0))[:-1]])
        right = (1 - r) * error[:-1] + (1 - r) ** 2 * L**2 / r * moved + r**2 * variance
        worst = max(worst, float((error[1:] / right).max()))
        assert (error[1:] <= right * (1 + 1e-9)).all(), f"seed {seed}"
    return f"all 2^8 paths of each problem; largest left/right {worst:.4f}"


lemma_5 = Claim(
    id="lemma-5",
    source="paper, Appendix, Lemma 5",
    statement=(
        r"For the average $\bar g_k$ of rate $r$: $E\|\bar g_k - D_k\|^2 \le (1-r) E\|\bar g_{k-1} - D_{k-1}\|^2 + "
        r"\frac{(1-r)^2 L^2}{r} E\|\theta_k - \theta_{k-1}\|^2 + r^2 \sigma^2/n$, by independence of the $g_k$."
    ),
    plain=(
        "The error of an averaged gradient shrinks from step to step, up to the movement of the iterate and the noise."
    ),
    found=(
        "True if the gradients are unbiased given the past. The independence that the paper assumes is not needed, "
        "and it fails."
    ),
    assumptions=(r"$f$ $L$-smooth", CONDITIONAL, r"$D_0 := D_1$, so the initial error is $\|D_1\|$"),
    corrected="The same inequality, with conditional unbiasedness in place of the independence of g_k and g_t.",
    repairs=Repair.ASSUMPTION,
    evidence=(
        proof(
            "one step",
            Piece("the error recursion", _error_recursion),
            Piece("xi_k is orthogonal to what the past determines: E[xi_k | past] = 0"),
            Piece("(1-r)^2 |e + delta|^2 <= (1-r)|e|^2 + (1-r)^2/r |delta|^2", _lemma_5_split, concludes=True),
            Piece("|delta_k| <= L |theta_k - theta_{k-1}|: smoothness"),
            about=About.CORRECTION,
        ),
        enumerated("non-convex problems, ESGD", _lemma_5_exactly, about=About.CORRECTION),
    ),
)


def dependence() -> tuple[bool, str]:
    """Cov(g_2, a_1) on f = L theta^2 / 2, enumerated over two signs: not 0."""
    signs, L, eta, beta1, beta2, alpha = sign_paths(2), 1.0, 0.1, 0.9, 0.5, -5.0
    esgd = ESGD(alpha=alpha, beta1=beta1, beta2=beta2)
    run = record(esgd, lambda k, theta: L * theta + signs[:, k - 1 : k], np.ones((4, 1)), steps=2, eta=lambda _: eta)
    g, a = run.g[1, :, 0], run.a[0, :, 0]
    covariance = float(((g - g.mean()) * (a - a.mean())).mean())
    c = -alpha * (1 - beta1)
    predicted = -L * eta * (1 - beta2) * (1 - c) * (1 - beta1)
    return abs(covariance - predicted) < 1e-12 and covariance != 0, f"Cov(g_2, a_1) = {covariance:.6f}, not 0"


def _without_cross_term(_: Effort) -> str:
    """Beta1^2 |a_1|^2 + (1-beta1)^2 |g_2 - g_1|^2 < |a_2|^2 on f = cos, sigma = 0: negative curvature breaks it.

    Without noise the gradients are constants and hence independent: independence does not remove the cross term.
    """
    esgd = ESGD(alpha=-5.0, beta1=0.9, beta2=0.0)
    run = record(esgd, lambda _, theta: -np.sin(theta), np.full((1, 1), 0.1), steps=2, eta=lambda _: 0.5)
    a, g = run.a[:, 0, 0], run.g[:, 0, 0]
    ratio = a[1] ** 2 / (0.9**2 * a[0] ** 2 + 0.1**2 * (g[1] - g[0]) ** 2)
    assert ratio > 1, f"left/right = {ratio}"
    return f"left/right = {ratio:.4f} at k = 2"


def _a_by_deviation() -> Check:
    h, D, D_now, xi = sp.symbols("h D D' xi")
    return identity((1 - beta1) * (D_now + xi - h), (1 - beta1) * (xi - ((h - D) + (D - D_now))))


def _lemma_6_exactly(effort: Effort) -> str:
    for seed in range(200 if effort.thorough else 30):
        run, esgd, D, _, _, variance = _noisy_run(np.random.default_rng(seed), steps=8)
        w = np.concatenate([-D[:1], run.h - D[1:-1]])[:-1]
        delta = D[:-2] - D[1:-1]
        scale = (1 - esgd.beta1) ** 2
        left, noise = _mean_square(run.a), _mean_square(run.g - D[1:-1])
        assert np.allclose(left, scale * (noise + _mean_square(w + delta)), rtol=1e-9, atol=1e-13), f"seed {seed}"
        right = scale * (variance + 2 * _mean_square(w) + 2 * _mean_square(delta))
        assert (left <= right * (1 + 1e-9)).all(), f"seed {seed}"
    return "all 2^8 paths of each problem: the identity to 1e-9, and the bound"


lemma_6 = Claim(
    id="lemma-6",
    source="paper, Appendix, Lemma 6 (as described; the displayed formula is not available to us)",
    statement=(
        r"The hypothesis of its proof: $g_k$ is independent of $a_{k-1}$. The recursion for $E\|a_k\|^2$ that follows "
        r"from it in the paper is not judged."
    ),
    plain="The gradient at step k is independent of a_(k-1), on which the bound of the second moment of a_k rests.",
    found=(
        "Does not hold: g_k and a_(k-1) are correlated. Another bound takes its place; the paper's own recursion is "
        "not judged."
    ),
    assumptions=(r"$f$ $L$-smooth", CONDITIONAL),
    corrected=(
        r"$E\|a_k\|^2 = (1-\beta_1)^2 (E\|\xi_k\|^2 + E\|w_{k-1}+\delta_k\|^2) \le "
        r"(1-\beta_1)^2 (\sigma^2/n + 2E\|w_{k-1}\|^2 + 2E\|\delta_k\|^2)$, $w = h - D$, by conditional unbiasedness. "
        r"A recursion without a cross term, $E\|a_k\|^2 \le "
        r"\beta_1^2 E\|a_{k-1}\|^2 + (1-\beta_1)^2 E\|g_k - g_{k-1}\|^2$, which is one reading of the lemma, does not "
        r"follow even from independence, because the means are not 0."
    ),
    repairs=Repair.CONCLUSION,
    assumed=True,
    evidence=(
        counterexample("g_2 and a_1 are correlated on a quadratic", dependence),
        proof(
            "one step",
            Piece("a_k = (1-beta1)(xi_k - w_{k-1} - delta_k)", _a_by_deviation),
            Piece("xi_k is orthogonal to what the past determines"),
            Piece("|x + y|^2 <= 2|x|^2 + 2|y|^2", square_of_two),
            about=About.CORRECTION,
        ),
        enumerated("non-convex problems, ESGD", _lemma_6_exactly, about=About.CORRECTION),
        enumerated(
            "one reading, without the cross term, fails on a cosine without noise",
            _without_cross_term,
            about=About.CORRECTION,
        ),
    ),
)


def split_of_a_sum() -> Check:
    """(p + q)(p x^2 + q y^2) - (p x + q y)^2 = p q (x - y)^2: Lagrange for two terms, the step of the induction."""
    p, q = sp.symbols("p q", positive=True)
    gap = (p + q) * (p * x**2 + q * y**2) - (p * x + q * y) ** 2
    return certificate(gap, [Square(x - y, times=(p, q))], positive=(p, q))


def _lemma_e_exactly(effort: Effort) -> str:
    tightest = np.inf
    for seed in range(200 if effort.thorough else 40):
        run, esgd, D, _, _, variance = _noisy_run(np.random.default_rng(seed), steps=8)
        F = Filter(esgd.alpha, esgd.beta1, esgd.beta2)
        left = _mean_square(run.m - D[1:-1]).sum()
        drift, first = _mean_square(D[:-2] - D[1:-1]).sum(), float((D[0, 0] ** 2).sum())
        for triple in (bounds.tracking_by_filter(F), bounds.tracking_by_recursion(F)):
            right = triple.drift * drift + triple.initial * first + triple.noise * 8 * variance
            assert left <= right * (1 + 1e-9), f"seed {seed}, {triple}"
            tightest = min(tightest, right / left)
    return f"all 2^8 paths of each problem, both triples; smallest right/left {tightest:.2f}"


def _representation() -> Check:
    """Sum_{j<n} w_j x_j - x_0 = sum_{i<n-1} t_i (x_{i+1} - x_i) - t_{n-1} x_{n-1}: from n to n + 1 both gain w_n x_n.

    x_j stands for D_{k-j}, and t_n = t_{n-1} - w_n for 1 - (w_0 + ... + w_n).
    """
    w, t, x_last, x_new = sp.symbols("w t x x'")
    return identity(t * (x_new - x_last) - (t - w) * x_new + t * x_last, w * x_new)


def _without_exploring() -> Check:
    """At alpha = 0 the code's triple is (b^2, b, 1 - beta2): sum e^2 <= b F + b^2 S + (1 - beta2) T s."""
    S, first, T, s = sp.symbols("S F T s")
    b = beta2 / (1 - beta2)
    stand_in: Any = SimpleNamespace(alpha=0, beta2=beta2, b=b)
    triple = bounds.tracking_by_recursion(stand_in)
    return identity(
        b * first + b**2 * S + (1 - beta2) * T * s, triple.drift * S + triple.initial * first + triple.noise * T * s
    )


def _summed_recursions() -> Check:
    """The two recursions, summed from e_0 = w_0 = -D_1, give the triple of theory/theorems/bounds.py.

    sum w^2 <= F/(1-b1) + b1^2/(1-b1)^2 S + (1-b1) T s, and
    sum e^2 <= b F + 2 c^2 sum w^2 + 2 (b + c)^2 S + (1-b2)(1-c)^2 T s, with S = sum |delta|^2, F = |D_1|^2.
    """
    S, first, T, s = sp.symbols("S F T s")
    b = beta2 / (1 - beta2)
    slow = first / (1 - beta1) + beta1**2 / (1 - beta1) ** 2 * S + (1 - beta1) * T * s
    total = b * first + 2 * c**2 * slow + 2 * (b + c) ** 2 * S + (1 - beta2) * (1 - c) ** 2 * T * s
    stand_in: Any = SimpleNamespace(alpha=-c / (1 - beta1), beta1=beta1, beta2=beta2, b=b, c=c)
    triple = bounds.tracking_by_recursion(stand_in)
    return identity(total, triple.drift * S + triple.initial * first + triple.noise * T * s)


lemma_e = Claim(
    id="ours-tracking-error",
    source="ours; it takes the place of the paper's Lemmas 5-7 in Theorem 1",
    statement=(
        r"$\sum_{k \le T} E\|m_k - D_k\|^2 \le C_d \sum_{k=2}^T E\|\delta_k\|^2 + C_0 \|D_1\|^2 + C_s T \sigma^2/n$ "
        r"with $(C_d, C_0, C_s) = (2K^2, 2\tau_2, 2\omega_2)$, and with $(2\alpha^2\beta_1^2 + 2(b+c)^2, "
        r"b + 2c^2/(1-\beta_1), 2c^2(1-\beta_1) + (1-\beta_2)(1-c)^2)$."
    ),
    plain=(
        "The total error of the momentum is bounded by the movement of the iterate, the first gradient and the noise."
    ),
    assumptions=(CONDITIONAL, r"$\theta_1$ deterministic", r"$|c| < 1$"),
    evidence=(
        proof(
            "two recursions, summed",
            Piece("m_k - D_k from the errors before", m_recursion),
            Piece(
                "|beta x + y|^2 <= beta |x|^2 + |y|^2 / (1-beta), for beta = beta1 and beta2",
                lambda: convex_split(beta2),
            ),
            Piece("|x + y|^2 <= 2|x|^2 + 2|y|^2", square_of_two),
            Piece(
                "m_k - D_k = sum w_j xi_{k-j} + sum_{i<k-1} t_i delta_{k-i} - t_{k-1} D_1, by parts: one step",
                _representation,
            ),
            Piece("weighted squares: (sum t x)^2 <= (sum |t|)(sum |t| x^2), step of the induction", split_of_a_sum),
            Piece("xi_k is orthogonal to what the past determines"),
            Piece("swap the sums over k and i: sum_k sum_i |t_i| |delta_{k-i}|^2 <= K sum |delta|^2: the first triple"),
            Piece(
                "sum over k, with e_0 = w_0 = -D_1: the second triple, as the code has it",
                _summed_recursions,
                concludes=True,
            ),
            Piece("the same at alpha = 0, where the code's triple is smaller", _without_exploring),
        ),
        enumerated("non-convex problems, ESGD", _lemma_e_exactly),
    ),
)

CLAIMS = (lemma_1, lemma_5, lemma_6, lemma_e)
