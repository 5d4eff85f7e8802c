r"""Rounding to bfloat16 at random, for a slow average that is kept in 2 bytes (Gupta et al., 2015).

An average with decay rate 0.99 moves by 1 % of :math:`g - h` per step, and bfloat16 resolves 0.4 %: rounding to the
nearest would lose most moves. A number between two neighbours becomes the upper one with the probability that makes its
expectation the number itself, so small moves add up.

The random bits are a function of the step counter, the parameter's position in the optimizer and the element's place in
memory: the counter-based generator Philox 4x32 with 10 rounds (Salmon et al., 2011), which Triton has too. So no
generator's state is kept: every engine and every data-parallel rank rounds alike, a resumed run like an unbroken one.

References:
    Gupta, Agrawal, Gopalakrishnan and Narayanan, *Deep learning with limited numerical precision*, ICML 2015.
    Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC 2011.
"""

import torch
from torch import Tensor

BITS_PER_CALL = 8  # numbers of 16 bits that one call of Philox gives

WORD = 0xFFFFFFFF
MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
WEYL = 0x9E3779B9, 0xBB67AE85


def store_(slow_avg: Tensor, h: Tensor, step: Tensor, position: int, *, first: int = 0) -> None:
    """Write ``h`` into ``slow_avg``, rounded at random if that is in bfloat16.

    Args:
        slow_avg: what is written to; nothing is done if it is ``h`` itself.
        h: the new average, same shape.
        step: 0-dim step counter, on the CPU or beside ``h``; it is not read by the host.
        position: the parameter's among those of the optimizer.
        first: the place in its parameter of this block's first element.
    """
    if slow_avg is h:
        return
    if slow_avg.dtype is torch.bfloat16:
        h = rounded(h, random_bits(slow_avg, step, position, first))
    slow_avg.copy_(h)


def rounded(x: Tensor, bits: Tensor) -> Tensor:
    """``x`` in bfloat16: away from zero where its dropped 16 bits and the random ones carry, else towards zero.

    Args:
        x: numbers of any floating dtype (float64 is rounded to float32 first).
        bits: int32 in [0, 65536), same shape. Uniform, they make the result's expectation ``x``, unless the upper
            neighbour is infinity.

    Returns:
        bfloat16; NaN and infinities as they are.
    """
    x = x.float()
    carried = ((x.view(torch.int32) + bits) & -0x10000).view(torch.float32)
    return torch.where(x.isfinite(), carried, x).bfloat16()


def random_bits(like: Tensor, step: Tensor, position: int, first: int = 0) -> Tensor:
    """16 random bits for each element, int32, in ``like``'s shape; numbered as the elements lie in memory."""
    strides = torch.empty_like(like, device="meta").stride()
    begin, skipped = divmod(first, BITS_PER_CALL)
    calls = -(-(skipped + like.numel()) // BITS_PER_CALL)
    counter = torch.arange(begin, begin + calls, device=like.device)
    words = philox([counter & WORD, counter >> 32, 0, 0], [step.long(), position])
    halves = torch.stack([half for word in words for half in (word & 0xFFFF, word >> 16)], dim=1)
    return halves.to(torch.int32).as_strided(like.shape, strides, storage_offset=skipped)


def philox(counter: list[Tensor | int], key: list[Tensor | int], rounds: int = 10) -> list[Tensor]:
    """Philox 4x32: four words of a counter and two of a key (int64 holding 32 bits each) become four random words."""
    x0, x1, x2, x3 = counter
    k0, k1 = key
    for _ in range(rounds):
        # A product of 64 bits may wrap to a negative number: its bits, and so the masked halves, are right.
        a, b = x0 * MULTIPLIERS[0], x2 * MULTIPLIERS[1]
        x0, x1, x2, x3 = (b >> 32 & WORD) ^ x1 ^ k0, b & WORD, (a >> 32 & WORD) ^ x3 ^ k1, a & WORD
        k0, k1 = k0 + WEYL[0] & WORD, k1 + WEYL[1] & WORD
    return [x0, x1, x2, x3]  # pyright: ignore[reportReturnType]
