"""Descent and our Theorem N: the chain N-a ... N-e for ESGD, vanilla EAdam and vanilla ALTO (paper, Appendix)."""

from typing import Any

import numpy as np
import sympy as sp

from theory.claims.lemmas.tracking import CONDITIONAL, convex_split, m_recursion, square_of_two
from theory.ledger.claim import Claim
from theory.ledger.evidence import About, Effort, Evidence, Kind, Piece, enumerated, holds_for, proof
from theory.ledger.formal import formal
from theory.ledger.provers import Check, Expr, Query, Square, certificate, identity, reals, smt
from theory.method import strategies
from theory.method.algorithms import ALTO, ESGD
from theory.method.filters import Filter
from theory.method.trajectory import record
from theory.rocq import LIBRARY
from theory.theorems import bounds, nonconvex_chain, stage, tightness
from theory.theorems.bounds import Preconditioner, Tracking
from theory.theorems.noise_paths import Problem, noisy_gradient, sign_paths, starts, waves

READS = ("formal.json",)

STEPS = 8


def _descent_certificate() -> Check:
    """One coordinate of N-a: what is lost is (L eta^2 / 2) q (q_max - q) m^2."""
    D, m = sp.symbols("D m", real=True)
    eta, q, room, L = sp.symbols("eta q room L", nonnegative=True)
    largest = q + room
    upper = -eta / 2 * (q * D**2 + (1 - L * eta * largest) * q * m**2 - q * (m - D) ** 2)
    smooth = -eta * D * q * m + L * eta**2 / 2 * (q * m) ** 2
    return certificate(upper - smooth, [Square(eta * m, times=(L, q, room), weight=sp.Rational(1, 2))],
                       nonnegative=(L, q, room))  # fmt: skip


def _descent_on_quadratics(seed: int) -> None:
    """N-a pathwise for indefinite quadratics and any diagonal Q in [0, q_max], whatever made it."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 5))
    A = rng.normal(size=(d, d))
    A = (A + A.T) / 2
    L, theta, m = np.linalg.norm(A, 2), rng.normal(size=d), rng.normal(size=d)
    largest, eta = 10 ** rng.uniform(-2, 2), 10 ** rng.uniform(-3, 1)
    q = largest * rng.uniform(size=d) ** rng.integers(0, 4)
    D, new = A @ theta, theta - eta * q * m
    left = new @ A @ new / 2
    right = theta @ A @ theta / 2 - eta / 2 * (q @ D**2 + (1 - L * eta * largest) * (q @ m**2) - q @ (m - D) ** 2)
    assert left <= right + 1e-9 * (abs(left) + abs(right) + eta * (q @ (abs(D * m) + m**2 * (1 + L * eta * largest))))


lemma_8 = Claim(
    id="lemma-8",
    source="paper, Appendix, Lemma 8 (descent when eta <= eps1 eps2 / (3L); eps2 has a hat there, which we leave out)",
    statement=(
        r"For $f$ $L$-smooth, $\theta_{k+1} = \theta_k - \eta Q m$ with any diagonal $0 \le Q \le q_{max}$ and "
        r"$e = m - \nabla f(\theta_k)$: $f(\theta_{k+1}) \le f(\theta_k) - \frac{\eta}{2}(\|\nabla f\|_Q^2 + "
        r"(1 - L\eta q_{max}) \|m\|_Q^2 - \|e\|_Q^2)$; so it descends up to the error if $\eta \le 1/(2Lq_{max})$, "
        r"$q_{max} = 1/(\epsilon_1\epsilon_2)$."
    ),
    plain="With small steps the objective falls, up to the error of the momentum.",
    found="True, also for steps up to eps1 eps2 / (2L), with eps2 as the layer factor has it.",
    assumptions=(r"$f$ $L$-smooth (not each sample's loss)",),
    evidence=(
        formal("in any dimension", LIBRARY, "lemma_8", "lemma_8_descends"),
        proof(
            "smoothness and one square per coordinate",
            Piece("f(theta') <= f - eta <D, Q m> + (L eta^2 / 2)|Q m|^2: smoothness"),
            Piece("that is at most the right-hand side", _descent_certificate, concludes=True),
            Piece("eps1 eps2 / 3L <= eps1 eps2 / 2L = 1 / (2 L q_max): the paper's constant is covered"),
        ),
        holds_for(
            "indefinite quadratics, any Q, tolerance 1e-9 of the terms", _descent_on_quadratics, seed=strategies.seeds
        ),
    ),
)


def _closure() -> Check:
    """N-d: x <= 1/2 and C x^2 <= 1/2 leave 1 - x - C x^2 >= 0."""
    x, C = reals("x C")
    inputs = [x >= 0, C >= 0, 2 * x <= 1, 2 * C * x * x <= 1]
    return smt(Query(inputs, 1 - x - C * x * x >= 0, control=1 - x - C * x * x >= x))


def _drift_certificate() -> Check:
    """N-b: |Q m|^2 <= q_max |m|_Q^2, one coordinate."""
    m = sp.Symbol("m", real=True)
    q, room = sp.symbols("q room", nonnegative=True)
    return certificate((q + room) * q * m**2 - (q * m) ** 2, [Square(m, times=(q, room))], nonnegative=(q, room))


def _assembly() -> Check:
    """N-e: eta/2 q_min sum|D|^2 <= gap + eta/2 q_max (C0 F + Cs T s), divided, is the formula of the bound."""
    eta, low, high, T, gap, first, noise, C0, Cs = sp.symbols("eta q Q T gap F s C0 Cs", positive=True)
    total = gap + eta / 2 * high * (C0 * first + Cs * T * noise)
    triple, Q = Tracking(drift=0, initial=C0, noise=Cs), Preconditioner(low, high)
    bound: Expr = bounds.mean_square_gradient(triple, Q, eta=eta, T=T, gap=gap, first=first, variance=noise)
    return identity(total / (eta * low * T / 2), bound)


PIECES = (
    Piece("N-a descent, pathwise (lemma-8)", _descent_certificate),
    Piece("N-b |Qm|^2 <= q_max |m|_Q^2, so drift <= (L eta)^2 q_max |M|_Q^2", _drift_certificate),
    Piece("N-c tracking (ours-tracking-error): error recursion", m_recursion),
    Piece("N-c its split of the square", lambda: convex_split(sp.Symbol("beta2", positive=True))),
    Piece("N-c |x + y|^2 <= 2|x|^2 + 2|y|^2", square_of_two),
    Piece("N-d closure under the two step conditions", _closure),
    Piece("N-e assembly", _assembly, concludes=True),
    Piece("Q_k may depend on g_k: only the unweighted error is ever averaged"),
)


def draw(rng: np.random.Generator, *, exploring: bool = True) -> tuple[Problem, Filter, dict[str, Any]]:
    """A problem, a filter over the whole region |c| < 1 (or c = 0, if not exploring), ALTO's other hyper-parameters."""
    problem = waves(rng, dimension=int(rng.integers(1, 4)), sigma=rng.choice([0.0, 0.3, 2.0]))
    beta1, c = rng.uniform(0, 0.95), rng.uniform(-0.95, 0.95)
    F = Filter(-c / (1 - beta1) if exploring else 0.0, beta1, rng.uniform(0, 0.95))
    settings = {
        "alpha": F.alpha, "beta1": F.beta1, "beta2": F.beta2, "beta3": rng.uniform(0.3, 0.999),
        "eps1": 10 ** rng.uniform(-3, 0), "eps2": 10 ** rng.uniform(-2, 0), "eps3": 10 ** rng.uniform(-2, 0),
    }  # fmt: skip
    return problem, F, settings


def chain_of(seed: int, variant: str) -> list[stage.Stage]:
    """Theorem N's chain on a drawn problem, over all sign paths, at the largest eta that the theorem allows.

    Args:
        seed: draws the problem and the hyper-parameters.
        variant: "sgd", "adam" or "alto"; "+decay" adds weight decay gamma / (1 + mu)^k, "+bias" bias correction;
            "+alpha0" sets alpha to 0, which makes ALTO LAMB and EAdam Adam.

    Returns:
        The stages, with the smaller of the two tracking bounds where both step conditions allow it.
    """
    rng = np.random.default_rng(seed)
    problem, F, settings = draw(rng, exploring="+alpha0" not in variant)
    d, signs = len(problem.start), sign_paths(STEPS)
    layers = (d,) if d == 1 else (1, d - 1)
    eps = settings["eps1"], settings["eps2"], settings["eps3"]
    corrected = "+bias" in variant
    decay = 0.1 if variant.endswith("+decay") else 0.0
    tracking: Tracking = min(bounds.tracking_by_filter(F), bounds.tracking_by_recursion(F), key=lambda t: t.drift)
    Wmax = F.kappa * problem.G + eps[0]
    if variant == "sgd":
        Q: Preconditioner = bounds.esgd()
        optimizer: ALTO | ESGD = ESGD(F.alpha, F.beta1, F.beta2)
    else:
        layerwise = variant.startswith("alto")
        Q = (
            bounds.alto(F, settings["beta3"], eps, problem.G, max(layers), decay, corrected=corrected)
            if layerwise
            else bounds.eadam(F, eps[0], problem.G, corrected=corrected)
        )
        optimizer = ALTO(**settings, weight_decay=0.0, bias_correction=corrected, layerwise=layerwise)
    mu = np.sqrt(1 - settings["beta3"]) * F.kappa * problem.G / eps[0]
    eta = bounds.largest_step(tracking, Q, problem.L + decay * Wmax)
    run = record(
        optimizer, noisy_gradient(problem, signs), starts(problem, signs), steps=STEPS, eta=lambda _: eta,
        layers=layers, vary=lambda k: {"weight_decay": decay / (1 + mu) ** k} if decay else {},
    )  # fmt: skip
    return nonconvex_chain.stages(run, problem, Q, tracking, Wmax=Wmax)


def chains(variant: str, about: About = About.STATEMENT, count: int = 30) -> Evidence:
    """The chains of ``count`` drawn problems (ten times as many if thorough), every stage asserted."""

    def check(effort: Effort) -> tuple[str, dict[str, float]]:
        problems = 10 * count if effort.thorough else count
        ratios = []
        for seed in range(problems):
            found = chain_of(seed, variant)
            assert not stage.broken(found), f"seed {seed}: {stage.broken(found)}"
            ratios.append(stage.looseness(found[-1]))
        least, median = float(min(ratios)), float(np.median(ratios))
        return (
            f"{problems} problems, all 2^{STEPS} paths, stages N-a to N-e; bound/exact min {least:.3g}, "
            f"median {median:.3g}",
            {"problems": float(problems), "least": least, "median": median},
        )

    return enumerated(f"chain N-a ... N-e, {variant}", check, about=about)


theorem_n_sgd = Claim(
    id="ours-theorem-n-sgd",
    source="ours; the paper has no theorem for ESGD",
    statement=(
        r"ESGD with normalised momentum, $\eta L \le 1/2$, $C_d(\eta L)^2 \le 1/2$: $\frac1T \sum_k E\|\nabla "
        r"f(\theta_k)\|^2 \le \frac{2\Delta}{\eta T} + C_s \frac{\sigma^2}{n} + \frac{C_0 \|\nabla "
        r"f(\theta_1)\|^2}{T}$."
    ),
    plain="The mean squared gradient of ESGD with normalised momentum has an explicit bound.",
    assumptions=(r"$f$ $L$-smooth, bounded below", CONDITIONAL),
    rests_on=(
        "lemma-8",
        "ours-tracking-error",
    ),
    evidence=(
        proof("chain N-a ... N-e with Q = 1", *PIECES),
        chains("sgd"),
        Evidence(
            Kind.EXACT,
            "N-a to N-d are attained on a quadratic",
            lambda _: tightness.attained(tightness.nonconvex_ratios()),
        ),
    ),
)


theorem_n_adam = Claim(
    id="ours-theorem-n-adam",
    source="ours",
    statement=(
        r"Vanilla EAdam, $q_{min} = 1/(\kappa G + \epsilon_1)$, $q_{max} = 1/\epsilon_1$, $\chi = q_{max}/q_{min}$, "
        r"$\eta q_{max} L \le 1/2$, $C_d (\eta q_{max} L)^2 \le 1/2$: $\frac1T \sum_k E\|\nabla f\|^2 \le "
        r"\frac{2\Delta}{\eta q_{min} T} + \chi(C_s \frac{\sigma^2}{n} + \frac{C_0 \|\nabla f(\theta_1)\|^2}{T})$."
    ),
    plain="The mean squared gradient of EAdam has an explicit bound, with the preconditioner's condition number.",
    assumptions=(
        r"$f$ $L$-smooth, bounded below",
        CONDITIONAL,
        "bounded gradients (3.3)",
        r"$\epsilon_1 > 0$, no weight decay",
    ),
    rests_on=(
        "lemma-3",
        "lemma-8",
        "ours-tracking-error",
    ),
    evidence=(
        proof(
            "chain N-a ... N-e",
            Piece("eps1 <= sqrt(v_k) + eps1 <= kappa G + eps1 (lemma-3), which gives q_max and q_min"),
            *PIECES,
        ),
        chains("adam"),
    ),
)

theorem_n_alto = Claim(
    id="ours-theorem-n-alto",
    source="ours",
    statement=(
        r"Vanilla ALTO, $q_{max} = 1/(\epsilon_1\epsilon_2)$, $1/q_{min} = (\kappa G + \epsilon_1) "
        r"(\sqrt{d_{max}}\zeta + (\gamma + \epsilon_2)\epsilon_3)/\epsilon_3$, $\chi = q_{max}/q_{min}$, "
        r"$\eta q_{max} L \le 1/2$, $C_d (\eta q_{max} L)^2 \le 1/2$: $\frac1T \sum_k E\|\nabla f\|^2 \le "
        r"\frac{2\Delta}{\eta q_{min} T} + \chi(C_s \frac{\sigma^2}{n} + \frac{C_0 \|\nabla f(\theta_1)\|^2}{T})$."
    ),
    plain="The mean squared gradient of ALTO has an explicit bound, with the preconditioner's condition number.",
    assumptions=(
        r"$f$ $L$-smooth, bounded below",
        CONDITIONAL,
        "bounded gradients (3.3)",
        r"$\gamma = 0$; $\epsilon_1, \epsilon_2, \epsilon_3 > 0$",
    ),
    rests_on=(
        "lemma-3",
        "lemma-8",
        "lemma-9",
        "ours-tracking-error",
    ),
    evidence=(
        proof(
            "chain N-a ... N-e",
            Piece("q_max and q_min: the bounds of sqrt(v_k) + eps1 (lemma-3) and of the layer factor (lemma-9)"),
            *PIECES,
        ),
        chains("alto"),
    ),
)


CLAIMS = (lemma_8, theorem_n_sgd, theorem_n_adam, theorem_n_alto)
