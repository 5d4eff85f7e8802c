"""The distance to the edge of stability: x = the largest eigenvalue of Q^(1/2) H Q^(1/2) over its exact threshold.

On a quadratic with Hessian H and constant Q the iteration is stable if and only if x is below the threshold (for
Q = eta I, x = eta times the sharpness; for Adam the preconditioned sharpness).
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from theory.method.filters import Filter
from theory.stability.linear import largest_stable


def threshold(F: Filter) -> float:
    """The largest stable x for a normalised momentum: 2 (1 + beta2) / (1 - beta2) at alpha = 0."""
    return largest_stable(F.c, F.beta1, F.beta2) / (1 - F.beta2)


class Curvature:
    """Power iteration that continues where the last call ended: one vector in memory, one number per parameter.

    Args:
        loss: evaluates the loss on a fixed batch with a graph; torch's random numbers are restored afterwards.
        products: Hessian-vector products per call.
    """

    def __init__(self, loss: Callable[[], Tensor], products: int = 3) -> None:
        self.loss, self.products = loss, products
        self._vector: list[Tensor] | None = None

    def estimate(self, params: Sequence[Any], Q: Sequence[Tensor]) -> float:
        """The length of Q^(1/2) H Q^(1/2) v for the unit vector v: at most the largest |eigenvalue|."""
        roots = [q.sqrt() for q in Q]
        devices = {p.device for p in params if p.is_cuda}
        with torch.random.fork_rng(devices=list(devices)), torch.enable_grad():
            grads = torch.autograd.grad(self.loss(), list(params), create_graph=True, allow_unused=True)
            used = [
                (g, p, r) for g, p, r in zip(grads, params, roots, strict=True) if g is not None and g.requires_grad
            ]
            if not used:
                return 0.0
            grads, params, roots = (list(part) for part in zip(*used, strict=True))
            seed = torch.Generator().manual_seed(0)
            v = self._vector or [torch.randn(p.shape, generator=seed).to(p) for p in params]
            size = 0.0
            for _ in range(self.products):
                length = _length(v)
                v = [x / length for x in v]
                weighted = [r * x for r, x in zip(roots, v, strict=True)]
                found = torch.autograd.grad(
                    grads, params, grad_outputs=weighted, retain_graph=True, allow_unused=True, materialize_grads=True
                )
                v = [(r * x).detach() for r, x in zip(roots, found, strict=True)]
                size = _length(v)
                if not 0 < size < float("inf"):
                    self._vector = None
                    return size
        self._vector = v
        return size


def _length(tensors: Sequence[Tensor]) -> float:
    return float(torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(t) for t in tensors])))
