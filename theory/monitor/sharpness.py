"""The sharpness: the Hessian's eigenvalue of largest magnitude, which the edge of stability is about."""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh


def sharpness(loss: Callable[[], torch.Tensor], parameters: Iterable[torch.Tensor], tolerance: float = 1e-3) -> float:
    """The largest |eigenvalue| of the Hessian at the current parameters: a local L, by ARPACK's Lanczos iteration.

    Args:
        loss: evaluates the loss with a graph; it is called once.
        parameters: what the Hessian is taken with respect to; frozen and unused ones count with a Hessian of 0.
        tolerance: relative accuracy, in (0, 1). The iteration keeps 20 vectors, 160 bytes per coordinate.

    Returns:
        The magnitude, at least 0.

    Raises:
        ValueError: no parameter requires a gradient, the loss is not one number, it or its second derivative is not
            finite, or ``tolerance`` is out of range.
        RuntimeError: the iteration did not get there in 200 restarts.
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance must be in (0, 1), got {tolerance}")
    parameters = [p for p in parameters if p.requires_grad]  # a list: model.parameters() can be read only once
    if not parameters:
        raise ValueError("parameters: none requires a gradient, so there is no Hessian to measure")
    value = loss()
    if not isinstance(value, torch.Tensor) or value.numel() != 1:
        raise ValueError(f"loss: it returned {value}, and must return a tensor with one number")
    if not torch.isfinite(value).all():
        raise ValueError(f"loss: its value {value.item()} is not finite, so there is no Hessian to measure")
    grads = torch.autograd.grad(value, parameters, create_graph=True, materialize_grads=True)
    curved = [i for i, grad in enumerate(grads) if grad.requires_grad]
    if not curved:  # the loss is linear
        return 0.0
    sizes = [p.numel() for p in parameters]

    def product(vector: np.ndarray) -> np.ndarray:
        """The Hessian times a vector: the gradient of <g, v> with v fixed."""
        pieces = torch.from_numpy(np.ascontiguousarray(vector.reshape(-1))).split(sizes)
        shaped = [piece.to(p).view_as(p) for piece, p in zip(pieces, parameters, strict=True)]
        outputs, weights = [grads[i] for i in curved], [shaped[i] for i in curved]
        found = torch.autograd.grad(outputs, parameters, weights, retain_graph=True, materialize_grads=True)
        image = torch.cat([x.detach().reshape(-1).to("cpu", torch.float64) for x in found]).numpy()
        if not np.isfinite(image).all():
            raise ValueError("loss: its second derivative here is not finite, so there is no eigenvalue to measure")
        return image

    size = sum(sizes)
    if size == 1:  # ARPACK takes larger matrices only
        return abs(float(product(np.ones(1))[0]))
    start = np.random.default_rng(0).standard_normal(size)
    operator = LinearOperator((size, size), matvec=product, dtype=np.float64)  # type: ignore[call-arg]
    try:
        values = eigsh(
            operator, k=1, which="LM", v0=start, maxiter=200, return_eigenvectors=False,
            tol=tolerance,  # type: ignore[arg-type] (the stubs say int)
        )  # fmt: skip
    except ArpackError as error:  # also where the Hessian is 0: a random vector's image is 0 only then
        if not product(start).any():
            return 0.0
        raise RuntimeError(f"sharpness: no eigenvalue to a relative {tolerance} in 200 restarts") from error
    return abs(float(values[0]))
