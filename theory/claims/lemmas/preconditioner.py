"""The preconditioner: how fast sqrt(v) moves, and what the layer factor does (paper, Appendix, Lemmas 2, 4, 9)."""

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from theory.ledger.claim import Claim
from theory.ledger.evidence import Piece, holds_for, proof
from theory.ledger.formal import formal
from theory.ledger.provers import Check, Query, Square, certificate, magnitude, reals, smt
from theory.method import strategies
from theory.method.algorithms import ALTO
from theory.method.filters import Filter
from theory.method.trajectory import record
from theory.rocq import LIBRARY

READS = ("formal.json",)

positive = st.floats(1e-6, 10)


def _root_rises_slowly() -> Check:
    """R = sqrt(p^2 s^2 + t^2 u^2) <= s + t |u|, with p = sqrt(beta3), t = sqrt(1 - beta3)."""
    p, t, s, u, r = reals("p t s u r")
    inputs = [p >= 0, t >= 0, p * p + t * t == 1, s >= 0, r >= 0, r * r == p * p * s * s + t * t * u * u]
    return smt(Query(inputs, r <= s + t * magnitude(u), control=r <= s + t * magnitude(u) / 2))


def _root_falls_slowly() -> Check:
    """R >= s - t G for s <= G: one step lowers sqrt(v) by at most (1 - p) s <= t G."""
    p, t, s, u, r, G = reals("p t s u r G")
    inputs = [p >= 0, t >= 0, p * p + t * t == 1, s >= 0, s <= G, r >= 0, r * r == p * p * s * s + t * t * u * u]
    return smt(Query(inputs, r >= s - t * G, control=r >= s - t * G / 2))


def _relative_change() -> Check:
    """|W' - W| <= mu eps1 and W >= eps1 give |W' / W - 1| <= mu."""
    new, W, mu, eps1 = reals("new W mu eps1")
    inputs = [eps1 > 0, mu >= 0, eps1 <= W, magnitude(new - W) <= mu * eps1]
    return smt(Query(inputs, magnitude(new / W - 1) <= mu, control=magnitude(new / W - 1) <= mu / 2))


def _root_on_extremes(beta3: float, s: float, u: float, eps1: float) -> None:
    G = max(s, abs(u))  # the tight case
    change = np.sqrt(beta3 * s**2 + (1 - beta3) * u**2) - s
    mu = np.sqrt(1 - beta3) * G / eps1
    assert abs(change) <= np.sqrt(1 - beta3) * G * (1 + 1e-12) + 1e-15
    assert abs((s + change + eps1) / (s + eps1) - 1) <= mu * (1 + 1e-9) + 1e-12


lemma_4 = Claim(
    id="lemma-4",
    source="paper, Appendix, Lemma 4",
    statement=(
        r"With $W_k = \sqrt{v_k} + \epsilon_1$: $|W_{k+1} - W_k| \le \sqrt{1-\beta_3}\, \kappa G$ and "
        r"$|W_{k+1}/W_k - 1| \le \mu = \sqrt{1-\beta_3}\, \kappa G/\epsilon_1$. No bound on $\mu$ is needed."
    ),
    plain="The preconditioner changes little in one step.",
    found="True of sqrt(v) + eps1, and no bound on mu is needed. (sqrt(v) alone can change by any factor where v = 0.)",
    assumptions=(r"$\|u_k\|_\infty \le \kappa G$ (lemma-3)", r"$\epsilon_1 > 0$"),
    rests_on=("lemma-3",),
    evidence=(
        formal("for every step", LIBRARY, "lemma_4", "lemma_4_relative"),
        proof(
            "one coordinate, one step",
            Piece("v_k <= (kappa G)^2: an average of squares of |u| <= kappa G, from v_0 = 0"),
            Piece("sqrt(v) rises by at most sqrt(1-beta3) |u|", _root_rises_slowly),
            Piece("sqrt(v) falls by at most sqrt(1-beta3) kappa G", _root_falls_slowly, concludes=True),
            Piece("relative change", _relative_change, concludes=True),
        ),
        holds_for(
            "tight cases, relative tolerance 1e-9",
            _root_on_extremes,
            beta3=st.floats(0, 0.9999),
            s=st.floats(0, 10),
            u=st.floats(-10, 10),
            eps1=positive,
        ),
    ),
)


def _factor_from_above() -> Check:
    R, phi, eps2 = reals("R phi eps2")
    s = phi / (R + eps2 * phi)
    inputs = [R >= 0, phi > 0, eps2 > 0]
    return smt(Query(inputs, s * eps2 <= 1, control=2 * s * eps2 <= 1))


def _step_is_at_most_phi() -> Check:
    R, phi, eps2 = reals("R phi eps2")
    s = phi / (R + eps2 * phi)
    return smt(Query([R >= 0, phi > 0, eps2 > 0], s * R <= phi, control=s * R <= phi / 2))


def _factor_from_below() -> Check:
    """1/s <= (A + (gamma + eps2) eps3) / eps3 where |r| <= A + gamma N, phi = N + eps3: a sum of products.

    (A + (gamma + eps2) eps3) phi - eps3 (A + gamma N + eps2 phi) = A N + gamma eps3^2.
    """
    A, N, gamma, eps2, eps3 = sp.symbols("A N gamma eps2 eps3", positive=True)
    phi = N + eps3
    gap = (A + (gamma + eps2) * eps3) * phi - eps3 * (A + gamma * N + eps2 * phi)
    return certificate(gap, [Square(1, times=(A, N)), Square(eps3, times=(gamma,))], positive=(A, N, gamma))


def _factor_on_vectors(theta: list[float], adam: list[float], decay: float, eps2: float, eps3: float) -> None:
    n = min(len(theta), len(adam))
    x, d = np.array(theta[:n]), np.array(adam[:n])
    r = d + decay * x
    phi = np.linalg.norm(x) + eps3
    s = phi / (np.linalg.norm(r) + eps2 * phi)
    slack = 1 + 1e-12
    assert s * np.linalg.norm(r) <= phi * slack
    assert s <= slack / eps2
    assert 1 / s <= (np.linalg.norm(d) / eps3 + decay + eps2) * slack


vectors = st.lists(st.floats(-10, 10), min_size=1, max_size=5)

lemma_9 = Claim(
    id="lemma-9",
    source="paper, Appendix, Lemma 9",
    statement=(
        r"The layer factor $s = \phi/(\|r\| + \epsilon_2 \phi)$, $\phi = \|\theta\| + \epsilon_3$, obeys "
        r"$s\|r\| \le \phi$, $s \le 1/\epsilon_2$ and "
        r"$1/s \le \|m/W\|/\epsilon_3 + \gamma + \epsilon_2$. No bound on $\|\theta\|$ is needed."
    ),
    plain="The layer factor is bounded from above and from below.",
    found="True, and no bound on the parameters is needed.",
    assumptions=(r"$\epsilon_2, \epsilon_3 > 0$", r"$\gamma \ge 0$"),
    evidence=(
        formal("for vectors of any length", LIBRARY, "lemma_9"),
        proof(
            "three bounds, one layer",
            Piece("s |r| <= phi", _step_is_at_most_phi),
            Piece("s <= 1/eps2", _factor_from_above, concludes=True),
            Piece("|r| <= |m/W| + gamma |theta|: triangle inequality"),
            Piece("1/s from above, given that", _factor_from_below, concludes=True),
        ),
        holds_for(
            "vectors of 1 to 5 coordinates, relative tolerance 1e-12",
            _factor_on_vectors,
            theta=vectors,
            adam=vectors,
            decay=st.floats(0, 5),
            eps2=positive,
            eps3=positive,
        ),
    ),
)


def _weighted_step() -> Check:
    """W (eta s x)^2 summed: each term is at most Wmax (eta s x)^2."""
    W, excess, eta, s, x = sp.symbols("W excess eta s x", nonnegative=True)
    move = eta * s * x
    return certificate((W + excess) * move**2 - W * move**2, [Square(move, times=(excess,))], nonnegative=(excess,))


def _movement_on_runs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    layers = tuple(rng.integers(1, 4, size=rng.integers(1, 4)))
    alto = ALTO(
        alpha=rng.uniform(-5, 5), beta1=0.9, beta2=rng.uniform(0, 0.95), beta3=rng.uniform(0.5, 0.99),
        eps1=10 ** rng.uniform(-6, 0), eps2=10 ** rng.uniform(-3, 0), eps3=10 ** rng.uniform(-3, 0),
        weight_decay=rng.choice([0, 0.1]), bias_correction=bool(rng.integers(2)), layerwise=True,
    )  # fmt: skip
    G, rate = 2.0, 0.3
    run = record(
        alto, lambda _, theta: rng.uniform(-G, G, size=theta.shape), rng.normal(size=(2, sum(layers))),
        steps=12, eta=lambda _: rate, layers=layers,
    )  # fmt: skip
    moved = np.diff(run.theta, axis=0) ** 2
    phi2 = np.zeros(moved.shape[:2])
    for part in np.split(run.theta[:-1], np.cumsum(layers)[:-1], axis=2):
        phi2 += (np.linalg.norm(part, axis=2) + alto.eps3) ** 2
    Wmax = Filter(alto.alpha, alto.beta1, alto.beta2).kappa * G + alto.eps1
    assert (moved.sum(2) <= rate**2 * phi2 * (1 + 1e-9)).all()
    assert ((run.W * moved).sum(2) <= rate**2 * Wmax * phi2 * (1 + 1e-9)).all()
    root = run.W - alto.eps1  # sqrt(v), bias-corrected where the run is
    assert ((root * moved).sum(2) <= rate**2 * (Wmax - alto.eps1) * phi2 * (1 + 1e-9)).all()


lemma_2 = Claim(
    id="lemma-2",
    source="paper, Appendix, Lemma 2 (our constants; the displayed ones are not available to us)",
    statement=(
        r"$\|\theta_{k+1}-\theta_k\|^2 \le \eta_k^2 \sum_i \phi_i^2$ and "
        r"$\sum_j W_{k,j} (\theta_{k+1}-\theta_k)_j^2 \le \eta_k^2 (\kappa G + \epsilon_1) \sum_i \phi_i^2$ with "
        r"$\phi_i = \|\theta_k^{(i)}\| + \epsilon_3$ over the layers $i$; for the paper's weight $\sqrt{v_k}$ "
        r"the same with $\kappa G$ for $\kappa G + \epsilon_1$."
    ),
    plain="A step is at most the learning rate times the norms of the layers.",
    found="True, with our constants: the paper's displayed ones are not available to us.",
    assumptions=("bounded gradients (3.3), for the weighted form",),
    rests_on=("lemma-3", "lemma-9",),
    evidence=(
        proof(
            "layer by layer",
            Piece("a layer moves by eta s |r|, and s |r| <= phi", _step_is_at_most_phi),
            Piece("weights W <= Wmax = kappa G + eps1, sqrt(v) <= kappa G (lemma-3)", _weighted_step, concludes=True),
            Piece("conclusion: sum over the layers"),
        ),
        holds_for("runs of the literal Algorithms 1 and 2, relative tolerance 1e-9", _movement_on_runs, share=0.5,
                  seed=strategies.seeds),
    ),
)  # fmt: skip

CLAIMS = (lemma_2, lemma_4, lemma_9)
