"""Step counters: 0-dim tensors in float32, torch's convention, or float64 where that is the default dtype."""

from typing import Any

import torch
from torch import Tensor


def is_counter(step: object) -> bool:
    return isinstance(step, Tensor) and step.dtype in {torch.float32, torch.float64}


def counter(step: Any, device: torch.device | str) -> Tensor:
    """A step counter as engines take it, of its own memory, from a tensor of any dtype or a number."""
    wide = torch.get_default_dtype() is torch.float64 or (isinstance(step, Tensor) and step.dtype is torch.float64)
    dtype = torch.float64 if wide else torch.float32
    if isinstance(step, Tensor):
        return step.detach().reshape(()).to(device=device, dtype=dtype, copy=True)
    return torch.full((), float(step), dtype=dtype, device=device)


def advance_(steps: list[Tensor]) -> None:
    """Count one more step; on a CPU with a tensor, for torch would make one of a number again for each counter."""
    if steps[0].is_cpu and not torch.compiler.is_compiling():
        torch._foreach_add_(steps, torch.ones((), dtype=steps[0].dtype, device="cpu"), alpha=1.0)
    else:
        torch._foreach_add_(steps, 1.0)
