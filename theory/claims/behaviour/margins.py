"""What the exact region says: the cliff, frequency response, sign of the noise effect, acceleration (ours)."""

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from theory.ledger.claim import Claim
from theory.ledger.evidence import Effort, Finding, Outcome, Piece, holds_for, measured, proof
from theory.ledger.provers import Check, identity
from theory.method import strategies
from theory.stability import linear, mean_square_batch_one, polyak

x, c, beta1, beta2, C, r = sp.symbols("x c beta1 beta2 C r")

c_x = (1 + beta1) ** 2 * (1 - beta2) / (4 * (1 - beta1 * beta2))
x_peak = 4 * (1 - beta1 * beta2) / (1 - beta1)


def _flip_at_the_crossing() -> Check:
    return identity(2 * (1 + beta1) * (1 + beta2) / (1 + beta1 - 2 * c_x), x_peak)


def _oscillation_at_the_crossing() -> Check:
    pull = c_x * (1 - beta1 * beta2) - beta1 * (1 - beta2)
    return identity((1 - beta1 * beta2) * (1 - beta1) * (1 - beta2) / pull, x_peak)


def _flip_rises() -> Check:
    """Its derivative in c is 4 (1+beta1)(1+beta2) / (1+beta1-2c)^2 > 0."""
    flip = 2 * (1 + beta1) * (1 + beta2) / (1 + beta1 - 2 * c)
    return identity(flip.diff(c), 4 * (1 + beta1) * (1 + beta2) / (1 + beta1 - 2 * c) ** 2)


def _oscillation_falls() -> Check:
    """Its derivative in c is -(1-beta1)(1-beta2)(1-beta1 beta2)^2 over a square."""
    pull = c * (1 - beta1 * beta2) - beta1 * (1 - beta2)
    threshold = (1 - beta1 * beta2) * (1 - beta1) * (1 - beta2) / pull
    return identity(threshold.diff(c), -((1 - beta1 * beta2) ** 2) * (1 - beta1) * (1 - beta2) / pull**2)


def _peak_is_never_passed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    b1, b2 = rng.uniform(0, 0.999, 2)
    at, height = linear.peak(b1, b2)
    values = [linear.largest_stable(value, b1, b2) for value in rng.uniform(-2, 2, 200)]
    assert max(values) <= height * (1 + 1e-9)
    assert abs(linear.largest_stable(at, b1, b2) / height - 1) < 1e-5


cliff = Claim(
    id="ours-cliff",
    source="ours",
    statement=(
        r"The flip threshold rises with $c$; beyond $c_0 = \beta_1(1-\beta_2)/(1-\beta_1\beta_2)$ an oscillation "
        r"threshold falls with $c$. They cross at $c_x = (1+\beta_1)^2(1-\beta_2)/(4(1-\beta_1\beta_2))$ at the height "
        r"$4(1-\beta_1\beta_2)/(1-\beta_1)$, the largest stable $\eta\lambda$ for any $\alpha$."
    ),
    plain="Raising c raises the largest stable step up to a peak; beyond it a slow oscillation lowers it steeply.",
    assumptions=("those of ours-stability-region",),
    rests_on=("ours-stability-region",),
    evidence=(
        proof(
            "where two monotone curves meet",
            Piece("the flip threshold at c_x", _flip_at_the_crossing, concludes=True),
            Piece("the oscillation threshold at c_x", _oscillation_at_the_crossing, concludes=True),
            Piece("the first rises with c", _flip_rises, concludes=True),
            Piece("the second falls with c", _oscillation_falls, concludes=True),
            Piece("so the smaller of the two is largest where they meet"),
        ),
        holds_for(
            "200 values of c a case never pass the peak, and c_x reaches it to 1e-5",
            _peak_is_never_passed,
            seed=strategies.seeds,
        ),
    ),
)


def _at_half_the_sampling_rate() -> Check:
    z = sp.Integer(-1)
    return identity(((1 - c) * z + c - beta1) / (z - beta1), 1 - 2 * c / (1 + beta1))


def _squared_modulus() -> Check:
    """|U|^2 on the unit circle, C = cos w: |p z + q|^2 = p^2 + q^2 + 2 p q C for real p, q."""

    def modulus(p: sp.Expr, q: sp.Expr) -> sp.Expr:
        return p**2 + q**2 + 2 * p * q * C

    found = modulus(1 - c, c - beta1) / modulus(sp.Integer(1), -beta1)
    return identity(found, 1 - 2 * c * (1 + beta1 - c) * (1 - C) / (1 + beta1**2 - 2 * beta1 * C))


def _modulus_by_evaluation(c: float, beta1: float, w: float) -> None:
    z = np.exp(1j * w)
    U = abs(((1 - c) * z + c - beta1) / (z - beta1))
    assert (U - 1) * c <= 1e-12


frequency_response = Claim(
    id="ours-frequency-response",
    source="ours",
    statement=(
        r"From $g$ to $u$ E has the gain $|U(e^{i\omega})|^2 = 1 - 2c(1+\beta_1-c)(1-\cos\omega)/(1+\beta_1^2-"
        r"2\beta_1\cos\omega)$: 1 at $\omega = 0$ for every $\alpha$, $1 - 2c/(1+\beta_1)$ in amplitude at $\omega = "
        r"\pi$. $\alpha < 0$ attenuates high frequencies (a lag filter), "
        r"$\alpha > 0$ amplifies them (a lead filter); the group delay at 0 is $-\alpha$ "
        r"(ours-mean-age)."
    ),
    plain="Negative alpha attenuates fast changes of the gradient, positive alpha amplifies them; a constant passes.",
    assumptions=(r"$|c| < 1$",),
    evidence=(
        proof(
            "the transfer function on the unit circle",
            Piece("its squared modulus", _squared_modulus, concludes=True),
            Piece("its value at z = -1", _at_half_the_sampling_rate),
            Piece("for |c| < 1 the factor 1 + beta1 - c is positive, so that |U| - 1 has the sign of -c"),
        ),
        holds_for("evaluated, tolerance 1e-12", _modulus_by_evaluation, c=st.floats(-0.99, 0.99),
                  beta1=st.floats(0, 0.99), w=st.floats(-3.14, 3.14)),
    ),
)  # fmt: skip


def _variance_difference() -> Check:
    """V(c) - V(0) without momentum: -c (1+beta1-2c) times a factor that is positive where both are stable."""
    zero, q = sp.Integer(0), 1 + beta1 - 2 * c
    difference = linear.variance(x, c, beta1, zero) - linear.variance(x, zero, beta1, zero)
    margins = (2 - x) * ((1 - beta1) + x * (beta1 - c)) * (2 * (1 + beta1) - x * q)
    return identity(difference, -2 * c * x**2 * q / margins)


def _variance_signs(seed: int) -> None:
    wrong, compared = linear.variance_sign_mismatches(300, seed)
    assert compared > 100
    assert wrong == 0


variance_sign = Claim(
    id="ours-variance-sign",
    source="ours",
    statement=(
        r"Without momentum $V(c) - V(0)$ has the sign of $-c(1+\beta_1-2c)$: $\alpha < 0$ lowers the stationary "
        r"variance exactly while $-\alpha < (1+\beta_1)/(2(1-\beta_1))$, $\alpha > 0$ always raises it."
    ),
    plain=(
        "Without momentum negative alpha lowers the stationary variance up to a known limit; positive alpha raises it."
    ),
    assumptions=(r"$\beta_2 = 0$", "both settings inside the region of ours-stability-region"),
    rests_on=(
        "ours-stability-region",
        "ours-variance",
    ),
    evidence=(
        proof(
            "the difference factors",
            Piece("V(c) - V(0) = -2 c x^2 (1+beta1-2c) / (three margins)", _variance_difference, concludes=True),
            Piece("the margins are those of the stability region at 0 and c, positive inside"),
        ),
        holds_for("signs at 300 random settings a case", _variance_signs, share=0.5, seed=strategies.seeds),
    ),
)

polyak_rate = (r - 1) / (r + 1)


def _steepest_end() -> Check:
    """At curvature 1 with eta = r, beta = rate^2: eta (1 - beta) = (1 + rate)^2, the double root -rate."""
    return identity(r * (1 - polyak_rate**2), (1 + polyak_rate) ** 2)


def _flattest_end() -> Check:
    """At curvature 1/r^2: eta (1 - beta) / r^2 = (1 - rate)^2, the double root rate."""
    return identity((1 - polyak_rate**2) / r, (1 - polyak_rate) ** 2)


def _polynomial_at_heavy_ball() -> Check:
    z = sp.Symbol("z")
    cubic = (z - 1) * z * (z - beta1) + x * z * ((1 - c) * (z - beta1) + c * (1 - beta1))
    return identity(cubic.subs(c, beta1), z * (z**2 - (1 + beta1 - x * (1 - beta1)) * z + beta1))


def _polyak_by_eigenvalues(kappa: float) -> None:
    """A double root is only as accurate as the square root of rounding: tolerance 1e-5."""
    point = polyak.polyak(kappa)
    assert abs(polyak.rate(kappa, point.eta, point.beta1, point.beta1) - point.rate) < 1e-5


acceleration = Claim(
    id="ours-acceleration",
    source="ours",
    statement=(
        r"E(SGD) accelerates: at $c = \beta_1 = ((\sqrt\kappa-1)/(\sqrt\kappa+1))^2$, $\eta = \sqrt\kappa/L$ its "
        r"spectral radius is $(\sqrt\kappa-1)/(\sqrt\kappa+1)$ on quadratics of condition number $\kappa$, by being "
        r"Polyak's heavy ball. (At both ends of the spectrum the root is double, so the error falls like $k$ times its "
        r"power.)"
    ),
    plain="E on SGD accelerates on quadratics at one setting, where it is Polyak's heavy ball.",
    assumptions=(r"quadratics with curvatures in $[L/\varkappa, L]$", r"$\beta_2 = 0$"),
    evidence=(
        proof(
            "roots of modulus sqrt(beta1)",
            Piece(
                "at c = beta1 the cubic is z times heavy ball's quadratic", _polynomial_at_heavy_ball, concludes=True
            ),
            Piece("its roots have modulus sqrt(beta1) = rate while (1-rate)^2 <= x(1-beta1) <= (1+rate)^2"),
            Piece("the upper end is reached at curvature L", _steepest_end),
            Piece("the lower end at L/kappa", _flattest_end),
        ),
        holds_for("against eigenvalues, tolerance 1e-5", _polyak_by_eigenvalues, kappa=st.floats(2, 1e4)),
    ),
)

BATCH_ONE = ((0.0, 0.99), (-5.0, 0.99), (-50.0, 0.99), (50.0, 0.99), (0.5, 0.01))
PAST_THE_CLIFF = (-99.0, 0.99)


def _batch_one(_: Effort) -> Finding:
    """No interval: the operator is exact and nothing is random but the fixed features; six digits."""
    features, lines, values, good = mean_square_batch_one.features(), [], {}, True
    for beta2 in (0.0, 0.9):
        plain, low, lower, high, ours, past = (
            mean_square_batch_one.largest_stable_rate(features, *s, beta2) for s in (*BATCH_ONE, PAST_THE_CLIFF)
        )
        good &= high < plain < low < lower and (ours > plain) is (beta2 > 0) and past < lower
        good &= (past < plain) is (beta2 > 0)
        lines.append(
            f"beta2={beta2:g}: alpha=0 {plain:.5f}, -5 {low:.5f}, -50 {lower:.5f}, 50 {high:.5f}, "
            f".5 (beta1=.01) {ours:.5f}, -99 {past:.5f}"
        )
        for (alpha, beta1), rate in zip(BATCH_ONE, (plain, low, lower, high, ours), strict=True):
            values[f"beta2={beta2:g}, alpha={alpha:g}, beta1={beta1:g}"] = float(rate)
    outcome = Outcome.SUPPORTS if good else Outcome.CONTRADICTS
    return Finding(outcome, "largest stable rate; " + "; ".join(lines), values=values)


batch_one = Claim(
    id="ours-batch-one",
    source="ours",
    statement=(
        r"In linear regression with one sample per step and $\beta_1 = .99$, $\alpha = -5$ and $-50$ admit larger "
        r"learning rates than $\alpha = 0$, and $\alpha = 50$ smaller ones; past a cliff, at $\alpha = -99$, they are "
        r"smaller with $\beta_2 = .9$. The paper's small-batch setting admits smaller ones without momentum and larger "
        r"ones with $\beta_2 = .9$."
    ),
    plain=(
        "In linear regression at batch 1, alpha of -5 and -50 allows larger learning rates and positive alpha smaller "
        "ones."
    ),
    assumptions=("one data set of twelve samples in four coordinates, labels that fit", "mean-square stability"),
    evidence=(measured("exact second-moment operator, 144 by 144", _batch_one),),
)

CLAIMS = (cliff, frequency_response, variance_sign, acceleration, batch_one)
