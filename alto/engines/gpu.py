"""Triton kernels for CUDA and ROCm, each over all tensors of a list at once.

A step is three launches and a dozen operations on one number a layer, however many tensors there are:

1. ``_average_kernel`` reads g, h, m, v, p, writes h, m, v, and leaves the sums of squares of each chunk of p and r;
2. ``_norm_kernel`` adds the chunks of each layer in a fixed order, in float64: a step repeats bit for bit;
3. ``_apply_kernel`` reads m, v, p, computes r again, and writes p.

These move 48 bytes a float32 parameter, and no temporary has the parameters' size. Kernels find their tensors in a
table of addresses, which stays on the device until an address changes. Nothing waits for the device: tables travel from
pinned memory, step counters are read on the CPU or (``capturable``) by the device, and so is the learning rate.

Tensors are walked in the order of their memory: parameter, gradient and averages must all be contiguous, or all have
the same dense strides (channels_last, a transposed matrix). A list with any other tensor (a slice, a gradient laid out
unlike its parameter, a dtype unknown to the kernels, such as E's complex gradients) is left to ``foreach``.

Triton is optional. Its interpreter (``TRITON_INTERPRET=1`` before the first import) runs the same kernels on a CPU.
"""
# pyright: reportInvalidTypeForm=false
# (the annotations in kernels speak to Triton; as strings they need no Triton to be there)

from __future__ import annotations

import math
import os
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from alto._rule import Rule, Tensors
from alto.engines import foreach
from alto.engines._layout import Memory, fresh, walkable
from alto.engines._maths import bias_correction, layer_factor

triton: Any = None
tl: Any = None
with suppress(ImportError):
    triton, tl = import_module("triton"), import_module("triton.language")
_jit = triton.jit if triton else lambda kernel: kernel
# Without variants for counts and addresses that happen to be 1 or a multiple of 16: they bound no inner loop.
_kernel = triton.jit(do_not_specialize=["count", "chunks", "sizes"]) if triton else _jit
_INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"

BLOCK = 2048  # elements that one program handles: with 8 warps, two 16-byte loads a thread and float32 operand
_WARPS = 8
_PARAM_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_STATE_DTYPES = (torch.float32, torch.float64)


def available(tensor: Tensor) -> bool:
    """Whether this engine works where this tensor lies: CUDA or ROCm with Triton; a CPU under Triton's interpreter."""
    return triton is not None and (tensor.device.type == "cuda" or (_INTERPRETED and tensor.device.type == "cpu"))


def explore_(
    grads: list[Tensor], slow_avgs: list[Tensor], *, alpha: float, beta1: float, memory: Memory = fresh
) -> list[Tensor]:
    """Return ``u = (1 - c) g + c h`` in the gradients' dtypes, write h = beta1 h + (1 - beta1) g (or let foreach)."""
    if not walkable([grads], [slow_avgs], _PARAM_DTYPES, _STATE_DTYPES):
        return list(foreach.explore_(grads, slow_avgs, alpha=alpha, beta1=beta1))
    us = memory(grads)
    explore = _explore_op if torch.compiler.is_compiling() else _explore
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
    of_states = [ms, vs, hs] if hs else [ms, vs]
    if not walkable([params, tensors.grads], of_states, _PARAM_DTYPES, _STATE_DTYPES):
        foreach.alto_step_(tensors, rule, lr, whole_norms, capturable=capturable)
        return
    average, apply = (_average_op, _apply_op) if torch.compiler.is_compiling() else (_average, _apply)
    corrections = _corrections(tensors.steps, rule, params[0].device, capturable)
    numbers = [
        -rule.alpha * (1 - rule.beta1), 1 - rule.beta1, 1 - rule.beta2, rule.beta3, 1 - rule.beta3, rule.weight_decay,
    ]  # fmt: skip
    norms = average(params, tensors.grads, ms, vs, hs, corrections, numbers, rule.layerwise, rule.maximize)
    factors = corrections.new_ones(len(params))
    if rule.layerwise:
        factors = layer_factor(*whole_norms(norms), eps2=rule.eps2, eps3=rule.eps3)
    apply(params, ms, vs, corrections, factors * lr, rule.weight_decay)


def _corrections(steps: list[Tensor], rule: Rule, device: torch.device, capturable: bool) -> Tensor:
    """Rows scale and shift, float64, one a layer: (m / c2) / (sqrt(v / c3) + eps1) = scale m / (sqrt(v) + shift)."""
    if not rule.bias_correction:
        table = torch.full((2, len(steps)), rule.eps1, dtype=torch.float64, device=device)
        table[0] = 1
        return table
    if capturable:
        count = torch.stack(steps).to(device)
        c2: Any = bias_correction(rule.beta2, count, torch.float64, capturable=True)
        c3: Any = bias_correction(rule.beta3, count, torch.float64, capturable=True)
        return torch.stack((c3.sqrt() / c2, c3.sqrt() * rule.eps1))
    counts = [step.item() for step in steps]
    roots = [math.sqrt(1 - rule.beta3**count) for count in counts]
    scales = [root / (1 - rule.beta2**count) for root, count in zip(roots, counts, strict=True)]
    return _upload([scales, [root * rule.eps1 for root in roots]], torch.float64, device)


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
    firsts = list(accumulate((-(-size // BLOCK) for size in sizes), initial=0))
    numbers = _upload([*firsts, *sizes], torch.int64, device)
    first_chunks = numbers[: len(firsts)]
    # The one table with an entry a chunk: made on the device instead of sent there.
    every = torch.arange(firsts[-1], device=device)
    owners = torch.bucketize(every, first_chunks[1:], out_int32=True, right=True)
    return firsts[-1], owners, first_chunks, numbers[len(firsts) :]


@lru_cache(maxsize=256)
def _addresses(pointers: tuple[tuple[int, ...], ...], device: torch.device, stream: int) -> tuple[Tensor, list[bool]]:
    """A row a list, a column a tensor, int64; and for each list whether 16 bytes divide all, so that loads are wide."""
    del stream
    return _upload(list(pointers), torch.int64, device), [all(x % 16 == 0 for x in row) for row in pointers]


def _tables(*lists: list[Tensor]) -> tuple[tuple[int, Tensor, Tensor, Tensor], tuple[Tensor, list[bool]]]:
    device = lists[0][0].device
    sizes = tuple([x.numel() for x in lists[0]])
    pointers = tuple([tuple([x.data_ptr() for x in tensors]) for tensors in lists])
    if _capturing(device):
        # These copies run when the graph does, not now: the tables are the graph's own.
        return _layout.__wrapped__(sizes, device, 0), _addresses.__wrapped__(pointers, device, 0)
    stream = torch.cuda.current_stream(device).cuda_stream if device.type == "cuda" else 0
    return _layout(sizes, device, stream), _addresses(pointers, device, stream)


def _launch(kernel: Any, grid: tuple[int, ...], *arguments: Any, **constants: Any) -> None:
    if min(grid):
        with torch.cuda.device_of(arguments[0]):
            # Contracting a * b + c is what the kernels of torch do; asked for, since Triton's default changes in 3.10.
            kernel[grid](*arguments, **constants, enable_fp_fusion=True)


def _types(params: list[Tensor], states: list[Tensor]) -> dict[str, Any]:
    theta, state = (getattr(tl, str(tensors[0].dtype).removeprefix("torch.")) for tensors in (params, states))
    return {"THETA": theta, "STATE": state, "BLOCK": BLOCK, "num_warps": _WARPS}


# The launches, each as an operator that torch.compile leaves whole ----------------------------------------------------


def _explore(grads: list[Tensor], slow_avgs: list[Tensor], us: list[Tensor], numbers: list[float]) -> None:
    (chunks, *layout), (table, aligned) = _tables(us, slow_avgs, grads)
    _launch(
        _explore_kernel, (chunks,), table, *layout, len(grads), *numbers,
        ALIGNED=all(aligned[:2]), G_ALIGNED=aligned[2], **_types(grads, slow_avgs),
    )  # fmt: skip


def _average(
    params: list[Tensor], grads: list[Tensor], exp_avgs: list[Tensor], exp_avg_sqs: list[Tensor],
    slow_avgs: list[Tensor], corrections: Tensor, numbers: list[float], layerwise: bool, maximize: bool,
) -> Tensor:  # fmt: skip
    """Write the averages; return the norms of theta and r, shape (2, tensors), float64. Not layerwise: shape (2, 0)."""
    averages = [exp_avgs, exp_avg_sqs, slow_avgs] if slow_avgs else [exp_avgs, exp_avg_sqs]
    (chunks, *layout), (table, (g_aligned, *aligned)) = _tables(grads, params, *averages)
    squares = exp_avgs[0].new_empty(2, chunks if layerwise else 0)
    norms = corrections.new_empty(2, len(params) if layerwise else 0)
    _launch(
        _average_kernel, (chunks,), table, *layout, len(params), corrections, squares, chunks, *numbers,
        EXPLORES=bool(slow_avgs), LAYERWISE=layerwise, MAXIMIZE=maximize,
        ALIGNED=all(aligned), G_ALIGNED=g_aligned, **_types(params, exp_avgs),
    )  # fmt: skip
    _, firsts, _ = layout
    _launch(_norm_kernel, (norms.shape[1], 2), squares, firsts, norms, len(params), chunks, LANES=1024)
    return norms


def _apply(
    params: list[Tensor], exp_avgs: list[Tensor], exp_avg_sqs: list[Tensor],
    corrections: Tensor, rates: Tensor, weight_decay: float,
) -> None:  # fmt: skip
    """Theta -= rate r, with one rate a tensor."""
    (chunks, *layout), (table, aligned) = _tables(params, exp_avgs, exp_avg_sqs)
    _launch(
        _apply_kernel, (chunks,), table, *layout, len(params), corrections, rates, weight_decay,
        ALIGNED=all(aligned), **_types(params, exp_avgs),
    )  # fmt: skip


_explore_op = torch.library.custom_op(
    "alto::explore_", _explore, mutates_args={"slow_avgs", "us"},
    schema="(Tensor[] grads, Tensor(a!)[] slow_avgs, Tensor(b!)[] us, float[] numbers) -> ()",
)  # fmt: skip
_average_op = torch.library.custom_op(
    "alto::average_", _average, mutates_args={"exp_avgs", "exp_avg_sqs", "slow_avgs"},
    schema="(Tensor[] params, Tensor[] grads, Tensor(a!)[] exp_avgs, Tensor(b!)[] exp_avg_sqs, Tensor(c!)[] slow_avgs, "
    "Tensor corrections, float[] numbers, bool layerwise, bool maximize) -> Tensor",
)  # fmt: skip
_apply_op = torch.library.custom_op(
    "alto::apply_", _apply, mutates_args={"params"},
    schema="(Tensor(a!)[] params, Tensor[] exp_avgs, Tensor[] exp_avg_sqs, Tensor corrections, Tensor rates, "
    "float weight_decay) -> ()",
)  # fmt: skip
_explore_op.register_fake(lambda *_: None)
_average_op.register_fake(
    lambda ps, _g, _m, _v, _h, corrections, _n, layerwise, _x: corrections.new_empty(2, len(ps) if layerwise else 0)
)
_apply_op.register_fake(lambda *_: None)


# The kernels ----------------------------------------------------------------------------------------------------------
# Hyper-parameters come as float64 (Triton's default is float32) and are rounded once, to the dtype of the state.
# A mask would rule out wide loads, so a kernel holds its body twice: without one for full chunks, with one for others.


@_jit
def _place(owners, firsts, sizes, BLOCK: tl.constexpr):
    """The tensor of this program, the first of its elements here, and how many there are from that one on."""
    chunk = tl.program_id(0)
    i = tl.load(owners + chunk)
    start = (chunk - tl.load(firsts + i)) * BLOCK
    return i, start, tl.load(sizes + i) - start


@_jit
def _pointer(table, place, start, TYPE: tl.constexpr, ALIGNED: tl.constexpr):
    pointer = tl.load(table + place).to(tl.pointer_type(TYPE))
    if ALIGNED:  # by fours, as float32 is stored: eights of half precision would be swapped between threads
        pointer = tl.multiple_of(pointer, 16 if TYPE.primitive_bitwidth > 16 else 8)
    return pointer + start


@_jit
def _load(pointer, lanes, left, STATE: tl.constexpr, FULL: tl.constexpr):
    if FULL:
        return tl.load(pointer + lanes).to(STATE)
    return tl.load(pointer + lanes, mask=lanes < left, other=0.0).to(STATE)


@_jit
def _store(pointer, lanes, left, value, FULL: tl.constexpr):
    value = value.to(pointer.dtype.element_ty)
    if FULL:
        tl.store(pointer + lanes, value)
    else:
        tl.store(pointer + lanes, value, mask=lanes < left)


@_jit
def _lerp(a, b, weight):
    """As torch.lerp: exact at both ends."""
    return tl.where(tl.abs(weight) < 0.5, a + weight * (b - a), b - (1 - weight) * (b - a))


@_jit
def _direction(theta, m, v, scale, shift, decay):
    """r; root and quotient correctly rounded, which in float32 must be asked for."""
    ratio = m / (tl.sqrt(v) + shift) if m.dtype == tl.float64 else tl.div_rn(m, tl.sqrt_rn(v) + shift)
    return scale * ratio + decay * theta


@_kernel
def _explore_kernel(
    table, owners, firsts, sizes, count, c: tl.float64, w1: tl.float64,
    ALIGNED: tl.constexpr, G_ALIGNED: tl.constexpr, THETA: tl.constexpr, STATE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    i, start, left = _place(owners, firsts, sizes, BLOCK)
    u_at = _pointer(table, i, start, THETA, ALIGNED)
    h_at = _pointer(table, count + i, start, STATE, ALIGNED)
    g_at = _pointer(table, 2 * count + i, start, THETA, G_ALIGNED)
    lanes = tl.arange(0, BLOCK)
    for FULL in tl.static_range(2):
        if (left >= BLOCK) == FULL:
            g = _load(g_at, lanes, left, STATE, FULL)
            h = _load(h_at, lanes, left, STATE, FULL)
            _store(u_at, lanes, left, _lerp(g, h, tl.full((), c, STATE)), FULL)
            _store(h_at, lanes, left, _lerp(h, g, tl.full((), w1, STATE)), FULL)


@_kernel
def _average_kernel(
    table, owners, firsts, sizes, count, corrections, squares, chunks,
    c: tl.float64, w1: tl.float64, w2: tl.float64, beta3: tl.float64, w3: tl.float64, decay: tl.float64,
    EXPLORES: tl.constexpr, LAYERWISE: tl.constexpr, MAXIMIZE: tl.constexpr,
    ALIGNED: tl.constexpr, G_ALIGNED: tl.constexpr, THETA: tl.constexpr, STATE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    i, start, left = _place(owners, firsts, sizes, BLOCK)
    g_at = _pointer(table, i, start, THETA, G_ALIGNED)
    theta_at = _pointer(table, count + i, start, THETA, ALIGNED)
    m_at = _pointer(table, 2 * count + i, start, STATE, ALIGNED)
    v_at = _pointer(table, 3 * count + i, start, STATE, ALIGNED)
    h_at = _pointer(table, 4 * count + i, start, STATE, ALIGNED) if EXPLORES else m_at
    scale = tl.load(corrections + i).to(STATE)
    shift = tl.load(corrections + count + i).to(STATE)
    lanes = tl.arange(0, BLOCK)
    for FULL in tl.static_range(2):
        if (left >= BLOCK) == FULL:
            u = _load(g_at, lanes, left, STATE, FULL)
            if MAXIMIZE:
                u = -u
            if EXPLORES:
                h = _load(h_at, lanes, left, STATE, FULL)
                _store(h_at, lanes, left, _lerp(h, u, tl.full((), w1, STATE)), FULL)
                u = _lerp(u, h, tl.full((), c, STATE))
            m = _lerp(_load(m_at, lanes, left, STATE, FULL), u, tl.full((), w2, STATE))
            v = tl.full((), beta3, STATE) * _load(v_at, lanes, left, STATE, FULL) + tl.full((), w3, STATE) * u * u
            _store(m_at, lanes, left, m, FULL)
            _store(v_at, lanes, left, v, FULL)
            if LAYERWISE:
                theta = _load(theta_at, lanes, left, STATE, FULL)
                r = _direction(theta, m, v, scale, shift, tl.full((), decay, STATE))
                if not FULL:  # where nothing is, r is 0 / shift, and a tiny shift may have become 0
                    r = tl.where(lanes < left, r, 0.0)
                tl.store(squares + tl.program_id(0), tl.sum(theta * theta))
                tl.store(squares + chunks + tl.program_id(0), tl.sum(r * r))


@_kernel
def _norm_kernel(squares, firsts, norms, count, chunks, LANES: tl.constexpr):
    i = tl.program_id(0)
    row = tl.program_id(1)
    chunk = tl.load(firsts + i)
    last = tl.load(firsts + i + 1)
    lanes = tl.arange(0, LANES)
    total = tl.zeros((LANES,), tl.float64)
    while chunk < last:
        total += tl.load(squares + row * chunks + chunk + lanes, mask=chunk + lanes < last, other=0.0).to(tl.float64)
        chunk += LANES
    tl.store(norms + row * count + i, tl.sqrt(tl.sum(total)))


@_kernel
def _apply_kernel(
    table, owners, firsts, sizes, count, corrections, rates, decay: tl.float64,
    ALIGNED: tl.constexpr, THETA: tl.constexpr, STATE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    i, start, left = _place(owners, firsts, sizes, BLOCK)
    theta_at = _pointer(table, i, start, THETA, ALIGNED)
    m_at = _pointer(table, count + i, start, STATE, ALIGNED)
    v_at = _pointer(table, 2 * count + i, start, STATE, ALIGNED)
    scale = tl.load(corrections + i).to(STATE)
    shift = tl.load(corrections + count + i).to(STATE)
    rate = tl.load(rates + i).to(STATE)
    lanes = tl.arange(0, BLOCK)
    for FULL in tl.static_range(2):
        if (left >= BLOCK) == FULL:
            theta = _load(theta_at, lanes, left, STATE, FULL)
            m = _load(m_at, lanes, left, STATE, FULL)
            v = _load(v_at, lanes, left, STATE, FULL)
            r = _direction(theta, m, v, scale, shift, tl.full((), decay, STATE))
            _store(theta_at, lanes, left, theta - rate * r, FULL)
