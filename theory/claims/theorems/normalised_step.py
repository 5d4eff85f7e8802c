"""ALTO by its normalised step (ours): the chain in :mod:`theory.theorems.normalised_step`, piece by piece."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy as sp
import torch
import z3
from hypothesis import strategies as st

import alto as library
from theory.ledger.claim import Claim
from theory.ledger.evidence import Effort, Piece, enumerated, holds_for, proof
from theory.ledger.formal import formal
from theory.ledger.provers import Check, Query, Square, certificate, identity, reals, smt
from theory.method import strategies
from theory.method.algorithms import ALTO
from theory.method.filters import Filter
from theory.method.trajectory import record
from theory.rocq import LIBRARY
from theory.theorems import bounds, stage
from theory.theorems import normalised_step as theorem

READS = ("formal.json",)

# ------------------------------------------------------------------------------------------------------ on every path


def _coordinates() -> Check:
    """The sum over coordinates of (a + b) w r^2 - w^2 r^2 - a b r^2 stays >= 0 when one with a <= w <= b joins."""
    w, a, b, r, so_far = sp.symbols("W a b r so_far", real=True)
    joined = so_far + (a + b) * w * r**2 - w**2 * r**2 - a * b * r**2
    squares = [Square(1, times=(so_far,)), Square(r, times=(w - a, b - w))]
    return certificate(joined, squares, nonnegative=(so_far, w - a, b - w))


def _means() -> Check:
    """|M|^2 + a b |r|^2 >= 2 sqrt(a b) |M| |r|, with g = sqrt(a b)."""
    size, r, g = sp.symbols("M r g", real=True)
    return certificate(size**2 + g**2 * r**2 - 2 * g * size * r, [Square(size - g * r)])


def _alignment() -> Check:
    """The same divided by a + b: psi = 2 g / (a + b) = 2 sqrt(chi) / (1 + chi)."""
    a, b, g, inner, product, psi = reals("a b g inner product psi")
    inputs = [a > 0, b >= a, g > 0, g * g == a * b, product >= 0, (a + b) * inner >= 2 * g * product]
    inputs += [psi * (a + b) == 2 * g]
    return smt(Query(inputs, inner >= psi * product, control=inner >= product))


def _psi_at_most_one() -> Check:
    a, b, g, psi = reals("a b g psi")
    inputs = [a > 0, b >= a, g > 0, g * g == a * b, psi * (a + b) == 2 * g]
    return smt(Query(inputs, psi <= 1, control=psi < 1))


def cauchy_schwarz() -> Check:
    """From s^2 <= p q, one coordinate more: (s + x y)^2 <= (p + x^2)(q + y^2)."""
    p, q, s, x, y = reals("p q s x y")
    inputs = [p >= 0, q >= 0, s * s <= p * q]
    right = (p + x * x) * (q + y * y)
    return smt(Query(inputs, (s + x * y) * (s + x * y) <= right, control=(s + x * y) * (s + x * y) <= p * q))


def _triangle() -> Check:
    """|M|^2 = |D|^2 + 2 <D, M - D> + lost^2 and |<D, M - D>| <= |D| lost give |M| >= |D| - lost."""
    M, D, inner, lost = reals("M D inner lost")
    inputs = [M >= 0, D >= 0, lost >= 0, D * D + 2 * inner + lost * lost == M * M, inner >= -D * lost]
    return smt(Query(inputs, D - lost <= M, control=M >= D))


def _direction() -> Check:
    """<D, r> / |r| from the alignment of M, |M| >= |D| - lost and <M - D, r> <= lost |r|, lost = |e| + decay."""
    psi, D, M, lost, along = reals("psi D M lost downhill")
    inputs = [psi >= 0, psi <= 1, D >= 0, M >= 0, lost >= 0, D - lost <= M, along >= psi * M - lost]
    return smt(Query(inputs, along >= psi * D - (1 + psi) * lost, control=along >= psi * D - lost))


def _with_eps2() -> Check:
    """Its shortening: rho q >= q - psi eps2 phi b for rho (r + eps2 phi) = r and q <= psi |M| <= psi b r."""
    phi, rho, q, psi, eps2, b, r = reals("phi rho q psi eps2 b r")
    inputs = [phi > 0, eps2 >= 0, r > 0, b > 0, psi >= 0, rho * (r + eps2 * phi) == r, q <= psi * b * r]
    return smt(Query(inputs, rho * q >= q - psi * eps2 * phi * b, control=rho * q >= q))


def _where_r_is_zero() -> Check:
    """M = 0 leaves the layer where it is; then |D| <= lost, and its bracket is at most 0."""
    psi, D, lost = reals("psi D lost")
    inputs = [psi >= 0, psi <= 1, D >= 0, lost >= D]
    return smt(Query(inputs, psi * D - (1 + psi) * lost <= 0, control=D - psi * lost <= 0))


def _descent() -> Check:
    """One layer joins the others: smoothness with the step's length eta phi rho <= eta phi."""
    f, after, eta, phi, rho, psi, D, e, decay, eps2, W, L = reals("f after eta phi rho psi D e decay epsilon2 W L")
    along, others, bound, bracket = reals("downhill others bound bracket")
    inputs = [eta > 0, phi > 0, L > 0, rho >= 0, rho <= 1, others <= bound]
    inputs += [bracket == psi * D - (1 + psi) * (e + decay) - psi * eps2 * phi * W, rho * along >= bracket]
    inputs += [after <= f + others - eta * phi * rho * along + L / 2 * eta * eta * phi * phi * rho * rho]
    right = f + bound - eta * phi * bracket + L / 2 * eta * eta * phi * phi
    return smt(Query(inputs, after <= right, control=after <= f + bound - eta * phi * bracket))


Field = Callable[[np.ndarray], np.ndarray]


@dataclass
class _Case:
    """A random indefinite quadratic, a setting of ALTO, a start of R = 8 replicas, and noise."""

    rng: np.random.Generator
    sizes: tuple[int, ...]
    value: Field
    gradient: Field
    L: float
    alto: ALTO
    start: np.ndarray
    eta: float
    noise: float

    def noisy(self, theta: np.ndarray) -> np.ndarray:
        return self.gradient(theta) + self.noise * self.rng.normal(size=theta.shape)


def _case(seed: int) -> _Case:
    """Also LAMB, both algorithms, decay, and layers that start at zero."""
    rng = np.random.default_rng(seed)
    sizes = tuple(int(n) for n in rng.integers(1, 5, size=rng.integers(1, 4)))
    d = sum(sizes)
    A, b = rng.normal(size=(d, d)), rng.normal(size=d)
    A = (A + A.T) / 2 * 10 ** rng.uniform(-1, 1)
    beta1, c = rng.uniform(0, 0.95), rng.uniform(-0.95, 0.95) * (rng.random() < 0.75)
    eps1, eps2, eps3 = 10 ** rng.uniform(-3, 1), 10 ** rng.uniform(-3, 1), 10 ** rng.uniform(-6, 0)
    alto = ALTO(
        -c / (1 - beta1), beta1, rng.uniform(0, 0.95), rng.uniform(0, 0.99), eps1, eps2, eps3,
        weight_decay=10 ** rng.uniform(-3, 1), bias_correction=bool(rng.integers(2)), layerwise=True,
        zero_norm_factor_one=bool(rng.integers(2)),
    )  # fmt: skip
    start = rng.normal(size=(8, d)) * 10 ** rng.uniform(-2, 1)
    start[:, : sizes[0]] *= rng.integers(2)
    return _Case(
        rng, sizes, lambda x: ((x @ A) * x).sum(-1) / 2 + x @ b, lambda x: x @ A + b,
        float(np.abs(np.linalg.eigvalsh(A)).max()), alto, start, 10 ** rng.uniform(-3, 0), 10 ** rng.uniform(-2, 1),
    )  # fmt: skip


STEPS = 12


def _literal(seed: int, **changed: bool) -> tuple[_Case, np.ndarray, theorem.Layers]:
    """The case, theta of a run of the literal algorithm, and the theorem's terms."""
    case = _case(seed)
    case.alto = replace(case.alto, **changed)
    run = record(
        case.alto, lambda _, x: case.noisy(x), case.start, steps=STEPS, eta=lambda _: case.eta, layers=case.sizes
    )
    return case, run.theta, theorem.of_run(run, case.alto, case.gradient(run.theta[:-1]))


def _library(seed: int) -> tuple[_Case, np.ndarray, theorem.Layers]:
    """The same for alto.ALTO, or alto.LAMB at alpha = 0: engine ``single``, float64, one replica."""
    case = _case(seed)
    rule, ends = case.alto, np.cumsum(case.sizes)[:-1]
    params = [torch.nn.Parameter(torch.tensor(x)) for x in np.split(case.start[0], ends)]
    make: Any = library.ALTO if rule.alpha else library.LAMB
    given = {"alpha": rule.alpha, "beta1": rule.beta1} if rule.alpha else {}
    optimizer = make(
        params, lr=case.eta, betas=(rule.beta2, rule.beta3), eps=(rule.eps1, rule.eps2, rule.eps3), foreach=False,
        fused=False, weight_decay=rule.weight_decay, bias_correction=rule.bias_correction, **given,
    )  # fmt: skip

    def together(tensors: Sequence[torch.Tensor]) -> np.ndarray:
        return torch.cat([x.detach() for x in tensors]).numpy()

    theta, m, W = [together(params)], [], []
    for k in range(1, STEPS + 1):
        for p, g in zip(params, np.split(case.noisy(theta[-1]), ends), strict=True):
            p.grad = torch.tensor(g)
        optimizer.step()
        theta.append(together(params))
        m.append(together([optimizer.state[p]["exp_avg"] for p in params]))
        v = together([optimizer.state[p]["exp_avg_sq"] for p in params])
        first, second = (1 - rule.beta2**k, 1 - rule.beta3**k) if rule.bias_correction else (1.0, 1.0)
        W.append(first * (np.sqrt(v / second) + rule.eps1))
    path, momentum, widths = (np.array(x)[:, None] for x in (theta, m, W))
    found = theorem.layers(
        path[:-1], momentum, widths, case.gradient(path[:-1]), decay=rule.weight_decay, eps2=rule.eps2, eps3=rule.eps3,
        sizes=case.sizes, factor_one=True,
    )  # fmt: skip
    return case, path, found


def _chain(case: _Case, theta: np.ndarray, found: theorem.Layers) -> None:
    stage.check(theorem.stages(found, theta, case.value, sizes=case.sizes, eta=case.eta, L=case.L))


def _without_psi(case: _Case, theta: np.ndarray, found: theorem.Layers) -> None:
    """False: the chain with psi = 1."""
    _chain(case, theta, replace(found, psi=np.ones_like(found.psi)))


def _literal_chain(seed: int) -> None:
    _chain(*_literal(seed))


def _library_chain(seed: int) -> None:
    _chain(*_library(seed))


def _false_literal_chain(seed: int) -> None:
    _without_psi(*_literal(seed))


def _false_library_chain(seed: int) -> None:
    _without_psi(*_library(seed))


def _terms_are_needed(_: Effort) -> tuple[str, dict[str, float]]:
    """How far the bound without one of its terms is exceeded in the worst of 200 runs."""
    worst = {"eps2": 0.0, "decay": 0.0, "the error": 0.0, "the curvature": 0.0}
    for seed in range(200):
        case, theta, found = _literal(seed)
        fell = np.diff(case.value(theta), axis=0)
        size = np.abs(fell) + np.abs(found.fall(case.eta, case.L))
        for name, right in {
            "eps2": replace(found, shortened=0 * found.shortened).fall(case.eta, case.L),
            "decay": replace(found, decay=0 * found.decay).fall(case.eta, case.L),
            "the error": replace(found, error=0 * found.error).fall(case.eta, case.L),
            "the curvature": found.fall(case.eta, 0.0),
        }.items():
            worst[name] = max(worst[name], float(((fell - right) / size).max()))
    assert min(worst.values()) > 0.01, f"{worst}"
    said = ", ".join(f"for {name} by {100 * excess:.0f} %" for name, excess in worst.items())
    return f"200 runs; the bound without its term is exceeded, relative to both sides: {said}", worst


def _smoothness_is_needed(_: Effort) -> str:
    """On f = |theta| one step of eta = 3 from close to the kink, against the bound with L = 1000."""
    alto = ALTO(0.0, 0.9, 0.0, 0.9, 1e-6, 0.0, 0.0, 0.0, bias_correction=False, layerwise=True)
    run = record(alto, lambda _, x: np.sign(x), np.full((1, 1), 1e-6), steps=1, eta=lambda _: 3.0)
    allowed = theorem.of_run(run, alto, np.sign(run.theta[:-1])).fall(3.0, 1000.0).item()
    rose = float(np.diff(np.abs(run.theta), axis=0).item())
    assert rose > 0 > allowed, f"{rose}, {allowed}"
    return f"f = |theta| rises by {rose:.1g} where the bound with L = 1000 has it fall by {-allowed:.1g}"


def _layerwise_is_needed(_: Effort) -> str:
    """The same formula for a tensor without the layer factor, f = theta^2 / 2: its step may be longer than eta phi."""
    alto = ALTO(0.0, 0.9, 0.0, 0.9, 1e-6, 0.0, 0.0, 0.0, bias_correction=False, layerwise=False)
    run = record(alto, lambda _, x: x, np.full((1, 1), 0.1), steps=1, eta=lambda _: 0.5)
    allowed = theorem.of_run(run, alto, run.theta[:-1]).fall(0.5, 1.0).item()
    changed = float(np.diff(run.theta**2 / 2, axis=0).item())
    assert changed > allowed, f"{changed}, {allowed}"
    return f"without the layer factor f changes by {changed:.2g}, the formula allows {allowed:.2g}"


SMOOTH = r"$f$ $L$-smooth"

pathwise = Claim(
    id="ours-normalised-step",
    source="ours",
    statement=(
        r"One step of ALTO (Algorithm 1 or 2, all tensors layerwise) or LAMB, on every path: $f(\theta_{k+1}) \le "
        r"f(\theta_k) - \eta \sum_i \phi_i [\psi_i \|D_i\| - (1+\psi_i)(\|e_i\| + \gamma \|W_i \theta_i\|) - "
        r"\psi_i \epsilon_2 \phi_i \max W_i] + \frac{L\eta^2}{2} \sum_i \phi_i^2$ with $\phi_i = \|\theta_i\| + "
        r"\epsilon_3$, $e = m - D$, $\psi_i = 2\sqrt{\chi_i}/(1+\chi_i)$, $\chi_i = \max W_i / \min W_i$ over layer "
        r"$i$."
    ),
    plain="One step of ALTO or LAMB lowers f by an amount in which 1/(eps2 eps3) does not occur.",
    assumptions=(
        SMOOTH, r"$W = \sqrt{v} + \epsilon_1$; under bias correction $(1-\beta_2^k)(\sqrt{\hat v} + \epsilon_1)$",
        r"$\gamma$ is the weight decay inside $r$; any $g_k$, no bound and no noise model",
        r"where the library takes the factor 1, at $\theta_i = 0$: $\phi_i = \|r_i\|$ and no term of $\epsilon_2$",
    ),
    evidence=(
        formal(
            "every step of the literal algorithm, and with the library's factor 1", LIBRARY, "alto_falls", "psi_is",
            "python_falls",
        ),
        proof(
            "alignment, direction, length, descent",
            Piece("a <= W <= b: (a + b) <M, r> >= |M|^2 + a b |r|^2, one coordinate more (base: 0)", _coordinates),
            Piece(">= 2 sqrt(a b) |M| |r|", _means),
            Piece("<M, r> >= psi |M| |r|", _alignment),
            Piece("psi <= 1", _psi_at_most_one),
            Piece("Cauchy-Schwarz, one coordinate more (base: 0 <= 0)", cauchy_schwarz),
            Piece("|M| >= |D| - lost, lost = |e| + gamma |W theta|", _triangle),
            Piece("<D, r> >= |r| (psi |D| - (1 + psi) lost)", _direction),
            Piece("eps2 > 0 shortens the step: phi for phi rho costs psi eps2 phi^2 b", _with_eps2),
            Piece("r_i = 0: the layer stays, and its bracket is at most 0", _where_r_is_zero),
            Piece("f(theta+) <= f + <D, theta+ - theta> + L/2 |theta+ - theta|^2, one layer more", _descent,
                  concludes=True),
        ),
        holds_for(
            "alto.ALTO and alto.LAMB (engine single, float64) on random indefinite quadratics",
            _library_chain, seed=strategies.seeds, control=_false_library_chain, share=0.15,
        ),
        holds_for(
            "literal ALTO, 8 replicas", _literal_chain, seed=strategies.seeds, control=_false_literal_chain, share=0.3,
        ),
        enumerated("each term is needed", _terms_are_needed),
        enumerated("smoothness is needed", _smoothness_is_needed),
        enumerated("the layer factor is needed", _layerwise_is_needed),
    ),
)  # fmt: skip

# --------------------------------------------------------------------------------------------- where a layer is small


def _phi_rises() -> Check:
    """From |theta+| <= |theta| + eta phi follows phi+ <= (1 + eta) phi."""
    size, new, eta, phi, eps3, after = reals("theta new eta phi eps3 after")
    inputs = [eta > 0, eps3 >= 0, size >= 0, phi == size + eps3, after == new + eps3, new - size <= eta * phi]
    return smt(Query(inputs, after <= (1 + eta) * phi, control=after <= (1 + eta / 2) * phi))


def _phi_falls() -> Check:
    size, new, eta, phi, eps3, after = reals("theta new eta phi eps3 after")
    inputs = [eta > 0, eps3 >= 0, size >= 0, phi == size + eps3, after == new + eps3, size - new <= eta * phi]
    return smt(Query(inputs, after >= (1 - eta) * phi, control=after >= phi))


def _grows_exactly() -> Check:
    """One weight theta >= 0, r < 0, eps2 = 0: theta+ = theta - eta phi r / |r| makes phi+ exactly (1 + eta) phi."""
    theta, r, eta, eps3 = sp.symbols("theta r eta epsilon3", real=True)
    phi = theta + eps3
    return identity(theta - eta * phi * r / -r + eps3, (1 + eta) * phi)


def _always_downhill() -> Check:
    """The direction of a constant gradient of -1: from h in [-1, 0], m <= 0 follow h+ in [-1, 0], u < 0 and m+ < 0."""
    beta1, beta2, c, h, m = reals("beta1 beta2 c h m")
    inputs = [beta1 >= 0, beta1 < 1, beta2 >= 0, beta2 < 1, c > -1, c < 1, h >= -1, h <= 0, m <= 0]
    slow, u = beta1 * h - (1 - beta1), -(1 - c) + c * h
    moved = beta2 * m + (1 - beta2) * u
    holds = z3.And(slow >= -1, slow <= 0, u < 0, moved < 0)
    return smt(Query(inputs, holds, control=holds, control_hypotheses=[*inputs[:4], c > -1, c < 2, *inputs[6:]]))


def _attained(beta1: float, c: float, beta2: float, beta3: float, eta: float, corrected: bool) -> None:
    """Literal ALTO on f = -theta from 0: 60 steps, against eps3 (1 + eta)^k."""
    alto = ALTO(-c / (1 - beta1), beta1, beta2, beta3, 1e-6, 0.0, 1e-9, 0.0, bias_correction=corrected, layerwise=True)
    run = record(alto, lambda _, x: np.full_like(x, -1.0), np.zeros((1, 1)), steps=60, eta=lambda _: eta)
    assert np.allclose(run.theta[:, 0, 0] + 1e-9, 1e-9 * (1 + eta) ** np.arange(61), rtol=1e-9, atol=0)


def _phi_along(seed: int) -> None:
    case, _, found = _literal(seed, zero_norm_factor_one=False)
    assert (found.phi[1:] <= (1 + case.eta) * found.phi[:-1] * (1 + 1e-9)).all()
    assert (found.phi[1:] >= (1 - case.eta) * found.phi[:-1] * (1 - 1e-9)).all()


def _weights_are_needed(_: Effort) -> tuple[str, dict[str, float]]:
    """On f = sqrt(1 + (theta - 1)^2), from 0 with a tiny eps3: phi grows by 1 + eta, and |D| stays near its start."""
    eta, T, eps3 = 0.02, 2500, 1e-25
    alto = ALTO(0.0, 0.9, 0.0, 0.9, 1e-6, 0.0, eps3, 0.0, bias_correction=False, layerwise=True)

    def slope(x: np.ndarray) -> np.ndarray:
        return (x - 1) / np.sqrt(1 + (x - 1) ** 2)

    run = record(alto, lambda _, x: slope(x), np.zeros((1, 1)), steps=T, eta=lambda _: eta)
    D = slope(run.theta[:-1])
    found = theorem.of_run(run, alto, D)
    assert np.allclose(found.phi[:, 0, 0], eps3 * (1 + eta) ** np.arange(T), rtol=1e-9)
    bound = theorem.mean_weighted_gradient(
        bounds.tracking_by_recursion(Filter(0.0, 0.9, 0.0)), eta=eta, T=T, gap=2**0.5 - 1, first=0.5, variance=0.0,
        L=1.0, reach=float(found.reach.max()),
    )  # fmt: skip
    weighted, unweighted = float(found.weighted.mean()), float(np.abs(D).mean())
    assert weighted <= bound < unweighted / 10, f"{weighted}, {bound}, {unweighted}"
    said = f"phi = eps3 (1 + eta)^k; after {T} steps the mean of |D| is {unweighted:.2f}, of phi |D| {weighted:.1e}, "
    return f"{said}the bound {bound:.2g}", {"unweighted": unweighted, "weighted": weighted, "bound": bound}


small_layer = Claim(
    id="ours-small-layer",
    source="ours",
    statement=(
        r"In ALTO and LAMB a layer's weight in the bound changes by a factor in $[1-\eta, 1+\eta]$ per step: "
        r"$(1-\eta)\phi_i \le \phi_i^+ \le (1+\eta)\phi_i$, $\phi_i = \|\theta_i\| + \epsilon_3$. So a layer that "
        r"starts at 0 has $\phi_i \le \epsilon_3 (1+\eta)^k$ after $k$ steps, whatever its gradient; this is attained "
        r"by one weight on $f = -\theta$ with $\epsilon_2 = \gamma = 0$, for every $|c| < 1$. "
        r"The bound of the gradient without the weights costs the factor $1/\min_k \phi_i$, and is false without it."
    ),
    plain="A layer's weight grows by at most a factor 1 + eta per step: one that starts at 0 stays there for long.",
    assumptions=(
        r"layerwise, the paper's $\phi$. The library takes the factor 1 for a layer of norm 0, which then leaves 0 in "
        r"one step of length $\eta \|r_i\|$; from there on the statement holds for it, too",
    ),
    rests_on=("ours-normalised-step",),
    evidence=(
        proof(
            "the length of a step",
            Piece("| |theta+| - |theta| | <= |theta+ - theta| <= eta phi: the triangle inequality", _triangle),
            Piece("phi+ <= (1 + eta) phi", _phi_rises, concludes=True),
            Piece("phi+ >= (1 - eta) phi", _phi_falls),
        ),
        proof(
            "attained on f = -theta",
            Piece("u_k < 0 and m_k < 0 at every step: from one step to the next (base: h = m = 0)", _always_downhill),
            Piece("so r_k < 0, and phi grows by exactly 1 + eta", _grows_exactly, concludes=True),
        ),
        holds_for("literal ALTO on random quadratics", _phi_along, share=0.3, seed=strategies.seeds),
        holds_for(
            "literal ALTO attains it, float64 to 1e-9", _attained, share=0.3, beta1=st.floats(0, 0.95),
            c=st.floats(-0.95, 0.95), beta2=st.floats(0, 0.95), beta3=st.floats(0, 0.999), eta=st.floats(1e-3, 1),
            corrected=st.booleans(),
        ),
        enumerated("the weights are needed: one weight from 0", _weights_are_needed),
    ),
)  # fmt: skip

CLAIMS = (pathwise, small_layer)
