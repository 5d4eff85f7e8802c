"""What the theorems cover: the paper's Assumptions 3.1, 3.4 and 3.6 (smooth, bounded, convex) against small cases."""

from fractions import Fraction

import numpy as np

from theory.ledger.claim import Claim
from theory.ledger.evidence import Piece, counterexample, proof
from theory.ledger.provers import Check, Query, Term, either, reals, smt
from theory.method.algorithms import ALTO
from theory.method.trajectory import record


def _kink() -> tuple[bool, str]:
    """One weight, one ReLU, one sample (1, 1): l(w) = (max(w, 0) - 1)^2 / 2, exactly, on both sides of 0."""

    def slope(w: Fraction) -> Fraction:
        return w - 1 if w > 0 else Fraction(0)

    distances = [Fraction(1, 10**n) for n in (1, 3, 6)]
    needed = [abs(slope(h) - slope(-h)) / (2 * h) for h in distances]
    said = ", ".join(
        f"{float(L):g} across [-{float(h):g}, {float(h):g}]" for L, h in zip(needed, distances, strict=True)
    )
    return all(L * h > Fraction(1, 4) for L, h in zip(needed, distances, strict=True)), f"L must be at least {said}"


smooth = Claim(
    id="assumption-3.1-smoothness",
    source="paper, Assumption 3.1",
    statement=r"Each loss $l(\cdot, \zeta)$ is $L$-smooth, for networks with ReLU such as those that the paper trains.",
    plain="The loss of each sample has a Lipschitz gradient.",
    found="Does not hold for a network with ReLU: the gradient of one weight's loss jumps.",
    assumed=True,
    evidence=(counterexample("one weight, one ReLU, one sample, exact rationals", _kink),),
)


def _growth(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """|theta_k| of Algorithm 1 with the gradient -1 in each of two coordinates, and prod (1 + eta_k) |theta_1|."""
    alto = ALTO(-5.0, 0.99, 0.9, 0.99, 1e-6, 1e-6, 1e-10, 0.0, bias_correction=False, layerwise=True)

    def eta(k: int) -> float:
        return 0.1 / float(np.sqrt(k))

    run = record(alto, lambda _, theta: np.full_like(theta, -1.0), np.ones((1, 2)), steps=steps, eta=eta)
    factors = np.cumprod([1 + eta(k) for k in range(1, steps + 1)])
    return np.linalg.norm(run.theta[1:, 0], axis=1), np.sqrt(2) * factors


def _unbounded() -> tuple[bool, str]:
    norms, product = _growth(4000)
    marks = {k: norms[k - 1] for k in (100, 1000, 4000)}
    said = ", ".join(f"{norm:.3g} after {k} steps" for k, norm in marks.items())
    grows = bool((np.diff(norms) > 0).all() and (norms > 0.99 * product)[:1000].all())
    return grows, f"slope -1, eta_k = 0.1 / sqrt(k), |theta_1| = 1.41: |theta| = {said}"


def _growth_of_a_step() -> Check:
    """With r along theta, N = |theta| and R = |r|, |theta'| - N is eta phi R / (R + eps2 phi), phi = N + eps3."""
    N, R, eta, eps2, eps3 = reals("theta r eta epsilon2 epsilon3")
    phi = N + eps3
    grown = eta * phi * R
    inputs = [N > 0, R > 0, eta > 0, eps2 > 0, eps3 >= 0]
    below = either(eps2 * N <= R, N * eps2, R)  # eps2 times min(N, R / eps2)

    def at_least(share: float) -> Term:
        return grown * eps2 >= share * eta * below * (R + eps2 * phi)

    return smt(Query(inputs, at_least(0.5), control=at_least(0.75)))


bounded = Claim(
    id="assumption-3.4-boundedness",
    source="paper, Assumption 3.4 (the paper assumes it and does not claim it)",
    statement=r"$\|\theta_k\| \le D$ and $\|\theta_k\|_\infty \le D_\infty$ along runs of ALTO with bounded gradients.",
    plain="The parameters stay bounded along runs of ALTO.",
    found=(
        "Does not hold without clipping and weight decay: on a linear loss a run of ALTO grows like the product of "
        "1 + eta_k."
    ),
    assumptions=(r"$\eta_k = \eta/\sqrt k$, no projection, no weight decay",),
    assumed=True,
    evidence=(counterexample("a linear loss, the paper's betas and epsilons", _unbounded),),
)

growth = Claim(
    id="ours-growth-of-alto",
    source="ours, on the paper's Assumption 3.4",
    statement=(
        r"Where $-r_k$ points along $\theta_k$, one step of ALTO adds at least $\frac{\eta_k}{2} "
        r"\min(\|\theta_k\|, \|r_k\|/\epsilon_2)$ to $\|\theta_k\|$. So under a steady gradient with $\|r_k\| \ge r$ "
        r"and $\sum_k \eta_k = \infty$ the parameters have no bound."
    ),
    plain="A steady gradient makes ALTO's parameters grow without bound, without projection and weight decay.",
    assumptions=(r"one layer, $\theta_1 \ne 0$, $\epsilon_2 > 0$, $\epsilon_3 \ge 0$, no projection, $\gamma = 0$",),
    evidence=(
        proof(
            "the growth of one step, then the sum",
            Piece("eta phi |r| / (|r| + eps2 phi) >= (eta / 2) min(|theta|, |r| / eps2)", _growth_of_a_step,
                  concludes=True),
            Piece("|theta_k| does not fall, so each step adds at least (eta_k / 2) min(|theta_1|, r / eps2); sum"),
        ),
    ),
)  # fmt: skip


def _chord() -> tuple[bool, str]:
    """Two weights, one sample (1, 1): l(a, b) = (a b - 1)^2 / 2 at two global minima and half way between them."""

    def loss(a: Fraction, b: Fraction) -> Fraction:
        return (a * b - 1) ** 2 / 2

    one = Fraction(1)
    ends, middle = (loss(one, one) + loss(-one, -one)) / 2, loss(0 * one, 0 * one)
    return middle > ends, f"half way between two points of mean loss {ends} the loss is {middle}"


convex = Claim(
    id="assumption-3.6-convexity",
    source="paper, Assumption 3.6",
    statement=r"Each loss $l(\cdot, \zeta)$ is convex, for networks such as those that the paper trains.",
    plain="The loss of each sample is convex.",
    found="Does not hold for a network with two layers: Theorem 2 says nothing about the trained networks.",
    assumed=True,
    evidence=(counterexample("two weights in a row, one sample, exact rationals", _chord),),
)

CLAIMS = (smooth, bounded, growth, convex)
