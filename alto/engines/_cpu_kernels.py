"""The Numba kernels of the fused CPU engine: loops over addresses, run by every thread of a team at once.

Each thread takes the next item (a piece of one tensor) until none is left, and walks it tile by tile. One loop over all
operands streams them from memory side by side; the compiler makes vectors of it after it has checked that they do not
overlap: once per tile, so tiles are long.
"""

import numpy as np
from llvmlite import ir
from numba import carray, cfunc, from_dtype, njit, types
from numba.extending import intrinsic

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
_ADDRESSES = "ticket items table steps positions firsts starts chunks left squares totals rates updates"
_NUMBERS = "count tensors begins keeps layerwise corrects decides undecided wide_steps"
_CONSTANTS = "keep c beta1 rate1 beta2 rate2 beta3 root3 decay sign eps1 eps2 eps3 lr vanishing"
JOB = np.dtype(
    [(name, np.int64) for name in f"{_ADDRESSES} {_NUMBERS}".split()]
    + [(name, np.float64) for name in _CONSTANTS.split()]
)
_SIGNATURE = types.void(types.CPointer(from_dtype(JOB)))

_EXACT = {"nogil": True, "error_model": "numpy", "boundscheck": False, "forceinline": True}
# Sums may be reordered (that is what makes them vectors) and products fused; NaN and infinity keep their meaning.
_OPTIONS = {**_EXACT, "fastmath": {"reassoc", "contract"}}


@intrinsic
def _pointer(typing_context, address, like):  # noqa: ARG001
    """The address (int64) as a pointer to elements of ``like``'s dtype."""
    kind = types.CPointer(like.dtype)

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return kind(types.int64, like), generate


@intrinsic
def _add(typing_context, address, number):  # noqa: ARG001
    """Add to the int64 at an address, as one operation that all threads see in one order; return what it was."""

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        where = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", where, arguments[1], "seq_cst")

    return types.int64(types.int64, types.int64), generate


@intrinsic
def _multiply_add(typing_context, a, b, c):  # noqa: ARG001
    """A b + c, rounded once where the processor can: which product is fused is then not the compiler's choice."""

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        kind = arguments[0].type
        fused = builder.module.declare_intrinsic("llvm.fmuladd", [kind], ir.FunctionType(kind, [kind] * 3))
        return builder.call(fused, arguments)

    return a(a, a, a), generate


@njit(**_OPTIONS)
def _array(address, shape, like):
    """The array of this shape at an address."""
    return carray(_pointer(address, like), shape)  # pyright: ignore[reportCallIssue]


@njit(**_OPTIONS)
def _span(table, row, tensor, first, end, like):
    """Elements first..end of a tensor, as an array on its own memory."""
    return _array(table[row, tensor] + first * like.itemsize, end - first, like)


@njit(**_OPTIONS)
def _widen(bits, out):
    """Write bfloat16 numbers (as uint16) as float32."""
    wide = out.view(np.uint32)
    for i in range(len(bits)):
        wide[i] = np.uint32(bits[i]) << np.uint32(16)


@njit(**_OPTIONS)
def _narrow(numbers, out):
    """Write float32 numbers as bfloat16 (as uint16), rounded to nearest even; a NaN stays one."""
    wide = numbers.view(np.uint32)
    for i in range(len(out)):
        x = wide[i]
        rounded = (x + np.uint32(0x7FFF) + ((x >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
        quiet = (x >> np.uint32(16)) | np.uint32(0x40)
        is_nan = (x & np.uint32(0x7FFFFFFF)) > np.uint32(0x7F800000)
        out[i] = np.uint16(quiet if is_nan else rounded)


@njit(**_OPTIONS)
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


@njit(**_OPTIONS)
def _round(numbers, bits, out):
    """Write float32 numbers as bfloat16 (as uint16), rounded at random; see :func:`alto.engines._rounding.rounded`."""
    wide = numbers.view(np.uint32)
    for i in range(len(out)):
        x = wide[i]
        size = x & np.uint32(0x7FFFFFFF)
        dropped = np.uint32(bits[i]) if size < np.uint32(0x7F800000) else np.uint32(0)
        quiet = np.uint32(0x400000) if size > np.uint32(0x7F800000) else np.uint32(0)
        out[i] = np.uint16(((x | quiet) + dropped) >> np.uint32(16))


@njit(**_OPTIONS)
def _load(table, row, tensor, first, end, like, element, buffer):
    """A parameter's or gradient's elements in the state's dtype: in place, or widened into ``buffer``."""
    if element.itemsize == like.itemsize:
        return _span(table, row, tensor, first, end, like)
    _widen(_span(table, row, tensor, first, end, element), buffer[: end - first])
    return buffer[: end - first]


@njit(**_OPTIONS)
def _mix(a, b, keep, weight):
    """Keep a + weight b, where keep is 1 - weight; exact where either is 0, as torch.lerp is."""
    return a + weight * (b - a) if weight < keep else b - keep * (b - a)


@njit(**_EXACT)
def _begin(job, numbers):
    """Before the first items of a step: advance the counters, and let nothing be done yet."""
    addresses = _array(job.steps, job.tensors, numbers)
    left = _array(job.left, job.tensors, numbers)
    rates = _array(job.rates, job.tensors, np.empty(0, np.float64))
    for tensor in range(job.tensors):
        if job.wide_steps:
            _array(addresses[tensor], 1, np.empty(0, np.float64))[0] += 1
        else:
            _array(addresses[tensor], 1, np.empty(0, np.float32))[0] += np.float32(1)
        left[tensor] = _array(job.chunks, job.tensors, numbers)[tensor]
        rates[tensor] = job.lr
    job.undecided = 0


@njit(**_EXACT)
def _count(job, tensor, numbers):
    """The number of this step for a tensor."""
    address = _array(job.steps, job.tensors, numbers)[tensor]
    if job.wide_steps:
        return _array(address, 1, np.empty(0, np.float64))[0]
    return np.float64(_array(address, 1, np.empty(0, np.float32))[0])


@njit(**_EXACT)
def _correction(job, step):
    """The scale and shift after this many steps; see :func:`alto.engines._maths.correction`."""
    if not job.corrects:
        return 1.0, job.eps1
    root = np.sqrt(1 - job.beta3**step)
    return root / (1 - job.beta2**step), root * job.eps1


@njit(**_OPTIONS)
def _updates(job, tensor, at, stop, like, buffer):
    """Where r of these elements is kept for the second pass; nowhere for long if the network is large."""
    if job.keeps:
        start = _array(job.starts, job.tensors, np.empty(0, np.int64))[tensor]
        return _array(job.updates + (start + at) * like.itemsize, stop - at, like)
    return _array(buffer.ctypes.data, stop - at, like)


@njit(**_EXACT)
def _decide(job, tensor, numbers):
    """The rate of a layer whose sums are complete, lr times :func:`alto.engines._maths.layer_factor`.

    NaN where a sum is not exact, or the norm of the whole layer not known here.
    """
    firsts = _array(job.firsts, job.tensors + 1, numbers)
    squares = _array(job.squares, (firsts[job.tensors], 2), np.empty(0, np.float64))
    theta_square = r_square = 0.0
    for chunk in range(firsts[tensor], firsts[tensor + 1]):
        theta_square += squares[chunk, 0]
        r_square += squares[chunk, 1]
    totals = _array(job.totals, (job.tensors, 2), np.empty(0, np.float64))
    totals[tensor, 0] = theta_square
    totals[tensor, 1] = r_square
    exact = job.vanishing < theta_square < np.inf and job.vanishing < r_square < np.inf
    if not (job.decides and exact):
        job.undecided = 1
        return np.nan
    phi = np.sqrt(theta_square) + job.eps3
    return job.lr * min(phi / (np.sqrt(r_square) + job.eps2 * phi), _maths.LARGEST_FACTOR)


@njit(**_OPTIONS)
def _average(job, table, tensor, first, end, scale, shift, step, wide, like, element, slow):
    """First pass over a chunk: write h, m, v; return the sums of squares of theta and r."""
    wide_g, wide_theta, wide_h, wide_r, bits = wide
    kind = like.dtype.type
    keep, c, beta1, rate1 = kind(job.keep), kind(job.c), kind(job.beta1), kind(job.rate1)
    beta2, rate2, beta3, root3 = kind(job.beta2), kind(job.rate2), kind(job.beta3), kind(job.root3)
    decay, sign, scale, shift = kind(job.decay), kind(job.sign), kind(scale), kind(shift)
    explores = slow.itemsize > 1
    theta_square = r_square = 0.0
    for at in range(first, end, TILE):
        stop = min(at + TILE, end)
        g = _load(table, GRAD, tensor, at, stop, like, element, wide_g)
        theta = _load(table, THETA, tensor, at, stop, like, element, wide_theta)
        m = _span(table, M, tensor, at, stop, like)
        v = _span(table, V, tensor, at, stop, like)
        h = _load(table, H, tensor, at, stop, like, slow, wide_h) if explores else g  # not read then
        r = _updates(job, tensor, at, stop, like, wide_r)
        a = kind(0)
        b = kind(0)
        for i in range(stop - at):
            x = sign * g[i]
            u = x
            if explores:
                old = h[i]
                u = _mix(x, old, keep, c)
                h[i] = _mix(old, x, beta1, rate1)
            new_m = _mix(m[i], u, beta2, rate2)
            part = root3 * u
            new_v = _multiply_add(v[i], beta3, part * part)  # pyright: ignore[reportCallIssue]
            m[i] = new_m
            v[i] = new_v
            new_r = scale * new_m / (np.sqrt(new_v) + shift) + decay * theta[i]
            r[i] = new_r
            a += theta[i] * theta[i]
            b += new_r * new_r
        theta_square += a
        r_square += b
        if explores and slow.itemsize != like.itemsize:
            position = _array(job.positions, job.tensors, np.empty(0, np.int64))[tensor]
            _random(bits[: (stop - at + 7) // 8 * 8], at, step, position)
            _round(h, bits, _span(table, H, tensor, at, stop, slow))
    return theta_square, r_square


@njit(**_OPTIONS)
def _apply(job, table, tensor, first, end, scale, shift, rate, wide, like, element):
    """Second pass over a chunk: theta -= rate r, with r computed again if it was not kept."""
    kind = like.dtype.type
    decay, scale, shift, rate = kind(job.decay), kind(scale), kind(shift), kind(rate)
    for at in range(first, end, TILE):
        stop = min(at + TILE, end)
        m = _span(table, M, tensor, at, stop, like)
        v = _span(table, V, tensor, at, stop, like)
        theta = _load(table, THETA, tensor, at, stop, like, element, wide[1])
        if job.keeps:
            r = _updates(job, tensor, at, stop, like, wide[3])
            for i in range(stop - at):
                theta[i] -= rate * r[i]
        else:
            for i in range(stop - at):
                theta[i] -= rate * (scale * m[i] / (np.sqrt(v[i]) + shift) + decay * theta[i])
        if element.itemsize != like.itemsize:
            _narrow(theta, _span(table, THETA, tensor, at, stop, element))


@njit(**_OPTIONS)
def _step(job, like, element, slow):
    """Both passes of ALTO, as far as the items say; see :func:`alto.engines.cpu.alto_step_`."""
    numbers = np.empty(0, np.int64)
    items = _array(job.items, (job.count, 4), numbers)
    table = _array(job.table, (5, job.tensors), numbers)
    rates = _array(job.rates, job.tensors, np.empty(0, np.float64))
    firsts = _array(job.firsts, job.tensors + 1, numbers)
    squares = _array(job.squares, (firsts[job.tensors], 2), np.empty(0, np.float64))
    empty, bits = np.empty((4, TILE), like.dtype), np.empty(TILE, np.uint16)
    wide = empty[0], empty[1], empty[2], empty[3], bits
    known, scale, shift = np.nan, 0.0, 0.0
    if job.begins:
        _begin(job, numbers)
        return
    while True:
        item = _add(job.ticket, 1)  # pyright: ignore[reportCallIssue]
        if item >= job.count:
            return
        tensor, first, end, chunk = items[item, _TENSOR], items[item, _FIRST], items[item, _END], items[item, _CHUNK]
        left = job.left + 8 * tensor
        step = _count(job, tensor, numbers)
        if step != known:
            known = step
            scale, shift = _correction(job, step)
        if chunk == SECOND:
            # Its chunks of the first pass come before it, so other threads have taken them: this does not last.
            while _add(left, 0):  # pyright: ignore[reportCallIssue]
                pass
            if not np.isnan(rates[tensor]):
                _apply(job, table, tensor, first, end, scale, shift, rates[tensor], wide, like, element)
        else:
            a, b = _average(job, table, tensor, first, end, scale, shift, step, wide, like, element, slow)
            squares[chunk, 0] = a
            squares[chunk, 1] = b
            if _add(left, -1) == 2:  # the last of its chunks
                if job.layerwise:
                    rates[tensor] = _decide(job, tensor, numbers)
                _add(left, -1)  # pyright: ignore[reportCallIssue]


@njit(**_OPTIONS)
def _explore(job, like, element):
    """The adaptor alone: u = (1 - c) g + c h, h += (1 - beta1) (g - h)."""
    numbers = np.empty(0, np.int64)
    items = _array(job.items, (job.count, 4), numbers)
    table = _array(job.table, (3, job.tensors), numbers)
    wide_u = np.empty(TILE, like.dtype)
    wide_g = np.empty(TILE, like.dtype)
    kind = like.dtype.type
    keep, c, beta1, rate1 = kind(job.keep), kind(job.c), kind(job.beta1), kind(job.rate1)
    narrow = element.itemsize != like.itemsize
    while True:
        item = _add(job.ticket, 1)  # pyright: ignore[reportCallIssue]
        if item >= job.count:
            return
        tensor = items[item, _TENSOR]
        for at in range(items[item, _FIRST], items[item, _END], TILE):
            stop = min(at + TILE, items[item, _END])
            g = _load(table, GRAD, tensor, at, stop, like, element, wide_g)
            h = _span(table, _SLOW, tensor, at, stop, like)
            u = wide_u[: stop - at] if narrow else _span(table, U, tensor, at, stop, like)
            for i in range(stop - at):
                x, old = g[i], h[i]
                u[i] = _mix(x, old, keep, c)
                h[i] = _mix(old, x, beta1, rate1)
            if narrow:
                _narrow(u, _span(table, U, tensor, at, stop, element))


def _compiled(function):
    """The compiled function, which is kept on disk; where there is no place for it, each process compiles it anew."""
    try:
        return cfunc(_SIGNATURE, cache=True)(function)
    except RuntimeError as error:
        if "no locator" not in str(error):
            raise
        return cfunc(_SIGNATURE)(function)


def step_of(like, element, slow):
    """The compiled kernel of a whole step, for the dtypes of the state, the parameters and the slow averages.

    ``slow`` is int8 where there are none.
    """

    def step(pointer):
        _step(carray(pointer, 1)[0], np.empty(0, like), np.empty(0, element), np.empty(0, slow))

    return _compiled(step)


def explore_of(like, element):
    """The compiled kernel of the adaptor, for the dtypes of the slow averages and the gradients."""

    def explore(pointer):
        _explore(carray(pointer, 1)[0], np.empty(0, like), np.empty(0, element))

    return _compiled(explore)
