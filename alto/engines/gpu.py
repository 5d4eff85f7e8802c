"""Triton kernels for CUDA and ROCm, each over all tensors of a list at once.

A step is three launches and a dozen operations on one number per layer, however many tensors there are:

1. ``average_kernel`` reads g, h, m, v, p, writes h, m, v, and leaves the sums of squares of each chunk of p and r;
2. ``norm_kernel`` adds the chunks of each layer in a fixed order, in float64: a step repeats bit for bit;
3. ``apply_kernel`` reads m, v, p, computes r again, and writes p.

These move 48 bytes per float32 parameter, and no temporary has the parameters' size. Kernels find their tensors in a
table of addresses, which stays on the device until an address changes. Nothing waits for the device: tables travel from
pinned memory, step counters are read on the CPU or (``capturable``) by the device, like the learning rate.

Tensors are walked in the order of their memory: parameter, gradient and averages must all be contiguous, or all have
the same dense strides (channels_last, a transposed matrix). A list with any other tensor (a slice, a gradient laid out
unlike its parameter, a dtype unknown to the kernels, such as E's complex gradients) is left to ``foreach``.

Triton is optional. Its interpreter (``TRITON_INTERPRET=1`` before the first import) runs the same kernels on a CPU.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from alto._rule import Rule, Tensors
from alto.engines import _gpu_kernels as kernels
from alto.engines import foreach
from alto.engines._layout import Memory, fresh, walkable, written
from alto.engines._maths import bias_correction, correction, layer_factor
from alto.engines._rounding import BITS_PER_CALL

_PARAM_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_STATE_DTYPES = (torch.float32, torch.float64)


def explore_(
    grads: list[Tensor], slow_avgs: list[Tensor], *, alpha: float, beta1: float, memory: Memory = fresh
) -> list[Tensor]:
    """Return ``u = (1 - c) g + c h`` in the gradients' dtypes, write h = beta1 h + (1 - beta1) g (or let foreach)."""
    if not walkable(([grads], _PARAM_DTYPES), ([slow_avgs], _STATE_DTYPES)):
        return list(foreach.explore_(grads, slow_avgs, alpha=alpha, beta1=beta1))
    us = memory(grads)
    explore = _explore_op
    if not torch.compiler.is_compiling():
        explore = _explore
        written(slow_avgs)
    explore(grads, slow_avgs, us, [-alpha * (1 - beta1), 1 - beta1])
    return us


def alto_step_(
    tensors: Tensors,
    rule: Rule,
    lr: float | Tensor,
    whole_norms: Callable[[Tensor], Tensor],
    *,
    capturable: bool = False,
) -> None:
    """Algorithm 2 (Algorithm 1 without bias correction), by the kernels or by foreach; see :mod:`alto.engines`."""
    params, ms, vs, hs = tensors.params, tensors.exp_avgs, tensors.exp_avg_sqs, tensors.slow_avgs
    of_slow = ([hs] if hs else [], (ms[0].dtype, torch.bfloat16))
    if not walkable(([params, tensors.grads], _PARAM_DTYPES), ([ms, vs], _STATE_DTYPES), of_slow):
        foreach.alto_step_(tensors, rule, lr, whole_norms, capturable=capturable)
        return
    average, apply = _average_op, _apply_op
    if not torch.compiler.is_compiling():
        average, apply = _average, _apply
        written(params, ms, vs, hs)
    corrections = _corrections(tensors.steps, rule, params[0].device, capturable)
    numbers = [
        -rule.alpha * (1 - rule.beta1), 1 - rule.beta1, 1 - rule.beta2, rule.beta3, 1 - rule.beta3, rule.weight_decay,
    ]  # fmt: skip
    norms = average(
        params, tensors.grads, ms, vs, hs, tensors.positions, corrections, numbers, rule.layerwise, rule.maximize
    )
    factors = corrections.new_ones(len(params))
    if rule.layerwise:
        factors = layer_factor(*whole_norms(norms), eps2=rule.eps2, eps3=rule.eps3)
    apply(params, ms, vs, corrections, factors * lr, rule.weight_decay)


def _corrections(steps: list[Tensor], rule: Rule, device: torch.device, capturable: bool) -> Tensor:
    """Rows scale, shift, step, float64, per layer: (m / c2) / (sqrt(v / c3) + eps1) = scale m / (sqrt(v) + shift)."""
    if capturable:
        count = torch.stack(steps).to(device, torch.float64)
        if not rule.bias_correction:
            return torch.stack((torch.ones_like(count), torch.full_like(count, rule.eps1), count))
        c2: Any = bias_correction(rule.beta2, count, torch.float64, capturable=True)
        c3: Any = bias_correction(rule.beta3, count, torch.float64, capturable=True)
        return torch.stack((c3.sqrt() / c2, c3.sqrt() * rule.eps1, count))
    counts = [step.item() for step in steps]
    scales, shifts = zip(*(correction(count, rule) for count in counts), strict=True)
    return _upload([scales, shifts, counts], torch.float64, device)


# Each replay of a graph copies from its host buffers again, so they are never given back.
_READ_BY_GRAPHS: list[Tensor] = []


def _capturing(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.is_current_stream_capturing()


def _upload(values: list[Any], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Copy numbers to the device without waiting for it."""
    host = torch.tensor(values, dtype=dtype, device="cpu")
    if device.type == "cuda":
        host = host.pin_memory()  # its allocator keeps the buffer until the copy is done
    if _capturing(device):
        _READ_BY_GRAPHS.append(host)
    return host.to(device, non_blocking=True)


# The stream belongs to the keys: another one would have to wait for the copy, and might read an evicted table.
@lru_cache(maxsize=64)
def _layout(sizes: tuple[int, ...], device: torch.device, stream: int) -> tuple[int, Tensor, Tensor, Tensor]:
    """How tensors of these sizes are cut into chunks of ``BLOCK`` elements, none of which spans two tensors.

    The number of chunks; the tensor that each belongs to (int32); the first chunk of each tensor, and their number at
    the end (int64); the sizes (int64).
    """
    del stream
    firsts = list(accumulate((-(-size // kernels.BLOCK) for size in sizes), initial=0))
    numbers = _upload([*firsts, *sizes], torch.int64, device)
    first_chunks = numbers[: len(firsts)]
    # The one table with an entry per chunk: made on the device instead of sent there.
    every = torch.arange(firsts[-1], device=device)
    owners = torch.bucketize(every, first_chunks[1:], out_int32=True, right=True)
    return firsts[-1], owners, first_chunks, numbers[len(firsts) :]


@lru_cache(maxsize=256)
def _addresses(pointers: tuple[tuple[int, ...], ...], device: torch.device, stream: int) -> tuple[Tensor, list[bool]]:
    """One row per list, one column per tensor, int64; per list, whether 16 bytes divide all, so that loads are wide."""
    del stream
    return _upload(list(pointers), torch.int64, device), [all(x % 16 == 0 for x in row) for row in pointers]


def _tables(
    *lists: list[Tensor], positions: Sequence[int] = ()
) -> tuple[tuple[int, Tensor, Tensor, Tensor], tuple[Tensor, list[bool]]]:
    device = lists[0][0].device
    sizes = tuple([x.numel() for x in lists[0]])
    pointers = tuple([tuple([x.data_ptr() for x in tensors]) for tensors in lists])
    if positions:
        pointers = (*pointers, tuple(positions))
    if _capturing(device):
        # These copies run when the graph does, not now: the tables are the graph's own.
        return _layout.__wrapped__(sizes, device, 0), _addresses.__wrapped__(pointers, device, 0)
    stream = torch.cuda.current_stream(device).cuda_stream if device.type == "cuda" else 0
    return _layout(sizes, device, stream), _addresses(pointers, device, stream)


def _launch(kernel: Any, grid: tuple[int, ...], *arguments: Any, **constants: Any) -> None:
    if min(grid):
        with torch.cuda.device_of(arguments[0]):
            # Contracting a * b + c is what the kernels of torch do; set here, because Triton's default changes in 3.10.
            kernel[grid](*arguments, **constants, enable_fp_fusion=True)


def _type(tensors: list[Tensor]) -> Any:
    return getattr(kernels.tl, str(tensors[0].dtype).removeprefix("torch."))


def _types(params: list[Tensor], states: list[Tensor]) -> dict[str, Any]:
    return {"THETA": _type(params), "STATE": _type(states), "BLOCK": kernels.BLOCK, "num_warps": kernels.WARPS}


# The launches, each as an operator that torch.compile leaves whole ----------------------------------------------------


def _explore(grads: list[Tensor], slow_avgs: list[Tensor], us: list[Tensor], numbers: list[float]) -> None:
    (chunks, *layout), (table, aligned) = _tables(us, slow_avgs, grads)
    _launch(
        kernels.explore_kernel, (chunks,), table, *layout, len(grads), *numbers,
        ALIGNED=all(aligned[:2]), G_ALIGNED=aligned[2], **_types(grads, slow_avgs),
    )  # fmt: skip


def _average(
    params: list[Tensor], grads: list[Tensor], exp_avgs: list[Tensor], exp_avg_sqs: list[Tensor],
    slow_avgs: list[Tensor], positions: list[int], corrections: Tensor, numbers: list[float],
    layerwise: bool, maximize: bool,
) -> Tensor:  # fmt: skip
    """Write the averages; return the norms of theta and r, shape (2, tensors), float64. Not layerwise: shape (2, 0)."""
    averages = [exp_avgs, exp_avg_sqs, slow_avgs] if slow_avgs else [exp_avgs, exp_avg_sqs]
    rounds = bool(slow_avgs) and slow_avgs[0].dtype != exp_avgs[0].dtype
    places = positions if rounds else []
    (chunks, *layout), (table, (g_aligned, *aligned)) = _tables(grads, params, *averages, positions=places)
    squares = corrections.new_empty(2, chunks if layerwise else 0)
    norms = corrections.new_empty(2, len(params) if layerwise else 0)
    _launch(
        kernels.average_kernel, (chunks,), table, *layout, len(params), corrections, squares, chunks, *numbers,
        EXPLORES=bool(slow_avgs), LAYERWISE=layerwise, MAXIMIZE=maximize,
        SLOW=_type(slow_avgs or exp_avgs), CALLS=BITS_PER_CALL,
        ALIGNED=all(aligned[: 1 + len(averages)]), G_ALIGNED=g_aligned, **_types(params, exp_avgs),
    )  # fmt: skip
    _, firsts, _ = layout
    _launch(kernels.norm_kernel, (norms.shape[1], 2), squares, firsts, norms, len(params), chunks, LANES=1024)
    return norms


def _apply(
    params: list[Tensor], exp_avgs: list[Tensor], exp_avg_sqs: list[Tensor],
    corrections: Tensor, rates: Tensor, weight_decay: float,
) -> None:  # fmt: skip
    """Theta -= rate r, with one rate per tensor."""
    (chunks, *layout), (table, aligned) = _tables(params, exp_avgs, exp_avg_sqs)
    _launch(
        kernels.apply_kernel, (chunks,), table, *layout, len(params), corrections, rates, weight_decay,
        ALIGNED=all(aligned), **_types(params, exp_avgs),
    )  # fmt: skip


_explore_op = torch.library.custom_op(
    "alto::explore_", _explore, mutates_args={"slow_avgs", "us"},
    schema="(Tensor[] grads, Tensor(a!)[] slow_avgs, Tensor(b!)[] us, float[] numbers) -> ()",
)  # fmt: skip
_average_op = torch.library.custom_op(
    "alto::average_", _average, mutates_args={"exp_avgs", "exp_avg_sqs", "slow_avgs"},
    schema="(Tensor[] params, Tensor[] grads, Tensor(a!)[] exp_avgs, Tensor(b!)[] exp_avg_sqs, Tensor(c!)[] slow_avgs, "
    "int[] positions, Tensor corrections, float[] numbers, bool layerwise, bool maximize) -> Tensor",
)  # fmt: skip
_apply_op = torch.library.custom_op(
    "alto::apply_", _apply, mutates_args={"params"},
    schema="(Tensor(a!)[] params, Tensor[] exp_avgs, Tensor[] exp_avg_sqs, Tensor corrections, Tensor rates, "
    "float weight_decay) -> ()",
)  # fmt: skip
_explore_op.register_fake(lambda *_: None)
_average_op.register_fake(
    lambda ps, _g, _m, _v, _h, _p, corrections, _n, layerwise, _x: corrections.new_empty(2, len(ps) if layerwise else 0)
)
_apply_op.register_fake(lambda *_: None)
