"""A small tanh network on a smooth target, and R copies of it trained side by side without autograd; float64.

The loss of one copy is half the mean squared error over 128 points. Parameters are six tensors
(W1, b1, W2, b2, W3, b3); the batched functions want a copy axis first: (R, fan_in, fan_out) and (R, 1, fan_out).
"""

from itertools import pairwise

import torch

WIDTHS = (8, 32, 32, 1)
POINTS = 128

Parameters = list[torch.Tensor]


def problem(generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, Parameters]:
    """Inputs (128, 8), targets (128, 1) and the starting weights, matrices (fan_in, fan_out) and biases (fan_out,)."""
    x = torch.randn(POINTS, WIDTHS[0], generator=generator, dtype=torch.float64)
    y = torch.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:3] / 2
    weights: Parameters = []
    for fan_in, fan_out in pairwise(WIDTHS):
        matrix = torch.randn(fan_in, fan_out, generator=generator, dtype=torch.float64) * 1.5 / fan_in**0.5
        weights += [matrix, torch.zeros(fan_out, dtype=torch.float64)]
    return x, y, weights


def copies(weights: Parameters, count: int) -> Parameters:
    """``count`` equal copies, with the copy axis first."""
    return [(w if w.ndim == 2 else w[None]).repeat(count, 1, 1) for w in weights]


def forward(weights: Parameters, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The two hidden layers, (R, 128, 32) each, and the output (R, 128, 1)."""
    w1, b1, w2, b2, w3, b3 = weights
    first = torch.tanh(torch.matmul(x, w1) + b1)
    second = torch.tanh(torch.bmm(first, w2) + b2)
    return first, second, torch.bmm(second, w3) + b3


def gradient(weights: Parameters, x: torch.Tensor, y: torch.Tensor) -> Parameters:
    """The gradient of each copy's loss; ``y`` has shape (128, 1), or (R, 128, 1) for targets of its own."""
    _, _, w2, _, w3, _ = weights
    first, second, output = forward(weights, x)
    error = (output - y) / POINTS
    back2 = (error @ w3.mT) * (1 - second**2)
    back1 = torch.bmm(back2, w2.mT) * (1 - first**2)
    return [
        torch.matmul(x.mT, back1), back1.sum(1, keepdim=True),
        torch.bmm(first.mT, back2), back2.sum(1, keepdim=True),
        torch.bmm(second.mT, error), error.sum(1, keepdim=True),
    ]  # fmt: skip


def loss(weights: Parameters, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Half the mean squared error of each copy; shape (R,)."""
    return ((forward(weights, x)[2] - y) ** 2).mean((1, 2)) / 2


def curvature(weights: Parameters, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Trace and top eigenvalue of each copy's Gauss-Newton matrix J'J / 128; shapes (R,).

    It is the Hessian where the network fits its targets: the rest is weighted by the residuals.
    """
    _, _, w2, _, w3, _ = weights
    first, second, _ = forward(weights, x)
    back2 = w3.mT * (1 - second**2)
    back1 = torch.bmm(back2, w2.mT) * (1 - first**2)
    # J J' from the layers: the rows of J are outer products of a layer's inputs (and 1, for its bias) with its errors
    kernel = (
        (1 + x @ x.mT) * torch.bmm(back1, back1.mT)
        + (1 + torch.bmm(first, first.mT)) * torch.bmm(back2, back2.mT)
        + (1 + torch.bmm(second, second.mT))
    ) / POINTS
    return kernel.diagonal(dim1=1, dim2=2).sum(1), torch.linalg.eigvalsh(kernel)[:, -1]
