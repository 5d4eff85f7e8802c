"""Full-batch E(SGD) on a small real network: its loss and its sharpness along the run (ours)."""

from collections.abc import Callable
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


def _network(generator: torch.Generator) -> tuple[list[torch.Tensor], Callable[[], torch.Tensor]]:
    """The tanh network of :mod:`theory.simulate.network` with autograd, and its half mean squared error."""
    x, y, weights = network.problem(generator)
    weights = [w.requires_grad_() for w in weights]

    def loss() -> torch.Tensor:
        z = torch.tanh(x @ weights[0] + weights[1])
        z = torch.tanh(z @ weights[2] + weights[3])
        return ((z @ weights[4] + weights[5] - y) ** 2).mean() / 2

    return weights, loss


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
    weights, loss = _network(generator)
    slow = [torch.zeros_like(w) for w in weights]
    momentum = [torch.zeros_like(w) for w in weights]
    vector = [torch.randn(w.shape, generator=generator, dtype=torch.float64) for w in weights]
    c, run = -alpha * (1 - beta1), Run([], [])
    for k in range(1, steps + 1):
        value = loss()
        run.loss.append(value.item())
        if not run.loss[-1] < 1e30:
            break
        gradient = torch.autograd.grad(value, weights)
        with torch.no_grad():
            for w, g, h, m in zip(weights, gradient, slow, momentum, strict=True):
                m.mul_(beta2).add_((1 - c) * g + c * h)
                w.sub_(eta * m)
                h.mul_(beta1).add_(g, alpha=1 - beta1)
        if probe_sharpness and k % PROBE_EVERY == 0:
            graph = torch.autograd.grad(loss(), weights, create_graph=True)
            for _ in range(HVPS):
                size = torch.linalg.vector_norm(torch.cat([v.reshape(-1) for v in vector]))
                vector = [v / size for v in vector]
                vector = list(torch.autograd.grad(graph, weights, grad_outputs=vector, retain_graph=True))
            run.sharpness.append(torch.linalg.vector_norm(torch.cat([v.reshape(-1) for v in vector])).item())
    return run
