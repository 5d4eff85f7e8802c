"""Triton kernels for CUDA and ROCm, each over all tensors of a list at once.

A step is three launches and a dozen operations on one number per layer, however many tensors there are:

1. ``average_kernel`` reads g, h, m, v, p, writes h, m, v, and leaves the sums of squares of each chunk of p and r;
2. ``norm_kernel`` adds the chunks of each layer in a fixed order, in float64: a step repeats bit for bit;
3. ``apply_kernel`` reads m, v, p, computes r again, and writes p.

These move 48 bytes per float32 parameter, and no temporary has the parameters' size. Kernels find their tensors in a
table of addresses. It stays on the device from step to step with the plan of the optimizer; only the rows that change
are copied there: the addresses of the gradients and the bias corrections. Nothing waits for the device: the copies are
made from pinned memory, which is used in turns, step counters are read on the CPU or (``capturable``) by the device,
like the learning rate.

Tensors are walked in the order of their memory: parameter, gradient and averages must all be contiguous, or all have
the same dense strides (channels_last, a transposed matrix). A list with any other tensor (a slice, a gradient laid out
unlike its parameter, a dtype unknown to the kernels, such as E's complex gradients) is left to ``foreach``.

Triton is optional. Its interpreter (``TRITON_INTERPRET=1`` before the first import) runs the same kernels on a CPU.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from alto._counter import advance_
from alto._rule import Rule, Tensors
from alto.engines import _gpu_kernels as kernels
from alto.engines import foreach
from alto.engines._layout import Kept, walkable, written
from alto.engines._maths import bias_correction, correction, layer_factor
from alto.engines._rounding import BITS_PER_CALL

_PARAM_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_STATE_DTYPES = (torch.float32, torch.float64)


def explore_(
    grads: list[Tensor], slow_avgs: list[Tensor], *, alpha: float, beta1: float, kept: Kept | None = None
) -> list[Tensor]:
    """Return ``u = (1 - c) g + c h`` in the gradients' dtypes, write h = beta1 h + (1 - beta1) g (or let foreach)."""
    numbers = [-alpha * (1 - beta1), 1 - beta1]
    compiling = torch.compiler.is_compiling()
    table = None if compiling else _same(kept, grads[0].device)
    if table is None and not walkable(([grads], _PARAM_DTYPES), ([slow_avgs], _STATE_DTYPES)):
        return list(foreach.explore_(grads, slow_avgs, alpha=alpha, beta1=beta1))
    us = list(map(torch.empty_like, grads))
    if compiling:
        _explore_op(grads, slow_avgs, us, numbers)
        return us
    written(slow_avgs)
    changing = np.array([_pointers(us), _pointers(grads)], np.int64)
    if table is None:
        table = _new(kept, [*changing.tolist(), _pointers(slow_avgs)], slow_avgs)
    table.write(changing)
    _explore_by(table, grads, slow_avgs, numbers)
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
    compiling = torch.compiler.is_compiling()
    table = None if compiling else _same(tensors.kept, params[0].device)
    if table is None and not _walkable(tensors):
        foreach.alto_step_(tensors, rule, lr, whole_norms, capturable=capturable)
        return
    advance_(tensors.steps, None if compiling else tensors.kept)
    numbers = [
        -rule.alpha * (1 - rule.beta1), 1 - rule.beta1, 1 - rule.beta2, rule.beta3, 1 - rule.beta3, rule.weight_decay,
    ]  # fmt: skip
    switches = rule.layerwise, rule.maximize
    if compiling:
        corrections = _corrections(tensors.steps, rule, params[0].device, capturable)
        norms = _average_op(params, tensors.grads, ms, vs, hs, tensors.positions, corrections, numbers, *switches)
        _apply_op(params, ms, vs, corrections, _rates(norms, rule, lr, whole_norms, corrections), rule.weight_decay)
        return
    if "written" not in tensors.kept:
        tensors.kept["written"] = [*params, *ms, *vs, *hs]
    increment_version(tensors.kept["written"])
    changing = np.zeros((4, len(params)), np.int64)
    if not capturable:
        counters = tensors.kept.get("counters")  # there are none if the counters are on the device
        counts = [x.value for x in counters] if counters else [step.item() for step in tensors.steps]
        changing[:3].view(np.float64)[:] = _factors(counts, rule)
    changing[3] = _pointers(tensors.grads)
    if table is None:
        lists = [params, ms, vs, *([hs] if hs else [])]
        table = _new(tensors.kept, [*changing.tolist(), *map(_pointers, lists), tensors.positions], params)
    table.write(changing)
    corrections = table.rows[:3].view(torch.float64)
    if capturable:
        corrections = _corrections(tensors.steps, rule, params[0].device, capturable)
    norms = _average_by(table, 3, params, ms, hs, corrections, numbers, *switches)
    rates = _rates(norms, rule, lr, whole_norms, corrections)
    _apply_by(table, 4, params, ms, corrections, rates, rule.weight_decay)


def _walkable(tensors: Tensors) -> bool:
    ms, hs = tensors.exp_avgs, tensors.slow_avgs
    of_slow = ([hs] if hs else [], (ms[0].dtype, torch.bfloat16))
    return walkable(
        ([tensors.params, tensors.grads], _PARAM_DTYPES), ([ms, tensors.exp_avg_sqs], _STATE_DTYPES), of_slow
    )


def _rates(
    norms: Tensor, rule: Rule, lr: float | Tensor, whole_norms: Callable[[Tensor], Tensor], corrections: Tensor
) -> Tensor:
    """Learning rate times factor, float64, per layer."""
    if not rule.layerwise:
        return corrections.new_ones(corrections.shape[1]) * lr
    return layer_factor(*whole_norms(norms), eps2=rule.eps2, eps3=rule.eps3) * lr


def _factors(counts: list[float], rule: Rule) -> list[tuple[float, ...]]:
    """Rows scale, shift, step, per layer: (m / c2) / (sqrt(v / c3) + eps1) = scale m / (sqrt(v) + shift)."""
    of_count = {count: (*correction(count, rule), count) for count in set(counts)}
    return list(zip(*[of_count[count] for count in counts], strict=True))


def _corrections(steps: list[Tensor], rule: Rule, device: torch.device, capturable: bool) -> Tensor:
    """As :func:`_factors`, float64, on the device."""
    if capturable:
        count = torch.stack(steps).to(device, torch.float64)
        if not rule.bias_correction:
            return torch.stack((torch.ones_like(count), torch.full_like(count, rule.eps1), count))
        c2: Any = bias_correction(rule.beta2, count, torch.float64, capturable=True)
        c3: Any = bias_correction(rule.beta3, count, torch.float64, capturable=True)
        return torch.stack((c3.sqrt() / c2, c3.sqrt() * rule.eps1, count))
    return _upload(_factors([step.item() for step in steps], rule), torch.float64, device)


# Each replay of a graph copies from its host buffers again, so they are never given back.
_READ_BY_GRAPHS: list[Tensor] = []


def _capturing(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.is_current_stream_capturing()


def _stream(device: torch.device) -> int | None:
    """The stream of the kernels; None while a graph is captured."""
    if _capturing(device):
        return None
    return torch.cuda.current_stream(device).cuda_stream if device.type == "cuda" else 0


def _upload(values: Any, dtype: torch.dtype, device: torch.device) -> Tensor:
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


# Pinned buffers of a table. One is written again when its last copy, that many steps ago, has been made.
_TURNS = 8


class _Table:
    """Numbers on the device: int64, a row per operand with the addresses of its tensors, and rows of other numbers.

    Args:
        sizes: elements of each tensor, one per column.
        numbers: the rows.
        device: where.
        stream: the stream that uses it; None for a graph. The graph's copies run when the graph does, not now, so that
            its tables are its own.
    """

    def __init__(
        self, sizes: tuple[int, ...], numbers: Sequence[Sequence[int]], device: torch.device, stream: int | None
    ) -> None:
        layout = _layout if stream is not None else _layout.__wrapped__
        self.chunks, *self.layout = layout(sizes, device, stream)
        self.stream = stream
        self._numbers = np.array(numbers, np.int64)
        self.aligned = _aligned(self._numbers)
        self.rows = _upload(self._numbers, torch.int64, device)
        self._turns: list[tuple[Tensor, Any]] = []
        self._copies = 0

    def write(self, changing: np.ndarray) -> None:
        """Replace the first rows, if they are others, on the current stream."""
        count = len(changing)
        if np.array_equal(changing, self._numbers[:count]):
            return
        self._numbers[:count] = changing
        self.aligned[:count] = _aligned(changing)
        turn = self._copies % _TURNS
        self._copies += 1
        if turn == len(self._turns):
            self._turns.append(_pinned(changing.shape, self.rows.device))
        host, copied = self._turns[turn]
        if copied is not None:
            copied.synchronize()  # it is true already, unless the CPU is that many steps ahead
        host.numpy()[:] = changing
        self.rows[:count].copy_(host, non_blocking=True)
        if copied is not None:
            copied.record(torch.cuda.current_stream(self.rows.device))


def _pinned(shape: tuple[int, ...], device: torch.device) -> tuple[Tensor, Any]:
    """A buffer for copies to the device, and the event of the last one."""
    if device.type != "cuda":
        return torch.empty(shape, dtype=torch.int64, device="cpu"), None
    return torch.empty(shape, dtype=torch.int64, device="cpu", pin_memory=True), torch.cuda.Event()


def _aligned(numbers: np.ndarray) -> list[bool]:
    """Per row, whether 16 bytes divide all, so that loads are wide."""
    return (numbers % 16 == 0).all(axis=1).tolist()


def _pointers(tensors: list[Tensor]) -> list[int]:
    return list(map(Tensor.data_ptr, tensors))


def _same(kept: Kept | None, device: torch.device) -> _Table | None:
    """The table of the step before, if this step can use it."""
    table = (kept or {}).get("gpu")
    return table if table is not None and table.stream == _stream(device) else None


def _new(kept: Kept | None, numbers: Sequence[Sequence[int]], tensors: list[Tensor]) -> _Table:
    """A table, kept for the next step."""
    device = tensors[0].device
    table = _Table(tuple([x.numel() for x in tensors]), numbers, device, _stream(device))
    if kept is not None and table.stream is not None:
        kept["gpu"] = table
    return table


# For compiled steps, which keep nothing themselves.
_table_of = lru_cache(maxsize=256)(_Table)


def _tables(*lists: list[Tensor], positions: Sequence[int] = ()) -> _Table:
    device = lists[0][0].device
    sizes = tuple([x.numel() for x in lists[0]])
    numbers = (*(tuple(_pointers(xs)) for xs in lists), *([tuple(positions)] if positions else []))
    stream = _stream(device)
    return (_table_of if stream is not None else _Table)(sizes, numbers, device, stream)


def _launch(kernel: Any, grid: tuple[int, ...], *arguments: Any, **constants: Any) -> None:
    if min(grid):
        with torch.cuda.device_of(arguments[0]):
            # Contracting a * b + c is what the kernels of torch do; set here, because Triton's default changes in 3.10.
            kernel[grid](*arguments, **constants, enable_fp_fusion=True)


def _type(tensors: list[Tensor]) -> Any:
    return getattr(kernels.tl, str(tensors[0].dtype).removeprefix("torch."))


def _types(params: list[Tensor], states: list[Tensor]) -> dict[str, Any]:
    return {"THETA": _type(params), "STATE": _type(states), "BLOCK": kernels.BLOCK, "num_warps": kernels.WARPS}


# The launches ---------------------------------------------------------------------------------------------------------


def _explore_by(table: _Table, grads: list[Tensor], slow_avgs: list[Tensor], numbers: list[float]) -> None:
    """The table's rows: u, g, h."""
    u_aligned, g_aligned, h_aligned = table.aligned
    _launch(
        kernels.explore_kernel, (table.chunks,), table.rows, *table.layout, len(grads), *numbers,
        ALIGNED=u_aligned and h_aligned, G_ALIGNED=g_aligned, **_types(grads, slow_avgs),
    )  # fmt: skip


def _average_by(
    table: _Table, first: int, params: list[Tensor], exp_avgs: list[Tensor], slow_avgs: list[Tensor],
    corrections: Tensor, numbers: list[float], layerwise: bool, maximize: bool,
) -> Tensor:  # fmt: skip
    """Write the averages; return the norms of theta and r, shape (2, tensors), float64. Not layerwise: shape (2, 0).

    The table's rows from ``first`` on: g, theta, m, v, then, if anything explores, h and the positions.
    """
    g_aligned, *aligned = table.aligned[first : first + 4 + bool(slow_avgs)]
    squares = corrections.new_empty(2, table.chunks if layerwise else 0)
    norms = corrections.new_empty(2, len(params) if layerwise else 0)
    _launch(
        kernels.average_kernel, (table.chunks,), table.rows[first:], *table.layout, len(params), corrections,
        squares, table.chunks, *numbers, EXPLORES=bool(slow_avgs), LAYERWISE=layerwise, MAXIMIZE=maximize,
        SLOW=_type(slow_avgs or exp_avgs), CALLS=BITS_PER_CALL,
        ALIGNED=all(aligned), G_ALIGNED=g_aligned, **_types(params, exp_avgs),
    )  # fmt: skip
    _, firsts, _ = table.layout
    _launch(kernels.norm_kernel, (norms.shape[1], 2), squares, firsts, norms, len(params), table.chunks, LANES=1024)
    return norms


def _apply_by(
    table: _Table, first: int, params: list[Tensor], exp_avgs: list[Tensor],
    corrections: Tensor, rates: Tensor, weight_decay: float,
) -> None:  # fmt: skip
    """Theta -= rate r, with one rate per tensor. The table's rows from ``first`` on: theta, m, v."""
    _launch(
        kernels.apply_kernel, (table.chunks,), table.rows[first:], *table.layout, len(params), corrections, rates,
        weight_decay, ALIGNED=all(table.aligned[first : first + 3]), **_types(params, exp_avgs),
    )  # fmt: skip


# The same as operators that torch.compile leaves whole ----------------------------------------------------------------


def _explore(grads: list[Tensor], slow_avgs: list[Tensor], us: list[Tensor], numbers: list[float]) -> None:
    _explore_by(_tables(us, grads, slow_avgs), grads, slow_avgs, numbers)


def _average(
    params: list[Tensor], grads: list[Tensor], exp_avgs: list[Tensor], exp_avg_sqs: list[Tensor],
    slow_avgs: list[Tensor], positions: list[int], corrections: Tensor, numbers: list[float],
    layerwise: bool, maximize: bool,
) -> Tensor:  # fmt: skip
    slow = [slow_avgs] if slow_avgs else []
    table = _tables(grads, params, exp_avgs, exp_avg_sqs, *slow, positions=positions)
    return _average_by(table, 0, params, exp_avgs, slow_avgs, corrections, numbers, layerwise, maximize)


def _apply(
    params: list[Tensor], exp_avgs: list[Tensor], exp_avg_sqs: list[Tensor],
    corrections: Tensor, rates: Tensor, weight_decay: float,
) -> None:  # fmt: skip
    _apply_by(_tables(params, exp_avgs, exp_avg_sqs), 0, params, exp_avgs, corrections, rates, weight_decay)


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
