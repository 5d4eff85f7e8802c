"""What alpha does at equal step size: flatness, speed, the edge of stability (paper, Remark 2.1)."""

import numpy as np
import sympy as sp

from theory.ledger.claim import Claim
from theory.ledger.evidence import Effort, Finding, Outcome, Piece, measured, proof
from theory.ledger.formal import formal
from theory.ledger.intervals import decided_by
from theory.ledger.provers import Check, identity
from theory.method.algorithms import ESGD
from theory.method.trajectory import record
from theory.rocq import LIBRARY
from theory.simulate.full_batch import settled_sharpness
from theory.stability import linear
from theory.studies.intervals import t_interval

READS = ("formal.json",)

c, beta1 = sp.symbols("c beta1")


def _valley(effort: Effort) -> Finding:
    """Flattening along the valley f = e^y x^2 / 2 with noise on the x-gradient, at equal eta."""
    steps, seeds, rng = (20_000 if effort.thorough else 4_000), 48, np.random.default_rng(0)

    def gradient(_: int, theta: np.ndarray) -> np.ndarray:
        across, along = theta[:, 0], theta[:, 1]
        sharp = np.exp(along)
        noise = 0.04 * rng.standard_normal(len(theta))
        return np.stack([sharp * across + noise, sharp * across**2 / 2], 1)

    ends = {}
    for alpha in (50.0, 0.0, -50.0):
        run = record(ESGD(alpha, 0.99, 0.0), gradient, np.zeros((seeds, 2)), steps=steps, eta=lambda _: 0.8)
        final = run.theta[-1, :, 1]
        ends[alpha] = t_interval(final)
    margins = []  # the log-sharpness rises from -50 to 0 and from 0 to 50
    for (lower, half), (higher, other) in ((ends[-50.0], ends[0.0]), (ends[0.0], ends[50.0])):
        margins.append((higher - lower - half - other, higher - lower + half + other))
    detail = ", ".join(f"alpha={alpha:g}: {mean:.3f} +- {half:.3f}" for alpha, (mean, half) in ends.items())
    return Finding(
        decided_by(margins),
        f"log-sharpness after {steps} steps (lower is flatter), 48 seeds, 95 %: {detail}",
        values={"steps": float(steps)}
        | {f"alpha={alpha:g}": float(mean) for alpha, (mean, _) in ends.items()}
        | {f"alpha={alpha:g}: half": float(half) for alpha, (_, half) in ends.items()},
    )


flatness = Claim(
    id="remark-2.1-flatness",
    source="paper, Remark 2.1 and abstract",
    statement=r"$\alpha < 0$ ends in flatter minima, $\alpha > 0$ in sharper ones.",
    plain="Negative alpha ends in flatter minima, positive alpha in sharper ones.",
    found=(
        "Contradicted where noise drives ESGD along a valley, in both directions. Elsewhere it can hold: figure-1, and "
        "slightly in small networks at one rate."
    ),
    assumptions=(r"one mechanism: noise-driven drift along a valley, equal $\eta$, ESGD",),
    evidence=(measured("drift along a valley", _valley),),
)


def _rosenbrock(_: Effort) -> Finding:
    """First step with f < 1e-6 on Rosenbrock from (-1.5, 2), ESGD with beta2 = .9 and eta = 1e-3; no randomness."""

    def gradient(_: int, theta: np.ndarray) -> np.ndarray:
        u, v = theta[:, 0], theta[:, 1]
        return np.stack([-2 * (1 - u) - 400 * u * (v - u**2), 200 * (v - u**2)], 1)

    hits = {}
    for alpha in (50.0, 0.0, -5.0, -50.0):
        run = record(ESGD(alpha, 0.99, 0.9), gradient, np.array([[-1.5, 2.0]]), steps=2500, eta=lambda _: 1e-2)
        u, v = run.theta[:, 0, 0], run.theta[:, 0, 1]
        below = np.nonzero((1 - u) ** 2 + 100 * (v - u**2) ** 2 < 1e-6)[0]
        hits[alpha] = int(below[0]) if len(below) else 2501
    slower = hits[-5.0] > hits[0.0] and hits[-50.0] > hits[0.0] and hits[50.0] < hits[0.0]
    detail = ", ".join(f"alpha={alpha:g}: {hit}" for alpha, hit in hits.items())
    outcome = Outcome.SUPPORTS if slower else Outcome.CONTRADICTS
    values = {f"alpha={alpha:g}": float(hit) for alpha, hit in hits.items()}
    return Finding(outcome, f"steps to f < 1e-6, deterministic: {detail}", values=values)


speed = Claim(
    id="remark-2.1-speed",
    source="paper, Remark 2.1",
    statement=r"$\alpha < 0$ converges slower, $\alpha > 0$ faster.",
    plain="Negative alpha converges more slowly, positive alpha faster.",
    found=(
        "Contradicted in Rosenbrock's valley at equal learning rates: there negative alpha is faster and positive "
        "alpha slower."
    ),
    assumptions=(r"one mechanism: a curved valley at equal $\eta$, ESGD",),
    evidence=(measured("Rosenbrock's valley", _rosenbrock),),
)


def _edge(effort: Effort) -> Finding:
    """No interval: full batch, one start, no randomness left; the tolerance was set beforehand."""
    eta, steps, seen = 0.3, (8000 if effort.thorough else 4000), []
    for alpha, beta1 in ((0.5, 0.01), (0.0, 0.99), (-5.0, 0.99)):
        predicted = linear.largest_stable(-alpha * (1 - beta1), beta1, 0.0) / eta
        seen.append((alpha, predicted, settled_sharpness(alpha, beta1, eta=eta, steps=steps)))
    good = all(0.98 <= found / predicted <= 1.005 for _, predicted, found in seen)
    good &= seen[0][2] < seen[1][2] < seen[2][2]
    detail = "; ".join(f"alpha={alpha:g}: predicted {p:.3f}, measured {s:.3f}" for alpha, p, s in seen)
    return Finding(Outcome.SUPPORTS if good else Outcome.CONTRADICTS, f"{steps} steps; {detail}")


edge = Claim(
    id="ours-edge-of-stability",
    source="ours",
    statement=(
        r"Full-batch ESGD trains at the sharpness $x^*/\eta$: higher than at $\alpha = 0$ for $0 < -\alpha < "
        r"(1+\beta_1)/(2(1-\beta_1))$, lower for $\alpha > 0$ and for $\alpha$ below that range, past the cliff."
    ),
    plain=(
        "Full-batch ESGD trains at its largest stable sharpness: higher at moderate negative alpha, lower at positive "
        "alpha."
    ),
    assumptions=("a network whose sharpness rises while it trains", r"no momentum in the base, $\eta = .3$, one start"),
    evidence=(measured("a tanh network, predicted and measured sharpness, ratio within [.98, 1.005]", _edge),),
)


def _displacement() -> Check:
    """With u_k = 1 - c beta1^{k-1}: S_N = N - c (1 - beta1^N)/(1 - beta1), one step of the induction."""
    N, Q = sp.symbols("N Q")
    before = N - c * (1 - Q) / (1 - beta1)
    return identity(before + (1 - c * Q), (N + 1) - c * (1 - beta1 * Q) / (1 - beta1))


def _constant_gradient_direction() -> Check:
    Q = sp.Symbol("Q")
    return identity((1 - c) + c * (1 - Q), 1 - c * Q)


head_start_displacement = Claim(
    id="ours-head-start",
    source="ours",
    statement=(
        r"Under a constant gradient E(SGD) moves $S_N = N - c(1-\beta_1^N)/(1-\beta_1) \to N + \alpha$ steps of "
        r"SGD in $N$ "
        r"steps: $\alpha$ is a head start of $\alpha$ iterations."
    ),
    plain="Under a constant gradient E on SGD gains alpha iterations; negative alpha loses them.",
    assumptions=("no momentum in the base",),
    evidence=(
        formal("for every step, and the limit", LIBRARY, "head_start", "head_start_limit"),
        proof(
            "induction over N",
            Piece("h_{k-1} = 1 - beta1^{k-1}, so u_k = 1 - c beta1^{k-1}", _constant_gradient_direction),
            Piece("base: S_0 = 0"),
            Piece("step", _displacement, concludes=True),
        ),
    ),
)

CLAIMS = (flatness, speed, edge, head_start_displacement)
