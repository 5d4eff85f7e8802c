"""The Numba kernels of the fused CPU engine: loops over addresses, without the GIL, cut into tiles of a few lines.

A kernel gets a table of addresses (one row per operand, one column per tensor), a list of chunks (tensor, first
element, end) and the range of chunks that is this thread's. One loop over all operands streams them from memory side by
side; the compiler makes vectors of it after it has checked that they do not overlap. Before each tile, the lines that
come a kilobyte later are fetched: the processor's own prefetcher stops at the end of each page, and five streams have
many pages.
"""

import numpy as np
from llvmlite import ir
from numba import carray, njit, types
from numba.extending import intrinsic

# Elements, and how many bytes ahead of them: the best of a scan (64-512 elements, 1-16 kB); longer tiles ask for too
# many lines at once.
TILE = 64
_AHEAD = 1024
_LINE = 64
# Rows of the address table.
THETA, GRAD, M, V, H = range(5)
_U, _G, _SLOW = range(3)  # of `explore`'s table
# Entries of the constants.
KEEP, C, BETA1, RATE1, BETA2, RATE2, BETA3, ROOT3, DECAY, SIGN = range(CONSTANTS := 10)

# Sums may be reordered (that is what makes them vectors) and products fused; NaN and infinity keep their meaning.
_OPTIONS = {
    "cache": True,
    "nogil": True,
    "fastmath": {"reassoc", "contract"},
    "error_model": "numpy",
    "boundscheck": False,
}


@intrinsic
def _pointer(typing_context, address, like):  # noqa: ARG001
    """The address (int64) as a pointer to elements of ``like``'s dtype."""
    kind = types.CPointer(like.dtype)

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return kind(types.int64, like), generate


@intrinsic
def _prefetch_line(typing_context, address):  # noqa: ARG001
    """Ask for the cache line at an address (int64); one that is nobody's is ignored by the processor."""

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
        for_reading, into_all_caches, data = number(0), number(3), number(1)
        where = builder.inttoptr(arguments[0], pointer)
        builder.call(prefetch, [where, for_reading, into_all_caches, data])
        return context.get_dummy_value()

    return types.void(types.int64), generate


@njit(**_OPTIONS)
def _prefetch(table, row, tensor, first, itemsize):
    """Ask for the tile that comes `_AHEAD` bytes after element ``first``."""
    address = table[row, tensor] + first * itemsize + _AHEAD
    for line in range(0, TILE * itemsize, _LINE):
        _prefetch_line(address + line)  # pyright: ignore[reportCallIssue]


@njit(**_OPTIONS)
def _span(table, row, tensor, first, end, like):
    """Elements first..end of a tensor, as an array on its own memory."""
    address = table[row, tensor] + first * like.itemsize
    return carray(_pointer(address, like), end - first)  # pyright: ignore[reportCallIssue]


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


@njit(**_OPTIONS)
def average(table, chunks, begin, stop, k, scales, shifts, explores, like, element, squares):
    """First pass: write h, m, v; put the sums of squares of theta and r, chunk by chunk, into ``squares`` (float64)."""
    wide_g = np.empty(TILE, like.dtype)
    wide_theta = np.empty(TILE, like.dtype)
    keep, c, beta1, rate1, beta2, rate2 = k[KEEP], k[C], k[BETA1], k[RATE1], k[BETA2], k[RATE2]
    beta3, root3, decay, sign = k[BETA3], k[ROOT3], k[DECAY], k[SIGN]
    for j in range(begin, stop):
        tensor = chunks[j, 0]
        scale, shift = scales[tensor], shifts[tensor]
        theta_squares = 0.0
        r_squares = 0.0
        for first in range(chunks[j, 1], chunks[j, 2], TILE):
            end = min(first + TILE, chunks[j, 2])
            _prefetch(table, THETA, tensor, first, element.itemsize)
            _prefetch(table, GRAD, tensor, first, element.itemsize)
            _prefetch(table, M, tensor, first, like.itemsize)
            _prefetch(table, V, tensor, first, like.itemsize)
            if explores:
                _prefetch(table, H, tensor, first, like.itemsize)
            g = _load(table, GRAD, tensor, first, end, like, element, wide_g)
            theta = _load(table, THETA, tensor, first, end, like, element, wide_theta)
            m = _span(table, M, tensor, first, end, like)
            v = _span(table, V, tensor, first, end, like)
            h = _span(table, H, tensor, first, end, like) if explores else g  # not read then
            a = like.dtype.type(0)
            b = like.dtype.type(0)
            for i in range(end - first):
                x = sign * g[i]
                u = x
                if explores:
                    old = h[i]
                    u = _mix(x, old, keep, c)
                    h[i] = _mix(old, x, beta1, rate1)
                new_m = _mix(m[i], u, beta2, rate2)
                part = root3 * u
                new_v = beta3 * v[i] + part * part
                m[i] = new_m
                v[i] = new_v
                r = scale * new_m / (np.sqrt(new_v) + shift) + decay * theta[i]
                a += theta[i] * theta[i]
                b += r * r
            theta_squares += a
            r_squares += b
        squares[j, 0] = theta_squares
        squares[j, 1] = r_squares


@njit(**_OPTIONS)
def apply(table, chunks, begin, stop, k, scales, shifts, rates, like, element):
    """Second pass: theta -= rate r, with r computed again."""
    widened = np.empty(TILE, like.dtype)
    for j in range(begin, stop):
        tensor = chunks[j, 0]
        scale, shift, rate = scales[tensor], shifts[tensor], rates[tensor]
        for first in range(chunks[j, 1], chunks[j, 2], TILE):
            end = min(first + TILE, chunks[j, 2])
            _prefetch(table, THETA, tensor, first, element.itemsize)
            _prefetch(table, M, tensor, first, like.itemsize)
            _prefetch(table, V, tensor, first, like.itemsize)
            m = _span(table, M, tensor, first, end, like)
            v = _span(table, V, tensor, first, end, like)
            theta = _load(table, THETA, tensor, first, end, like, element, widened)
            for i in range(end - first):
                theta[i] -= rate * (scale * m[i] / (np.sqrt(v[i]) + shift) + k[DECAY] * theta[i])
            if element.itemsize != like.itemsize:
                _narrow(theta, _span(table, THETA, tensor, first, end, element))


@njit(**_OPTIONS)
def explore(table, chunks, begin, stop, k, like, element):
    """The adaptor alone: u = (1 - c) g + c h, h += (1 - beta1) (g - h)."""
    wide_u = np.empty(TILE, like.dtype)
    wide_g = np.empty(TILE, like.dtype)
    keep, c, beta1, rate1 = k[KEEP], k[C], k[BETA1], k[RATE1]
    narrow = element.itemsize != like.itemsize
    for j in range(begin, stop):
        tensor = chunks[j, 0]
        for first in range(chunks[j, 1], chunks[j, 2], TILE):
            end = min(first + TILE, chunks[j, 2])
            _prefetch(table, _U, tensor, first, element.itemsize)
            _prefetch(table, _G, tensor, first, element.itemsize)
            _prefetch(table, _SLOW, tensor, first, like.itemsize)
            g = _load(table, _G, tensor, first, end, like, element, wide_g)
            h = _span(table, _SLOW, tensor, first, end, like)
            u = wide_u[: end - first] if narrow else _span(table, _U, tensor, first, end, like)
            for i in range(end - first):
                x, old = g[i], h[i]
                u[i] = _mix(x, old, keep, c)
                h[i] = _mix(old, x, beta1, rate1)
            if narrow:
                _narrow(u, _span(table, _U, tensor, first, end, element))
