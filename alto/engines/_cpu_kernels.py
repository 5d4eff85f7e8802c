"""The Numba kernels of the fused CPU engine: loops over addresses, run by every thread of a team at once.

Items (pieces of tensors) come in stages. In each stage a thread takes its own part of the items first, then what others
have left. Its own part is the same in both passes and in every step, so that it finds the data in a cache near by:
between cores without a common cache they travel slowly. An item is walked tile by tile. One loop over all operands
streams them from memory side by side; the compiler makes vectors of it after it has checked that they do not overlap:
once per tile, so tiles are long.

A branch on an argument that is None is left out before anything in it is compiled: what only half precision needs costs
other kernels nothing. Arrays on an address, and memory of a tile's length, are built by instructions in place rather
than by functions of Numba, each of which would be compiled for each dtype.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import cfunc, njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np import arrayobj

from alto.engines import _maths, _rounding

# Elements of a tile, the best of a scan (64 to 1024).
TILE = 512
# Rows of the address table.
THETA, GRAD, M, V, H = range(5)
U, _SLOW = 0, 2  # of `explore`'s table, where GRAD is as above
# Columns of the items: a tensor, the first element and the end, and the number of the chunk; -1 in the second pass.
_TENSOR, _FIRST, _END, _CHUNK = range(4)
SECOND = -1

# What a kernel is given: addresses of arrays, numbers and switches (int64), and constants (float64).
_ADDRESSES = "items edges taken table steps counts positions firsts starts chunks left squares totals rates updates"
_NUMBERS = "stages thread_number threads turn tensors begins keeps layerwise corrects decides undecided wide_steps"
_CONSTANTS = "keep c beta1 rate1 beta2 rate2 beta3 root3 decay sign eps1 eps2 eps3 lr vanishing"
JOB = np.dtype(
    [(name, np.int64) for name in f"{_ADDRESSES} {_NUMBERS}".split()]
    + [(name, np.float64) for name in _CONSTANTS.split()]
)
_SIGNATURE = types.void(types.intp)  # where the job is

_EXACT: dict[str, Any] = {"error_model": "numpy", "boundscheck": False}
# Sums may be reordered (that is what makes them vectors) and products fused; NaN and infinity keep their meaning.
_FAST: dict[str, Any] = {**_EXACT, "fastmath": {"reassoc", "contract"}}
_exact: Any = njit(**_EXACT, nogil=True, forceinline=True)
_fast: Any = njit(**_FAST, nogil=True, forceinline=True)
_instructions: Any = intrinsic


@_instructions
def _array(typing_context, address, first, length, kind):  # noqa: ARG001
    """Numbers of a dtype on the memory at an address, from number ``first`` on, as an array."""
    array = types.Array(kind.dtype, 1, "C")

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        address, first, length, _ = arguments
        size = address.type(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
        return _made(context, builder, array, builder.add(address, builder.mul(first, size)), length, size)

    return array(types.intp, types.intp, types.intp, kind), generate


@_instructions
def _scratch(typing_context, kind):  # noqa: ARG001
    """Memory for a tile, on the stack."""
    array = types.Array(kind.dtype, 1, "C")

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        element, number = context.get_data_type(kind.dtype), context.get_value_type(types.intp)
        memory = cgutils.alloca_once(builder, element, size=number(TILE))
        memory.align = 64
        address = builder.ptrtoint(memory, number)
        return _made(context, builder, array, address, number(TILE), number(context.get_abi_sizeof(element)))

    return array(kind), generate


def _made(context, builder, kind, address, length, size):
    """The instructions that describe the memory at an address as an array."""
    array = arrayobj.make_array(kind)(context, builder)
    data = builder.inttoptr(address, array.data.type)
    arrayobj.populate_array(array, data, shape=[length], strides=[size], itemsize=size, meminfo=None)
    return array._getvalue()


@_instructions
def _add(typing_context, address, number):  # noqa: ARG001
    """Add to the int64 at an address, as one operation that all threads see in one order; return what it was."""

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        where = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", where, arguments[1], "seq_cst")

    return types.int64(types.int64, types.int64), generate


@_instructions
def _exchange(typing_context, address, number):  # noqa: ARG001
    """Put a number where an int64 is, and return that, as one operation that all threads see in one order."""

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        where = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("xchg", where, arguments[1], "seq_cst")

    return types.int64(types.int64, types.int64), generate


@_instructions
def _read(typing_context, address):  # noqa: ARG001
    """The int64 at an address, which other threads may exchange meanwhile."""

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        where = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load_atomic(where, "monotonic", 8)

    return types.int64(types.int64), generate


@_instructions
def _call(typing_context, address):  # noqa: ARG001
    """What the function at an address returns, which takes nothing and returns an int."""

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        function = builder.inttoptr(arguments[0], ir.FunctionType(ir.IntType(32), []).as_pointer())
        return builder.call(function, [])

    return types.int32(types.int64), generate


@_instructions
def _multiply_add(typing_context, a, b, c):  # noqa: ARG001
    """A b + c, rounded once where the processor can: which product is fused is then not the compiler's choice."""

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        kind = arguments[0].type
        fused = builder.module.declare_intrinsic("llvm.fmuladd", [kind], ir.FunctionType(kind, [kind] * 3))
        return builder.call(fused, arguments)

    return a(a, a, a), generate


@_exact
def _thread(job):
    """The number of this thread in its team."""
    return np.int64(_call(job.thread_number)) if job.thread_number else np.int64(0)


@_exact
def _stage(job, number, thread):
    """The first item of a stage, how many it has, and where this thread's own part of them begins."""
    edges = _array(job.edges, number, 2, np.int64)
    count = edges[1] - edges[0]
    return edges[0], count, count * thread // job.threads


@_exact
def _take(job, number):
    """Whether this thread gets the item: the first one to ask in a turn does."""
    taken = job.taken + 8 * number
    return _read(taken) != job.turn and _exchange(taken, job.turn) != job.turn


@_fast
def _span(job, row, tensor, first, end, kind):
    """Elements first..end of a tensor, as an array on its own memory."""
    address = _array(job.table, row * job.tensors + tensor, 1, np.int64)[0]
    return _array(address, first, end - first, kind)


@_fast
def _widen(bits, out):
    """Write bfloat16 numbers (as uint16) as float32."""
    wide = out.view(np.uint32)
    for i in range(len(bits)):
        wide[i] = np.uint32(bits[i]) << np.uint32(16)


@_fast
def _narrow(numbers, out):
    """Write float32 numbers as bfloat16 (as uint16), rounded to nearest even; a NaN stays one."""
    wide = numbers.view(np.uint32)
    for i in range(len(out)):
        x = wide[i]
        rounded = (x + np.uint32(0x7FFF) + ((x >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
        quiet = (x >> np.uint32(16)) | np.uint32(0x40)
        is_nan = (x & np.uint32(0x7FFFFFFF)) > np.uint32(0x7F800000)
        out[i] = np.uint16(quiet if is_nan else rounded)


@_fast
def _random(out, first, step, position):
    """Write 16 random bits for each element from ``first`` on, a multiple of 8; see :mod:`alto.engines._rounding`."""
    mask, shift = np.uint64(_rounding.WORD), np.uint64(32)
    by0, by1 = np.uint64(_rounding.MULTIPLIERS[0]), np.uint64(_rounding.MULTIPLIERS[1])
    weyl0, weyl1 = np.uint64(_rounding.WEYL[0]), np.uint64(_rounding.WEYL[1])
    words = out.view(np.uint32)  # its two numbers of 16 bits, the lower half first
    for call in range(len(words) // 4):
        counter = np.uint64(first // 8 + call)
        x0, x1, x2, x3 = counter & mask, counter >> shift, np.uint64(0), np.uint64(0)
        k0, k1 = np.uint64(step), np.uint64(position)
        for _ in range(10):
            a, b = x0 * by0, x2 * by1
            x0, x1, x2, x3 = (b >> shift) ^ x1 ^ k0, b & mask, (a >> shift) ^ x3 ^ k1, a & mask
            k0, k1 = (k0 + weyl0) & mask, (k1 + weyl1) & mask
        words[4 * call], words[4 * call + 1], words[4 * call + 2], words[4 * call + 3] = x0, x1, x2, x3


@_fast
def _round(numbers, bits, out):
    """Write float32 numbers as bfloat16 (as uint16), rounded at random; see :func:`alto.engines._rounding.rounded`."""
    wide = numbers.view(np.uint32)
    for i in range(len(out)):
        x = wide[i]
        size = x & np.uint32(0x7FFFFFFF)
        dropped = np.uint32(bits[i]) if size < np.uint32(0x7F800000) else np.uint32(0)
        quiet = np.uint32(0x400000) if size > np.uint32(0x7F800000) else np.uint32(0)
        out[i] = np.uint16(((x | quiet) + dropped) >> np.uint32(16))


@_fast
def _load(job, row, tensor, first, end, kind, half, buffer):
    """A tensor's elements in the state's dtype: in place, or, if they are in another one, widened into ``buffer``."""
    if half is None:
        return _span(job, row, tensor, first, end, kind)
    _widen(_span(job, row, tensor, first, end, half), buffer[: end - first])
    return buffer[: end - first]


@_fast
def _mix(a, b, keep, weight):
    """Keep a + weight b, where keep is 1 - weight; exact where either is 0, as torch.lerp is."""
    return a + weight * (b - a) if weight < keep else b - keep * (b - a)


@_exact
def _begin(job):
    """Before the first items of a step: advance the counters, and let nothing be done yet."""
    for tensor in range(job.tensors):
        address = _array(job.steps, tensor, 1, np.int64)[0]
        if job.wide_steps:
            wide = _array(address, 0, 1, np.float64)
            wide[0] += 1
            step = wide[0]
        else:
            short = _array(address, 0, 1, np.float32)
            short[0] += np.float32(1)
            step = np.float64(short[0])
        _array(job.counts, tensor, 1, np.float64)[0] = step
        _array(job.left, tensor, 1, np.int64)[0] = _array(job.chunks, tensor, 1, np.int64)[0]
        _array(job.rates, tensor, 1, np.float64)[0] = job.lr
    job.undecided = 0


@_exact
def _correction(job, step):
    """The scale and shift after this many steps; see :func:`alto.engines._maths.correction`."""
    if not job.corrects:
        return 1.0, job.eps1
    root = np.sqrt(1 - job.beta3**step)
    return root / (1 - job.beta2**step), root * job.eps1


@_exact
def _decide(job, tensor):
    """The rate of a layer whose sums are complete, lr times :func:`alto.engines._maths.layer_factor`.

    NaN where a sum is not exact, or the norm of the whole layer not known here.
    """
    firsts = _array(job.firsts, tensor, 2, np.int64)
    theta_square = r_square = 0.0
    for chunk in range(firsts[0], firsts[1]):
        squares = _array(job.squares, 2 * chunk, 2, np.float64)
        theta_square += squares[0]
        r_square += squares[1]
    totals = _array(job.totals, 2 * tensor, 2, np.float64)
    totals[0] = theta_square
    totals[1] = r_square
    exact = job.vanishing < theta_square < np.inf and job.vanishing < r_square < np.inf
    if not (job.decides and exact):
        job.undecided = 1
        return np.nan
    phi = np.sqrt(theta_square) + job.eps3
    return job.lr * min(phi / (np.sqrt(r_square) + job.eps2 * phi), _maths.LARGEST_FACTOR)


@_fast
def _updates(job, tensor, at, stop, kind, buffer):
    """Where r of these elements is kept for the second pass; nowhere for long if the network is large."""
    if job.keeps:
        return _array(job.updates, _array(job.starts, tensor, 1, np.int64)[0] + at, stop - at, kind)
    return buffer[: stop - at]


@_fast
def _average(job, tensor, first, end, scale, shift, step, kind, half, explores, half_h):
    """First pass over a chunk: write h, m, v; return the sums of squares of theta and r."""
    wide_g, wide_theta, wide_h, wide_r = _scratch(kind), _scratch(kind), _scratch(kind), _scratch(kind)
    keep, c, beta1, rate1 = kind(job.keep), kind(job.c), kind(job.beta1), kind(job.rate1)
    beta2, rate2, beta3, root3 = kind(job.beta2), kind(job.rate2), kind(job.beta3), kind(job.root3)
    decay, sign, scale, shift = kind(job.decay), kind(job.sign), kind(scale), kind(shift)
    theta_square = r_square = 0.0
    for at in range(first, end, TILE):
        stop = min(at + TILE, end)
        g = _load(job, GRAD, tensor, at, stop, kind, half, wide_g)
        theta = _load(job, THETA, tensor, at, stop, kind, half, wide_theta)
        m = _span(job, M, tensor, at, stop, kind)
        v = _span(job, V, tensor, at, stop, kind)
        h = g if explores is None else _load(job, H, tensor, at, stop, kind, half_h, wide_h)
        r = _updates(job, tensor, at, stop, kind, wide_r)
        a = kind(0)
        b = kind(0)
        for i in range(stop - at):
            x = sign * g[i]
            u = x
            if explores is not None:
                old = h[i]
                u = _mix(x, old, keep, c)
                h[i] = _mix(old, x, beta1, rate1)
            new_m = _mix(m[i], u, beta2, rate2)
            part = root3 * u
            new_v = _multiply_add(v[i], beta3, part * part)
            m[i] = new_m
            v[i] = new_v
            new_r = scale * new_m / (np.sqrt(new_v) + shift) + decay * theta[i]
            r[i] = new_r
            a += theta[i] * theta[i]
            b += new_r * new_r
        theta_square += a
        r_square += b
        if half_h is not None:
            bits = _scratch(half_h)
            _random(bits[: (stop - at + 7) // 8 * 8], at, step, _array(job.positions, tensor, 1, np.int64)[0])
            _round(h, bits, _span(job, H, tensor, at, stop, half_h))
    return theta_square, r_square


@_fast
def _apply(job, tensor, first, end, scale, shift, rate, kind, half):
    """Second pass over a chunk: theta -= rate r, with r computed again if it was not kept."""
    wide_theta, wide_r = _scratch(kind), _scratch(kind)
    decay, scale, shift, rate = kind(job.decay), kind(scale), kind(shift), kind(rate)
    for at in range(first, end, TILE):
        stop = min(at + TILE, end)
        m = _span(job, M, tensor, at, stop, kind)
        v = _span(job, V, tensor, at, stop, kind)
        theta = _load(job, THETA, tensor, at, stop, kind, half, wide_theta)
        if job.keeps:
            r = _updates(job, tensor, at, stop, kind, wide_r)
            for i in range(stop - at):
                theta[i] -= rate * r[i]
        else:
            for i in range(stop - at):
                theta[i] -= rate * (scale * m[i] / (np.sqrt(v[i]) + shift) + decay * theta[i])
        if half is not None:
            _narrow(theta, _span(job, THETA, tensor, at, stop, half))


def step_of(kind, element, slow):
    """The compiled kernel of a whole step, for the dtypes of the state, the parameters and the slow averages.

    ``slow`` is int8 where there are none. See :func:`alto.engines.cpu.alto_step_`.
    """
    half, half_h = (None if other in {kind, np.int8} else other for other in (element, slow))
    explores = None if slow is np.int8 else True

    def step(pointer):
        job = _array(pointer, 0, 1, JOB)[0]
        known, scale, shift = np.nan, 0.0, 0.0
        if job.begins:
            _begin(job)
            return
        thread = _thread(job)
        for stage in range(job.stages):
            begin, count, own = _stage(job, stage, thread)
            for k in range(count):
                number = begin + (own + k) % count
                if not _take(job, number):
                    continue
                item = _array(job.items, 4 * number, 4, np.int64)
                tensor, first, end, chunk = item[_TENSOR], item[_FIRST], item[_END], item[_CHUNK]
                left = job.left + 8 * tensor
                rate = _array(job.rates, tensor, 1, np.float64)
                step = _array(job.counts, tensor, 1, np.float64)[0]
                if step != known:
                    known = step
                    scale, shift = _correction(job, step)
                if chunk == SECOND:
                    # Its chunks' first passes are in earlier stages, so threads have them: this does not last.
                    while _add(left, 0):
                        pass
                    if not np.isnan(rate[0]):
                        _apply(job, tensor, first, end, scale, shift, rate[0], kind, half)
                else:
                    squares = _array(job.squares, 2 * chunk, 2, np.float64)
                    squares[0], squares[1] = _average(
                        job, tensor, first, end, scale, shift, step, kind, half, explores, half_h
                    )
                    if _add(left, -1) == 2:  # the last of its chunks
                        if job.layerwise:
                            rate[0] = _decide(job, tensor)
                        _add(left, -1)

    return _compiled(step)


def explore_of(kind, element):
    """The compiled kernel of the adaptor, for the dtypes of the slow averages and the gradients.

    It takes u = (1 - c) g + c h and h += (1 - beta1) (g - h).
    """
    half = None if element is kind else element

    def explore(pointer):
        job = _array(pointer, 0, 1, JOB)[0]
        wide_u, wide_g = _scratch(kind), _scratch(kind)
        keep, c, beta1, rate1 = kind(job.keep), kind(job.c), kind(job.beta1), kind(job.rate1)
        begin, count, own = _stage(job, 0, _thread(job))
        for k in range(count):
            number = begin + (own + k) % count
            if not _take(job, number):
                continue
            item = _array(job.items, 4 * number, 4, np.int64)
            tensor = item[_TENSOR]
            for at in range(item[_FIRST], item[_END], TILE):
                stop = min(at + TILE, item[_END])
                g = _load(job, GRAD, tensor, at, stop, kind, half, wide_g)
                h = _span(job, _SLOW, tensor, at, stop, kind)
                u = wide_u[: stop - at] if half is not None else _span(job, U, tensor, at, stop, kind)
                for i in range(stop - at):
                    x, old = g[i], h[i]
                    u[i] = _mix(x, old, keep, c)
                    h[i] = _mix(old, x, beta1, rate1)
                if half is not None:
                    _narrow(u, _span(job, U, tensor, at, stop, half))

    return _compiled(explore)


def _compiled(function):
    """The compiled function, which is kept on disk; where there is no place for it, each process compiles it anew."""
    try:
        return cfunc(_SIGNATURE, cache=True, **_FAST)(function)
    except RuntimeError as error:
        if "no locator" not in str(error):
            raise
        return cfunc(_SIGNATURE, **_FAST)(function)
