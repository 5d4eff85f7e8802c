"""The Triton kernels of the fused GPU engine: each walks all tensors of a list, ``BLOCK`` elements per program.

A kernel gets a table of addresses (one row per operand, one column per tensor), the tensor that each chunk belongs to,
the first chunk of each tensor, and the sizes. Hyper-parameters come as float64 (Triton's default is float32) and are
rounded once, to the dtype of the state. A mask would rule out wide loads, so a kernel holds its body twice: without one
for full chunks, with one for others.
"""
# pyright: reportInvalidTypeForm=false
# (the annotations in kernels speak to Triton)

from __future__ import annotations

from importlib import import_module
from typing import Any

# By name, so that types are checked where there is no Triton.
triton: Any = import_module("triton")
tl: Any = import_module("triton.language")
jit = triton.jit
# Without variants for counts and addresses that happen to be 1 or a multiple of 16: they bound no inner loop.
kernel = triton.jit(do_not_specialize=["count", "chunks", "sizes"])

BLOCK = 2048  # elements that one program handles: with 8 warps, two 16-byte loads a thread and float32 operand
WARPS = 8


@jit
def _place(owners, firsts, sizes, BLOCK: tl.constexpr):
    """The tensor of this program, the first of its elements here, and how many there are from that one on."""
    chunk = tl.program_id(0)
    i = tl.load(owners + chunk)
    start = (chunk - tl.load(firsts + i)) * BLOCK
    return i, start, tl.load(sizes + i) - start


@jit
def _pointer(table, place, start, TYPE: tl.constexpr, ALIGNED: tl.constexpr):
    pointer = tl.load(table + place).to(tl.pointer_type(TYPE))
    if ALIGNED:  # by fours, as float32 is stored: eights of half precision would be swapped between threads
        pointer = tl.multiple_of(pointer, 16 if TYPE.primitive_bitwidth > 16 else 8)
    return pointer + start


@jit
def _load(pointer, lanes, left, STATE: tl.constexpr, FULL: tl.constexpr):
    if FULL:
        return tl.load(pointer + lanes).to(STATE)
    return tl.load(pointer + lanes, mask=lanes < left, other=0.0).to(STATE)


@jit
def _store(pointer, lanes, left, value, FULL: tl.constexpr):
    value = value.to(pointer.dtype.element_ty)
    if FULL:
        tl.store(pointer + lanes, value)
    else:
        tl.store(pointer + lanes, value, mask=lanes < left)


@jit
def _lerp(a, b, weight):
    """As torch.lerp: exact at both ends."""
    return tl.where(tl.abs(weight) < 0.5, a + weight * (b - a), b - (1 - weight) * (b - a))


@jit
def _direction(theta, m, v, scale, shift, decay):
    """r; root and quotient correctly rounded, which in float32 takes functions of its own."""
    ratio = m / (tl.sqrt(v) + shift) if m.dtype == tl.float64 else tl.div_rn(m, tl.sqrt_rn(v) + shift)
    return scale * ratio + decay * theta


@jit
def _square_sum(x):
    """The sum of squares, float64, in units of 2^100, 1 or 2^-100, so that none overflows or vanishes in float32."""
    largest = tl.max(tl.abs(x))
    shrink = tl.where(largest > 1e15, 2.0**-100, tl.where(largest < 1e-15, 2.0**100, 1.0))
    x = x * shrink.to(x.dtype)
    back = 1 / shrink.to(tl.float64)
    return tl.sum(x * x).to(tl.float64) * back * back


@jit
def _rounded(x, step, position, index, CALLS: tl.constexpr):
    """As ``_rounding.rounded`` with its bits for these elements; the sixteen zeros at the end survive any rounding."""
    x = x.to(tl.float32)
    w0, w1, w2, w3 = tl.randint4x((position << 32) | step, index // CALLS)
    half = index % CALLS
    word = tl.where(half < 4, tl.where(half < 2, w0, w1), tl.where(half < 6, w2, w3))
    bits = (word >> ((half % 2) * 16).to(tl.uint32)) & 0xFFFF
    carried = (x.to(tl.uint32, bitcast=True) + bits) & 0xFFFF0000
    return tl.where(tl.abs(x) <= float("inf"), carried.to(tl.float32, bitcast=True), float("nan"))


@kernel
def explore_kernel(
    table, owners, firsts, sizes, count, c: tl.float64, w1: tl.float64,
    ALIGNED: tl.constexpr, G_ALIGNED: tl.constexpr, THETA: tl.constexpr, STATE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    i, start, left = _place(owners, firsts, sizes, BLOCK)
    u_at = _pointer(table, i, start, THETA, ALIGNED)
    g_at = _pointer(table, count + i, start, THETA, G_ALIGNED)
    h_at = _pointer(table, 2 * count + i, start, STATE, ALIGNED)
    lanes = tl.arange(0, BLOCK)
    for FULL in tl.static_range(2):
        if (left >= BLOCK) == FULL:
            g = _load(g_at, lanes, left, STATE, FULL)
            h = _load(h_at, lanes, left, STATE, FULL)
            _store(u_at, lanes, left, _lerp(g, h, tl.full((), c, STATE)), FULL)
            _store(h_at, lanes, left, _lerp(h, g, tl.full((), w1, STATE)), FULL)


@kernel
def average_kernel(
    table, owners, firsts, sizes, count, corrections, squares, chunks,
    c: tl.float64, w1: tl.float64, w2: tl.float64, beta3: tl.float64, w3: tl.float64, decay: tl.float64,
    EXPLORES: tl.constexpr, LAYERWISE: tl.constexpr, MAXIMIZE: tl.constexpr, SLOW: tl.constexpr, CALLS: tl.constexpr,
    ALIGNED: tl.constexpr, G_ALIGNED: tl.constexpr, THETA: tl.constexpr, STATE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    i, start, left = _place(owners, firsts, sizes, BLOCK)
    g_at = _pointer(table, i, start, THETA, G_ALIGNED)
    theta_at = _pointer(table, count + i, start, THETA, ALIGNED)
    m_at = _pointer(table, 2 * count + i, start, STATE, ALIGNED)
    v_at = _pointer(table, 3 * count + i, start, STATE, ALIGNED)
    h_at = _pointer(table, 4 * count + i, start, SLOW, ALIGNED) if EXPLORES else m_at
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
                new_h = _lerp(h, u, tl.full((), w1, STATE))
                if SLOW != STATE:
                    step = tl.load(corrections + 2 * count + i).to(tl.int64)
                    new_h = _rounded(new_h, step, tl.load(table + 5 * count + i), start + lanes, CALLS)
                _store(h_at, lanes, left, new_h, FULL)
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
                tl.store(squares + tl.program_id(0), _square_sum(theta))
                tl.store(squares + chunks + tl.program_id(0), _square_sum(r))


@kernel
def norm_kernel(squares, firsts, norms, count, chunks, LANES: tl.constexpr):
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


@kernel
def apply_kernel(
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
