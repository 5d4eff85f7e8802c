"""Fused on a CPU, with Numba: each step reads and writes memory twice, whatever the number of operations.

The first pass writes the averages and sums the squares of theta and r, the second computes r again and writes theta.
Each goes over all tensors: layer by layer, the second would find small layers in the cache, but sharing out so little
work at a time costs more than that saves.
The sums are taken tile by tile in the state's dtype, chunk by chunk in float64, in an order that does not depend on the
number of threads.
"""

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

from alto._rule import Rule, Tensors
from alto.engines import _cpu_kernels as kernels
from alto.engines import blocked
from alto.engines._layout import Memory, fresh, walkable, written
from alto.engines._maths import correction, layer_factor, vanishing

# Elements of a chunk, the unit of work: small enough to share out evenly, large enough to cost nothing.
_CHUNK = 256 * kernels.TILE
# Below this many elements a thread more costs more than it brings.
_WORTH_A_THREAD = 1 << 18

_STATE = {torch.float32: np.float32, torch.float64: np.float64}


def explore_(
    grads: list[Tensor], slow_avgs: list[Tensor], *, alpha: float, beta1: float, memory: Memory = fresh
) -> list[Tensor]:
    """Return ``u = (1 - c) g + c h`` in the gradients' dtypes, and write ``h = beta1 h + (1 - beta1) g``."""
    if not _walkable([grads], [slow_avgs]) or not _usable(*_dtypes(slow_avgs[0], grads[0])):
        return blocked.explore_(grads, slow_avgs, alpha=alpha, beta1=beta1, memory=memory)
    us = memory(grads)
    like, element = _dtypes(slow_avgs[0], grads[0])
    table = _addresses(us, grads, slow_avgs)
    chunks = _chunks(tuple(grad.numel() for grad in grads))
    written(slow_avgs)
    _share(kernels.explore, table, chunks, _mixing(alpha, beta1, like), like, element)
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
    if not _walkable(of_params, of_states) or not _usable(*_dtypes(tensors.exp_avgs[0], tensors.params[0])):
        blocked.alto_step_(tensors, rule, lr, whole_norms, capturable=capturable)
        return
    like, element = _dtypes(tensors.exp_avgs[0], tensors.params[0])
    table = _addresses(*of_params, *of_states)
    steps = [step.item() for step in tensors.steps]
    corrections = {step: correction(step, rule) for step in set(steps)}
    scales, shifts = np.array([corrections[step] for step in steps], like.dtype).T.copy()
    # The root of 1 - beta3: the square of u alone may overflow.
    of_v = rule.beta3, (1 - rule.beta3) ** 0.5
    moments = [rule.beta2, 1 - rule.beta2, *of_v, rule.weight_decay, -1 if rule.maximize else 1]
    constants = np.concatenate((_mixing(rule.alpha, rule.beta1, like), np.array(moments, like.dtype)))
    rates = np.full(len(tensors.params), float(lr))
    chunks = _chunks(tuple(param.numel() for param in tensors.params))
    written(tensors.params, *of_states)
    fixed = (constants, scales, shifts)
    squares = np.empty((len(chunks), 2))
    _share(kernels.average, table, chunks, *fixed, bool(tensors.slow_avgs), like, element, squares)
    if rule.layerwise:
        totals = np.zeros((len(rates), 2))
        np.add.at(totals, chunks[:, 0], squares)
        exact = (vanishing(tensors.exp_avgs[0].dtype) < totals) & (totals < np.inf)
        for i in np.flatnonzero(~exact.all(axis=1)):  # also where theta or r is 0
            of_tensor = tensors.params[i], tensors.exp_avgs[i], tensors.exp_avg_sqs[i]
            totals[i] = blocked.sums_of_squares(*of_tensor, corrections[steps[i]], rule.weight_decay).numpy()
        norms = whole_norms(torch.from_numpy(np.sqrt(totals.T)))
        rates = float(lr) * layer_factor(norms[0], norms[1], eps2=rule.eps2, eps3=rule.eps3).numpy()
    _share(kernels.apply, table, chunks, *fixed, rates.astype(like.dtype), like, element)


def _mixing(alpha: float, beta1: float, like: np.ndarray) -> np.ndarray:
    """The first entries of the kernels' constants: what the adaptor needs."""
    c = -alpha * (1 - beta1)
    return np.array([1 - c, c, beta1, 1 - beta1], like.dtype)


def _walkable(of_params: list[list[Tensor]], of_states: list[list[Tensor]]) -> bool:
    state = of_states[0][0].dtype
    params = (torch.float32, torch.bfloat16) if state is torch.float32 else (state,)
    return walkable((of_params, params), (of_states, _STATE))


def _dtypes(state: Tensor, element: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Empty arrays that tell a kernel the dtypes of the state and of the parameters (bfloat16 as its bits)."""
    like = np.empty(0, _STATE[state.dtype])
    return like, np.empty(0, np.uint16) if element.dtype is torch.bfloat16 else like


def _usable(like: np.ndarray, element: np.ndarray) -> bool:
    """Whether the kernels for these dtypes compile and run here; nothing has been written if they do not."""
    failure = _compile(like.dtype, element.dtype)
    if failure:
        _warn(f"Numba's kernels cannot be used here ({failure}); steps are taken by plain torch")
    return not failure


@cache
def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=2)


@cache
def _compile(like: np.dtype, element: np.dtype) -> str:
    """Compile the kernels for these dtypes, or load them, one process at a time; return why that failed, or nothing.

    Numba's cache on disk can pair a kernel with another's code when two processes write it at once, as the ranks of a
    first distributed run would.
    """
    table, chunks, row = np.zeros((5, 1), np.int64), np.zeros((0, 3), np.int64), np.zeros(1, like)
    kinds, constants = (np.empty(0, like), np.empty(0, element)), np.zeros(kernels.CONSTANTS, like)
    with _one_process_at_a_time():
        if numba.config.DISABLE_JIT:  # pyright: ignore[reportAttributeAccessIssue]
            return "its compiler is off: NUMBA_DISABLE_JIT is set"
        try:
            kernels.average(table, chunks, 0, 0, constants, row, row, True, *kinds, np.empty((0, 2)))
            kernels.apply(table, chunks, 0, 0, constants, row, row, row, *kinds)
            kernels.explore(table, chunks, 0, 0, constants, *kinds)
        except Exception as error:  # a compiler fails in many ways, and plain torch does the same
            return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
    return ""


@contextmanager
def _one_process_at_a_time() -> Iterator[None]:
    """Hold a lock file; where there can be none (no fcntl, no place to write to), go on without."""
    with ExitStack() as stack:
        user = os.getuid() if hasattr(os, "getuid") else "user"
        path = os.path.join(tempfile.gettempdir(), f"alto-numba-{user}.lock")
        with suppress(OSError):
            # "a": never shortened, for in a shared folder it may be a link to another file
            file = stack.enter_context(open(path, "a", encoding="ascii"))
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _addresses(*lists: list[Tensor]) -> np.ndarray:
    return np.array([[tensor.data_ptr() for tensor in tensors] for tensors in lists], np.int64)


@lru_cache(maxsize=64)
def _chunks(sizes: tuple[int, ...]) -> np.ndarray:
    """Cut tensors into chunks: int64, a row (tensor, first element, end) per chunk."""
    rows = [
        (tensor, first, min(first + _CHUNK, size))
        for tensor, size in enumerate(sizes)
        for first in range(0, size, _CHUNK)
    ]
    return np.array(rows, np.int64).reshape(-1, 3)


def _share(kernel: Callable[..., Any], table: np.ndarray, chunks: np.ndarray, *rest: Any) -> None:
    """Run a kernel on all chunks, an equal part of their elements on each of torch's threads."""
    ends = np.cumsum(chunks[:, 2] - chunks[:, 1])
    work = int(ends[-1]) if len(ends) else 0
    threads = max(1, min(torch.get_num_threads(), work // _WORTH_A_THREAD))
    inner = np.searchsorted(ends, [work * i // threads for i in range(1, threads)], side="right")
    bounds = [0, *inner.tolist(), len(chunks)]
    if threads == 1:
        kernel(table, chunks, 0, len(chunks), *rest)
        return
    others: list[Future[Any]] = []
    here = [(bounds[0], bounds[1])]
    try:
        for part in pairwise(bounds[1:]):
            try:
                others.append(_pool(threads - 1).submit(kernel, table, chunks, *part, *rest))
            except RuntimeError:  # no more threads can be had, or Python is shutting down
                here.append(part)
        for part in here:
            kernel(table, chunks, *part, *rest)
    finally:
        _finish(others)
    for other in others:
        other.result()


def _finish(others: list[Future[Any]]) -> None:
    """Wait, come what may: an interrupted step may free the tensors that the other threads still write to."""
    try:
        wait(others)
    except BaseException:
        wait(others)
        raise


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="alto")


# A forked child (a data loader's worker, say) inherits the pools but not their threads.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)
