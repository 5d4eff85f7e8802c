"""ALTO by its normalised step, averaged in expectation (ours): O(T^(-1/4)) at batch 1."""

from typing import Any

import numpy as np
import sympy as sp

from theory.claims.lemmas.tracking import CONDITIONAL
from theory.claims.theorems.normalised_step import SMOOTH, cauchy_schwarz
from theory.ledger.claim import Claim
from theory.ledger.evidence import Effort, Finding, Outcome, Piece, enumerated, holds_for, measured, proof
from theory.ledger.intervals import decided_by
from theory.ledger.provers import Check, Query, Square, certificate, reals, smt
from theory.method import strategies
from theory.method.algorithms import ALTO
from theory.method.filters import Filter
from theory.method.trajectory import record
from theory.studies import normalised_step as study
from theory.studies import store
from theory.theorems import bounds, stage
from theory.theorems import normalised_step as theorem
from theory.theorems.noise_paths import noisy_gradient, sign_paths, starts, waves

READS = ("theory/normalised-step.json",)


def _drift() -> Check:
    """|D_k - D_{k-1}|^2 <= (L eta Phi)^2 from smoothness and the length of the step."""
    delta, L, step, eta, Phi = reals("delta L step eta Phi")
    bound = L * eta * Phi
    inputs = [delta >= 0, L >= 0, step >= 0, eta >= 0, Phi >= 0, delta <= L * step, L * step <= bound]
    return smt(Query(inputs, delta * delta <= bound * bound, control=delta * delta <= bound))


def _jensen() -> Check:
    """x^2 >= 2 x y - y^2; with y the mean of x this is, on average, (mean x)^2 <= mean x^2."""
    x, y = sp.symbols("x y", real=True)
    return certificate(x**2 - 2 * x * y + y**2, [Square(x - y)])


def _root() -> Check:
    """From E^2 <= p^2 + q^2 + s^2: E <= p + q + s."""
    E, p, q, s = reals("E p q s")
    inputs = [E >= 0, p >= 0, q >= 0, s >= 0, p * p + q * q + s * s >= E * E]
    return smt(Query(inputs, p + q + s >= E, control=p + q >= E))


def _orders() -> Check:
    """With t = T^(1/4), beta2 = 1 - 1/t^2 and K <= kappa b + |alpha|: K and tau2 <= kappa K are of order t^2."""
    t, kappa, alpha, K, tau2 = reals("t kappa alpha K tau2")
    inputs = [t >= 1, kappa >= 1, alpha >= 0, K >= 0, kappa * (t * t - 1) + alpha >= K, tau2 <= kappa * K]
    return smt(Query(inputs, tau2 <= kappa * (kappa * t * t + alpha), control=tau2 <= kappa * t * t + alpha))


def _averaged() -> Check:
    """The sum of the descents divided by eta T, with sum_i phi_i (1 + psi_i) |e_i| <= 2 Phi |e|."""
    left, Delta, eta, T, Phi, error, L, lost = reals("left Delta eta T Phi error L lost")
    inputs = [Delta >= 0, eta > 0, T > 0, Phi >= 0, error >= 0, L > 0, lost >= 0]
    inputs += [eta * T * left <= Delta + eta * T * (2 * Phi * error + lost) + T * L / 2 * eta * eta * Phi * Phi]
    right = Delta / (eta * T) + 2 * Phi * error + L * eta * Phi * Phi / 2 + lost
    return smt(Query(inputs, left <= right, control=left <= Delta / (eta * T) + 2 * Phi * error + lost))


def _filter_orders(seed: int) -> None:
    """K <= kappa b + |alpha|, tau2 <= kappa K, omega2 <= (1 - beta2) kappa^2."""
    rng = np.random.default_rng(seed)
    beta1 = rng.uniform(0, 0.99)
    F = Filter(rng.uniform(-0.99, 0.99) / (1 - beta1), beta1, rng.uniform(0, 0.99))
    assert (F.kappa * F.b + abs(F.alpha)) * (1 + 1e-9) >= F.K
    assert F.tau2 <= F.kappa * F.K * (1 + 1e-9) + 1e-12
    assert F.omega2 <= (1 - F.beta2) * F.kappa**2 * (1 + 1e-9)


def _rate_constant_bounds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    T, beta1 = int(10 ** rng.uniform(1, 6)), rng.uniform(0, 0.99)
    eta, beta2 = theorem.schedule(T, 10 ** rng.uniform(-2, 1))
    F = Filter(rng.uniform(-0.99, 0.99) / (1 - beta1), beta1, beta2)
    gap, first, variance, L, reach = (float(x) for x in 10 ** rng.uniform(-2, 2, size=5))
    given: Any = {"T": T, "gap": gap, "first": first, "variance": variance, "L": L, "reach": reach}
    bound = theorem.mean_weighted_gradient(bounds.tracking_by_filter(F), eta=eta, **given)
    assert T**0.25 * bound <= theorem.rate_constant(F, eta=eta * T**0.75, **given) * (1 + 1e-9)


PATHS = 8


def _expectation_exactly(effort: Effort) -> tuple[str, dict[str, float]]:
    """Non-convex problems with sign noise, all paths, both triples, decay and eps2: the bound after every step."""
    least = np.inf
    count = 100 if effort.thorough else 20
    for seed in range(count):
        rng = np.random.default_rng(seed)
        problem = waves(rng, dimension=3, sigma=rng.uniform(0, 2))
        beta1, eps2, decay = rng.uniform(0, 0.95), float(rng.choice([0.0, 0.1])), float(rng.choice([0.0, 0.1]))
        F = Filter(rng.uniform(-0.95, 0.95) / (1 - beta1), beta1, rng.uniform(0, 0.95))
        eps1, eps3, beta3 = 10 ** rng.uniform(-2, 1), 10 ** rng.uniform(-3, 0), rng.uniform(0, 0.99)
        alto = ALTO(F.alpha, beta1, F.beta2, beta3, eps1, eps2, eps3, decay, bool(rng.integers(2)), layerwise=True)
        signs, eta = sign_paths(PATHS), float(10 ** rng.uniform(-2, 0))
        run = record(
            alto, noisy_gradient(problem, signs), starts(problem, signs), steps=PATHS, eta=lambda _, eta=eta: eta,
            layers=(1, 2),
        )  # fmt: skip
        D = problem.gradient(run.theta[:-1])
        found = theorem.of_run(run, alto, D)
        first, gap = float((D[0, 0] ** 2).sum()), float(problem.value(problem.start)) - problem.floor
        left = np.cumsum(found.weighted.mean(-1)) / np.arange(1, PATHS + 1)
        for triple in (bounds.tracking_by_filter(F), bounds.tracking_by_recursion(F)):
            right = [
                theorem.mean_weighted_gradient(
                    triple, eta=eta, T=T, gap=gap, first=first, variance=problem.sigma**2, L=problem.L,
                    reach=float(found.reach.max()), eps2=eps2, decay=decay, widest=F.kappa * problem.G + eps1,
                    D=float(np.linalg.norm(run.theta, axis=-1).max()),
                )
                for T in range(1, PATHS + 1)
            ]  # fmt: skip
            bound = stage.Stage("bound", left, np.array(right))
            stage.check([bound])
            least = min(least, stage.looseness(bound))
    return f"{count} problems, all 2^{PATHS} paths, every step: bound/exact min {least:.3g}", {"least": float(least)}


def _decay_remains(_: Effort) -> tuple[str, dict[str, float]]:
    """On f = (theta - 1)^2 / 2 with gamma = eps1 = 1 ALTO stops where m = -gamma W theta, and not where D = 0."""
    eta, T = 0.01, 10_000
    alto = ALTO(0.0, 0.9, 0.0, 0.0, 1.0, 0.0, 1e-10, 1.0, bias_correction=False, layerwise=True)
    run = record(alto, lambda _, x: x - 1, np.full((1, 1), 0.5), steps=T, eta=lambda _: eta)
    found = theorem.of_run(run, alto, run.theta[:-1] - 1)
    left, reach = float(found.weighted.mean()), float(found.reach.max())
    given: Any = {"eta": eta, "T": T, "gap": 0.125, "first": 0.25, "variance": 0.0, "L": 1.0, "reach": reach}
    triple = bounds.tracking_by_recursion(Filter(0.0, 0.9, 0.0))
    without = theorem.mean_weighted_gradient(triple, **given)
    assert left > 5 * without, f"{left}, {without}"
    assert left <= theorem.mean_weighted_gradient(triple, decay=1.0, widest=2.0, D=1.0, **given)
    return f"with decay 1 the mean stays at {left:.3g}; the bound without its term is {without:.2g}", {"left": left}


PAPER = (-5.0, 0.99, 0.9), 0.99, (1e-6, 1e-6, 1e-10), 10_000
"""The paper's (alpha, beta1, beta2), beta3 and (eps1, eps2, eps3) for large batches; the size of a layer."""


def _constants(_: Effort) -> tuple[str, dict[str, float]]:
    """1 / psi beside Theorem N's chi, at the paper's settings with G = 1."""
    (alpha, beta1, beta2), beta3, eps, size = PAPER
    F = Filter(alpha, beta1, beta2)
    ours, old = 1 / theorem.alignment(F, eps[0], 1.0), bounds.alto(F, beta3, eps, 1.0, size).chi
    assert ours < 1e-15 * old, f"{ours:g} beside {old:g}"
    said = f"the paper's settings, G = 1, a layer of {size} weights: 1/psi = {ours:.4g}; Theorem N's chi = {old:.3g},"
    said += f" of the squared norm: {old**0.5:.3g} of the norm"
    return said, {"1/psi": ours, "chi": old}


def _measured_rate(_: Effort) -> Finding:
    """The stored study: the interval of the mean lies below the bound at every T; the exponents are for comparison."""
    rows = store.load("normalised-step")["rates"]
    ratio, margins = np.inf, []
    for row in rows:
        bound, mean, half = study.bound(row), np.array(row["mean"]), np.array(row["half"])
        ratio = min(ratio, float((bound / (mean + half)).min()))
        margins += zip(bound - mean - half, bound - mean + half, strict=True)
    said = ", ".join(f"{row['exponent']:.3f} +- {row['exponent_half']:.3f} at alpha = {row['alpha']:g}" for row in rows)
    low, high = rows[0]["window"]
    return Finding(
        decided_by(margins),
        f"bound/measured at least {ratio:.3g}, T = {rows[0]['T'][0]} to {high}; exponent from T = {low} on: {said}",
        values={"bound/measured": ratio, **{f"exponent({row['alpha']:g})": row["exponent"] for row in rows}},
    )


def _training(_: Effort) -> Finding:
    """Both sides of the pathwise bound along the stored training on digits."""
    run = store.load("normalised-step")["training"]
    left, right = (np.array(run[key]) for key in ("left", "right"))
    share = float(run["error"][-1] / right[-1])
    return Finding(
        Outcome.SUPPORTS if (left <= right).all() else Outcome.CONTRADICTS,
        f"{run['T'][-1]} steps: bound/mean from {run['least']:.3g}, at the end {right[-1] / left[-1]:.3g}; "
        f"{100 * share:.0f} % of the bound is then the momentum's error; median psi {run['psi'][1]:.2g}",
        values={"bound/mean": float(right[-1] / left[-1]), "error's share": share, "psi": run["psi"][1]},
    )


expectation = Claim(
    id="ours-normalised-step-rate",
    source="ours",
    statement=(
        r"ALTO and LAMB with any batch: $\frac1T \sum_k E \sum_i \phi_i \psi_i \|D_i\| \le \frac{\Delta}{\eta T} + "
        r"2\Phi (\sqrt{C_d} L\eta\Phi + \sqrt{C_0/T} \|D_1\| + \sqrt{C_s \sigma^2/n}) + \frac{L\eta\Phi^2}{2} + "
        r"\Phi^2 \epsilon_2 W_{max} + 2 \Phi \gamma W_{max} D$ for every $\eta$, with the constants of "
        r"ours-tracking-error. With $\eta = \eta_1 T^{-3/4}$, $1-\beta_2 = T^{-1/2}$ it is at most $T^{-1/4} "
        r"[\Delta/\eta_1 + 2\sqrt2 \Phi (\kappa' L \eta_1 \Phi + \sqrt{\kappa \kappa'} \|D_1\| + "
        r"\kappa \sigma/\sqrt n) + L \eta_1 \Phi^2 / (2 \sqrt T)]$, $\kappa' = \kappa + |\alpha|/\sqrt T$, at batch 1 "
        r"too, and the terms of $\epsilon_2$ and $\gamma$."
    ),
    plain=(
        "ALTO and LAMB shrink the gradient, weighted by the layers' norms, like T^(-1/4) with one sample per step, "
        "up to eps2 and decay."
    ),
    assumptions=(
        SMOOTH, "bounded below", CONDITIONAL, r"$\theta_1$ deterministic, constant $\eta$",
        r"$(\sum_i \phi_i^2)^{1/2} \le \Phi$ at every step, for which $\|\theta_k\| \le D$ suffices under the paper's "
        r"$\phi$; nothing in the algorithm ensures it",
        r"only the terms of $\epsilon_2$ and $\gamma$ need bounded gradients: $W \le W_{max} = \kappa G + \epsilon_1$",
        r"if the gradients are bounded by $G$, $\psi_i \ge 2\sqrt\chi/(1+\chi)$ with $\chi = "
        r"(\kappa G + \epsilon_1)/\epsilon_1$",
    ),
    rests_on=("ours-normalised-step", "ours-tracking-error"),
    evidence=(
        proof(
            "sum of the descents",
            Piece("the drift of ours-tracking-error: |D_k - D_{k-1}| <= L eta Phi, surely", _drift),
            Piece("sum_i phi_i (1 + psi_i) |e_i| <= 2 Phi |e|, sum_i phi_i |theta_i| <= Phi D: Cauchy-Schwarz",
                  cauchy_schwarz),
            Piece("E|e| <= (E|e|^2)^(1/2), and the same for the mean over k", _jensen),
            Piece("the root of the tracking bound", _root),
            Piece("expectation and the sum over k of ours-normalised-step are linear and monotone"),
            Piece("divided by eta T", _averaged, concludes=True),
            Piece("K <= kappa b + |alpha|, tau2 <= kappa K, omega2 <= (1 - beta2) kappa^2, as |w_j| <= "
                  "(1 - beta2) kappa and |t_i| <= kappa"),
            Piece("the orders of K and tau2", _orders),
        ),
        enumerated("non-convex problems, two layers", _expectation_exactly),
        holds_for("the filter's orders", _filter_orders, seed=strategies.seeds),
        holds_for("the constant of T^(-1/4)", _rate_constant_bounds, seed=strategies.seeds),
        enumerated("the term of the decay is needed", _decay_remains),
        enumerated("the constants at the paper's settings", _constants),
        measured("the stored rates at batch 1", _measured_rate),
        measured("the stored training on digits, L and the gap measured along it", _training),
    ),
)  # fmt: skip

CLAIMS = (expectation,)
