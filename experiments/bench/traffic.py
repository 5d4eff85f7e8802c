"""How many bytes a method must move through memory in one step, in float32: what no implementation of it can avoid.

A pass reads each operand once and writes each result once, and nothing else leaves the registers. How many passes a
method needs follows from its formulas alone: a layerwise method must know the norm of the whole update before it moves
the first weight, so it needs two; an adaptor around a black box must hand the new gradient over in memory. An
implementation is charged with its method's bytes, not with its own: what it wastes shows as a multiple of the floor.

A tensor that stays in the cache is moved once for both passes, so small layers may fall below the number.

Letters: p parameter, g gradient, u explored gradient, h slow average (one buffer suffices: a_k = h_k - h_{k-1}), m and
v the moments, d the average of gradient differences, q the previous gradient, x and y any tensor.
"""

from dataclasses import dataclass

_FLOAT32 = 4


@dataclass(frozen=True)
class Pass:
    """One walk through memory: the letters of what is read and of what is written."""

    reads: str
    writes: str

    def __str__(self) -> str:
        return f"{self.reads} -> {self.writes}"

    @property
    def bytes(self) -> int:
        """Bytes per parameter."""
        return _FLOAT32 * (len(self.reads.split()) + len(self.writes.split()))


@dataclass(frozen=True)
class Traffic:
    """What a method moves in one step.

    Attributes:
        passes: Its walks through memory.
        why: Where the operands come from.
    """

    passes: tuple[Pass, ...]
    why: str

    @property
    def bytes(self) -> int:
        """Bytes per parameter."""
        return sum(part.bytes for part in self.passes)


_MOMENTS = Pass("g m v p", "m v p")
ADAMW = Traffic((_MOMENTS,), "Loshchilov & Hutter 2019, Algorithm 2: every line is elementwise, so one pass does all")
LAMB = Traffic(
    (Pass("g m v p", "m v"), Pass("m v p", "p")),
    "You et al. 2020, Algorithm 2: |r| and |p| of a layer come before its first weight moves; r is computed again",
)
ALTO = Traffic(
    (Pass("g h m v p", "h m v"), Pass("m v p", "p")),
    "Zhao et al. 2025, Algorithm 2: LAMB's two passes, and the slow average read and written in the first",
)
E_ADAMW = Traffic(
    (Pass("g h", "h u"), _MOMENTS),
    "Zhao et al. 2025, Algorithm 5: the base is a black box that reads u where it would read g",
)
ADAN = Traffic(
    (Pass("g q m d v p", "q m d v p"),),
    "Xie et al. 2024, Algorithm 1: three averages and the previous gradient, all elementwise",
)
COPY = Traffic((Pass("x", "y"),), "y = x; a CPU's caches read y before they overwrite it, which is not counted")
IN_PLACE = Traffic((Pass("x", "x"),), "x = -x: as a step does, it writes where it has just read")
