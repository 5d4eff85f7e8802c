"""What E receives while it crosses a valley: gradient differences, Table 1, the sign of a_k, Figure 8 (Section 2)."""

from fractions import Fraction

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from theory.ledger.claim import Claim, Repair
from theory.ledger.evidence import About, Effort, Finding, Outcome, Piece, counterexample, holds_for, measured, proof
from theory.ledger.provers import Check, Query, identity, reals, smt
from theory.method import strategies
from theory.method.algorithms import ALTO, EAdam
from theory.simulate.crossing import sign_agreement


def _mean_of_t() -> Check:
    """Twice the integral of L_2 s^2 (1 - t) over [0, 1] is L_2 s^2."""
    t, s, L2 = sp.symbols("t s L_2")
    return identity(2 * sp.integrate(L2 * s**2 * (1 - t), (t, 0, 1)), L2 * s**2)


def _taylor_for_cubics() -> Check:
    """For f with constant third derivative the remainder is exactly (L_2 / 2) s^2, up to sign: the bound is sharp."""
    x, s, a, d, L2 = sp.symbols("x s a d L_2")

    def gradient(y: sp.Expr) -> sp.Expr:
        return a + d * y + L2 * y**2 / 2

    return identity(gradient(x) - gradient(x - s) - (d + L2 * x) * s, -L2 * s**2 / 2)


def _gradient_difference(seed: int) -> None:
    """F = sum_i w_i cos(<p_i, x>): |D^3 f| <= L_2 = sum |w_i| |p_i|^3."""
    rng = np.random.default_rng(seed)
    w, p = rng.normal(size=4), rng.normal(size=(4, 3))
    x, step = rng.normal(size=3), rng.normal(size=3) * 10 ** rng.uniform(-3, 1)

    def gradient(y: np.ndarray) -> np.ndarray:
        return -(w * np.sin(p @ y)) @ p

    hessian = -(p.T * (w * np.cos(p @ x))) @ p
    L2 = (np.abs(w) * np.linalg.norm(p, axis=1) ** 3).sum()
    remainder = np.linalg.norm(gradient(x) - gradient(x - step) - hessian @ step)
    assert remainder <= L2 / 2 * (step @ step) * (1 + 1e-9) + 1e-12


hessian_difference = Claim(
    id="gradient-difference-is-hessian",
    source="paper, Section 2",
    statement=(
        r"$\nabla f(\theta_k) - \nabla f(\theta_{k-1}) \approx H_k (\theta_k - \theta_{k-1})$, with a remainder of "
        r"at most "
        r"$\frac{L_2}{2} \|\theta_k - \theta_{k-1}\|^2$ where $L_2$ bounds the third derivative."
    ),
    plain="A difference of full-batch gradients is the Hessian times the step, up to a remainder of second order.",
    found=(
        "True of full-batch gradients, and cubics attain the bound of the remainder. The noise of minibatches is not "
        "covered."
    ),
    assumptions=(r"$f$ three times differentiable, $\|D^3 f\| \le L_2$ on the segment", "full-batch gradients"),
    evidence=(
        proof(
            "Taylor with integral remainder",
            Piece(
                "remainder = int_0^1 (H(theta_{k-1} + t s) - H(theta_k)) s dt, of norm <= L_2 |s|^2 int_0^1 (1-t) dt"
            ),
            Piece("that bound is L_2 |s|^2 / 2", _mean_of_t, concludes=True),
            Piece("sharp: a cubic attains it", _taylor_for_cubics),
        ),
        holds_for("sums of cosines, relative tolerance 1e-9", _gradient_difference, seed=strategies.seeds),
    ),
)

STAGES = ((1, -1), (1, 1), (-1, 1), (-1, -1))
"""The signs of f' and f'' in the four stages: they change at the inflections and at the minimum."""
TABLE_1 = {
    "-gbar_k": (-1, -1, 1, 1),
    "-grad |grad f|^2": (1, -1, 1, -1),
    "gbar_k - gbar_{k-1}": (1, -1, -1, 1),
    "<dtheta, dgbar>": (-1, 1, 1, -1),
}
PRODUCTS = tuple(TABLE_1)[1:]
"""The rows that do not define the stages."""


def _table_1(column: str) -> Check:
    """One row of Table 1 for any f with g = f' and H = f'', moving left: the step d is negative.

    The gradient of g^2 is 2 g H, and the difference of gradients is H d to first order in d.
    """
    g, H, d = reals("g H d")
    term = {
        "-grad |grad f|^2": -2 * g * H,
        "gbar_k - gbar_{k-1}": H * d,
        "<dtheta, dgbar>": H * d * d,
    }[column]
    checks = [
        smt(Query([slope * g > 0, bend * H > 0, d < 0], sign * term > 0, control=sign * term < 0))
        for (slope, bend), sign in zip(STAGES, TABLE_1[column], strict=True)
    ]
    failed = [check for check in checks if not check.ok]
    return failed[0] if failed else checks[0]


def table_1_agreement(step: float) -> dict[str, float]:
    """Share of the steps of a crossing from 3 to -3 on which each row has Table 1's sign, by row.

    Steps that straddle a stage are left out: they have no one stage.
    """
    x = np.arange(3, -3, -step) + step / 3  # never on an inflection
    slope, curvature = x * np.exp(-(x**2) / 2), (1 - x**2) * np.exp(-(x**2) / 2)
    change = np.diff(slope)
    inside = np.minimum(np.abs(np.abs(x[1:]) - 1), np.abs(x[1:])) > step
    stage = np.digitize(-x[1:], [-1, 0, 1])
    rows = {
        "-gbar_k": -slope[1:],
        "-grad |grad f|^2": -2 * slope[1:] * curvature[1:],
        "gbar_k - gbar_{k-1}": change,
        "<dtheta, dgbar>": -step * change,
    }
    return {name: float((np.sign(v) == np.array(TABLE_1[name])[stage])[inside].mean()) for name, v in rows.items()}


def _table_1_steps(effort: Effort) -> Finding:
    """The signs along a crossing with steps of 0.01, all four rows."""
    step = 0.001 if effort.thorough else 0.01
    agree = table_1_agreement(step)
    return Finding(
        Outcome.SUPPORTS if min(agree.values()) == 1 else Outcome.CONTRADICTS,
        f"steps of {step}, those that straddle a stage left out: "
        + ", ".join(f"{k} {100 * v:.1f} %" for k, v in agree.items()),
    )


table_1 = Claim(
    id="table-1-signs",
    source="paper, Table 1",
    statement=(
        r"Crossing a 1-D minimum, all moves negative, the signs in the four stages are: $-\bar g_k$: $-\,-\,+\,+$; "
        r"$-\nabla\|\nabla f\|^2$: $+\,-\,+\,-$; $\bar g_k - \bar g_{k-1}$: $+\,-\,-\,+$; "
        r"$\langle\Delta\theta, \Delta\bar g\rangle$: $-\,+\,+\,-$."
    ),
    plain="While a run crosses a minimum in one dimension, four quantities have the signs of Table 1.",
    found=(
        "True of g_k - g_(k-1) at small steps. The a_k that the method uses can have another sign: see ours-sign-of-a."
    ),
    assumptions=("stages split at the inflections and at the minimum, where $f''$ and $f'$ change sign", "small steps"),
    evidence=(
        proof(
            "signs of products, for any f",
            Piece("f' and f'' have one sign in each stage: that is how the stages are split, and it is the first row"),
            Piece("gbar_k - gbar_{k-1} = f'' d to first order in the step d < 0"),
            *(Piece(row, lambda row=row: _table_1(row), concludes=True) for row in PRODUCTS),
        ),
        measured("the well -exp(-x^2/2), crossed with finite steps", _table_1_steps),
    ),
)


def _signs(_: Effort) -> Finding:
    shares = {n: sign_agreement(n) for n in (20, 200, 2000)}
    fast, slow = shares[20], shares[2000]
    good = fast[1] > 0.95 and fast[0] < 0.6 and slow[0] > 0.9 and slow[1] < 0.6 and max(shares[200]) < 0.9
    detail = "; ".join(
        f"{n} steps per crossing: {d:.3f} like the difference, {g:.3f} like the gradient"
        for n, (d, g) in shares.items()
    )
    values = {f"{n}: like the difference": d for n, (d, _) in shares.items()}
    values |= {f"{n}: like the gradient": g for n, (_, g) in shares.items()}
    outcome = Outcome.SUPPORTS if good else Outcome.CONTRADICTS
    return Finding(outcome, "deterministic, beta1 = .99; " + detail, values=values)


sign_of_a = Claim(
    id="ours-sign-of-a",
    source="ours, on the paper's reading of Table 1",
    statement=(
        r"At $\beta_1 = .99$, $a_k$ has the sign of $g_k$ and not of $g_k - g_{k-1}$ where the crossing of the valley "
        r"takes 20 steps, and the other way round where it takes 2000. At 200, twice $1/(1-\beta_1)$, it agrees with "
        r"neither on nine steps of ten."
    ),
    plain="At beta1 = .99 a_k has the sign of g_k where the valley is crossed in 20 steps, of g_k - g_(k-1) in 2000.",
    assumptions=(r"constant speed through $-\exp(-x^2/2)$",),
    evidence=(measured("sign agreement at 20, 200 and 2000 steps per crossing", _signs),),
)


def _amplitude_identity() -> Check:
    """Two batches of probability p and 1 - p: the variance of the loss is E |grad l|^2 delta^2."""
    p, first, second, norm, other = sp.symbols("p l l' norm norm'")
    mean = p * first + (1 - p) * second
    right = p * norm**2 * ((mean - first) / norm) ** 2 + (1 - p) * other**2 * ((mean - second) / other) ** 2
    return identity(p * (1 - p) * (first - second) ** 2, right)


def _amplitude_on_samples(losses: list[Fraction], norm: Fraction) -> None:
    mean = sum(losses, Fraction(0)) / len(losses)
    spread = sum(((x - mean) ** 2 for x in losses), Fraction(0)) / len(losses)
    deltas = [(mean - x) / norm for x in losses]
    assert spread == norm**2 * sum((x * x for x in deltas), Fraction(0)) / len(losses)


def _unequal_norms() -> tuple[bool, str]:
    """Losses 0, 2 with gradient norms 1, 3: sigma = 1, but |grad l_k| sqrt(E delta^2) is sqrt(5)/3 or sqrt(5)."""
    losses, norms = [Fraction(0), Fraction(2)], [Fraction(1), Fraction(3)]
    mean = Fraction(1)
    spread = sum((x - mean) ** 2 for x in losses) / 2
    delta = sum(((mean - x) / n) ** 2 for x, n in zip(losses, norms, strict=True)) / 2
    claimed = [n**2 * delta for n in norms]
    return all(value != spread for value in claimed), f"sigma^2 = {spread}, claimed {claimed[0]} and {claimed[1]}"


amplitude = Claim(
    id="section-5-horizontal-amplitude",
    source="paper, Section 5 (as described)",
    statement=(
        r"The spread of the minibatch loss is $\sigma_k = \|\nabla l_k\| \sqrt{E\delta_k^2}$ with "
        r"$\delta_k = (E l - l_k)/\|\nabla l_k\|$."
    ),
    plain="The spread of the minibatch loss is the gradient's norm times the horizontal spread.",
    found="False as written: it takes a norm out of an expectation. True if the norm is the same for all batches.",
    corrected=(
        r"$\sigma_k^2 = E[\|\nabla l_k\|^2 \delta_k^2]$; the factor may be taken out if $\|\nabla l_k\|$ is the "
        r"same for all "
        r"batches."
    ),
    repairs=Repair.ASSUMPTION,
    evidence=(
        counterexample("two batches with different gradient norms", _unequal_norms),
        proof("sample by sample", Piece("the identity for two batches", _amplitude_identity, concludes=True),
              Piece("in general sample by sample, then take expectations"), about=About.CORRECTION),
        holds_for("equal norms, exact rationals", _amplitude_on_samples, about=About.CORRECTION,
                  losses=st.lists(st.fractions(-5, 5, max_denominator=8), min_size=1, max_size=6),
                  norm=st.fractions(Fraction(1, 8), 5, max_denominator=8)),
    ),
)  # fmt: skip


def _figure_8_slope(x: np.ndarray) -> np.ndarray:
    inner = 0.05 * x * np.sin(2 * x) ** 2 + np.log(x + 1)
    return -(0.05 * np.sin(2 * x) ** 2 + 0.1 * x * np.sin(4 * x) + 1 / (x + 1)) / inner**2


def _end(optimizer: EAdam | ALTO, eta: float, steps: int) -> float:
    theta = optimizer.init([np.full((1, 1), 2.3)])
    for _ in range(steps):
        theta = optimizer.step(theta, [_figure_8_slope(theta[0])], eta)
    return float(theta[0][0, 0])


def _figure_8(_: Effort) -> Finding:
    def eadam(alpha: float, beta2: float) -> EAdam:
        return EAdam(alpha, 0.99, beta2, 0.99, 1e-8)

    def alto(alpha: float) -> ALTO:
        return ALTO(alpha, 0.99, 0.95, 0.99, 1e-6, 1e-6, 1e-10, 0.0, bias_correction=True, layerwise=True)

    ends = {
        "Adam(.95)": _end(eadam(0.0, 0.95), 0.1, 2000),
        "EAdam(-80)": _end(eadam(-80.0, 0.95), 0.1, 2000),
        "Adam(.99)": _end(eadam(0.0, 0.99), 0.1, 2000),
        "Adam(.99), 5 eta": _end(eadam(0.0, 0.99), 0.5, 4000),
        "ALTO(-80)": _end(alto(-80.0), 0.1, 2000),
        "LAMB(.95)": _end(alto(0.0), 0.1, 2000),
    }
    further = min(ends["EAdam(-80)"], ends["ALTO(-80)"]) > ends["Adam(.95)"] + 1
    detail = ", ".join(f"{name} {end:.3f}" for name, end in ends.items())
    return Finding(
        Outcome.SUPPORTS if further else Outcome.CONTRADICTS,
        f"deterministic, eta = .1, beta3 = .99, 2000 steps (the last 4000); end point of f1: {detail}",
        values=ends,
    )


figure_8 = Claim(
    id="figure-8",
    source="paper, Figure 8, first function (the paper's eta and eps are not known to us)",
    statement=(
        r"On the 1-D function $f_1$, ALTO with $\alpha = -80$ leaves the local minimum in which Adam(.95) ends; EAdam "
        r"does so too."
    ),
    plain="On the first function of Figure 8, ALTO with alpha = -80 leaves the local minimum in which Adam ends.",
    found="True, of EAdam too. Without E, Adam with decay rate .99 and LAMB leave it as well.",
    assumptions=(
        r"$\eta = .1$; E at $\alpha^\star$ is Adam with decay rate .99 in the first moment (ours-alpha-star)",
    ),
    evidence=(measured("end points beside two controls", _figure_8),),
)

CLAIMS = (hessian_difference, table_1, sign_of_a, amplitude, figure_8)
