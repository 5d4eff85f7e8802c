"""Stability of a preconditioned E in d dimensions, and of ALTO at a minimiser (ours)."""

from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from theory.ledger.claim import Claim
from theory.ledger.evidence import Effort, Finding, Outcome, Piece, enumerated, holds_for, measured, proof
from theory.ledger.provers import Check, Square, certificate, identity
from theory.method import strategies
from theory.method.algorithms import ALTO
from theory.stability import linear
from theory.theorems import local_stability as theorem

# ------------------------------------------------------------------------------------------------------------- frozen


def _step_in_z() -> Check:
    """P (theta - eta m / p^2) = z - eta (m / p) with z = p theta, p = sqrt(P)."""
    theta, eta, m, p = sp.symbols("theta eta m P")
    return identity(p * (theta - eta * m / p**2), p * theta - eta * (m / p))


def _gradient_in_z() -> Check:
    """One term of (P^(-1/2) H theta)_i: H_ij theta_j / p_i = H_ij / (p_i p_j) z_j."""
    H, theta, p, q = sp.symbols("H theta P P_j")
    return identity(H * theta / p, H / (p * q) * (q * theta))


def _averages_in_z() -> Check:
    """The scaled buffers obey the same recursions: m / p from h / p and g / p."""
    beta2, c, m, h, g, p = sp.symbols("beta2 c m h g P")
    scaled = beta2 * (m / p) + (1 - beta2) * ((1 - c) * (g / p) + c * (h / p))
    return identity((beta2 * m + (1 - beta2) * ((1 - c) * g + c * h)) / p, scaled)


def _at(seed: int, share: float = 1.0) -> None:
    """Literal EAdam with v held: the spectral radius is below 1 just below the limit, and above 1 just above it."""
    rng = np.random.default_rng(seed)
    d, beta1, beta2, c = int(rng.integers(1, 5)), rng.uniform(0, 0.9), rng.uniform(0, 0.9), rng.uniform(-0.9, 0.9)
    A, P = rng.normal(size=(d, d)), 10 ** rng.uniform(-2, 2, size=d)
    H = A @ A.T + 0.1 * np.eye(d)
    limit = share * linear.largest_stable(c, beta1, beta2) / (1 - beta2) / theorem.preconditioned_curvature(H, P)
    below, above = (_radius(H, P, limit * (1 + side), c, beta1, beta2) for side in (-1e-3, 1e-3))
    assert below < 1 < above, f"{below}, {above}"


def _radius(H: np.ndarray, P: np.ndarray, eta: float, c: float, beta1: float, beta2: float) -> float:
    """The spectral radius of literal EAdam's step with v held at P^2, from each unit state (theta, g, a, m)."""
    d = len(P)
    theta, g, a, m = np.split(np.eye(4 * d), 4, axis=1)
    rule = ALTO(-c / (1 - beta1), beta1, beta2, 1.0, 0.0, 1.0, 1.0, 0.0, bias_correction=False, layerwise=False)
    rule.init([theta])
    rule.g, rule.a, rule.m, rule.v = [g], [a], [m], [np.tile(P**2, (4 * d, 1))]
    (new,) = rule.step([theta], [theta @ H], eta)
    after = np.concatenate([new, *rule.g, *rule.a, *rule.m], axis=1)
    return float(np.abs(np.linalg.eigvals(after)).max())


def _frozen_is_needed(_: Effort) -> tuple[str, dict[str, float]]:
    """Two steps at .9 of the limit, then three at .02 of it, in one dimension: E grows, though each P is stable."""
    grown = {}
    for alpha, beta1, beta2 in ((0.0, 0.9, 0.9), (-5.0, 0.99, 0.9)):
        c = -alpha * (1 - beta1)
        limit = linear.largest_stable(c, beta1, beta2)
        near, far = (linear.system(share * limit, c, beta1, beta2)[0] for share in (0.9, 0.02))
        period = np.linalg.matrix_power(near, 2) @ np.linalg.matrix_power(far, 3)
        grown[f"alpha = {alpha:g}"] = float(np.abs(np.linalg.eigvals(period)).max())
    assert min(grown.values()) > 1, f"{grown}"
    return "a P that alternates within the limit: growth per period of 5 steps: " + ", ".join(
        f"{radius:.3g} at {name}" for name, radius in grown.items()
    ), grown


frozen = Claim(
    id="ours-stability-frozen-preconditioner",
    source="ours",
    statement=(
        r"EAdam with a frozen preconditioner, $\theta_{k+1} = \theta_k - \eta P^{-1} m_k$ with a diagonal $P$, "
        r"converges from every start on $\theta^T H \theta / 2$, $H$ positive definite, if and only if "
        r"$\eta \lambda_{max}(P^{-1/2} H P^{-1/2}) < x^\star / (1-\beta_2)$, with $x^\star$ the largest stable step of "
        r"ours-stability-region."
    ),
    plain="In d dimensions the limit of a preconditioned E is that of one dimension at the preconditioned sharpness.",
    assumptions=("P constant", "no weight decay, no layer factor"),
    rests_on=("ours-stability-region",),
    evidence=(
        proof(
            "the same recursion in z = P^(1/2) theta, coordinate by coordinate of its eigenvectors",
            Piece("the gradient in z: P^(-1/2) H theta = (P^(-1/2) H P^(-1/2)) z, a term of the sum", _gradient_in_z),
            Piece("the buffers scale", _averages_in_z),
            Piece("the step in z", _step_in_z),
            Piece("P^(-1/2) H P^(-1/2) is symmetric: in its eigenvectors the recursion, linear with the same numbers "
                  "in each coordinate, falls into d scalar ones, x = (1 - beta2) eta lambda (normalised momentum)"),
        ),
        holds_for("literal EAdam with v held, .1 % below and above the limit", _at, seed=strategies.seeds,
                  control=partial(_at, share=0.1)),
        enumerated("a frozen P is needed", _frozen_is_needed),
    ),
)  # fmt: skip

# -------------------------------------------------------------------------------------------------- ALTO at a minimiser


def _factors() -> Check:
    """The step s r = m phi / (W (|r| + eps2 phi)) is m / (eps1 eps2) times the share, as the code has it."""
    m, W, phi, r, eps1, eps2, eta = sp.symbols("m W phi r epsilon_1 epsilon_2 eta", positive=True)
    share: Any = theorem.share_of_that_rate(W, r, phi, eps1=eps1, eps2=eps2)
    rate: Any = theorem.rate_at_minimiser(eta, eps1, eps2)
    return identity(eta * m / W * phi / (r + eps2 * phi), rate * share * m)


def _share_tends_to_one() -> Check:
    """1 - share <= sqrt(v) / eps1 + |r| / (eps2 phi), with W = sqrt(v) + eps1; times W (|r| + eps2 phi)."""
    root, phi, r, eps1, eps2 = sp.symbols("root phi r epsilon_1 epsilon_2", real=True)
    W, low = root + eps1, r + eps2 * phi
    gap = (root / eps1 + r / (eps2 * phi)) * W * low - (W * low - eps1 * eps2 * phi)
    terms = sp.Poly(sp.expand(sp.together(gap * eps1 * eps2 * phi)), root, phi, r, eps1, eps2).terms()
    names = (root, phi, r, eps1, eps2)
    squares = [
        Square(1, times=tuple(s for s, n in zip(names, powers, strict=True) for _ in range(n)), weight=weight)
        for powers, weight in terms
    ]
    return certificate(gap * eps1 * eps2 * phi, squares, nonnegative=(root, r), positive=(phi, eps1, eps2))


PLACES = (1e-2, 1.0, 1.0, 1), (1e-3, 1.0, 1.0, 1), (1e-3, 100.0, 1.0, 1), (1e-3, 1.0, 30.0, 1), (1e-3, 1.0, 1.0, 10)
CYCLES = tuple(
    (eta, curvature, alpha, beta1, size, d)
    for alpha, beta1 in ((0.0, 0.99), (-5.0, 0.99), (0.5, 0.01))
    for eta, curvature, size, d in PLACES
)


def _late_losses() -> np.ndarray:
    """The late mean loss of ALTO without noise at constant eta on a quadratic, over curvature (eta |theta*|)^2.

    The cases of CYCLES run side by side, a row each. A row of fewer dimensions ends in zeros, which have no gradient
    and stay. Shape (cases,).
    """
    columns: Any = np.array(CYCLES).T[..., None]  # shape (cases, 1) each: every replica has settings of its own
    eta, curvature, alpha, beta1, size, d = columns
    at = np.arange(d.max())
    star = size * (at < d) / d**0.5
    rule = ALTO(alpha, beta1, 0.9, 0.99, 1e-6, 1e-6, 1e-10, 0.0, bias_correction=True, layerwise=True)
    theta, steps, losses = rule.init([star * (1 + 0.02 * at - 0.03)]), 6000, []
    for k in range(steps):
        theta = rule.step(theta, [curvature * (theta[0] - star)], eta)
        if k >= steps // 2:
            losses.append((curvature * (theta[0] - star) ** 2).sum(1) / 2)
    return np.mean(losses, 0) / (curvature * (eta * size) ** 2)[:, 0]


def _cycles(_: Effort) -> Finding:
    """The factor of the late loss over eta, curvature, |theta*| and dimension, for three settings."""
    factors = _late_losses().tolist()
    low, high = min(factors), max(factors)
    good = low > 0.02 and high < 2
    said = f"late loss / (lambda (eta |theta*|)^2) from {low:.2g} to {high:.2g} in {len(CYCLES)} runs: eta .01 and "
    said += ".001, lambda 1 and 100, |theta*| 1 and 30, 1 and 10 dimensions, three alpha"
    return Finding(Outcome.SUPPORTS if good else Outcome.CONTRADICTS, said, values={"low": low, "high": high})


def _share_on_steps(seed: int, low: float = 1.0) -> None:
    """Literal ALTO's step from anywhere over that of the ESGD: in the stated interval, to 1e-9."""
    rng = np.random.default_rng(seed)
    n, eta = int(rng.integers(1, 5)), 10 ** rng.uniform(-3, 0)
    eps1, eps2, eps3 = 10 ** rng.uniform(-3, 1, size=3)
    rule = ALTO(-rng.uniform(-0.9, 0.9) / 0.1, 0.9, rng.uniform(0, 0.9), rng.uniform(0, 0.9), eps1, eps2, eps3, 0.0,
                bias_correction=False, layerwise=True)  # fmt: skip
    theta = rule.init([rng.normal(size=(1, n))])
    for _ in range(5):
        before = theta[0]
        theta = rule.step(theta, [10 ** rng.uniform(-9, 0) * rng.normal(size=(1, n))], eta)
        share = (before - theta[0]) / (theorem.rate_at_minimiser(eta, eps1, eps2) * rule.m[0])
        phi, r = np.linalg.norm(before) + eps3, np.linalg.norm(rule.r[0])
        least = 1 - low * (np.sqrt(rule.v[0]) / eps1 + r / (eps2 * phi))
        close = 1e-9 + 1e-9 * np.abs(before / (before - theta[0]))  # the difference of two iterates is rounded
        assert (share >= least - close).all()
        assert (share <= 1 + close).all()


def _no_decay_is_needed(_: Effort) -> tuple[str, dict[str, float]]:
    """At half the limit, from the minimiser itself: with a decay of .01 the iterates leave it, without it they stay."""
    rate, found = 0.5 * linear.largest_stable(0.05, 0.99, 0.9) / (1 - 0.9) * 0.01, {}
    for decay in (0.0, 0.01):
        rule = ALTO(-5.0, 0.99, 0.9, 0.99, 0.1, 0.1, 0.0, decay, bias_correction=False, layerwise=True)
        theta = rule.init([np.ones((1, 1))])
        for _step in range(1500):
            theta = rule.step(theta, [theta[0] - 1], rate)
        found[f"decay {decay:g}"] = float(abs(theta[0] - 1).item())
    assert found["decay 0"] == 0, f"{found}"
    assert found["decay 0.01"] > 1e-4, f"{found}"
    return "distance from the minimiser after 1500 steps that start there: " + ", ".join(
        f"{value:.2g} with {name}" for name, value in found.items()
    ), found


def _near_the_minimiser(_: Effort) -> tuple[str, dict[str, float]]:
    """From 1e-9 away, eta above and below the limit: ALTO leaves theta*, or tends to it. eps1 = eps2 = .1, v small."""
    found = {}
    limit = linear.largest_stable(0.05, 0.99, 0.9) / (1 - 0.9)
    for name, share in (("1.05 of the limit", 1.05), (".95 of the limit", 0.95)):
        rule = ALTO(-5.0, 0.99, 0.9, 0.99, 0.1, 0.1, 0.0, 0.0, bias_correction=False, layerwise=True)
        theta = rule.init([np.full((1, 1), 1 + 1e-9)])
        for _step in range(1500):
            theta = rule.step(theta, [theta[0] - 1], share * limit * 0.01)
        found[name] = float(abs(theta[0] - 1).item()) / 1e-9
    assert found["1.05 of the limit"] > 1e3, f"{found}"
    assert found[".95 of the limit"] < 1e-3, f"{found}"
    return "distance after 1500 steps over that at the start: " + ", ".join(
        f"{value:.2g} at {name}" for name, value in found.items()
    ), found


def _limit_at_the_defaults(_: Effort) -> tuple[str, dict[str, float]]:
    """The curvature above which a minimiser is unstable for ALTO at the default epsilons and eta = .001."""
    rate = theorem.rate_at_minimiser(1e-3, 1e-6, 1e-6)
    largest = linear.largest_stable(0.05, 0.99, 0.9) / (1 - 0.9) / rate
    assert largest < 1e-6, f"{largest}"
    return f"at eta = .001, alpha = -5 every curvature above {largest:.1e} is unstable", {"curvature": largest}


minimiser = Claim(
    id="ours-alto-at-its-minimiser",
    source="ours",
    statement=(
        r"At a minimiser ALTO without decay is ESGD with the learning rate $\eta/(\epsilon_1 \epsilon_2)$: its step is "
        r"$\frac{\eta}{\epsilon_1\epsilon_2} m$ times a factor in $[1 - \sqrt v/\epsilon_1 - \|r\| / (\epsilon_2 "
        r"\phi), 1]$. So at the linear order it is stable there only for $\eta \lambda_{max}(H) / "
        r"(\epsilon_1\epsilon_2) < x^\star / (1-\beta_2)$, and at the default $\epsilon$ for no curvature that matters."
    ),
    plain="At a constant learning rate and the default epsilons ALTO settles at a minimiser only for tiny curvatures.",
    assumptions=(
        r"$\gamma = 0$, no bias correction (or late, where it is 1), all tensors layerwise",
        r"$\theta^\star \ne 0$ or $\epsilon_3 > 0$, no noise",
        "linear order: how far the iterates go once they leave is measured: a late loss of .02 to 2 times "
        r"$\lambda(\eta\|\theta^\star\|)^2$",
        "ESGD with normalised momentum",
    ),
    rests_on=("ours-stability-region",),
    evidence=(
        proof(
            "two factors",
            Piece("the step is m eta / (eps1 eps2), times two factors", _factors),
            Piece("1 - their product <= sqrt(v) / eps1 + |r| / (eps2 phi)", _share_tends_to_one, concludes=True),
            Piece("m, v and r tend to 0 as the iterates tend to theta*; a linear recursion perturbed by a share that "
                  "tends to 0 has the growth rates of the linear one (Perron, Coffman): stable only where ESGD is"),
        ),
        holds_for("the factor on literal steps, float64", _share_on_steps, seed=strategies.seeds,
                  control=partial(_share_on_steps, low=0.5)),
        enumerated("near the minimiser, 5 % above and below the limit", _near_the_minimiser),
        enumerated("a run without decay is needed", _no_decay_is_needed),
        enumerated("the limit at the default epsilons", _limit_at_the_defaults),
        measured("the loss at which it cycles", _cycles),
    ),
)  # fmt: skip

CLAIMS = (frozen, minimiser)
