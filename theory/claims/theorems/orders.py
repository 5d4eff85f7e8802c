"""What the paper says of the orders of its theorems, beyond their first halves (Theorems 1 and 2)."""

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from theory.claims.theorems.regret_pieces import CONVEX, MONOTONE
from theory.ledger.claim import Claim, Repair
from theory.ledger.evidence import About, Piece, holds_for, proof
from theory.ledger.provers import Check, Query, Square, certificate, identity, reals, smt
from theory.method import strategies
from theory.method.algorithms import ALTO
from theory.method.filters import Filter
from theory.method.trajectory import record
from theory.theorems import bounds
from theory.theorems.bounds import Online, regret


def _two_squares() -> Check:
    """|D|^2 <= 2 |D + p|^2 + 2 |p|^2, one coordinate: p = gamma_k W theta is the regulariser's gradient."""
    D, p = sp.symbols("D p", real=True)
    return certificate(2 * (D + p) ** 2 + 2 * p**2 - D**2, [Square(D + 2 * p)])


def _geometric() -> Check:
    """The sum of gamma^2 q^k, k = 0 ... T-1, one step: S_k = gamma^2 (1 - q^k) / (1 - q), Q stands for q^k."""
    gamma, q, Q = sp.symbols("gamma q Q")
    return identity(gamma**2 * (1 - Q) / (1 - q) + gamma**2 * Q, gamma**2 * (1 - q * Q) / (1 - q))


def _unregularised_total() -> Check:
    """T mean |D|^2 <= 2 T eps^2 + 2 C, T eps^2 >= C = gamma^2 Wmax^2 D^2 / (1 - q): so mean |D|^2 <= 4 eps^2."""
    mean, regularised, T, eps, cost = reals("mean regularised T epsilon cost")
    inputs = [T > 0, eps > 0, cost >= 0, regularised <= eps * eps, T * mean <= 2 * T * regularised + 2 * cost]
    inputs.append(T * eps * eps >= cost)
    return smt(Query(inputs, mean <= 4 * eps * eps, control=mean <= 3 * eps * eps))


def _gradient_along_runs(seed: int) -> None:
    """Along runs of ALTO with decay gamma / (1 + mu)^k, float64: the sum over the run, relative 1e-9."""
    rng = np.random.default_rng(seed)
    beta1, beta2, beta3 = rng.uniform(0, 0.95), rng.uniform(0, 0.95), rng.uniform(0.3, 0.99)
    alto = ALTO(-rng.uniform(-0.9, 0.9) / (1 - beta1), beta1, beta2, beta3, 10 ** rng.uniform(-1, 0), 0.1, 0.1, 0.0,
                bias_correction=False, layerwise=True)  # fmt: skip
    gamma, mu, T = 10 ** rng.uniform(-3, 1), rng.uniform(0.01, 2), 40

    def gradient(_: int, theta: np.ndarray) -> np.ndarray:
        return np.sin(theta) + rng.normal(size=theta.shape)

    run = record(alto, gradient, rng.normal(size=(4, 3)), steps=T, eta=lambda _: 0.05,
                 vary=lambda k: {"weight_decay": gamma / (1 + mu) ** k})  # fmt: skip
    theta = run.theta[:-1]
    D = np.sin(theta)
    pull = run.weight_decay[:, None, None] * run.W * theta
    W, size = run.W.max(), np.linalg.norm(theta, axis=2).max()
    cost = (gamma * W * size) ** 2 / (1 - (1 + mu) ** -2)
    left, right = (D**2).sum((0, 2)), 2 * ((D + pull) ** 2).sum((0, 2)) + 2 * cost
    assert (left <= right * (1 + 1e-9)).all(), f"{left} > {right}"


unregularised = Claim(
    id="theorem-1-unregularised",
    source="paper, Theorem 1 (its second half: the gradient of f itself, under 3.4)",
    statement=(
        r"With $\|\theta_k\| \le D$ and $T \ge O(G^2 D \epsilon^{-2})$ the bound $4\epsilon^2$ of Theorem 1 holds for "
        r"$\frac1T \sum_k E\|\nabla f(\theta_k)\|^2$ too."
    ),
    plain="If the parameters stay bounded, Theorem 1 holds for the gradient of f without its regulariser.",
    found=(
        "True after Theorem 1's repair, with T of order G^2 D^2 (the paper: G^2 D) and eps^2 for f_k in place of "
        "4 eps^2."
    ),
    assumptions=("those of theorem-1", r"$\|\theta_k\| \le D$ (3.4), which no step of ALTO gives"),
    corrected=(
        r"With $\gamma_k = \gamma/(1+\mu)^k$, $\mu > 0$, and $\frac1T \sum_k E\|\nabla f_k\|^2 \le \epsilon^2$: "
        r"$\frac1T \sum_k E\|\nabla f(\theta_k)\|^2 \le 4\epsilon^2$ for $T \epsilon^2 \ge \gamma^2 W_{max}^2 D^2 / "
        r"(1 - q)$, $q = (1+\mu)^{-2}$."
    ),
    repairs=Repair.ASSUMPTION,
    rests_on=("theorem-1",),
    evidence=(
        proof(
            "the regulariser's gradient, summed over the run",
            Piece("|D|^2 <= 2 |D + p|^2 + 2 |p|^2, p = gamma_k W theta", _two_squares),
            Piece("|p|^2 <= gamma_k^2 Wmax^2 D^2, and the geometric sum", _geometric),
            Piece("the mean is at most 4 eps^2", _unregularised_total, concludes=True),
            about=About.CORRECTION,
        ),
        holds_for("the sum along runs of ALTO", _gradient_along_runs, about=About.CORRECTION, share=0.5,
                  seed=strategies.seeds),
    ),
)  # fmt: skip


def _sizes_grow(power: int) -> Check:
    """With s = sqrt(d) >= 1 every term of A is at most s^power times its value at d = 1.

    Distance: d (s zeta + e) with the layer factor and d without. Step and age: (s D + e) s zeta, or (s zeta + s D) s.
    Decay: d. All coefficients are >= 0.
    """
    s, zeta, e, D = reals("s zeta e D")
    inputs = [s >= 1, zeta >= 0, e >= 0, D >= 0]
    distance = s * s * (s * zeta + e) if power == 3 else s * s
    least = zeta + e if power == 3 else 1
    top = s * s * s if power == 3 else s * s
    total = distance + (s * D + e) * s * zeta + s * s * D
    one = least + (D + e) * zeta + D
    return smt(Query(inputs, total <= top * one, control=total <= s * one))


def _leading(d: int, layerwise: bool, seed: int) -> float:
    """Theorem C's A for one layer of d coordinates, each within D of 0; A is regret(4) - regret(1) by sqrt(T)."""
    rng = np.random.default_rng(seed)
    F = Filter(-rng.uniform(-0.95, 0.95) / 0.5, 0.5, rng.uniform(0, 0.9))
    eps1, eps2, eps3, eta, decay, G, D = 10 ** rng.uniform(-2, 1, size=7)
    online = Online(
        F, 0.95, eps1, eps2, eps3, eta, decay, (d,), layerwise, G=G, D=D * np.sqrt(d), width=2 * D,
        comparator=D * np.sqrt(d),
    )  # fmt: skip
    return regret(online, 4) - regret(online, 1)


def _orders_in_d(d: int, seed: int, *, power: float = 1.5) -> None:
    assert _leading(d, True, seed) <= d**power * _leading(1, True, seed) * (1 + 1e-9)
    assert _leading(d, False, seed) <= d * _leading(1, False, seed) * (1 + 1e-9)


def _without_the_root(d: int, seed: int) -> None:
    _orders_in_d(d, seed, power=1.0)


order_of_adam = Claim(
    id="theorem-2-order",
    source="paper, Theorem 2 (its order beside Adam's: a factor sqrt(d), without a decaying beta)",
    statement=(
        r"The regret bound of ALTO has the order of Adam's bound up to a factor $\sqrt d$, with constant "
        r"$\alpha, \beta_1, \beta_2, \beta_3$."
    ),
    plain="ALTO's regret bound is of the order of Adam's up to a factor sqrt(d), without a decaying beta.",
    found="True if monotonicity is enforced: in Theorem C, A grows at most like d for EAdam and like d^(3/2) for ALTO.",
    assumptions=(*CONVEX, MONOTONE),
    corrected=(
        r"With $\|\theta_k\|_\infty, \|\theta^*\|_\infty \le R$, so that $D, \|\theta^*\| \le \sqrt d R$ and $D_\infty "
        r"\le 2R$, Theorem C's $A(d)$ is at most $d\,A(1)$ without the layer factor, for EAdam, and at most "
        r"$d^{3/2} A(1)$ with it for one layer; (C3) is enforced and all betas are constant."
    ),
    repairs=Repair.ASSUMPTION,
    rests_on=("ours-theorem-c",),
    evidence=(
        proof(
            "each term of A against its value at d = 1; s = sqrt(d)",
            Piece("without the layer factor: at most d", lambda: _sizes_grow(2)),
            Piece("with it: at most d^(3/2)", lambda: _sizes_grow(3), concludes=True),
            about=About.CORRECTION,
        ),
        holds_for("the code's A at d and at 1, relative 1e-9", _orders_in_d, control=_without_the_root,
                  about=About.CORRECTION, d=st.integers(1, 4000), seed=strategies.seeds),
    ),
)  # fmt: skip


def _widest_grows() -> Check:
    """1/q_min = (kappa G + eps1) S is at most G times its value at G = 1, with S as zeta free of G."""
    kappa, G, eps1, S = reals("kappa G epsilon1 S")
    inputs = [kappa > 0, G >= 1, eps1 > 0, S > 0]
    right = G * (kappa + eps1) * S
    return smt(Query(inputs, (kappa * G + eps1) * S <= right, control=2 * (kappa * G + eps1) * S <= right))


def _bound_at_sizes(steps: int = 3) -> Check:
    """Theorem N at eta = eta_1 / g, T = T_1 g^steps, n = n_1 g^2, g = sqrt(G), is at most its value at G = 1.

    The three terms are Delta q / (eta T), sigma q / n and f q / T, with constants Delta, sigma and f, and with q = 1 /
    q_min = g^2 q_1 - spare; the difference of the two sides is multiplied by g^3 eta n T.
    """
    g, one, spare, Delta, sigma, f, eta, n, T = given = sp.symbols("g q_1 spare Delta sigma f eta n T", real=True)
    q = g**2 * one - spare
    at_one = one * (Delta / (eta * T) + sigma / n + f / T)
    bound = q * (Delta * g / (eta * g**steps * T) + sigma / (g**2 * n) + f / (g**steps * T))
    squares = [
        Square(1, times=(Delta, n, g, spare)),
        Square(1, times=(sigma, eta, T, g, spare)),
        Square(g, times=(f, eta, n, one, g - 1)),
        Square(1, times=(f, eta, n, spare)),
    ]
    return certificate(sp.expand(g**3 * eta * n * T * (at_one - bound)), squares, nonnegative=(*given, g - 1))


def _sizes_in_G(G: float, seed: int, *, power: float = 1.5) -> None:
    """The code's bound for ALTO at these sizes and G, against G = 1."""
    rng = np.random.default_rng(seed)
    F, eps, d = Filter(-rng.uniform(-0.95, 0.95) / 0.5, 0.5, rng.uniform(0, 0.9)), (1e-3, 0.1, 0.1), 5
    triple, L = bounds.tracking_by_recursion(F), 10 ** rng.uniform(-1, 1)
    gap, first, variance = (float(x) for x in 10 ** rng.uniform(-2, 2, size=3))
    eta = bounds.largest_step(triple, bounds.alto(F, 0.95, eps, 1.0, d), L)

    def at(size: float) -> float:
        Q, T = bounds.alto(F, 0.95, eps, size, d), 100 * size**power
        rate = eta / np.sqrt(size)
        assert rate <= bounds.largest_step(triple, Q, L) * (1 + 1e-9)
        return bounds.mean_square_gradient(
            triple, Q, eta=rate, T=T, gap=gap, first=first, variance=variance / size  # type: ignore[arg-type]
        )  # fmt: skip

    assert at(G) <= at(1.0) * (1 + 1e-9)


def _fewer_steps(G: float, seed: int) -> None:
    """False: T of order G."""
    _sizes_in_G(G, seed, power=1.0)


dependence = Claim(
    id="theorem-1-dependence",
    source="paper, Theorem 1 (how its sizes depend on G)",
    statement=(
        r"The sizes of Theorem 1 depend on $G$ like this: $n = O(G \epsilon^{-2})$, $\eta = O(G^{-1/2})$, $T \ge "
        r"O(G^{3/2} \epsilon^{-2})$."
    ),
    plain="The batch of Theorem 1 grows like G, its learning rate falls like G^(-1/2), and its steps grow like G^1.5.",
    found="True after Theorem 1's repair, for G >= 1, beta2^2 < beta3 and no weight decay. The constants depend on d.",
    assumptions=("those of theorem-1", r"$\epsilon$, $L$, $\Delta$, $\sigma$, $\|\nabla f(\theta_1)\|$, $d$ held",
                 r"$\gamma = 0$: the regulariser's terms grow with $G$"),
    corrected=(
        r"For $G \ge 1$ and $\beta_2^2 < \beta_3$, so that $\zeta$ of lemma-10 does not depend on $G$: if Theorem N "
        r"for ALTO gives $\epsilon^2$ at $G = 1$ with $\eta_1, n_1, T_1$, then it does at $G$ with "
        r"$\eta = \eta_1 G^{-1/2}$, $n = G n_1$ and $T = G^{3/2} T_1$."
    ),
    repairs=Repair.ASSUMPTION,
    rests_on=("theorem-1", "lemma-10"),
    evidence=(
        proof(
            "each term of Theorem N against its value at G = 1",
            Piece("1 / q_min at most G times that at G = 1", _widest_grows),
            Piece("the sum of the three terms; q_max stays, and eta falls", _bound_at_sizes, concludes=True,
                  control=lambda: _bound_at_sizes(steps=2)),
            about=About.CORRECTION,
        ),
        holds_for("the code's bound at G and at 1, relative 1e-9", _sizes_in_G, control=_fewer_steps,
                  about=About.CORRECTION, G=st.floats(1, 1e6), seed=strategies.seeds),
    ),
)  # fmt: skip

CLAIMS = (unregularised, order_of_adam, dependence)
