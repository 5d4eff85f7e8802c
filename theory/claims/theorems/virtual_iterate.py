"""Two theorems for ESGD from the virtual iterate: 1/T for smooth convex f, linear to a floor under PL (ours)."""

import numpy as np
import sympy as sp

from theory.claims.lemmas.tracking import CONDITIONAL, NORMALISED
from theory.claims.theorems.nonconvex import _polarisation, _virtual_step
from theory.ledger.claim import Claim
from theory.ledger.evidence import Effort, Piece, enumerated, holds_for, proof
from theory.ledger.formal import formal
from theory.ledger.provers import Check, Query, identity, reals, smt
from theory.method import strategies
from theory.method.algorithms import ESGD
from theory.method.filters import Filter
from theory.method.trajectory import record
from theory.rocq import LIBRARY
from theory.theorems import stage
from theory.theorems.noise_paths import Problem, noisy_gradient, sign_paths, starts
from theory.theorems.virtual_iterate_bounds import aged, convex_average, largest_step_convex, largest_step_pl, pl_gap

READS = ("formal.json",)

STEPS = 8


def _expansion() -> Check:
    """|y' - x*|^2 with y' = y - eta g and y = theta - eta T, a coordinate."""
    theta, star, eta, g, T = sp.symbols("theta x g eta T")
    y = theta - eta * T
    after = (y - star) ** 2 - 2 * eta * g * (theta - star) + 2 * eta**2 * g * T + eta**2 * g**2
    return identity((y - eta * g - star) ** 2, after)


def _young() -> Check:
    x, y = reals("x y")
    return smt(Query([], 2 * x * y <= x * x + y * y, control=2 * x * y <= x * x + y * y - 1))


def _convex_closure() -> Check:
    """At eta L (1 + 2K) <= 1 the coefficient of sum |g_k|^2, eta^2 + 2 eta^2 K - eta / L, is not positive."""
    eta, L, K = reals("eta L K")
    inputs = [eta > 0, L > 0, K >= 0, eta * L * (1 + 2 * K) <= 1]
    left = eta * eta * L + 2 * eta * eta * K * L
    return smt(Query(inputs, left <= eta, control=2 * left <= eta))


def _filters(rng: np.random.Generator) -> Filter:
    beta1 = rng.uniform(0, 0.95)
    return Filter(rng.uniform(-0.95, 0.95) / (1 - beta1), beta1, rng.uniform(0, 0.9))


def _convex_at(seed: int) -> None:
    """A random convex problem, 200 steps of the largest length: the bound at every step."""
    rng = np.random.default_rng(seed)
    F, d, steps = _filters(rng), 4, 200
    scale = 10 ** rng.uniform(-3, 0, size=d)
    smooth = rng.random() < 0.5
    L = float(scale.max())
    eta = largest_step_convex(F, L)

    def value(x: np.ndarray) -> np.ndarray:
        return (scale * (np.sqrt(1 + x**2) - 1)).sum(-1) if smooth else (scale * x**2).sum(-1) / 2

    run = record(
        ESGD(F.alpha, F.beta1, F.beta2),
        lambda _, x: scale * x / np.sqrt(1 + x**2) if smooth else scale * x,
        rng.normal(size=(1, d)) * 3, steps=steps, eta=lambda _: eta,
    )  # fmt: skip
    T = np.arange(1, steps + 1)
    means = np.cumsum(value(run.theta[:-1, 0])) / T
    stage.check([stage.Stage("bound", means, convex_average(eta=eta, T=T, distance2=float((run.theta[0] ** 2).sum())))])


convex = Claim(
    id="ours-convex-average",
    source="ours",
    statement=(
        r"ESGD without noise on a convex $L$-smooth $f$, $\eta \le 1/(L(1 + 2K))$: "
        r"$\frac1T \sum_k f(\theta_k) - f^* \le \|\theta_1 - x^*\|^2 / (2 \eta T)$; $\alpha$ enters through the age "
        r"$K = \sum_i |t_i|$ alone."
    ),
    plain=(
        "Without noise ESGD on smooth convex functions converges like 1/T; alpha enters through the momentum's age "
        "alone."
    ),
    assumptions=(r"$f$ convex, $L$-smooth, with a minimiser $x^*$", "no noise", NORMALISED),
    rests_on=("ours-transport-identity",),
    evidence=(
        formal("in any dimension", LIBRARY, "convex_average"),
        proof(
            "distance of the virtual iterate",
            Piece("y_{k+1} = y_k - eta g_k (ours-transport-identity)", _virtual_step),
            Piece("|y_{k+1} - x*|^2 expanded at theta_k = y_k + eta T_{k-1}", _expansion),
            Piece("<g, theta - x*> >= f(theta) - f* + |g|^2 / 2L for smooth convex f (Baillon & Haddad 1977)"),
            Piece("2 <g_k, t_i g_j> <= |t_i| (|g_k|^2 + |g_j|^2)", _young),
            Piece("swap the sums over k and i: sum <g_k, T_{k-1}> <= K sum |g_k|^2"),
            Piece("what is left of sum |g_k|^2 has a coefficient <= 0", _convex_closure, concludes=True),
            Piece("drop it, sum over k and divide by 2 eta T"),
        ),
        holds_for("random quadratics and pseudo-Huber functions", _convex_at, seed=strategies.seeds),
    ),
)


def _pl_recursion() -> Check:
    """With |grad f(y)|^2 >= 2 mu gap: the descent lemma at y in expectation, in the code's terms."""
    gap, new, mu, eta, L, slope, D, lag, s = reals("gap new mu eta L slope D lag s")
    descent = new <= gap - eta * (slope / 2 + D / 2 - L * L * eta * eta * lag / 2) + L * eta * eta / 2 * (D + s)
    inputs = [eta > 0, L > 0, mu > 0, D >= 0, lag >= 0, s >= 0, slope >= 2 * mu * gap, descent]
    kept = -eta / 2 * (1 - L * eta) * D + L * L * eta * eta * eta / 2 * lag + L * eta * eta / 2 * s
    return smt(Query(inputs, new <= (1 - eta * mu) * gap + kept, control=new <= (1 - 2 * eta * mu) * gap + kept))


def _pl_closure() -> Check:
    """The weighted sum of |D|^2 has the coefficient -(eta/2)(1 - z) + (eta/2) z^2 2 K K_q <= 0, z = L eta."""
    z, eta, K, Kq = reals("z eta K Kq")
    inputs = [z >= 0, eta > 0, K >= 0, Kq >= 0, 2 * z * z * K * Kq <= 1 - z]
    left = -eta / 2 * (1 - z) + eta / 2 * z * z * 2 * K * Kq
    return smt(Query(inputs, left <= 0, control=left + eta / 4 * z <= 0))


def _pl_floor() -> Check:
    """The noise per step, L eta^2 s/2 + (L^2 eta^3/2) 2 s tau2, divided by eta mu is the code's floor."""
    L, mu, eta, s, tau2, gap = sp.symbols("L mu eta s tau2 gap", positive=True)
    n = sp.Symbol("n", positive=True)
    step = L * eta**2 * s / 2 + L**2 * eta**3 / 2 * 2 * s * tau2

    class StandIn:
        """What :func:`pl_gap` reads of a filter."""

    stand_in: object = StandIn()
    stand_in.tau2 = tau2  # pyright: ignore[reportAttributeAccessIssue]
    bound = pl_gap(stand_in, eta=eta, L=L, mu=mu, n=n, gap=gap, variance=s)  # pyright: ignore[reportArgumentType]
    return identity((1 - eta * mu) ** n * gap + step / (eta * mu), bound)


def _pl_exactly(effort: Effort) -> tuple[str, dict[str, float]]:
    """x^2 + 3 sin^2 x (mu = 1/32, L = 8) with sign noise: all paths, the bound after every step."""
    ratios = []
    for seed in range(200 if effort.thorough else 20):
        rng = np.random.default_rng(seed)
        F, sigma, L, mu = _filters(rng), float(rng.uniform(0, 3)), 8.0, 1 / 32
        eta = largest_step_pl(F, L, mu) * float(rng.choice([1.0, 0.3]))
        problem = Problem(
            value=lambda x: (x**2 + 3 * np.sin(x) ** 2).sum(-1), gradient=lambda x: 2 * x + 3 * np.sin(2 * x), L=L,
            slope=np.inf, floor=0.0, start=rng.normal(size=1) * 3, sigma=sigma,
        )  # fmt: skip
        signs = sign_paths(STEPS)
        run = record(
            ESGD(F.alpha, F.beta1, F.beta2), noisy_gradient(problem, signs), starts(problem, signs), steps=STEPS,
            eta=lambda _, eta=eta: eta,
        )  # fmt: skip
        y = run.theta[1:] - eta * (F.b * run.m - F.alpha * run.h)
        found = problem.value(y).mean(-1)
        gap = float(problem.value(problem.start))
        right = pl_gap(F, eta=eta, L=L, mu=mu, n=np.arange(1, STEPS + 1), gap=gap, variance=sigma**2)
        bound = stage.Stage("bound", found, right)
        stage.check([bound])
        ratios.append(stage.looseness(bound))
    least = float(min(ratios))
    detail = f"{len(ratios)} problems, all 2^{STEPS} paths, every step: bound/exact min {least:.3g}"
    return detail, {"problems": float(len(ratios)), "least": least}


def _aged_is_finite(seed: int) -> None:
    """K_q >= K, and it tends to K as q tends to 1."""
    F = _filters(np.random.default_rng(seed))
    assert aged(F, 1.0) <= aged(F, 0.995) * (1 + 1e-12)
    assert abs(aged(F, 1 - 1e-9) - F.K) <= 1e-6 * (1 + F.K)


pl = Claim(
    id="ours-pl",
    source="ours",
    statement=(
        r"ESGD on an $L$-smooth $f$ with $\|\nabla f\|^2 \ge 2\mu(f - f^*)$ and any batch: at the virtual iterate "
        r"$y_{N+1} = \theta_{N+1} - \eta T_N$, $E f(y_{N+1}) - f^* \le (1 - \eta\mu)^N \Delta + "
        r"\frac{L \eta \sigma^2}{2 \mu n} (1 + 2 L \eta \tau_2)$ if $2 (L\eta)^2 K K_q \le 1 - L\eta$, "
        r"$K_q = \sum_i |t_i| q^{-(i+1)}$, $q = 1 - \eta\mu$."
    ),
    plain="On functions with the PL inequality ESGD converges linearly to a noise floor at any batch size.",
    assumptions=(r"$f$ $L$-smooth, PL everywhere", CONDITIONAL, NORMALISED),
    rests_on=(
        "ours-transport-identity",
        "ours-tracking-error",
    ),
    evidence=(
        proof(
            "descent at the virtual iterate, unrolled",
            Piece("y_{k+1} = y_k - eta g_k (ours-transport-identity)", _virtual_step),
            Piece("<grad f(y), D> = |grad f(y)|^2/2 + |D|^2/2 - |grad f(y) - D|^2/2", _polarisation),
            Piece("|grad f(y_k) - D_k| <= L eta |T_{k-1}|"),
            Piece("E f(y_{k+1}) - f* <= (1 - eta mu)(E f(y_k) - f*) + rest", _pl_recursion),
            Piece("E|T_{k-1}|^2 <= 2 s tau2 + 2 K sum_i |t_i| E|D_{k-1-i}|^2 (ours-tracking-error, Cauchy-Schwarz)"),
            Piece("unroll with weights q^(n-k) and swap the sums: the |D_j|^2 get the factor K_q"),
            Piece("what is left of them has a coefficient <= 0", _pl_closure),
            Piece("the noise sums to the floor, as sum q^j <= 1 / (eta mu)", _pl_floor, concludes=True),
        ),
        enumerated("x^2 + 3 sin^2 x", _pl_exactly),
        holds_for("K_q", _aged_is_finite, seed=strategies.seeds),
    ),
)

CLAIMS = (convex, pl)
