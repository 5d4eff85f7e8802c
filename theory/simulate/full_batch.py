"""Full-batch E(SGD) on a small real network: its loss and its sharpness along the run (ours)."""

from dataclasses import dataclass

import torch

from theory.simulate import network

PROBE_EVERY, HVPS = 100, 15


@dataclass(frozen=True)
class Run:
    """What was seen along a run.

    Attributes:
        loss: before each step; it ends early if it passes 1e30 or is not finite.
        sharpness: top Hessian eigenvalue after every 100th step; empty if it was not asked for.
    """

    loss: list[float]
    sharpness: list[float]

    @property
    def settled(self) -> float:
        """The mean sharpness over the last quarter of the run."""
        last = self.sharpness[-max(1, len(self.sharpness) // 4) :]
        return sum(last) / len(last)


def loss(weights: network.Parameters, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Half the mean squared error of one network of :mod:`theory.simulate.network`, without a copy axis."""
    return _halved(_forward(weights, x)[2] - y)


def _halved(error: torch.Tensor) -> torch.Tensor:
    return (error**2).mean() / 2


def _forward(weights: network.Parameters, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    w1, b1, w2, b2, w3, b3 = weights
    first = torch.tanh(x @ w1 + b1)
    second = torch.tanh(first @ w2 + b2)
    return first, second, second @ w3 + b3


def _loss_and_gradient(
    weights: network.Parameters, x: torch.Tensor, y: torch.Tensor, into: network.Parameters
) -> torch.Tensor:
    """The loss; its gradient is written to ``into``. Autograd's own products: the same bits in half the time."""
    _, _, w2, _, w3, _ = weights
    first, second, output = _forward(weights, x)
    error = output - y
    back3 = error / len(y)
    back2 = torch.ops.aten.tanh_backward(back3 @ w3.T, second)
    back1 = torch.ops.aten.tanh_backward(back2 @ w2.T, first)
    for layer, inputs, back in ((0, x, back1), (2, first, back2), (4, second, back3)):
        torch.mm(inputs.T, back, out=into[layer])
        torch.sum(back, 0, out=into[layer + 1])
    return _halved(error)


def train(
    alpha: float, beta1: float, *, eta: float, steps: int, beta2: float = 0.0, probe_sharpness: bool = True
) -> Run:
    """Train with ESGD (Algorithm 3: momentum without a factor 1 - beta2) from one fixed start.

    Args:
        alpha: exploration strength.
        beta1: decay rate of the slow average.
        eta: learning rate.
        steps: how many, full batch.
        beta2: decay rate of the momentum.
        probe_sharpness: whether to compute the top Hessian eigenvalue every 100 steps, by power iteration that is
            warm-started from probe to probe, so a few products each are enough.

    Returns:
        Losses and sharpness.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # tensors this small cost more to share out than to compute
    try:
        return _train(alpha, beta1, eta, steps, beta2, probe_sharpness)
    finally:
        torch.set_num_threads(threads)


def settled_sharpness(alpha: float, beta1: float, *, eta: float, steps: int) -> float:
    """The top Hessian eigenvalue, averaged over the last quarter of a run of E(SGD) without momentum."""
    return train(alpha, beta1, eta=eta, steps=steps).settled


def _train(alpha: float, beta1: float, eta: float, steps: int, beta2: float, probe_sharpness: bool) -> Run:
    generator = torch.Generator().manual_seed(0)
    x, y, start = network.problem(generator)
    vector = torch.cat([torch.randn(w.shape, generator=generator, dtype=torch.float64).reshape(-1) for w in start])
    theta = torch.cat([w.reshape(-1) for w in start])

    def parts(flat: torch.Tensor) -> network.Parameters:
        pieces = flat.split([w.numel() for w in start])
        return [piece.view(w.shape) for piece, w in zip(pieces, start, strict=True)]

    g, h, m = torch.zeros(3, len(theta), dtype=torch.float64)
    weights, gradient = parts(theta), parts(g)
    c, run = -alpha * (1 - beta1), Run([], [])
    for k in range(1, steps + 1):
        run.loss.append(_loss_and_gradient(weights, x, y, gradient).item())
        if not run.loss[-1] < 1e30:
            break
        m.mul_(beta2).add_((1 - c) * g + c * h)
        theta.sub_(eta * m)
        h.mul_(beta1).add_(g, alpha=1 - beta1)
        if probe_sharpness and k % PROBE_EVERY == 0:
            free = [w.detach().requires_grad_() for w in weights]
            graph = torch.autograd.grad(loss(free, x, y), free, create_graph=True)
            for _ in range(HVPS):
                along = parts(vector / torch.linalg.vector_norm(vector))
                product = torch.autograd.grad(graph, free, grad_outputs=along, retain_graph=True)
                vector = torch.cat([v.reshape(-1) for v in product])
            run.sharpness.append(torch.linalg.vector_norm(vector).item())
    return run
