"""EAdam at batch 1: uphill almost surely at a small beta3, downhill at a large one (ours)."""

from fractions import Fraction
from functools import partial
from itertools import product

import numpy as np
import sympy as sp
from scipy.signal import lfilter

from theory.ledger.claim import Claim
from theory.ledger.evidence import Effort, Finding, Piece, enumerated, holds_for, measured, proof
from theory.ledger.intervals import decided_by
from theory.ledger.provers import Check, Square, certificate
from theory.method import strategies
from theory.method.algorithms import ALTO
from theory.studies.intervals import t_interval
from theory.theorems import batch_floor as theorem
from theory.theorems.skewed_noise import BETA1, BETA3, DRAWS, EPS1, NOISE, PROBABILITY

SLOPE, DELTA = Fraction(1, 10), Fraction(179, 1000)
ALPHAS = Fraction(-1, 2), Fraction(0), Fraction(1, 2)

# ------------------------------------------------------------------------------------------------------------- uphill


def _drift(alpha: Fraction, slope: Fraction = SLOPE) -> Check:
    ball = theorem.largest_drift(alpha, slope)
    largest = float(ball.upper())
    detail = f"E[r_k | past] <= {largest:.4f} for all slopes in [-{slope}, {slope}], {DRAWS} draws enumerated"
    certain = bool(ball < -theorem.exact(DELTA))
    return Check(certain, "ball arithmetic (python-flint), 40 digits", detail, largest)


def _direction_bounded() -> Check:
    """V = beta3 v' + (1 - beta3) u^2 >= (1 - beta3) u^2: so r^2 <= 1 / (1 - beta3)."""
    u, before, beta3 = sp.symbols("u v' beta3", real=True)
    v = beta3 * before + (1 - beta3) * u**2
    return certificate(v - (1 - beta3) * u**2, [Square(1, times=(beta3, before))], nonnegative=(beta3, before))


def _grows_with_u() -> Check:
    """The derivative of u / (p + e), p^2 = a + b u^2, is (p (p + e) - b u^2) / (p (p + e)^2), and not negative."""
    u, p, b, e = sp.symbols("u p b epsilon_1", real=True)
    a = p**2 - b * u**2
    return certificate(p * (p + e) - b * u**2, [Square(1, times=(a,)), Square(1, times=(e, p))], nonnegative=(a, e, p))


def _rise() -> Check:
    """The sum of all r, of which the first n are at most R each: x_{T+1} - x_1 = -eta (first + late)."""
    eta, n, N, d, t, R, first, late = sp.symbols("eta n N delta t R first late", real=True)
    short, below = n * R - first, -n * N * (d - t) - late
    gap = -eta * (first + late) - eta * n * (N * (d - t) - R)
    squares = [Square(1, times=(eta, short)), Square(1, times=(eta, below))]
    return certificate(gap, squares, nonnegative=(eta, short, below))


PATH_DRAWS = 10


def _all_paths(seed: int, share: float = 1.0) -> None:
    """Any past, slopes chosen along the paths at random or at an end: the exact mean of r over all 2^10 paths."""
    rng = np.random.default_rng(seed)
    alpha = ALPHAS[rng.integers(3)]
    c, slope = float(-alpha) * (1 - BETA1), float(SLOPE)
    picks = np.array(list(product((0, 1), repeat=PATH_DRAWS)))
    xi, chance = np.array(NOISE)[picks], np.array(PROBABILITY)[picks].prod(1)
    low, high = min(NOISE) - slope, max(NOISE) + slope
    h = np.full(len(picks), rng.uniform(low, high))
    v = np.full(len(picks), rng.uniform(0, (high * (1 - c + abs(c))) ** 2) * rng.integers(2))
    kind = rng.integers(3)
    u = h
    for k in range(PATH_DRAWS):
        past = picks[:, :k] @ (1 << np.arange(k)) if k else np.zeros(len(picks), dtype=int)
        chosen = rng.uniform(-slope, slope, size=2**k)[past]  # one slope for each past
        g = xi[:, k] + (slope if kind == 0 else np.sign(chosen) * slope if kind == 1 else chosen)
        u = (1 - c) * g + c * h
        h, v = BETA1 * h + (1 - BETA1) * g, BETA3 * v + (1 - BETA3) * u**2
    found = float(chance @ (u / (np.sqrt(v) + EPS1)))
    assert found <= share * float(theorem.largest_drift(alpha, SLOPE, PATH_DRAWS).upper()) + 1e-12


def _interval(means: np.ndarray) -> tuple[float, float]:
    """Mean and half width of a 99.9 % t-interval over independent chains."""
    mean, half = t_interval(means, level=0.999)
    return float(mean), float(half)


def _speed(effort: Effort) -> Finding:
    """The rise per eta T of literal EAdam on .1 sqrt(1 + x^2), 32 runs from 0; 99.9 % intervals, seed 0."""
    steps, eta = (20_000 if effort.thorough else 3000), 0.1
    lines, margins, values = [], [], {}
    for alpha in ALPHAS:
        rng = np.random.default_rng(0)
        rule = ALTO(float(alpha), BETA1, 0.0, BETA3, EPS1, 1.0, 1.0, 0.0, bias_correction=False, layerwise=False)
        x = rule.init([np.zeros((32, 1))])
        for _ in range(steps):
            slope = float(SLOPE) * x[0] / np.sqrt(1 + x[0] ** 2)
            x = rule.step(x, [slope + rng.choice(NOISE, p=PROBABILITY, size=x[0].shape)], eta)
        mean, half = _interval(x[0][:, 0] / (eta * steps))
        least = -float(theorem.largest_drift(alpha, SLOPE).upper())
        risen = theorem.least_rise(least, eta=eta, blocks=steps // DRAWS - 1, miss=1e-6)
        margins += [(mean - half - least, mean + half - least), (x[0].min() - risen, x[0].min() - risen)]
        lines.append(f"alpha = {float(alpha):g}: {mean:.3f} +- {half:.3f}, at least {least:.3f}")
        values[f"alpha = {float(alpha):g}"] = mean
    said = f"(x_T - x_1) / (eta T), 32 runs of {steps} steps: " + "; ".join(lines)
    return Finding(decided_by(margins), said, values=values)


def _flat_is_needed(_: Effort) -> str:
    """At a slope of 1 every draw of the gradient is positive: the mean of r over all 2^10 paths points downhill."""
    picks = np.array(list(product((0, 1), repeat=PATH_DRAWS)))
    g, chance = 1 + np.array(NOISE)[picks], np.array(PROBABILITY)[picks].prod(1)
    v = np.asarray(lfilter([1 - BETA3], [1, -BETA3], g**2))[:, -1]
    mean = float(chance @ (g[:, -1] / (np.sqrt(v) + EPS1)))
    assert mean > 0.5, f"{mean}"
    return f"at f' = 1, alpha = 0: E[r_10] = {mean:.3f}"


uphill = Claim(
    id="ours-batch-floor-almost-surely",
    source="ours",
    statement=(
        r"EAdam at batch 1 ($\beta_1 = \beta_3 = .5$, $\beta_2 = 0$, $\alpha \in \{-.5, 0, .5\}$, any $0 \le "
        r"\epsilon_1 \le 10^{-8}$) with a noise of $2.7$ (probability $.1$) or $-.3$ moves to $+\infty$ almost surely, "
        r"at any constant $\eta$, on every $f$ with $|f'| \le .1$: $E[r_k | F_{k-12}] \le -\delta$ with $\delta > "
        r".179$, and with $T = 12(N+1)$, $x_{T+1} - x_1 \ge 12 \eta [N (\delta - t) - \sqrt2]$ but for a probability "
        r"of $12 e^{-N t^2/4}$. On $f = .1\sqrt{1+x^2}$ the gradient tends to $.1$: no step size brings it lower."
    ),
    plain="With one sample per step, beta3 = .5 and a skewed noise, EAdam goes uphill for ever, almost surely.",
    assumptions=(r"draws independent of each other; $f'(x_k)$ may depend on all draws before", "no bias correction"),
    evidence=(
        proof(
            "drift over 12 draws, and Azuma's inequality",
            *(
                Piece(
                    f"alpha = {float(alpha):g}: the drift is below -delta, whatever the slopes and the past",
                    lambda alpha=alpha: _drift(alpha), control=lambda alpha=alpha: _drift(alpha, Fraction(2, 5)),
                )
                for alpha in ALPHAS
            ),
            Piece("r grows with u at a given v_{k-1}", _grows_with_u),
            Piece("h, v and u stay in their intervals along each path, as each is monotone in what it is made of"),
            Piece("r^2 <= 1 / (1 - beta3) = 2", _direction_bounded),
            Piece("for each residue j < 12 the differences r_{12n+j} - E[r_{12n+j} | F_{12n+j-12}] are a martingale's, "
                  "in an interval of length 2 sqrt(2): their sum over N exceeds N t with a probability of at most "
                  "exp(-N t^2 / 4) (Azuma, Hoeffding)"),
            Piece("the rise", _rise, concludes=True),
            Piece("the probabilities have a finite sum over N: Borel and Cantelli, for every t < delta"),
        ),
        holds_for("any past and slopes, all 2^10 paths of 10 draws", _all_paths, share=0.5, seed=strategies.seeds,
                  control=partial(_all_paths, share=2.0)),
        enumerated("|f'| <= .1 is needed", _flat_is_needed),
        measured("the speed of runs on f = .1 sqrt(1 + x^2), 99.9 % intervals", _speed),
    ),
)  # fmt: skip

# ----------------------------------------------------------------------------------------------------------- downhill


def _root_difference() -> Check:
    """(q - p)((q + p)(p + e)(q + e) - 2 l^3) >= 0 for q >= p >= l > 0 and e >= 0, with p = l + x, q = p + y.

    That is 1/(p + e) - 1/(q + e) <= (q^2 - p^2) / (2 l^3): all coefficients are positive.
    """
    low, x, y, e = sp.symbols("l x y epsilon_1", real=True)
    p, q = low + x, low + x + y
    gap = sp.expand((q - p) * ((q + p) * (p + e) * (q + e) - 2 * low**3))
    terms = sp.Poly(gap, low, x, y, e).terms()
    squares = [
        Square(1, times=tuple(s for s, n in zip((low, x, y, e), powers, strict=True) for _ in range(n)), weight=weight)
        for powers, weight in terms
    ]
    return certificate(gap, squares, nonnegative=(low, x, y, e))


def _one_step_of_v() -> Check:
    """V - v' = (1 - beta3)(g^2 - v'), at most (1 - beta3)(U2 - l) for both in [l, U2]; the other side by symmetry."""
    g2, before, beta3, low, high = sp.symbols("g2 v' beta3 l U2", real=True)
    gap = (1 - beta3) * (high - low) - (beta3 * before + (1 - beta3) * g2 - before)
    squares = [Square(1, times=(1 - beta3, high - g2)), Square(1, times=(1 - beta3, before - low))]
    return certificate(gap, squares, nonnegative=(1 - beta3, high - g2, before - low))


def _downhill() -> Check:
    """E[r] >= s phi - wrong > 0 for s > (U + eps1) wrong and phi = 1 / (sqrt(v') + eps1) >= 1 / (U + eps1)."""
    s, phi, wrong, reach, mean = sp.symbols("s phi wrong U+epsilon_1 E", real=True)
    above, near, steep = mean - s * phi + wrong, reach * phi - 1, s - reach * wrong
    gap = reach * mean - steep  # so that E[r] (U + eps1) is at least s - (U + eps1) wrong
    return certificate(gap, [Square(1, times=(reach, above)), Square(1, times=(s, near))],
                       nonnegative=(reach, above, s, near, steep))  # fmt: skip


def _two_points(seed: int, factor: float = 1.0) -> None:
    """A random two-point noise of mean zero, slope and v': the exact error of the expected direction."""
    rng = np.random.default_rng(seed)
    p, spread, s = rng.uniform(0.02, 0.98), 10 ** rng.uniform(-1, 1), rng.uniform(-1, 1)
    g = s + spread * np.array([(1 - p), -p])
    chance, squares = np.array([p, 1 - p]), g**2
    low, high, eps1, beta3 = squares.min(), squares.max(), 10 ** rng.uniform(-8, 0), rng.uniform(0, 1)
    before = rng.uniform(low, high)
    v = beta3 * before + (1 - beta3) * squares
    wrong = abs(chance @ (g / (np.sqrt(v) + eps1)) - s / (np.sqrt(before) + eps1))
    bound = theorem.wrong_by(beta3, mean_size=float(chance @ abs(g)), smallest=low, largest=high)
    assert wrong <= factor * bound * (1 + 1e-9) + 1e-12


def _least_size_is_needed(_: Effort) -> tuple[str, dict[str, float]]:
    """Gradients 0 and 1, so that l = 0, beta3 = .99, v' = 10^-n: no multiple of 1 - beta3 bounds the error."""
    beta3, chance, over = 0.99, 0.5, {}
    for n in (2, 6, 10):
        before = 10.0**-n
        wrong = abs(chance / np.sqrt(beta3 * before + 1 - beta3) - chance / np.sqrt(before))
        over[f"v' = 1e-{n}"] = float(wrong / (1 - beta3))
    assert over["v' = 1e-10"] > 100 * over["v' = 1e-6"] / 1.1 > 1e4, f"{over}"
    return "error over 1 - beta3: " + ", ".join(f"{ratio:.3g} at {name}" for name, ratio in over.items()), over


DECAYS = 0.9, 0.99, 0.999, 0.9999


def _order(effort: Effort) -> Finding:
    """The mean error of the expected direction at slope .1 over a stationary v, and its exponent in 1 - beta3."""
    rng, steps, errors = np.random.default_rng(0), 20_000 if effort.thorough else 5000, []
    g = float(SLOPE) + np.array(NOISE)
    for beta3 in DECAYS:
        burn_in = int(np.ceil(12 / (1 - beta3)))
        drawn = rng.choice(g, p=PROBABILITY, size=(32, burn_in + steps))
        before = np.asarray(lfilter([1 - beta3], [1, -beta3], drawn**2))[:, burn_in:, None]
        after = beta3 * before + (1 - beta3) * g**2
        exact = (g / np.sqrt(after)) @ np.array(PROBABILITY)
        errors.append((exact - float(SLOPE) / np.sqrt(before[..., 0])).mean(1))
    slopes = np.polyfit(np.log(1 - np.array(DECAYS)), np.log(-np.array(errors)), 1)[0]
    exponent, half = _interval(slopes)
    near = 0.1 - abs(exponent - 1)
    seen = f"exponent in 1 - beta3 from {DECAYS[0]} to {DECAYS[-1]}: {exponent:.3f} +- {half:.3f} over 32 chains"
    return Finding(decided_by([(near - half, near + half)]), seen, values={"exponent": exponent, "half": half})


downhill = Claim(
    id="ours-batch-floor-vanishes",
    source="ours",
    statement=(
        r"Adam's direction at batch 1 ($\alpha = \beta_2 = 0$): $|E[r_k|F_{k-1}] - f'(x_k)/(\sqrt{v_{k-1}} + "
        r"\epsilon_1)| \le (1-\beta_3) A (U^2 - l) / (2 l^{3/2})$ if $l \le g_k^2 \le U^2$ and $E[|g_k| | F_{k-1}] \le "
        r"A$, for any $\epsilon_1 \ge 0$. So the direction points downhill wherever $|f'|$ exceeds $U + \epsilon_1$ "
        r"times this: a floor of $O(1-\beta_3)$, with one sample per step."
    ),
    plain="The bias that skewed noise gives to Adam's direction vanishes like 1 - beta3, with one sample per step.",
    assumptions=(
        r"$E[g_k|F_{k-1}] = f'(x_k)$, $l > 0$, $v_{k-1} \in [l, U^2]$, as from $v_1 = g_1^2$ on (bias correction "
        r"starts there, and has a larger $1-\beta_3$ in the first steps)",
        r"without E and momentum; the constant is far from tight",
    ),
    evidence=(
        proof(
            "the normaliser before the draw",
            Piece("E[g_k / (sqrt(v_{k-1}) + eps1) | F_{k-1}] = f' / (sqrt(v_{k-1}) + eps1): v_{k-1} is known"),
            Piece("|v_k - v_{k-1}| <= (1 - beta3)(U^2 - l)", _one_step_of_v),
            Piece("|1/(p + eps1) - 1/(q + eps1)| <= |p^2 - q^2| / (2 l^(3/2)) for p, q >= sqrt(l)", _root_difference),
            Piece("times |g_k|, in expectation; and the sign", _downhill, concludes=True),
        ),
        holds_for(
            "two-point noise, exact", _two_points, seed=strategies.seeds, control=partial(_two_points, factor=0.01)
        ),
        enumerated("gradients away from 0 are needed", _least_size_is_needed),
        measured("the order in 1 - beta3, 99.9 % interval", _order),
    ),
)

CLAIMS = (uphill, downhill)
