"""ESGD as an average of gradient descent's iterates, and what follows on convex functions without noise (ours)."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy as sp

from theory.claims.lemmas.tracking import NORMALISED
from theory.claims.theorems.virtual_iterate import _expansion
from theory.ledger.claim import Claim
from theory.ledger.evidence import Effort, Finding, Outcome, Piece, enumerated, holds_for, measured, proof
from theory.ledger.formal import formal
from theory.ledger.provers import Check, Query, Square, certificate, identity, magnitude, reals, smt
from theory.method import strategies
from theory.method.algorithms import ESGD
from theory.method.filters import Filter
from theory.method.trajectory import Trajectory, record
from theory.rocq import LIBRARY
from theory.stability import linear
from theory.studies import store
from theory.theorems import primal_averaging as theorem
from theory.theorems import stage

READS = ("formal.json", "theory/primal-averaging.json")

# --------------------------------------------------------------------------------------------------------- the identity


def _slow_average_of_y() -> Check:
    """If hy - hy' = -eta h' before, then hy+ - hy = -eta h, with hy+ = beta1 hy + (1 - beta1) y+ and y+ = y - eta g."""
    beta1, eta, hy, y, h, g = sp.symbols("beta1 eta hy y h' g")
    before = hy + eta * h  # hy'
    moved = beta1 * (hy - before) + (1 - beta1) * ((y - eta * g) - y)
    return identity(moved, -eta * (beta1 * h + (1 - beta1) * g))


def _average_of_y(past: int = 1) -> Check:
    """If A - A' = -eta m' before, then A+ - A = -eta m: A moves as theta does. False for ``past`` other than 1."""
    beta2, c, eta, A, m, h, g, theta = sp.symbols("beta2 c eta A m' h' g theta")
    moved = beta2 * (A - (A + eta * m)) + (1 - beta2) * ((1 - c) * (-eta * g) + c * (-eta * h) * past)
    new_m = beta2 * m + (1 - beta2) * ((1 - c) * g + c * h)
    return identity(theta + moved, theta - eta * new_m)


def _filter(rng: np.random.Generator, low: float = -0.99) -> Filter:
    beta1 = float(rng.choice([rng.uniform(0, 0.95), 0.99]))
    beta2 = float(rng.choice([0.0, rng.uniform(0, 0.95)]))
    return Filter(-rng.uniform(low, 0.99) / (1 - beta1), beta1, beta2)


def _esgd(F: Filter, gradient: Any, start: np.ndarray, *, eta: float, steps: int) -> Trajectory:
    return record(
        ESGD(F.alpha, F.beta1, F.beta2), lambda _, x: gradient(x), start, steps=steps, eta=lambda _: eta
    )  # fmt: skip


def _identity_along(seed: int, weights: int = 1) -> None:
    """On a non-convex function, with steps up to 1; false with the weights of another multiple of alpha than 1."""
    rng = np.random.default_rng(seed)
    F, eta = _filter(rng), rng.uniform(0, 1)
    told = replace(F, alpha=weights * F.alpha)
    run = _esgd(F, lambda x: np.sin(3 * x) + x / np.sqrt(1 + x**2), rng.normal(size=(1, 3)), eta=eta, steps=60)
    y = np.concatenate([run.theta[:1], run.theta[:1] - eta * np.cumsum(run.g, axis=0)])
    scale = np.abs(y).max() * F.kappa
    stage.check([stage.Stage("average", theorem.averages(y, told), run.theta, equal=True, scale=scale)])


def _constant_rate_is_needed(_: Effort) -> str:
    """With eta_k = .1 / sqrt(k) in both, theta_k is not that average of the y."""
    F = Filter(-5.0, 0.9, 0.5)
    rates = 0.1 / np.sqrt(np.arange(1, 61))
    run = record(ESGD(F.alpha, F.beta1, F.beta2), lambda _, x: x, np.ones((1, 1)), steps=60, eta=lambda k: rates[k - 1])
    y = np.concatenate([run.theta[:1], run.theta[:1] - np.cumsum(rates[:, None, None] * run.g, axis=0)])
    apart = float(np.abs(theorem.averages(y, F) - run.theta).max())
    assert apart > 1e-2, f"{apart}"
    return f"eta_k = .1 / sqrt(k) on theta^2 / 2 from 1: the two are up to {apart:.2g} apart"


averaging = Claim(
    id="ours-primal-averaging",
    source="ours",
    statement=(
        r"ESGD is an average of the iterates of gradient descent that reads its gradients at the average: "
        r"$\theta_k = \sum_{j \ge 0} w_j y_{k-j}$, $y_{k+1} = y_k - \eta g_k$, $y_j = \theta_1$ for $j \le 1$, with "
        r"the weights of $m_k = \sum_j w_j g_{k-j}$, for every $\alpha$ and any gradients $g_k$."
    ),
    plain="E on SGD averages the iterates of gradient descent with the weights that it gives to past gradients.",
    assumptions=("constant learning rate, normalised momentum",),
    evidence=(
        formal("for every step, the sum over all j as a limit", LIBRARY, "primal_averaging"),
        proof(
            "induction over k",
            Piece("base: all averages are theta_1, and h_0 = m_0 = 0"),
            Piece("the slow average of y moves by -eta h", _slow_average_of_y),
            Piece(
                "the average of y moves by -eta m, as theta does",
                _average_of_y,
                concludes=True,
                control=lambda: _average_of_y(past=0),
            ),
        ),
        holds_for(
            "literal ESGD on a non-convex function",
            _identity_along,
            seed=strategies.seeds,
            control=partial(_identity_along, weights=2),
            share=0.3,
        ),
        enumerated("a constant learning rate is needed", _constant_rate_is_needed),
    ),
)

# ------------------------------------------------------------------------------------------------------ on convex f


def _square_of_average() -> Check:
    """(b x + (1 - b) y)^2 <= b x^2 + (1 - b) y^2 for 0 <= b <= 1."""
    b, x, y = sp.symbols("b x y", real=True)
    gap = b * x**2 + (1 - b) * y**2 - (b * x + (1 - b) * y) ** 2
    return certificate(gap, [Square(x - y, times=(b, 1 - b))], nonnegative=(b, 1 - b))


def _sum_of_squares() -> Check:
    """From H <= beta (H - last) + (1 - beta) G, last >= 0: H <= G, the sums of |h|^2 and |g|^2."""
    H, G, last, beta = sp.symbols("H G last beta", real=True)
    summed = beta * (H - last) + (1 - beta) * G - H
    squares = [Square(1, times=(summed,), over=(1 - beta,)), Square(1, times=(beta, last), over=(1 - beta,))]
    return certificate(G - H, squares, nonnegative=(summed, beta, last), positive=(1 - beta,))


def _young() -> Check:
    x, y = sp.symbols("x y", real=True)
    return certificate(x**2 + y**2 - 2 * x * y, [Square(x - y)])


def _any_alpha(twice: int = 2) -> Check:
    """The sum over k: what is left of G = sum |g|^2 is not positive at eta (1 + 2 |alpha|) <= 1 / L; H = sum |h|^2.

    It does not go through with another factor than ``twice`` = 2 in the condition.
    """
    S, D2, eta, ell, G, H, alpha, b, gap, T = sp.symbols("S D2 eta 1/L G H alpha b gap T", real=True)
    stand_in: Any = SimpleNamespace(b=b)
    given: Any = {"eta": eta, "T": T, "distance2": D2, "gap": gap}
    bound: Any = theorem.mean_gap_any(stand_in, **given)
    summed = D2 + 2 * eta * b * gap + (eta**2 - eta * ell) * G + eta**2 * alpha * (G + H) - 2 * eta * S
    step = ell - eta * (1 + twice * alpha)
    squares = [Square(1, times=(summed,)), Square(1, times=(eta, step, G)), Square(eta, times=(alpha, G - H))]
    return certificate(2 * eta * T * (bound - S / T), squares, nonnegative=(summed, eta, step, G, alpha, G - H))


def _cross_term() -> Check:
    """A coordinate of <g, b m' + c h' / (1 - beta1)> by m = beta2 m' + (1 - beta2)((1 - c) g + c h')."""
    beta1, beta2, c, g, h, m = sp.symbols("beta1 beta2 c g h' m'")
    new_m = beta2 * m + (1 - beta2) * ((1 - c) * g + c * h)
    P = 1 / ((1 - beta1) * (1 - beta2))
    left = g * (beta2 / (1 - beta2) * m + c / (1 - beta1) * h)
    return identity(left, P * g * new_m - beta1 * beta2 * P * g * m - (1 - c) / (1 - beta1) * g**2)


def _step_allowed() -> Check:
    """The coefficient of sum |g|^2, L eta (P + Q)/2 - (1 - c)/(1 - beta1), is <= 0."""
    eta, L, c, beta1, beta2 = sp.symbols("eta L c beta1 beta2", real=True)
    P = 1 / ((1 - beta1) * (1 - beta2))
    allowed = 2 * (1 - c) * (1 - beta2) - eta * L * (1 + beta1 * beta2)
    coefficient = L * eta * P * (1 + beta1 * beta2) / 2 - (1 - c) / (1 - beta1)
    square = Square(1, times=(allowed,), over=(1 - beta1, 1 - beta2), weight=sp.Rational(1, 2))
    return certificate(-coefficient, [square], nonnegative=(allowed,), positive=(1 - beta1, 1 - beta2))


def _every_gap() -> Check:
    """F_T <= F_1 + D2 / (2 eta (P - Q)) =: bound for all T: the step from T to T + 1."""
    P, Q, F, after, bound = sp.symbols("P Q F_T F_after bound", real=True)
    summed = (P - Q) * bound + Q * F - P * after  # D2 / (2 eta) + (P - Q) F_1 = (P - Q) bound
    squares = [Square(1, times=(summed,), over=(P,)), Square(1, times=(Q, bound - F), over=(P,))]
    return certificate(bound - after, squares, nonnegative=(summed, Q, bound - F), positive=(P,))


def _sum_closed(last: int = 1) -> Check:
    """D2 / (2 eta) + (P - Q) F_1 + Q (F_1 + D2 / (2 eta (P - Q))), over T, is the code's bound; not without Q F_T."""
    beta1, beta2, eta, T, D2, gap = sp.symbols("beta1 beta2 eta T D2 F_1", positive=True)
    P = 1 / ((1 - beta1) * (1 - beta2))
    Q = beta1 * beta2 * P
    total = D2 / (2 * eta) + (P - Q) * gap + last * Q * (gap + D2 / (2 * eta * (P - Q)))
    stand_in: Any = SimpleNamespace(beta1=beta1, beta2=beta2)
    given: Any = {"eta": eta, "T": T, "distance2": D2, "gap": gap}
    bound: Any = theorem.mean_gap(stand_in, **given)
    return identity(total / T, bound)


def _convex_problem(rng: np.random.Generator) -> tuple[Any, Any, float, np.ndarray]:
    """(f, gradient, L, theta_1) of a random quadratic, pseudo-Huber or Huber function in three coordinates."""
    scale, width = 10 ** rng.uniform(-3, 0, size=3), 10 ** rng.uniform(-2, 1)
    kinds = (
        (lambda x: (scale * x**2).sum(-1) / 2, lambda x: scale * x),
        (lambda x: (scale * width**2 * (np.sqrt(1 + (x / width) ** 2) - 1)).sum(-1),
         lambda x: scale * x / np.sqrt(1 + (x / width) ** 2)),
        (lambda x: (scale * np.where(abs(x) < width, x**2 / 2, width * (abs(x) - width / 2))).sum(-1),
         lambda x: scale * np.clip(x, -width, width)),
    )  # fmt: skip
    value, gradient = kinds[rng.integers(3)]
    return value, gradient, float(scale.max()), rng.normal(size=(1, 3))


STEPS = 200


def _mean_gap(F: Filter, eta: float, value: Any, gradient: Any, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """f(theta_k) and its running means; f* = 0."""
    f = value(_esgd(F, gradient, start, eta=eta, steps=STEPS).theta[:-1, 0])
    return f, np.cumsum(f) / np.arange(1, STEPS + 1)


def _any_at(seed: int, share: float = 1.0) -> None:
    rng = np.random.default_rng(seed)
    F, (value, gradient, L, start) = _filter(rng), _convex_problem(rng)
    eta = theorem.largest_step_any(F, L)
    f, means = _mean_gap(F, eta, value, gradient, start)
    T, distance2 = np.arange(1, STEPS + 1), float((start**2).sum())
    right = theorem.mean_gap_any(F, eta=eta, T=T, distance2=distance2, gap=f[0])
    stage.check([stage.Stage("bound", means, share * right)])


def _mixing_at(seed: int, share: float = 1.0) -> None:
    rng = np.random.default_rng(seed)
    F, (value, gradient, L, start) = _filter(rng, low=0.0), _convex_problem(rng)
    eta = theorem.largest_step(F, L)
    f, means = _mean_gap(F, eta, value, gradient, start)
    T, distance2 = np.arange(1, STEPS + 1), float((start**2).sum())
    stage.check([
        stage.Stage("mean", means, share * theorem.mean_gap(F, eta=eta, T=T, distance2=distance2, gap=f[0])),
        stage.Stage("every", f, share * theorem.last_gap(F, eta=eta, distance2=distance2, gap=f[0])),
    ])  # fmt: skip


def _hypotheses_are_needed(_: Effort, bound: Any = theorem.mean_gap) -> tuple[str, dict[str, float]]:
    """The mean over its bound where one hypothesis is dropped: alpha = -5, beta1 = .99, beta2 = 0, L = 1, T = 2000."""
    F, T, over = Filter(-5.0, 0.99, 0.0), 2000, {}
    unstable = 1.01 * linear.largest_stable(F.c, F.beta1, F.beta2)
    for name, eta, value, slope, start, x_star in (
        ("an unstable step", unstable, lambda x: x**2 / 2, lambda x: x, 1.0, 0.0),
        ("no smoothness", 1.0, lambda x: 10 * abs(x), lambda x: 10 * np.sign(x), 1.0, 0.0),
        ("no convexity", 1.0, lambda x: np.cos(2 * x) / 5 + x**2 / 100,
         lambda x: x / 50 - 0.4 * np.sin(2 * x), 4.0, 1.5),
    ):  # fmt: skip
        f = value(_esgd(F, slope, np.full((1, 1), start), eta=eta, steps=T).theta[:-1]) - value(x_star)
        over[name] = float(f.mean()) / bound(F, eta=eta, T=T, distance2=(start - x_star) ** 2, gap=float(f[0, 0, 0]))
    assert min(over.values()) > 1, f"{over}"
    return "mean over bound: " + ", ".join(f"{ratio:.3g} with {name}" for name, ratio in over.items()), over


def _stored(_: Effort) -> Finding:
    """The stored runs lie below their bounds; how much longer the steps are than 1 / (L (1 + 2 K))."""
    data = store.load("primal-averaging")
    ratio = min(float((np.array(run["bound"]) / run["mean"]).min()) for run in data["runs"])
    gains = [
        new / old for panel in data["steps"] for new, old in zip(panel["mixing"], panel["age"], strict=True) if new
    ]
    said = f"bound/mean at least {ratio:.3g}; the step is {min(gains):.3g} to {max(gains):.3g} times that of the age"
    return Finding(
        Outcome.SUPPORTS if ratio >= 1 else Outcome.CONTRADICTS, said, values={"bound/mean": ratio, "gain": max(gains)}
    )


any_alpha = Claim(
    id="ours-convex-any-alpha",
    source="ours",
    statement=(
        r"ESGD without noise on a convex $L$-smooth $f$, $\eta \le 1/(L(1 + 2|\alpha|))$, for either sign of $\alpha$: "
        r"$\frac1T \sum_k f(\theta_k) - f^* \le \frac1T [\|\theta_1 - x^*\|^2 / (2\eta) + b (f(\theta_1) - f^*)]$, "
        r"$b = \beta_2/(1-\beta_2)$. The step does not depend on $\beta_2$."
    ),
    plain="Without noise ESGD converges like 1/T on smooth convex functions at a step that momentum does not shorten.",
    assumptions=(r"$f$ convex, $L$-smooth, with a minimiser $x^*$", "no noise", NORMALISED),
    rests_on=("ours-transport-identity",),
    evidence=(
        formal("in any dimension", LIBRARY, "convex_any_alpha", "python_any_alpha"),
        proof(
            "distance of the virtual iterate; its momentum telescopes",
            Piece("|y_{k+1} - x*|^2 expanded at theta_k = y_k + eta T_{k-1} (ours-transport-identity)", _expansion),
            Piece("<g, theta - x*> >= f(theta) - f* + |g|^2 / 2L for smooth convex f (Baillon & Haddad 1977)"),
            Piece("eta <g_k, m_{k-1}> = <g_k, theta_{k-1} - theta_k> <= f(theta_{k-1}) - f(theta_k): convexity"),
            Piece("2 |<g_k, h_{k-1}>| <= |g_k|^2 + |h_{k-1}|^2", _young),
            Piece("|h_k|^2 <= beta1 |h_{k-1}|^2 + (1 - beta1) |g_k|^2", _square_of_average),
            Piece("sum |h|^2 <= sum |g|^2", _sum_of_squares),
            Piece("the sum over k", _any_alpha, concludes=True, control=lambda: _any_alpha(twice=1)),
        ),
        holds_for(
            "random quadratics, pseudo-Huber and Huber functions",
            _any_at,
            seed=strategies.seeds,
            control=partial(_any_at, share=0.5),
            share=0.3,
        ),
        enumerated(
            "step size, smoothness and convexity are needed",
            partial(_hypotheses_are_needed, bound=theorem.mean_gap_any),
        ),
    ),
)

mixing = Claim(
    id="ours-convex-primal-averaging",
    source="ours",
    statement=(
        r"ESGD without noise on a convex $L$-smooth $f$, $0 \le c < 1$, $\eta L \le \min(1, 2(1-c)(1-\beta_2) / "
        r"(1+\beta_1\beta_2))$: $\frac1T \sum_k f(\theta_k) - f^* \le \frac1T [\|\theta_1 - x^*\|^2 / "
        r"(2\eta(1-\beta_1\beta_2)) + (f(\theta_1)-f^*) / ((1-\beta_1)(1-\beta_2))]$, and $f(\theta_k) - f^* \le "
        r"f(\theta_1) - f^* + \|\theta_1 - x^*\|^2 (1-\beta_1)(1-\beta_2) / (2\eta(1-\beta_1\beta_2))$ for every "
        r"$k$. At $\beta_2 = 0$ the step is $\min(1, 2(1-c))/L$, whatever $\alpha$ and $\beta_1$ are at this $c$."
    ),
    plain="For alpha <= 0 the step of the convex bound depends on c and not on the age of the average.",
    assumptions=(
        r"$f$ convex, $L$-smooth, with a minimiser $x^*$", "no noise", NORMALISED, r"$c = -\alpha(1-\beta_1)$",
    ),
    rests_on=("ours-transport-identity",),
    evidence=(
        formal("in any dimension", LIBRARY, "convex_mixing", "every_gap", "python_mixing", "python_every"),
        proof(
            "distance of the virtual iterate; the slow average telescopes, too",
            Piece("|y_{k+1} - x*|^2 expanded at theta_k = y_k + eta T_{k-1} (ours-transport-identity)", _expansion),
            Piece("<g, theta - x*> >= f(theta) - f* + |g|^2 / 2L for smooth convex f (Baillon & Haddad 1977)"),
            Piece("<g, T'> = P <g, m> - Q <g, m'> - (1 - c)/(1 - beta1) |g|^2", _cross_term),
            Piece("smoothness at theta_k towards theta_{k+1}, theta_{k-1}: eta <g, m_k> <= f(theta_k) - f(theta_{k+1}) "
                  "+ L eta^2/2 |m_k|^2 and -eta <g, m_{k-1}> <= f(theta_k) - f(theta_{k-1}) + L eta^2/2 |m_{k-1}|^2"),
            Piece("|u|^2 <= (1 - c)|g|^2 + c |h|^2, and so for h and m", _square_of_average),
            Piece("sum |m|^2 <= sum |u|^2 <= sum |g|^2", _sum_of_squares),
            Piece("the coefficient of sum |g|^2 is <= 0", _step_allowed),
            Piece("sum F_k + P F_{T+1} <= D2 / (2 eta) + (P - Q) F_1 + Q F_T bounds every F_T", _every_gap),
            Piece("and then the sum", _sum_closed, concludes=True, control=lambda: _sum_closed(last=0)),
        ),
        holds_for(
            "random quadratics, pseudo-Huber and Huber functions",
            _mixing_at, seed=strategies.seeds, control=partial(_mixing_at, share=0.5), share=0.3,
        ),
        enumerated("step size, smoothness and convexity are needed", _hypotheses_are_needed),
        measured("the stored steps and runs", _stored),
    ),
)  # fmt: skip

# ----------------------------------------------------------------------------------------------------------- for c < 0


def _jury() -> Check:
    """Of Jury's conditions at x = eta L, below the flip, the one on the constant.

    The one at z = 1 is x (1 - beta1) > 0, and the one at z = -1 is the limit itself.
    """
    x, c, beta1 = reals("eta c beta1")
    inputs = [x > 0, c < 0, c > -1, beta1 >= 0, beta1 < 1, x * (1 + beta1 - 2 * c) < 2 * (1 + beta1)]
    constant = beta1 + (c - beta1) * x
    return smt(Query(inputs, magnitude(constant) < 1, control=constant > 0))


def _flip() -> Check:
    """Above it the polynomial is negative at z = -1 and positive far to the left: a real root below -1."""
    z, x, c, beta1 = reals("z eta c beta1")
    value = z * z - (1 + beta1 - (1 - c) * x) * z + beta1 + (c - beta1) * x
    inputs = [x > 0, beta1 >= 0, c < 0, x * (1 + beta1 - 2 * c) > 2 * (1 + beta1), z == -1]
    return smt(Query(inputs, value < 0, control=value > 0))


def _characteristic() -> Check:
    """Theta and h at curvature 1 and eta = x: det(z - A) for the step (theta, h) -> (theta - x u, beta1 h + ...)."""
    z, x, c, beta1 = sp.symbols("z eta c beta1")
    step = sp.Matrix([[1 - x * (1 - c), -x * c], [1 - beta1, beta1]])
    return identity(
        (z * sp.eye(2) - step).det(), z**2 - (1 + beta1 - (1 - c) * x) * z + beta1 + (c - beta1) * x
    )  # fmt: skip


def _extrapolation_diverges(_: Effort) -> tuple[str, dict[str, float]]:
    """On f = theta^2 / 2 with beta1 = 0, alpha = .9: eta = 1 = min(1, 2 (1 - c)) diverges, as all above the limit."""
    F = Filter(0.9, 0.0, 0.0)
    limit, size = linear.largest_stable(F.c, 0.0, 0.0), {}
    for name, eta in (("1/L", 1.0), ("1.01 of the limit", 1.01 * limit), ("0.99 of the limit", 0.99 * limit)):
        size[name] = float(abs(_esgd(F, lambda x: x, np.ones((1, 1)), eta=eta, steps=1500).theta[-1].item()))
    assert size["0.99 of the limit"] < 1e-3, f"{size}"
    assert min(size["1/L"], size["1.01 of the limit"]) > 1e3, f"{size}"
    said = ", ".join(f"{value:.2g} at eta = {name}" for name, value in size.items())
    return f"limit {limit:.4g}/L; |theta| after 1500 steps from 1: {said}", {"limit": limit}


extrapolating = Claim(
    id="ours-convex-extrapolation",
    source="ours",
    statement=(
        r"For $-1 < c < 0$ ($\beta_2 = 0$) ESGD converges on all quadratics of curvature in $(0, L]$ if "
        r"$\eta L < 2(1+\beta_1)/(1+\beta_1-2c)$ and diverges on $L\theta^2/2$ above. For $c < -(1+\beta_1)/2$ this "
        r"is below 1: there the step $\min(1, 2(1-c))/L$ of ours-convex-primal-averaging does not suffice."
    ),
    plain="For large alpha > 0 the step must be shorter: the convex bound's step for alpha <= 0 can diverge.",
    assumptions=(
        r"$\beta_2 = 0$; for all convex $f$ we have only the step of ours-convex-any-alpha, which is shorter",
    ),
    evidence=(
        proof(
            "roots of the characteristic polynomial",
            Piece("the recursion is linear: along each eigenvector of the Hessian it is that of one dimension"),
            Piece("the polynomial", _characteristic),
            Piece("Jury: its roots lie inside the unit circle if and only if three inequalities hold"),
            Piece("Jury's conditions hold below the limit, at every smaller curvature too", _jury, concludes=True),
            Piece("above it a root lies below -1", _flip),
        ),
        enumerated("beta1 = 0, alpha = .9", _extrapolation_diverges),
    ),
)

CLAIMS = (averaging, any_alpha, mixing, extrapolating)
