"""The paper's assumptions: what is false, what is looser than needed, and how often one of them holds."""

from fractions import Fraction

import numpy as np
import sympy as sp
from hypothesis import assume
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.stats import beta as beta_distribution

from theory.claims.lemmas.tracking import dependence
from theory.claims.theorems.regret_runs import Variant, run_stream
from theory.ledger.claim import Claim, Repair
from theory.ledger.evidence import (
    About,
    Effort,
    Finding,
    Piece,
    counterexample,
    enumerated,
    holds_for,
    measured,
    proof,
)
from theory.ledger.intervals import decided_by
from theory.ledger.provers import Check, Expr, Query, Square, certificate, identity, magnitude, reals, smt
from theory.method import strategies
from theory.method.algorithms import ALTO
from theory.method.sequences import average, explored
from theory.method.trajectory import Trajectory, record
from theory.studies.intervals import t_interval
from theory.theorems.regret_chain import monotone_share
from theory.theorems.skewed_noise import NOISE, PROBABILITY, drift_bounds, long_run


def _covariance() -> Check:
    """Cov(g_2, a_1) on f = L theta^2 / 2 after one step of ESGD, for all parameters.

    With g_1 = L theta_1 + xi_1: theta_2 = theta_1 - eta (1 - beta2)(1 - c) g_1, g_2 = L theta_2 + xi_2 and
    a_1 = (1 - beta1) g_1. The covariance is the coefficient of xi_1 in g_2, times that in a_1, times sigma^2.
    """
    L, eta, beta1, beta2, c, theta, xi1, xi2, sigma2 = sp.symbols("L eta beta1 beta2 c theta xi1 xi2 sigma2")
    g1 = L * theta + xi1
    g2 = L * (theta - eta * (1 - beta2) * (1 - c) * g1) + xi2
    covariance = sp.diff(g2, xi1) * sp.diff((1 - beta1) * g1, xi1) * sigma2
    return identity(covariance, -L * eta * (1 - beta2) * (1 - c) * (1 - beta1) * sigma2)


def _covariance_is_not_zero() -> Check:
    """It is negative whenever the algorithm moves: eta, L, sigma^2 > 0, beta1, beta2, c < 1."""
    L, eta, p, q, c, sigma2 = reals("L eta p q c sigma2")
    inputs = [L > 0, eta > 0, p < 1, q < 1, c < 1, sigma2 > 0]
    product = L * eta * (1 - q) * (1 - c) * (1 - p) * sigma2
    return smt(Query(inputs, product > 0, control=product > 1))


independence = Claim(
    id="assumption-3.2-independence",
    source="paper, Assumption 3.2",
    statement=r"$g_k$ and $g_t$ are independent for $k \ne t$.",
    plain="Gradients at different steps are independent.",
    found="Does not hold, already on a quadratic. Gradients unbiased given the past are enough for the proofs.",
    corrected=(
        r"$E[g_k | \theta_1, g_1, \dots, g_{k-1}] = \nabla f(\theta_k)$ with bounded conditional variance. "
        r"Independence fails wherever there is noise and the gradient depends on the iterate: on "
        r"$f = L\theta^2/2$, $\mathrm{Cov}(g_2, a_1) = "
        r"-L\eta(1-\beta_2)(1-c)(1-\beta_1)\sigma^2$."
    ),
    repairs=Repair.CONCLUSION,
    assumed=True,
    evidence=(
        counterexample("g_2 and a_1 = (1-beta1) g_1 are correlated on a quadratic", dependence),
        proof(
            "the covariance for all parameters",
            Piece("the covariance is the product of the coefficients of xi_1, times its variance: xi_2 is independent"),
            Piece("its value", _covariance),
            Piece("it is not zero", _covariance_is_not_zero, concludes=True),
            about=About.CORRECTION,
        ),
    ),
)


def _gain_below_three() -> Check:
    c, g, h, G = reals("c g h G")
    inputs = [c > -1, c < 1, magnitude(g) <= G, magnitude(h) <= G, G > 0]
    u = (1 - c) * g + c * h
    return smt(Query(inputs, magnitude(u) < 3 * G, control=magnitude(u) < 2 * G))


def _gain_one_for_exploring() -> Check:
    c, g, h, G = reals("c g h G")
    inputs = [c >= 0, c <= 1, magnitude(g) <= G, magnitude(h) <= G]
    u = (1 - c) * g + c * h
    control = [c >= -1, *inputs[1:]]
    return smt(Query(inputs, magnitude(u) <= G, control=magnitude(u) <= G, control_hypotheses=control))


def _extremal_sequence() -> Check:
    """G = -1, ..., -1, +1 and c < 0: u_k = (1 - c) - c (1 - q) with q = beta1^{k-1}, that is kappa - |c| q."""
    c, q = sp.symbols("c q")
    return identity((1 - c) * 1 + c * (-(1 - q)), (1 - 2 * c) + c * q)


def _gain_on_sequences(length: int, beta1: float, c: float) -> None:
    gs = [-1.0] * length + [1.0]
    alpha = -c / (1 - beta1)
    assert abs(explored(gs, alpha, beta1)[-1] - ((1 - 2 * c) + c * beta1**length)) < 1e-9


scale = Claim(
    id="assumption-3.3-scale",
    source="paper, Assumption 3.3",
    statement=(
        r"$\|g_k\|_\infty \le G_\infty/16$ gives Lemma 3. In fact $G_\infty/3$ does for every legal $\alpha$, and "
        r"$G_\infty$ "
        r"itself for $\alpha \le 0$; for $\alpha > 0$ no factor below $\kappa = 1 + 2|c|$ does."
    ),
    plain="Gradients bounded by G/16 are small enough for Lemma 3.",
    found="True, and stronger than needed: G/3 is enough for every allowed alpha, and G for alpha <= 0.",
    assumptions=(r"$|c| < 1$",),
    assumed=True,
    evidence=(
        proof(
            "the gain of u, and a sequence that approaches it",
            Piece("|u| < 3 G for |c| < 1", _gain_below_three, concludes=True),
            Piece("|u| <= G for c in [0, 1]", _gain_one_for_exploring, concludes=True),
            Piece("g = -1, ..., -1, +1: u = kappa - |c| beta1^{k-1} for c < 0", _extremal_sequence),
            Piece("beta1^{k-1} -> 0: no factor below kappa"),
        ),
        holds_for(
            "the extremal sequence in the literal recursion, tolerance 1e-9",
            _gain_on_sequences,
            length=st.integers(0, 40),
            beta1=st.floats(0, 0.99),
            c=st.floats(-0.99, 0),
        ),
    ),
)


def _as_written(run: Trajectory) -> np.ndarray:
    """The quantity of Assumption 3.5 as the paper writes it, without eps1: sqrt(v_k) / (eta_k s_k)."""
    return np.sqrt(run.v) / (run.eta[:, None, None] * run.s)


def _collapse() -> tuple[bool, str]:
    """A run of ALTO: where m changes sign, |r| is small, the layer factor large, and the quantity of 3.5 collapses."""
    run, _, _ = run_stream(0, Variant(layerwise=True, monotone=False))
    written = _as_written(run)
    falls = np.diff(written, axis=0) < -1e-9 * written[1:]
    k, r, j = (int(i[0]) for i in np.nonzero(falls))
    seen = f"3.5 without eps1 falls from {written[k, r, j]:.4g} to {written[k + 1, r, j]:.4g} at step {k + 2}"
    return bool(falls.any()), seen


def _without_eps1(_: Effort) -> str:
    """A run of ALTO, two steps with gradients 1 and -1.2, in which 3.5 rises as written and (C3) fails."""
    alto = ALTO(0.0, 0.5, 0.5, 0.01, 3.0, 1e-9, 1e3, 0.0, bias_correction=False, layerwise=True)
    run = record(alto, lambda k, theta: np.full_like(theta, (1.0, -1.2)[k - 1]), np.ones((1, 1)), steps=2,
                 eta=lambda k: 0.1 / np.sqrt(k))  # fmt: skip
    written, needed = (float(q[1, 0, 0] / q[0, 0, 0]) for q in (_as_written(run), run.H))
    assert written > 1 > needed, f"3.5 changes by {written}, (C3) by {needed}"
    return f"from step 1 to 2 the quantity of 3.5 is multiplied by {written:.4f}, that of (C3) by {needed:.4f}"


def _clopper_pearson(held: int, runs: int) -> tuple[float, float]:
    """The 95 % interval of a probability."""
    low, high = beta_distribution.ppf([0.025, 0.975], [held, held + 1], [runs - held + 1, runs - held])
    return 0.0 if held == 0 else float(low), 1.0 if held == runs else float(high)


def _share(effort: Effort) -> Finding:
    """In how many runs in a box 3.5 as written held in ALTO, which decides, and (C3); 95 % intervals."""
    runs = 300 if effort.thorough else 60
    lines, values, of_alto = [], {"runs": float(runs)}, []
    for name, layerwise in (("EAdam", False), ("ALTO", True)):
        free = [run_stream(seed, Variant(layerwise, monotone=False))[0] for seed in range(runs)]
        shares = [monotone_share(run) for run in free]
        written = [bool((np.diff(q := _as_written(run), axis=0) >= -1e-12 * q[1:]).all()) for run in free]
        held, as_written = sum(share == 1 for share in shares), sum(written)
        low, high = _clopper_pearson(held, runs)
        least, most = _clopper_pearson(as_written, runs)
        of_alto = [(least - 0.5, most - 0.5)] if layerwise else of_alto
        lines.append(
            f"{name}: {held}/{runs} runs [{low:.2f}, {high:.2f}], median share of steps {np.median(shares):.2f}"
        )
        values |= {f"{name}: held": float(held), f"{name}: median share of steps": float(np.median(shares))}
        values |= {f"{name}: low": float(low), f"{name}: high": float(high)}
        values[f"{name}: held as written"] = float(as_written)
        lines[-1] += f", as written {as_written}/{runs}"
    return Finding(decided_by(of_alto), "3.5 with eps1 held in " + "; ".join(lines), values=values)


def _lemma_m() -> Check:
    """K (b v + (1-b) y) - (k-1) v = (k b - k + 1) v + k (1-b) y for y = u^2: both terms >= 0 if b >= 1 - 1/k."""
    k, b, v, y = sp.symbols("k beta3 v y", positive=True)
    gap = k * (b * v + (1 - b) * y) - (k - 1) * v
    room = k * b - k + 1
    return certificate(gap, [Square(1, times=(room, v)), Square(1, times=(k, 1 - b, y))],
                       nonnegative=(room, 1 - b), positive=(k, v, y))  # fmt: skip


def _lemma_m_on_sequences(us: list, T: int) -> None:
    b = 1 - sp.Rational(1, max(T, len(us)))
    v = [sp.Integer(0), *average([sp.Rational(u.numerator, u.denominator) ** 2 for u in us], b)]
    assert all(k * v[k] >= (k - 1) * v[k - 1] for k in range(1, len(v)))


def _corrected_falls_step() -> Check:
    """F_k = (k-1)(1-b^k) - k b (1-b^{k-1}) satisfies F_{k+1} - F_k = (1-b)(1-b^k); B stands for b^k."""
    k, b, B = sp.symbols("k beta3 B")

    def F(k: Expr, B: Expr) -> Expr:
        return (k - 1) * (1 - B) - k * b * (1 - B / b)

    return identity(F(k + 1, b * B) - F(k, B), (1 - b) * (1 - B))


def _corrected_falls_base() -> Check:
    b = sp.Symbol("beta3")
    return identity((1 - b**2) - 2 * b * (1 - b), (1 - b) ** 2)


def _corrected_falls(us: list, b: Fraction) -> None:
    """A zero gradient (u = 0) after any others: k v_hat_k < (k-1) v_hat_{k-1}, unless all were 0."""
    assume(any(us))
    exact = sp.Rational(b.numerator, b.denominator)
    v = average([sp.Rational(u.numerator, u.denominator) ** 2 for u in [*us, Fraction(0)]], exact)
    k = len(v)
    assert k * v[-1] / (1 - exact**k) < (k - 1) * v[-2] / (1 - exact ** (k - 1))


def _corrected_run(_: Effort) -> str:
    """EAdam, eta / sqrt(k), beta3 = 1 - 1/T, T = 20, the second gradient 0: with and without bias correction."""
    held = []
    for corrected in (False, True):
        eadam = ALTO(0.0, 0.5, 0.0, 0.95, 1e-6, 1.0, 1.0, 0.0, bias_correction=corrected, layerwise=False)
        run = record(eadam, lambda k, theta: np.full_like(theta, float(k != 2)), np.ones((1, 1)), steps=20,
                     eta=lambda k: 0.1 / np.sqrt(k))  # fmt: skip
        held.append(monotone_share(run) == 1)
    assert held == [True, False], f"(C3) without, with bias correction: {held}"
    return "gradients 1, 0, 1, 1, ...: (C3) holds without bias correction and fails with it"


monotonicity = Claim(
    id="assumption-3.5-monotonicity",
    source="paper, Assumption 3.5 (the paper assumes it and does not claim it)",
    statement=(
        r"$\sqrt{v_k}(\|r_k\| + \epsilon_2\phi_k)/(\eta_k\phi_k)$ does not decrease with $k$ in any coordinate "
        r"along runs of "
        r"ALTO."
    ),
    plain="The scaled second moment never falls along runs of ALTO.",
    found=(
        "Does not hold: it falls along runs of ALTO. Our proof needs a quantity with eps1. With the "
        "layer factor it has to be enforced."
    ),
    corrected=(
        r"Our proof needs (C3), with $\sqrt{v_k} + \epsilon_1$ in place of $\sqrt{v_k}$; 3.5 does not imply it. "
        r"Without the layer factor and without bias correction it holds for every "
        r"gradient sequence if $\eta_k = \eta/\sqrt k$ and $\beta_3 \ge 1 - 1/T$ (Lemma M). With bias correction a "
        r"zero $u_k$ lowers $\sqrt k \sqrt{\hat v_k}$ for every $\beta_3 < 1$ and $k \ge 2$, so that (C3) fails where "
        r"$\epsilon_1$ is small. In these cases, and with the layer factor, it has to be enforced."
    ),
    repairs=Repair.CONCLUSION,
    assumed=True,
    evidence=(
        counterexample("a run of ALTO in which it falls, as written", _collapse),
        measured("in how many runs in a box 3.5 and (C3) held, random online problems with T < 60", _share),
        enumerated("a run of ALTO: 3.5 rises, and (C3) fails", _without_eps1, about=About.CORRECTION),
        proof("Lemma M: k v_k >= (k-1) v_{k-1}", Piece("one step", _lemma_m, concludes=True),
              Piece("so sqrt(k) (sqrt(v_k) + eps1) / eta does not decrease"), about=About.CORRECTION),
        holds_for("Lemma M on sequences, exact rationals", _lemma_m_on_sequences, about=About.CORRECTION,
                  us=strategies.gradients, T=st.integers(1, 20)),
        proof("bias correction: k v_hat_k < (k-1) v_hat_{k-1} if u_k = 0 and v_{k-1} > 0",
              Piece("with v_k = b v_{k-1} that is F_k = (k-1)(1 - b^k) - k b (1 - b^{k-1}) > 0"),
              Piece("F_2 = (1 - b)^2", _corrected_falls_base),
              Piece("F_{k+1} - F_k = (1 - b)(1 - b^k)", _corrected_falls_step, concludes=True),
              Piece("both are positive for b < 1; by induction F_k > 0"), about=About.CORRECTION),
        holds_for("bias correction on sequences, exact rationals", _corrected_falls, about=About.CORRECTION,
                  us=strategies.gradients, b=st.fractions(Fraction(1, 100), Fraction(9999, 10000))),
        enumerated("Lemma M's case with and without bias correction", _corrected_run, about=About.CORRECTION),
    ),
)  # fmt: skip


def _floor_drift(_: Effort) -> tuple[str, dict[str, float]]:
    lines, values = [], {}
    for alpha in (-0.5, 0.0, 0.5):
        low, high = drift_bounds(alpha, slope=0.1)
        assert high < 0, f"alpha={alpha}: drift in [{low}, {high}]"
        lines.append(f"alpha={alpha}: E[r] in [{low:.4f}, {high:.4f}]")
        values |= {f"alpha={alpha}: low": low, f"alpha={alpha}: high": high}
    return "at a gradient of +0.1 the expected direction is uphill: " + "; ".join(lines), values


def _floor_runs(effort: Effort) -> Finding:
    steps = 300_000 if effort.thorough else 8_000
    lines, values, margins = [], {"steps": float(steps), "seeds": 16.0}, []
    for eta in (0.1, 0.03):
        share, half = map(float, t_interval(long_run(alpha=-0.5, eta=eta, steps=steps)))
        margins.append((share - half - 0.9, share + half - 0.9))
        lines.append(f"eta={eta}: {share:.3f} +- {half:.3f}")
        values |= {f"eta={eta}: share": share, f"eta={eta}: half": half}
    detail = f"mean |grad|^2 / sup |grad|^2, 16 seeds, {steps} steps: " + "; ".join(lines)
    return Finding(decided_by(margins), detail, values=values)


SETTINGS = (
    # alpha, beta1, beta2, beta3; sign of the drift where it is asserted
    (0.0, 0.5, 0.0, 0.5, -1),
    (0.0, 0.5, 0.0, 0.99, 1),
    (0.0, 0.5, 0.0, 0.999, 1),
    (0.0, 0.5, 0.9, 0.99, 1),
    (0.0, 0.5, 0.9, 0.999, 1),
    (-5.0, 0.99, 0.9, 0.99, 1),
)


def _stationary_drift(alpha: float, beta1: float, beta2: float, beta3: float, *, steps: int) -> np.ndarray:
    """Mean of m / (sqrt(v) + eps1) at slope .1 over ``steps`` steps of 32 independent chains, after a burn-in."""
    slowest = max(beta1, beta2, beta3)
    burn_in = int(np.ceil(12 / (1 - slowest)))  # what is left of the start: exp(-12)
    g = 0.1 + np.random.default_rng(0).choice(NOISE, p=PROBABILITY, size=(32, burn_in + steps))
    u = g + alpha * np.asarray(lfilter([1 - beta1, beta1 - 1], [1, -beta1], g))
    m = np.asarray(lfilter([1 - beta2], [1, -beta2], u))
    v = np.asarray(lfilter([1 - beta3], [1, -beta3], u**2))
    return (m / (np.sqrt(v) + 1e-8))[:, burn_in:].mean(axis=1)


def _floor_range(effort: Effort) -> Finding:
    """The sign of the stationary drift by beta3; 99.9 % t-intervals over the chains, seed 0."""
    steps = 40_000 if effort.thorough else 8_000
    lines, values, margins = [], {}, []
    for *setting, sign in SETTINGS:
        means = _stationary_drift(*setting, steps=steps)
        mean, half = map(float, t_interval(means, level=0.999))
        margins.append((sign * mean - half, sign * mean + half))
        name = "alpha={:g}, beta1={:g}, beta2={:g}, beta3={:g}".format(*setting)
        lines.append(f"{name}: {mean:+.4f} +- {half:.4f}")
        values |= {f"{name}: drift": mean, f"{name}: half": half}
    said = f"E[r] where the gradient is +.1, {steps} steps: " + "; ".join(lines)
    return Finding(decided_by(margins), said, values=values)


batch_floor = Claim(
    id="ours-batch-floor",
    source="ours; whether batch 1 is enough for EAdam, at beta3 = .5 and at larger beta3",
    statement=(
        r"EAdam with batch 1 can have a mean squared gradient that no step size removes: on "
        r"$f = .1\sqrt{1+x^2}$ with a noise of $2.7$ (probability $.1$) or $-.3$, $\beta_1 = .5$, $\beta_2 = 0$, "
        r"$\beta_3 = .5$, "
        r"the expected direction points uphill at every large $x$, for $\alpha = -.5, 0, .5$ (measured at $-.5$: the "
        r"mean squared gradient stays above .9 of its supremum). At $\beta_3 = .99$ "
        r"and $.999$ ($\alpha = 0$, $\beta_2 = 0, .9$; $\alpha = -5$, $\beta_1 = .99$, $\beta_2 = .9$, $\beta_3 = "
        r".99$) it points downhill in the same noise: a larger $\beta_3$ lowers this floor without a larger batch."
    ),
    plain="In a skewed noise at batch 1 EAdam goes uphill at every step size with beta3 = .5, not with .99 and .999.",
    assumptions=(r"$\epsilon_1 = 10^{-8}$",),
    evidence=(
        enumerated("sign of the stationary drift, the last 12 draws enumerated, the rest bounded", _floor_drift),
        measured("long runs, 95 % interval over seeds", _floor_runs),
        measured("the drift at larger beta3 is downhill, 99.9 % intervals over 32 chains", _floor_range),
    ),
)

CLAIMS = (independence, scale, monotonicity, batch_floor)
