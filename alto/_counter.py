"""Step counters: 0-dim tensors in float32, torch's convention, or float64 where that is the default dtype."""

from ctypes import c_double, c_float
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import increment_version


def is_counter(step: object) -> bool:
    return isinstance(step, Tensor) and step.dtype in {torch.float32, torch.float64}


def counter(step: Any, device: torch.device | str) -> Tensor:
    """A step counter as engines take it, of its own memory, from a tensor of any dtype or a number."""
    wide = torch.get_default_dtype() is torch.float64 or (isinstance(step, Tensor) and step.dtype is torch.float64)
    dtype = torch.float64 if wide else torch.float32
    if isinstance(step, Tensor):
        return step.detach().reshape(()).to(device=device, dtype=dtype, copy=True)
    return torch.full((), float(step), dtype=dtype, device=device)


def advance_(steps: list[Tensor], kept: dict[str, Any] | None = None) -> None:
    """Count one more step.

    Args:
        steps: the counters.
        kept: what an engine keeps for these very counters. On a CPU they are then advanced without a call of torch
            each, and ``kept["counters"]`` has them as numbers of ``ctypes``.
    """
    if not steps[0].is_cpu or torch.compiler.is_compiling():
        torch._foreach_add_(steps, 1.0)
    elif kept is None:  # torch would make a tensor of a number again for each counter
        torch._foreach_add_(steps, torch.ones((), dtype=steps[0].dtype, device="cpu"), alpha=1.0)
    else:
        if "counters" not in kept:
            kinds = {torch.float32: c_float, torch.float64: c_double}
            kept["memory"] = [step.untyped_storage() for step in steps]  # it lives as long as the addresses are used
            kept["counters"] = [kinds[step.dtype].from_address(step.data_ptr()) for step in steps]
        for counter in kept["counters"]:
            counter.value += 1
        increment_version(steps)
