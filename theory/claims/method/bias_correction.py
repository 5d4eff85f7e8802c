"""What bias correction does to LAMB: nothing where the layer factor acts, a rate where it does not."""

from fractions import Fraction

from hypothesis import strategies as st

from theory.ledger.claim import Claim
from theory.ledger.evidence import Effort, Finding, Outcome, Piece, holds_for, measured, proof
from theory.ledger.provers import Check, Query, reals, smt

m, w, p, q, phi, norm, corrected_norm = reals("m w p q phi N M")  # w = sqrt(v), p = 1 - beta2^k, q = sqrt(1 - beta3^k)
direction, corrected = m / w, (m / p) / (w / q)
BETA2 = Fraction(9, 10)
"""The first decay rate of the paper and of every LAMB that we know."""


def rate(k: int, beta3: Fraction, beta2: Fraction = BETA2) -> float:
    """f_k: a step without bias correction over the step with it, where no layer factor acts."""
    return float((1 - beta2**k) ** 2 / (1 - beta3**k)) ** 0.5


def _normalised() -> Check:
    """One coordinate of the step: N and M are the layer's norms without bias correction and with it."""
    positive = [p > 0, q > 0, w > 0, norm > 0, corrected_norm > 0]
    norms = corrected_norm * corrected_norm * p * p == q * q * norm * norm
    left, right = phi * corrected / corrected_norm, phi * direction / norm
    return smt(Query([*positive, norms], left == right, control=left == right * q / p))


def _scaled() -> Check:
    return smt(Query([p > 0, q > 0, w > 0], direction == p / q * corrected, control=direction == corrected))


def _largest(beta3: Fraction) -> Check:
    """The largest f_k over all k >= 1, in exact rationals.

    f_k^2 < 1 / (1 - beta3^k), which falls with k: from where this is below the largest f_k^2 found, no k can exceed it.
    """
    best, where, k = Fraction(0), 0, 1
    while best == 0 or 1 / (1 - beta3**k) >= best:
        square = (1 - BETA2**k) ** 2 / (1 - beta3**k)
        if square > best:
            best, where = square, k
        k += 1
    detail = (
        f"f_k is largest at k = {where}, where it is {float(best) ** 0.5:.4f}; from k = {k} on the bound is below it"
    )
    return Check(best > 1, "exact rationals", detail, float(best) ** 0.5)


_RATES = {f"beta3 = {float(beta3):g}": beta3 for beta3 in (Fraction(99, 100), Fraction(999, 1000))}
_SAID = " and ".join(f"{_largest(beta3).value:.2f} at {name}" for name, beta3 in _RATES.items())


def _steps(
    gradients: list[list[float]],
    *,
    beta3: float,
    eps: float | tuple[float, float, float],
    decay: float,
    layerwise: bool,
) -> list[list]:
    """The steps that alto.LAMB takes on given gradients, corrected and not, from the same weights each time."""
    import torch

    import alto

    found = []
    for corrected in (True, False):
        weight = torch.nn.Parameter(torch.linspace(1.0, 2.0, len(gradients[0]), dtype=torch.float64))
        optimizer = alto.LAMB(
            [weight], lr=1e-3, betas=(float(BETA2), beta3), eps=eps, weight_decay=decay, bias_correction=corrected,
            layerwise=layerwise,
        )  # fmt: skip
        start, steps = weight.detach().clone(), []
        for gradient in gradients:
            weight.grad = torch.tensor(gradient, dtype=torch.float64)
            optimizer.step()
            steps.append((weight.detach() - start).clone())
            weight.data.copy_(start)
        found.append(steps)
    return found


def _library_follows(gradients: list[list[int]], beta3: float) -> None:
    numbers = [[float(number) for number in gradient] for gradient in gradients]
    for layerwise in (True, False):
        for k, (with_it, without) in enumerate(
            zip(*_steps(numbers, beta3=beta3, eps=(1e-30, 1e-30, 1e-30), decay=0.0, layerwise=layerwise), strict=True),
            start=1,
        ):
            factor = 1.0 if layerwise else rate(k, Fraction(beta3))
            assert (without - factor * with_it).abs().max() <= 1e-9 * with_it.abs().max(), (layerwise, k)


def _no_rate(gradients: list[list[int]], beta3: float) -> None:
    """False: bias correction changes no step where no layer factor acts."""
    numbers = [[float(number) for number in gradient] for gradient in gradients]
    first, second = _steps(numbers, beta3=beta3, eps=(1e-30, 1e-30, 1e-30), decay=0.0, layerwise=False)
    assert (second[0] - first[0]).abs().max() <= 1e-9


def _with_epsilon_and_decay(_: Effort) -> Finding:
    """The default eps and decay: how far the two facts hold on a network's own gradients."""
    import torch

    torch.manual_seed(0)
    x = torch.randn(256, 8, dtype=torch.float64)
    y = torch.sin(x.sum(1, keepdim=True))
    layers = [torch.nn.Linear(8, 16), torch.nn.BatchNorm1d(16), torch.nn.Tanh(), torch.nn.Linear(16, 1)]
    model = torch.nn.Sequential(*layers).double()
    loss = torch.nn.functional.mse_loss
    weight, gain = model[0].weight, model[1].weight
    assert isinstance(weight, torch.Tensor)
    assert isinstance(gain, torch.Tensor)
    gradients: list[tuple[list, list]] = []
    descent = torch.optim.SGD(model.parameters(), lr=0.05)
    for _step in range(40):
        descent.zero_grad()
        loss(model(x), y).backward()
        assert weight.grad is not None
        assert gain.grad is not None
        gradients.append((weight.grad.flatten().tolist(), gain.grad.tolist()))
        descent.step()
    off = {}
    for name, place, layerwise in (("weights", 0, True), ("gains", 1, False)):
        pairs = _steps(
            [g[place] for g in gradients], beta3=0.999, eps=1e-6, decay=1e-4 * layerwise, layerwise=layerwise
        )
        off[name] = max(
            float((b - (1.0 if layerwise else rate(k, Fraction(999, 1000))) * a).norm() / b.norm())
            for k, (a, b) in enumerate(zip(*pairs, strict=True), start=1)
        )
    said = ", ".join(f"{name}: {100 * value:.3g} %" for name, value in off.items())
    outcome = Outcome.SUPPORTS if max(off.values()) < 0.1 else Outcome.CONTRADICTS
    return Finding(
        outcome, f"largest relative deviation of a step in norm over {len(gradients)} steps, beta3 = .999: {said}"
    )


CLAIMS = (
    Claim(
        id="ours-bias-correction-is-a-rate",
        source="ours, on the paper's Algorithms 1 and 2 without E, which are LAMB",
        statement=(
            r"With $\epsilon_1 = \epsilon_2 = 0$ and no weight decay, LAMB with and without bias correction take the "
            r"same step wherever the layer factor acts: "
            r"$\eta \phi\, m_k / (\sqrt{v_k}\, \|m_k/\sqrt{v_k}\|)$ in each coordinate. Where it does not act (norm "
            r"and bias parameters), the step without bias correction is $f_k = (1-\beta_2^k)/\sqrt{1-\beta_3^k}$ times "
            r"the step with it, at step $k$."
        ),
        plain="Bias correction changes LAMB only by a rate on norm and bias parameters, up to epsilon and decay.",
        found=f"True without epsilon and decay. Leaving bias correction out multiplies that rate by up to {_SAID}.",
        assumptions=(
            r"$\epsilon_1 = \epsilon_2 = 0$, no weight decay; layers that are not zero",
            "with the default epsilons and decay the steps of a small network are within 10 % of this (measured)",
        ),
        evidence=(
            proof(
                "the corrected direction is a multiple of the other, and normalising removes it",
                Piece("the sum of squares over a layer: sum of (s r)^2 = s^2 times the sum of r^2, s = q/p"),
                Piece("with the layer factor the steps are equal", _normalised, concludes=True),
                Piece("without it the step without bias correction is p/q times the other", _scaled, concludes=True),
                *(Piece(f"largest f_k, {name}", lambda beta3=beta3: _largest(beta3)) for name, beta3 in _RATES.items()),
            ),
            holds_for(
                "alto.LAMB takes these steps, float64, to 1e-9",
                _library_follows,
                control=_no_rate,
                share=0.2,
                gradients=st.lists(st.lists(st.integers(1, 9), min_size=3, max_size=3), min_size=1, max_size=15),
                beta3=st.sampled_from([0.9375, 0.984375, 0.9990234375]),  # exact in binary, as in the formula
            ),
            measured("a network's gradients, default epsilon and decay", _with_epsilon_and_decay),
        ),
    ),
)
