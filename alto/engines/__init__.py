"""The two operations worth an engine, written several times over and tied together by tests.

Each engine is a module with the same two functions on lists of tensors, ``explore_`` (the adaptor) and ``alto_step_``
(one whole step); their signatures are those of :class:`Engine`.

``single`` is the specification: one tensor at a time, pure functions, differentiable. ``foreach`` handles all tensors
in a few launches, for accelerators and compilers; ``blocked`` does the same on a CPU in pieces that fit its cache.
``cpu`` (Numba) and ``gpu`` (Triton) are fused; both are imported on first use, and optional.
"""

import warnings
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from alto import _checks
from alto.engines import _forked as _forked  # notes each fork from now on, also one before cpu is imported
from alto.engines import blocked, single
from alto.engines import foreach as launched
from alto.engines._protocol import Engine

if TYPE_CHECKING:  # the type checker holds every engine to the protocol, the optional ones too
    from alto.engines import cpu, gpu

    _ENGINES: tuple[Engine, ...] = (single, launched, blocked, cpu, gpu)

__all__ = ["Engine", "choose"]

# Device type -> the module and the package that it needs.
_TRITON = ("gpu", "triton")
_FUSED = {"cpu": ("cpu", "numba"), "cuda": _TRITON}


def choose(
    tensor: Tensor, *, foreach: bool | None = None, fused: bool | None = None, differentiable: bool = False
) -> Engine:
    """The engine for tensors like this one.

    Args:
        tensor: one of them; its device counts.
        foreach: True selects plain torch over lists, False one tensor at a time; with None ``fused`` decides.
        fused: True selects the fused engine; None selects it on a CPU if it is available.
        differentiable: whether autograd is to record the step; ``single`` can.

    Raises:
        RuntimeError: if ``fused`` is True and there is no fused engine here.
    """
    if differentiable or (foreach is False and not fused):
        return single
    device = tensor.device.type
    if _checks.is_fake(tensor):  # a shape without numbers: the other engines would read some
        return launched
    # Only the Triton launches are operators that a compiler can leave whole; it writes kernels of its own for foreach.
    if torch.compiler.is_compiling() and not (fused and _FUSED.get(device) == _TRITON):
        return launched
    # On a GPU only on request: those kernels have been interpreted, and compiled for GPUs, but not yet run on one.
    if fused or (fused is None and not foreach and device == "cpu"):
        engine, reason = _fused(device)
        if engine is not None:
            return engine
        if fused:
            raise RuntimeError(
                "`fused=True` requires all the params to be floating point Tensors of supported devices: there is no "
                f"fused engine for {device} tensors here ({reason}); leave fused at None to take the fastest engine"
            )
    return blocked if device == "cpu" else launched


@cache
def _fused(device: str) -> tuple[Engine | None, str]:
    """The fused engine of a device, imported on first use, or None and the reason."""
    if device not in _FUSED:
        return None, f"there are some for {' and '.join(_FUSED)}"
    name, needs = _FUSED[device]
    if find_spec(needs) is None:
        return None, f"it needs {needs}: pip install alto-optim[fused]"
    try:
        return cast("Engine", import_module(f"alto.engines.{name}")), ""
    except (ImportError, RuntimeError) as error:  # a compiler that does not fit its surroundings, or finds no cache
        reason = f"{needs} is installed but cannot be used: {error}"
        warnings.warn(f"{reason}; steps are taken by plain torch", RuntimeWarning, stacklevel=2)
        return None, reason
