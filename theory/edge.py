"""The edge of stability on a real network: at which sharpness full-batch E(SGD) trains (ours)."""

from collections.abc import Callable
from itertools import pairwise

import torch

WIDTHS = (8, 32, 32, 1)
PROBE_EVERY, HVPS = 100, 15


def _network(generator: torch.Generator) -> tuple[list[torch.Tensor], Callable[[], torch.Tensor]]:
    """A tanh network 8-32-32-1 on 128 points of a smooth target, and its half mean squared error; float64."""
    x = torch.randn(128, 8, generator=generator, dtype=torch.float64)
    y = torch.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:3] / 2
    weights: list[torch.Tensor] = []
    for fan_in, fan_out in pairwise(WIDTHS):
        matrix = torch.randn(fan_in, fan_out, generator=generator, dtype=torch.float64) * 1.5 / fan_in**0.5
        weights += [matrix.requires_grad_(), torch.zeros(fan_out, dtype=torch.float64, requires_grad=True)]

    def loss() -> torch.Tensor:
        z = torch.tanh(x @ weights[0] + weights[1])
        z = torch.tanh(z @ weights[2] + weights[3])
        return ((z @ weights[4] + weights[5] - y) ** 2).mean() / 2

    return weights, loss


def settled_sharpness(alpha: float, beta1: float, *, eta: float, steps: int) -> float:
    """The top Hessian eigenvalue, averaged over the last quarter of a run of E(SGD) from one fixed start.

    Power iteration is warm-started from probe to probe, every 100 steps, so a few products each are enough.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # tensors this small cost more to share out than to compute
    try:
        return _settled_sharpness(alpha, beta1, eta, steps)
    finally:
        torch.set_num_threads(threads)


def _settled_sharpness(alpha: float, beta1: float, eta: float, steps: int) -> float:
    generator = torch.Generator().manual_seed(0)
    weights, loss = _network(generator)
    slow = [torch.zeros_like(w) for w in weights]
    vector = [torch.randn(w.shape, generator=generator, dtype=torch.float64) for w in weights]
    c, probes = -alpha * (1 - beta1), []
    for k in range(1, steps + 1):
        gradient = torch.autograd.grad(loss(), weights)
        with torch.no_grad():
            for w, g, h in zip(weights, gradient, slow, strict=True):
                w.sub_(eta * ((1 - c) * g + c * h))
                h.mul_(beta1).add_(g, alpha=1 - beta1)
        if k % PROBE_EVERY == 0:
            graph = torch.autograd.grad(loss(), weights, create_graph=True)
            for _ in range(HVPS):
                size = torch.linalg.vector_norm(torch.cat([v.reshape(-1) for v in vector]))
                vector = [v / size for v in vector]
                vector = list(torch.autograd.grad(graph, weights, grad_outputs=vector, retain_graph=True))
            probes.append(torch.linalg.vector_norm(torch.cat([v.reshape(-1) for v in vector])).item())
    last = probes[-max(1, len(probes) // 4) :]
    return sum(last) / len(last)
