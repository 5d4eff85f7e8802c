"""The parameters and gradients that all contestants share."""

import random

import torch
from torch import nn

from experiments.bench.shapes import Case


class Workload:
    """Parameters of ordinary size, and gradients of about 1e-2 that differ from step to step.

    Shared because several copies of a large network would not fit into memory: at any time there are the parameters,
    one gradient, the noise that it is made from, and the state of one contestant.

    Args:
        case: The shapes.
        device: Where.
        seed: Decides every number.
    """

    def __init__(self, case: Case, device: torch.device, seed: int):
        generator = torch.Generator(device).manual_seed(seed)
        self.case, self.device = case, device
        self.params: list[nn.Parameter] = []
        self._noises: list[torch.Tensor] = []
        for shape in case.shapes:
            param, noise = (torch.empty(shape, device=device).normal_(0, 0.02, generator=generator) for _ in range(2))
            self.params.append(nn.Parameter(param))
            self._noises.append(noise)
        self._grads: list[torch.Tensor] = []  # made when first written
        self._draws = random.Random(seed)

    def refresh(self) -> None:
        """Write the next gradients, as a backward pass would; some optimizers change or replace them in a step."""
        if not self._grads:
            self._grads = [torch.empty_like(noise) for noise in self._noises]
        scale = self._next_scale()
        for param, grad, noise in zip(self.params, self._grads, self._noises, strict=True):
            torch.mul(noise, scale, out=grad)
            param.grad = grad

    def give(self) -> None:
        """Write the next gradients into new tensors that only the parameters refer to, as after a backward pass."""
        scale = self._next_scale()
        for param, noise in zip(self.params, self._noises, strict=True):
            param.grad = noise * scale

    def _next_scale(self) -> float:
        """A factor of either sign, so that averages of the gradients neither converge nor vanish."""
        return self._draws.choice((-1.0, 1.0)) * self._draws.uniform(0.25, 1.0)
