"""Fused on a CPU, with Numba: each step reads and writes memory twice, whatever the number of operations.

The first pass writes the averages and sums the squares of theta and r, the second computes r again and writes theta.
The sums are taken tile by tile in the state's dtype, chunk by chunk in float64, in an order that does not depend on the
number of threads. Small tensors run through both passes together while they are in the cache.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from alto._rule import Rule, Tensors
from alto._sharding import unsharded
from alto.engines import _cpu_kernels as kernels
from alto.engines import blocked
from alto.engines._layout import walkable
from alto.engines._maths import correction, layer_factor

# Elements of a chunk, the unit of work: five float32 operands of it fit in half a megabyte of cache.
_CHUNK = 8 * kernels.TILE
# Elements of tensors that go through both passes together: enough work for the threads, little enough for the cache.
_GROUP = 1 << 20
# Below this many elements a thread more costs more than it brings.
_WORTH_A_THREAD = 1 << 16

_STATE = {torch.float32: np.float32, torch.float64: np.float64}


def explore_(grads: list[Tensor], slow_avgs: list[Tensor], *, alpha: float, beta1: float) -> list[Tensor]:
    """Return ``u = (1 - c) g + c h`` in the gradients' dtypes, and write ``h = beta1 h + (1 - beta1) g``."""
    if not _walkable([grads], [slow_avgs]):
        return blocked.explore_(grads, slow_avgs, alpha=alpha, beta1=beta1)
    us = [torch.empty_like(grad) for grad in grads]
    like, element = _dtypes(slow_avgs[0], grads[0])
    table = _addresses(us, grads, slow_avgs)
    chunks, _ = _plan(tuple(grad.numel() for grad in grads), 0)
    constants = like.dtype.type(-alpha * (1 - beta1)), like.dtype.type(1 - beta1)
    _share(kernels.explore, table, chunks, *constants, like, element)
    return us


def alto_step_(
    tensors: Tensors,
    rule: Rule,
    lr: float | Tensor,
    whole_norms: Callable[[Tensor], Tensor],
    *,
    capturable: bool = False,
) -> None:
    """Algorithm 2 (Algorithm 1 without bias correction) for all layers; see :mod:`alto.engines`."""
    of_params = [tensors.params, tensors.grads]
    of_states = [tensors.exp_avgs, tensors.exp_avg_sqs, *([tensors.slow_avgs] if tensors.slow_avgs else [])]
    if not _walkable(of_params, of_states):
        blocked.alto_step_(tensors, rule, lr, whole_norms, capturable=capturable)
        return
    like, element = _dtypes(tensors.exp_avgs[0], tensors.params[0])
    table = _addresses(*of_params, *of_states)
    scales, shifts = np.array([correction(step.item(), rule) for step in tensors.steps], like.dtype).T.copy()
    constants = np.array(
        [
            -rule.alpha * (1 - rule.beta1), 1 - rule.beta1, 1 - rule.beta2, rule.beta3, 1 - rule.beta3,
            rule.weight_decay, -1 if rule.maximize else 1,
        ],
        like.dtype,
    )  # fmt: skip
    rates = np.full(len(tensors.params), float(lr), like.dtype)
    # Sharded layers wait for the other ranks: all of them in one exchange.
    group = _GROUP if whole_norms is unsharded else 0
    chunks, groups = _plan(tuple(param.numel() for param in tensors.params), group)
    squares = np.empty((len(chunks), 2))
    for begin, stop, first, last in groups:
        part, sums = chunks[begin:stop], squares[begin:stop]
        fixed = (constants, scales, shifts)
        _share(kernels.average, table, part, *fixed, bool(tensors.slow_avgs), like, element, sums)
        if rule.layerwise:
            totals = np.zeros((last - first, 2))
            np.add.at(totals, part[:, 0] - first, sums)
            norms = whole_norms(torch.from_numpy(np.sqrt(totals.T)))
            rates[first:last] = float(lr) * layer_factor(norms[0], norms[1], eps2=rule.eps2, eps3=rule.eps3).numpy()
        _share(kernels.apply, table, part, *fixed, rates, like, element)


def _walkable(of_params: list[list[Tensor]], of_states: list[list[Tensor]]) -> bool:
    state = of_states[0][0].dtype
    params = (torch.float32, torch.bfloat16) if state is torch.float32 else (state,)
    return walkable(of_params, of_states, params, _STATE)


def _dtypes(state: Tensor, element: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Empty arrays that tell a kernel the dtypes of the state and of the parameters (bfloat16 as its bits)."""
    like = np.empty(0, _STATE[state.dtype])
    return like, np.empty(0, np.uint16) if element.dtype is torch.bfloat16 else like


def _addresses(*lists: list[Tensor]) -> np.ndarray:
    return np.array([[tensor.data_ptr() for tensor in tensors] for tensors in lists], np.int64)


@lru_cache(maxsize=64)
def _plan(sizes: tuple[int, ...], group: int) -> tuple[np.ndarray, list[tuple[int, int, int, int]]]:
    """Cut tensors into chunks and gather tensors into groups of about ``group`` elements (0: one group).

    Returns:
        Chunks, an int64 array of rows (tensor, first element, end), and groups as (first chunk, end, first tensor,
        end).
    """
    rows: list[tuple[int, int, int]] = []
    groups: list[tuple[int, int, int, int]] = []
    begin = first = gathered = 0
    for tensor, size in enumerate(sizes):
        rows += [(tensor, start, min(start + _CHUNK, size)) for start in range(0, size, _CHUNK)]
        gathered += size
        if (group and gathered >= group) or tensor == len(sizes) - 1:
            groups.append((begin, len(rows), first, tensor + 1))
            begin, first, gathered = len(rows), tensor + 1, 0
    return np.array(rows, np.int64).reshape(-1, 3), groups


def _share(kernel: Callable[..., Any], table: np.ndarray, chunks: np.ndarray, *rest: Any) -> None:
    """Run a kernel on all chunks, an equal part of them on each of torch's threads."""
    work = int((chunks[:, 2] - chunks[:, 1]).sum())
    threads = max(1, min(torch.get_num_threads(), work // _WORTH_A_THREAD))
    bounds = [len(chunks) * i // threads for i in range(threads + 1)]
    others = [
        _pool(threads - 1).submit(kernel, table, chunks, begin, stop, *rest) for begin, stop in pairwise(bounds[1:])
    ]
    kernel(table, chunks, bounds[0], bounds[1], *rest)
    for other in others:
        other.result()


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="alto")


# A forked child (a data loader's worker, say) inherits the pools but not their threads.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)
