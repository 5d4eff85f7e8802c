"""How flat a network's loss is where it stands: top Hessian eigenvalue, trace, and two kinds of sharpness.

Everything is measured in float64 and in evaluation mode, on a fixed subsample of the training examples. The eigenvalue
is ARPACK's (scipy). The library curvlinops is not used: its dependencies need torchvision, which has no CPU build for
every torch version that we support.

Only the last measure is the same for two networks that compute the same function with weights scaled up in one layer
and down in the next; statements about flat minima should use that one.
"""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from experiments.data import IGNORED, Dataset
from experiments.runs.rows import Curvature, finite
from experiments.training.batches import prepare

SAM_RADIUS = 0.05  # the default of Foret et al. 2021, section 3
FILTER_RADIUS = 0.5  # the default of Kwon et al. 2021, section 5
PROBES = 16  # of the trace; its standard error is reported


def measure(model: nn.Module, data: Dataset, examples: int, seed: int = 0) -> Curvature:
    """Measure a network; it is left as it is.

    Args:
        model: The network.
        data: Its data; the first training examples are the subsample.
        examples: How many of them.
        seed: Of the start vector and the probes.

    Returns:
        The measures; frozen parameters do not take part, and those that the loss does not use have derivatives of 0.
    """
    surface = Surface(model, data, examples)
    if not surface.size or finite(surface.value()) is None:
        return Curvature(None, None, None, None, None)
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for _ in range(PROBES):
        probe = torch.randint(0, 2, (surface.size,), generator=generator).double() * 2 - 1
        samples.append(float(probe @ surface.product(probe)))
    return Curvature(
        top_eigenvalue=finite(top_eigenvalue(surface, generator)),
        trace=finite(float(np.mean(samples))),
        trace_error=finite(float(np.std(samples, ddof=1) / PROBES**0.5)),
        sharpness=finite(surface.rise(surface.along_gradient(SAM_RADIUS))),
        filter_sharpness=finite(surface.rise(surface.along_scaled_gradient(FILTER_RADIUS))),
    )


def top_eigenvalue(surface: "Surface", generator: torch.Generator) -> float:
    """Eigenvalue of largest magnitude, to a relative 1e-3; NaN where ARPACK does not get there, 0 of a Hessian of 0.

    Args:
        surface: The loss.
        generator: Draws the start vector.

    Returns:
        The eigenvalue, with its sign.
    """

    def product(vector: np.ndarray) -> np.ndarray:
        return surface.product(torch.from_numpy(np.ascontiguousarray(vector.reshape(-1)))).numpy()

    operator = LinearOperator((surface.size, surface.size), matvec=product, dtype=np.float64)  # type: ignore[call-arg]
    start = torch.randn(surface.size, generator=generator, dtype=torch.float64).numpy()
    if surface.size == 1:  # ARPACK takes larger matrices only
        return float(product(np.ones(1))[0])
    try:
        values = eigsh(
            operator, k=1, which="LM", v0=start, maxiter=200, return_eigenvectors=False,
            tol=1e-3,  # type: ignore[arg-type] (the stubs say int)
        )  # fmt: skip
    except ArpackError:  # also where the loss is constant: a random vector's image is 0 only then
        return float("nan") if product(start).any() else 0.0
    return float(values[0])


class Surface:
    """The mean training loss over a subsample, as a function of all parameters in one float64 vector.

    Args:
        model: The network; a copy of it is used.
        data: Its data.
        examples: Size of the subsample.
    """

    def __init__(self, model: nn.Module, data: Dataset, examples: int):
        self.model = copy.deepcopy(model).cpu().double().eval()
        inputs = prepare(data, data.train.inputs[:examples])
        self.inputs = inputs.double() if inputs.is_floating_point() else inputs
        self.targets = data.train.targets[:examples]
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.size = sum(p.numel() for p in self.parameters)

    def value(self) -> float:
        """The loss."""
        with torch.no_grad():
            return self._loss().item()

    def gradient(self, keep_graph: bool = False) -> list[Tensor]:
        """Its gradient, one tensor per parameter."""
        with sdpa_kernel(SDPBackend.MATH):  # the fast attention kernels have no second derivative
            loss = self._loss()
            if not loss.requires_grad:  # it uses none of the parameters
                return [torch.zeros_like(p) for p in self.parameters]
            return list(torch.autograd.grad(loss, self.parameters, create_graph=keep_graph, materialize_grads=True))

    def product(self, vector: Tensor) -> Tensor:
        """Hessian times a vector (size,) float64."""
        parts = [part.view_as(p) for part, p in zip(vector.split(self._sizes()), self.parameters, strict=True)]
        # a slope without a graph is constant, and adds nothing
        pairs = [(g, v) for g, v in zip(self.gradient(keep_graph=True), parts, strict=True) if g.requires_grad]
        if not pairs:
            return torch.zeros(self.size, dtype=torch.float64)
        slopes, along = zip(*pairs, strict=True)
        products = torch.autograd.grad(slopes, self.parameters, along, materialize_grads=True)
        return torch.cat([part.reshape(-1) for part in products])

    def along_gradient(self, radius: float) -> list[Tensor]:
        """The step of length ``radius`` along the gradient."""
        slope = self.gradient()
        return [radius * part / max(_norm(slope), 1e-300) for part in slope]

    def along_scaled_gradient(self, radius: float) -> list[Tensor]:
        """The step T^2 g radius / |T g|, with T a parameter's filter norm, or its magnitude where it has no filter."""
        slope = self.gradient()
        scales = [_filter_norms(p.detach()) for p in self.parameters]
        scaled = [scale * part for scale, part in zip(scales, slope, strict=True)]
        length = max(_norm(scaled), 1e-300)
        return [radius * scale * part / length for scale, part in zip(scales, scaled, strict=True)]

    def rise(self, step: Sequence[Tensor]) -> float:
        """How much higher the loss is after a step; the parameters are put back exactly."""
        before = [p.detach().clone() for p in self.parameters]
        low = self.value()
        with torch.no_grad():
            for parameter, part in zip(self.parameters, step, strict=True):
                parameter.add_(part)
            high = self.value()
            for parameter, old in zip(self.parameters, before, strict=True):
                parameter.copy_(old)
        return high - low

    def _loss(self) -> Tensor:
        logits = self.model(self.inputs).flatten(0, -2)
        return nn.functional.cross_entropy(logits, self.targets.flatten(), ignore_index=IGNORED)

    def _sizes(self) -> list[int]:
        return [p.numel() for p in self.parameters]


def _filter_norms(parameter: Tensor) -> Tensor:
    if parameter.ndim < 2:
        return parameter.abs()
    norms = parameter.flatten(1).norm(dim=1)
    return norms.view(-1, *[1] * (parameter.ndim - 1)).expand_as(parameter)


def _norm(parts: Sequence[Tensor]) -> float:
    return float(torch.cat([part.reshape(-1) for part in parts]).norm())
