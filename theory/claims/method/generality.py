"""Algorithm 5: E in front of any base optimizer, which then sees u_k in place of g_k (paper, Algorithm 5)."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from hypothesis import strategies as st
from torch.optim import SGD, Adadelta, Adafactor, Adagrad, Adam, Adamax, AdamW, Muon, NAdam, Optimizer, RAdam, RMSprop

from alto import E
from theory.ledger.claim import Claim
from theory.ledger.evidence import holds_for
from theory.method.sequences import explored
from theory.method.strategies import seeds

BASES = (SGD, Adam, AdamW, NAdam, RAdam, Adamax, Adagrad, Adadelta, Adafactor, RMSprop, Muon)
STEPS, SHAPE = 8, (3, 2)

Slope = Callable[[torch.Tensor], torch.Tensor]


def _quadratic(theta: torch.Tensor) -> torch.Tensor:
    return theta + torch.sin(3 * theta)


def _differences(theta: torch.Tensor) -> torch.Tensor:
    """A zero-order estimate of the gradient: central differences of the loss, one coordinate at a time."""

    def loss(x: torch.Tensor) -> torch.Tensor:
        return (x**2 / 2 - torch.cos(3 * x) / 3).sum()

    moves = 1e-3 * torch.eye(theta.numel(), dtype=theta.dtype).reshape(-1, *theta.shape)
    return torch.stack([(loss(theta + move) - loss(theta - move)) / 2e-3 for move in moves]).reshape(theta.shape)


def _run(step: Callable[[torch.Tensor], None], theta: torch.Tensor, slope: Slope) -> None:
    for _ in range(STEPS):
        theta.grad = slope(theta.detach())
        step(theta)


def _base_sees_u(
    base: Callable[..., Optimizer], seed: int, c: float, beta1: float, estimated: bool, *, share: float = 1.0
) -> None:
    """E(base), and the base fed u_k by the definition with ``share`` times alpha, take the same steps at share 1."""
    start = torch.from_numpy(np.random.default_rng(seed).normal(size=SHAPE))
    alpha, slope = -c / (1 - beta1), _differences if estimated else _quadratic
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    adaptor, plain, seen = E(base([ours], lr=0.01), alpha=alpha, beta1=beta1), base([theirs], lr=0.01), []

    def literal(theta: torch.Tensor) -> None:
        seen.append(theta.grad)
        theta.grad = explored(seen, share * alpha, beta1)[-1]
        plain.step()

    _run(lambda _: adaptor.step(), ours, slope)
    _run(literal, theirs, slope)
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11)


generality = Claim(
    id="algorithm-5-generality",
    source="paper, Section 2 (Algorithm 5)",
    statement=(
        "E in front of any base optimizer is the base fed $u_k$ in place of $g_k$, also where the gradient is only "
        "estimated from values of the loss."
    ),
    plain="E works in front of any base optimizer, first-order, matrix-valued or with estimated gradients.",
    found="True of eleven of torch's optimizers, Muon among them, and of estimated gradients. Shampoo was not tried.",
    evidence=(
        holds_for(
            f"{len(BASES)} bases, float64, {STEPS} steps, relative 1e-9",
            _base_sees_u,
            control=partial(_base_sees_u, share=0.0),
            base=st.sampled_from(BASES),
            seed=seeds,
            c=st.floats(-0.9, 0.9),
            beta1=st.floats(0, 0.99),
            estimated=st.booleans(),
        ),
    ),
)

CLAIMS = (generality,)
