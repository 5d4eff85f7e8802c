"""Fused on a CPU, with Numba: each step reads and writes memory twice, whatever the number of operations.

The first pass writes the averages and sums the squares of theta and r, the second writes theta. It computes r again; of
a small network r is kept, for there a division takes longer than reading. Layers that fit a cache together make a wave,
and have their second pass before the next wave begins. One compiled call does all of it, on the threads of torch's own
OpenMP team; where that is not found, on the caller's thread.
The sums are taken tile by tile in the state's dtype, chunk by chunk in float64, in an order that does not depend on the
number of threads.
"""

import ctypes
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
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
from alto._sharding import unsharded
from alto.engines import _cpu_kernels as kernels
from alto.engines import _forked, blocked
from alto.engines._layout import Blocks, Kept, walkable, written
from alto.engines._maths import correction, layer_factor, vanishing

# Elements of a chunk, the unit of work: small enough to share out evenly, large enough to cost nothing.
_CHUNK = 1 << 14
# Elements of a wave at most: five operands of it in float32 stay in the cache next to a core.
_WAVE = 64_000
# Elements for which a thread is worth waking: torch's own limit.
_WORTH_A_THREAD = 1 << 15
# Elements up to which r is kept: 4 MB in float32.
_KEPT = 1 << 20

_STATE = {torch.float32: np.float32, torch.float64: np.float64}
_NUMPY: dict[torch.dtype, Any] = {**_STATE, torch.bfloat16: np.uint16, torch.int8: np.int8}  # bfloat16 as its bits


def explore_(
    grads: list[Tensor], slow_avgs: list[Tensor], *, alpha: float, beta1: float, kept: Kept | None = None
) -> list[Tensor]:
    """Return ``u = (1 - c) g + c h`` in the gradients' dtypes, and write ``h = beta1 h + (1 - beta1) g``."""
    kept = {} if kept is None else kept
    if "cpu" not in kept:
        kernel = _usable(slow_avgs[0].dtype, grads[0].dtype) if _walkable([grads], [slow_avgs]) else None
        kept["cpu"] = kernel and (_Job(kernel, [grads, grads, slow_avgs], passes=1), Blocks(grads))
    if kept["cpu"] is None:
        return blocked.explore_(grads, slow_avgs, alpha=alpha, beta1=beta1, kept=kept)
    job, blocks = kept["cpu"]
    us = blocks.take()
    job.place(kernels.U, blocks.addresses)
    job.place(kernels.GRAD, list(map(Tensor.data_ptr, grads)))
    written(slow_avgs)
    job.set(**_mixing(alpha, beta1))
    job.run(job.all)
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
    if "cpu" not in tensors.kept:
        tensors.kept["cpu"] = _job_of(tensors, rule)
    job: _Job | None = tensors.kept["cpu"]
    if job is None:
        blocked.alto_step_(tensors, rule, lr, whole_norms, capturable=capturable)
        return
    written(job.writes)
    job.place(kernels.GRAD, list(map(Tensor.data_ptr, tensors.grads)))
    fields = job.fields
    fields.lr = lr = float(lr)
    fields.decides = decides = whole_norms is unsharded or not rule.layerwise
    job.begin()
    job.run(job.all if decides else job.first)
    if fields.undecided or not decides:  # all layers may be empty here, and not on the other processes
        totals = job.totals.copy()
        exact = (fields.vanishing < totals) & (totals < np.inf)
        for i in np.flatnonzero(~exact.all(axis=1)):  # also where theta or r is 0
            of_tensor = tensors.params[i], tensors.exp_avgs[i], tensors.exp_avg_sqs[i]
            factors = correction(tensors.steps[i].item(), rule)
            totals[i] = blocked.sums_of_squares(*of_tensor, factors, rule.weight_decay).numpy()
        norms = whole_norms(torch.from_numpy(np.sqrt(totals.T)))
        rates = lr * layer_factor(norms[0], norms[1], eps2=rule.eps2, eps3=rule.eps3).numpy()
        job.rates[:] = np.where(np.isnan(job.rates), rates, np.nan)  # the others have been applied
        job.run(job.second)


def _job_of(tensors: Tensors, rule: Rule) -> "_Job | None":
    """What a step by the kernels takes; None if they cannot take it."""
    of_params = [tensors.params, tensors.grads]
    ms, vs, hs = tensors.exp_avgs, tensors.exp_avg_sqs, tensors.slow_avgs
    if not _walkable(of_params, [ms, vs], [hs] if hs else [], tensors.steps):
        return None
    kernel = _usable(ms[0].dtype, tensors.params[0].dtype, hs[0].dtype if hs else torch.int8)
    if kernel is None:
        return None
    job = _Job(kernel, [*of_params, ms, vs, hs or ms], steps=tensors.steps, positions=tensors.positions)
    job.set(keeps=len(job.updates))
    job.writes = [x for xs in (tensors.params, ms, vs, hs, tensors.steps) for x in xs]
    # The root of 1 - beta3: the square of u alone may overflow.
    moments = {"beta2": rule.beta2, "rate2": 1 - rule.beta2, "beta3": rule.beta3, "root3": (1 - rule.beta3) ** 0.5}
    job.set(**_mixing(rule.alpha, rule.beta1), **moments, decay=rule.weight_decay, sign=-1 if rule.maximize else 1)
    job.set(eps1=rule.eps1, eps2=rule.eps2, eps3=rule.eps3, vanishing=vanishing(ms[0].dtype))
    job.set(layerwise=rule.layerwise, corrects=rule.bias_correction)
    job.set(wide_steps=tensors.steps[0].dtype is torch.float64)
    return job


def _mixing(alpha: float, beta1: float) -> dict[str, float]:
    """The constants that the adaptor needs."""
    c = -alpha * (1 - beta1)
    return {"keep": 1 - c, "c": c, "beta1": beta1, "rate1": 1 - beta1}


class _Job:
    """What a kernel is given: addresses, items of work and constants. It holds while the tensors stay where they are.

    Args:
        kernel: the compiled kernel.
        columns: parallel lists of tensors.
        passes: how often each element is visited.
        steps: the counters of the tensors, if the kernel reads them.
        positions: the places of the tensors in the optimizer, if the kernel reads them.
    """

    def __init__(
        self, kernel: Any, columns: list[list[Tensor]], passes: int = 2, steps: list[Tensor] | None = None,
        positions: list[int] | None = None,
    ) -> None:  # fmt: skip
        sizes = [x.numel() for x in columns[0]]
        work = sum(sizes)
        stages, chunks = _stages(sizes, passes)
        self.all, self.first, self.second = _Work(stages), _Work(stages[::2]), _Work(stages[1::2])
        self.table = np.array([[x.data_ptr() for x in xs] for xs in columns], np.int64)
        self.rates, self.totals = np.zeros(len(sizes)), np.zeros((len(sizes), 2))
        self.updates = torch.empty(
            work if passes == 2 and work <= _KEPT else 0, dtype=columns[2][0].dtype, device="cpu"
        )
        self.writes: list[Tensor] = []
        self._placed: dict[int, list[int]] = {}
        self._arrays = {
            "counts": np.zeros(len(sizes)), "table": self.table,
            "totals": self.totals, "rates": self.rates,
            "chunks": np.array(chunks, np.int64) + 1, "left": np.zeros(len(sizes), np.int64),
            "steps": np.array([step.data_ptr() for step in steps or ()], np.int64),
            "positions": np.array(positions or (), np.int64), "squares": np.zeros((sum(chunks), 2)),
            "firsts": _before(chunks), "starts": _before(sizes), "updates": self.updates.numpy(),
        }  # fmt: skip
        self._kernel = kernel
        self._threads = work // _WORTH_A_THREAD
        self.fields: Any = _Fields(tensors=len(sizes))
        self._address = ctypes.addressof(self.fields)
        self.set(**{name: array.ctypes.data for name, array in self._arrays.items()})

    def set(self, **values: float) -> None:
        for name, value in values.items():
            setattr(self.fields, name, value)

    def place(self, row: int, addresses: list[int]) -> None:
        """Note where the tensors of a column are, if they have moved."""
        if self._placed.get(row) != addresses:
            self.table[row] = self._placed[row] = addresses

    def begin(self) -> None:
        """Advance the counters; nothing has been done yet."""
        self.fields.begins = 1
        self._kernel(self._address)
        self.fields.begins = 0

    def run(self, work: "_Work") -> None:
        """Let the team do this work."""
        fields = self.fields
        fields.turn += 1
        fields.items, fields.edges, fields.taken = work.addresses
        fields.stages = work.stages
        threads = max(1, min(torch.get_num_threads(), self._threads))
        team = _team() if threads > 1 else None
        if team is None:
            fields.threads, fields.thread_number = 1, 0
            self._kernel(self._address)
        else:
            fields.threads, fields.thread_number = threads, _thread_number()
            team(self._kernel, self._address, threads, 0)


# A tensor, the first element, the end, and the number of the chunk, or that this is its second visit.
_Item = tuple[int, int, int, int]


class _Work:
    """Items in stages: those of a stage are taken in any order, and none before all of earlier stages are."""

    def __init__(self, stages: list[list[_Item]]) -> None:
        items = np.array([item for stage in stages for item in stage], np.int64).reshape(-1, 4)
        self.stages = len(stages)
        # Also the turn in which each item was last taken; the kernel counts on the arrays staying alive.
        self._arrays = items, _before(list(map(len, stages))), np.zeros(len(items), np.int64)
        self.addresses = [array.ctypes.data for array in self._arrays]


class _Fields(ctypes.Structure):
    """The constants and addresses of a job, laid out as the kernels read them."""

    _fields_ = [
        (name, ctypes.c_double if kernels.JOB[name] == np.float64 else ctypes.c_int64)
        for name in kernels.JOB.names or ()
    ]


def _before(counts: list[int]) -> np.ndarray:
    """The sum of the numbers before each, and of all: int64."""
    return np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))


def _stages(sizes: list[int], passes: int) -> tuple[list[list[_Item]], list[int]]:
    """Cut tensors into chunks: stages of items, by turns of a wave's first and second visits; each tensor's chunks."""
    stages: list[list[_Item]] = [[], []]
    chunks, elements, count = [], 0, 0
    for tensor, size in enumerate(sizes):
        if elements + size > _WAVE and passes == 2:
            stages += [[], []]
            elements = 0
        elements += size
        cuts = [(tensor, first, min(first + _CHUNK, size)) for first in range(0, size, _CHUNK)]
        stages[-2] += [(*cut, count + n) for n, cut in enumerate(cuts)]
        stages[-1] += [(*cut, kernels.SECOND) for cut in cuts] if passes == 2 else []
        count += len(cuts)
        chunks.append(len(cuts))
    return stages, chunks


def _walkable(
    of_params: list[list[Tensor]], of_states: list[list[Tensor]], slow: list[list[Tensor]] | None = None,
    steps: list[Tensor] | None = None,
) -> bool:  # fmt: skip
    state = of_states[0][0].dtype
    half = {torch.bfloat16} if state is torch.float32 else set()
    counters = ([steps], (torch.float32, torch.float64)) if steps else None
    return walkable((of_params, {state} | half), (of_states, _STATE), (slow or [], {state} | half)) and (
        counters is None or (all(step.numel() == 1 for step in steps or ()) and walkable(counters))
    )


def _usable(*kinds: torch.dtype) -> Any:
    """The kernel for the dtypes of the state, the parameters and, for a whole step, the slow averages (int8: none).

    None, with a warning, if it does not compile and run here; nothing has been written then.
    """
    kernel, failure = _compile(*map(_NUMPY.__getitem__, kinds))
    if failure:
        _warn(f"Numba's kernels cannot be used here ({failure}); steps are taken by plain torch")
    return kernel


@cache
def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=2)


@cache
def _compile(*kinds: type) -> tuple[Any, str]:
    """Compile the kernel for these dtypes, or load it, one process at a time; return it, or None and why that failed.

    Numba's cache on disk can pair a kernel with another's code when two processes write it at once, as the ranks of a
    first distributed run would.
    """
    with _one_process_at_a_time():
        if numba.config.DISABLE_JIT:  # pyright: ignore[reportAttributeAccessIssue]
            return None, "its compiler is off: NUMBA_DISABLE_JIT is set"
        try:
            compiled = (kernels.step_of if len(kinds) == 3 else kernels.explore_of)(*kinds)
        except Exception as error:  # a compiler fails in many ways, and plain torch does the same
            return None, f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
    _COMPILED.append(compiled)
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(compiled.address), ""  # pyright: ignore[reportCallIssue, reportArgumentType]


# Their code is freed with them.
_COMPILED: list[Any] = []


@contextmanager
def _one_process_at_a_time() -> Iterator[None]:
    """Hold a lock file; where there can be none (no fcntl, no place to write to), go on without."""
    with ExitStack() as stack:
        user = os.getuid() if hasattr(os, "getuid") else "user"
        with suppress(OSError):
            path = os.path.join(tempfile.gettempdir(), f"alto-numba-{user}.lock")
            # "a": never shortened, for in a shared folder it may be a link to another file
            file = stack.enter_context(open(path, "a", encoding="ascii"))
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
                # By name: a process that was forked meanwhile has the file open, too, and would keep the lock.
                stack.callback(fcntl.flock, file, fcntl.LOCK_UN)
        yield


_LIBRARIES = ("libgomp", "libiomp", "libomp")


@cache
def _openmp() -> Any:
    """The OpenMP library that torch itself has loaded; None where there is none."""
    try:
        with open("/proc/self/maps", encoding="utf-8") as lines:
            mapped = [line.rstrip("\n").split(maxsplit=5)[-1] for line in lines]  # a path may have spaces
        paths = {path for path in mapped if any(name in path for name in _LIBRARIES)}
        of_torch = [path for path in sorted(paths) if f"{os.sep}torch{os.sep}" in path]
        return ctypes.CDLL((of_torch or sorted(paths))[0])
    except (OSError, IndexError):  # another system, or another kind of team
        return None


def _team() -> Any:
    """OpenMP's call that runs a function on a team of threads: GNU's, which LLVM's library offers as well.

    None where there is none, or if this process was forked: the threads of its parent's team are not here.
    """
    return None if _forked.here else _parallel()


@cache
def _parallel() -> Any:
    team = getattr(_openmp(), "GOMP_parallel", None)
    if team is None:
        return None
    team.argtypes = [ctypes.CFUNCTYPE(None, ctypes.c_void_p), ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
    team.restype = None
    return team


@cache
def _thread_number() -> int:
    """The address of OpenMP's function that tells a thread its number in the team."""
    return ctypes.cast(_openmp().omp_get_thread_num, ctypes.c_void_p).value or 0
