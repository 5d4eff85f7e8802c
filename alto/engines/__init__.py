"""The two operations worth an engine, written several times over and tied together by tests.

Each engine is a module with the same two functions on lists of tensors:

``explore_(grads, slow_avgs, *, alpha, beta1) -> us``
    The adaptor: ``u = (1 - c) g + c h`` is returned, ``h = beta1 h + (1 - beta1) g`` is written into ``slow_avgs``.
``alto_step_(tensors, rule, lr, whole_norms, *, capturable) -> None``
    One whole step of Algorithm 1 or 2 (the paper's Section 2), written into the parameters and their averages.
    ``whole_norms`` turns the norms of the shards held here, shape (2, number of tensors) or (2,), into those of the
    whole parameters (the identity, if nothing is sharded).

``single`` is the specification: one tensor at a time, pure functions, differentiable. ``foreach`` handles all tensors
in a few launches, for accelerators and compilers; ``blocked`` does the same on a CPU in pieces that fit its cache.
"""

from types import ModuleType

import torch
from torch import Tensor

from alto.engines import blocked, foreach, single

__all__ = ["blocked", "choose", "foreach", "single"]


def choose(tensor: Tensor, *, foreach: bool | None = None, differentiable: bool = False) -> ModuleType:
    """The engine for tensors like this one: ``single`` on request or to record a step, else the device's fast one."""
    if differentiable or foreach is False:
        return single
    if tensor.device.type == "cpu" and not torch.compiler.is_compiling():
        return blocked
    return globals()["foreach"]
