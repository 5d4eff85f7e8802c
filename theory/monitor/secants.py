"""Sums over all coordinates between two consecutive steps, and the reduction of these sums over shards.

Let d = theta_{k+1} - theta_k and y = g_{k+1} - g_k. With minibatches y holds the noise of both gradients too. The
step's matrix is kept as Q = scale / S, a vector and a number: it takes two passes over memory less than Q itself.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import torch
from torch import Tensor

from theory.monitor.known import local, numbers

SIZE = 2**20
"""The most coordinates of small parameters in one bucket."""
BLOCK = 2**17
"""The coordinates of a float32 sum on a CPU; these sums are added in float64, to a relative error of about 1e-5."""


@dataclass
class Bucket:
    """Parameters that are measured as one vector, as most of the time for small ones is that of calling torch.

    Attributes:
        group: the number of their parameter group.
        layout: the mesh and its dimensions over which they are sharded; the device of plain ones.
        params: the parameters.
        count: coordinates of this process's shards.
    """

    group: int
    layout: Any
    params: list[Any] = field(default_factory=list)
    count: int = 0


def buckets(groups: Sequence[Mapping[str, Any]]) -> list[Bucket]:
    """The parameters that have gradients: one group, layout and type to a bucket.

    Layouts come in the order of their first parameters, so that all processes reduce in the same order.
    """
    found = []
    for number, group in enumerate(groups):
        current: dict[Any, Bucket] = {}
        for p in group["params"]:
            if not p.requires_grad or p.grad is None:
                continue
            kind, count = (_layout(p), p.dtype), local(p).numel()
            if kind not in current or current[kind].count + count > SIZE:
                current[kind] = Bucket(number, kind[0])
                found.append(current[kind])
            current[kind].params.append(p)
            current[kind].count += count
    return found


class Vectors:
    """Room for the copies of parameters, gradients and two S: one vector per bucket each, of this process's shards.

    They are used again for every measured pair, as new large tensors cost more than the sums over them.

    Memory: four numbers per parameter; in the parameter's type, and S in that of the optimizer's state.
    """

    def __init__(self, groups: Sequence[Mapping[str, Any]]) -> None:
        self.buckets, self._key = buckets(groups), _key(groups)
        self.theta, self.g = ([_room(bucket) for bucket in self.buckets] for _ in range(2))
        self.parts: dict[int, list[Tensor]] = {}
        self.blocks: dict[int, Sequence[Tensor]] = {}
        self._divide(self.theta)
        self._divide(self.g)
        self._S: list[list[Tensor]] = [[], []]

    def fit(self, groups: Sequence[Mapping[str, Any]]) -> bool:
        """Whether these groups have the same parameters with gradients, of the same types."""
        return self._key == _key(groups)

    def next_S(self, types: Sequence[torch.dtype]) -> list[Tensor]:
        """The vectors for the next S; those of the S before it stay as they are."""
        self._S.reverse()
        if [vector.dtype for vector in self._S[0]] != list(types):
            self._S[0] = [_room(bucket, kind) for bucket, kind in zip(self.buckets, types, strict=True)]
            self._divide(self._S[0])
        return self._S[0]

    def _divide(self, vectors: list[Tensor]) -> None:
        """Keep their parts, one per parameter, and their blocks: to make these views takes as long as a sum."""
        for bucket, vector in zip(self.buckets, vectors, strict=True):
            self.parts[id(vector)], self.blocks[id(vector)] = _split(bucket, vector), blocks(vector)


@dataclass(frozen=True)
class Matrix:
    """The diagonal of the step's matrix Q = scale / S, bucket by bucket: this process's shards.

    Attributes:
        S: one vector per bucket, (count,).
        scales: one number per bucket, the learning rate included.
    """

    S: list[Tensor]
    scales: list[float]


class Snapshot:
    """Copies of the parameters and gradients before one step, and Q after it, in the room of ``vectors``."""

    @torch.no_grad()
    def __init__(self, vectors: Vectors) -> None:
        self.vectors, self.buckets = vectors, vectors.buckets
        self.Q: Matrix | None = None
        for i, bucket in enumerate(self.buckets):
            torch._foreach_copy_(self._parts(vectors.theta[i]), [local(p) for p in bucket.params])
            torch._foreach_copy_(self._parts(vectors.g[i]), [gradient(p) for p in bucket.params])

    def _parts(self, vector: Tensor) -> list[Tensor]:
        return self.vectors.parts[id(vector)]

    def _summed(self, term: Callable[..., Tensor], *vectors: Tensor) -> list[Tensor]:
        return summed(term, *(self.vectors.blocks[id(vector)] for vector in vectors))

    @torch.no_grad()
    def sizes(self) -> dict[str, float]:
        """|theta|^2, |g|^2 and sup |g| over whole parameters: norms over all shards."""
        theta, g = self.vectors.theta, self.vectors.g
        found = total(
            self.buckets, lambda i: [self._summed(_dot, x, x) for x in (theta[i], g[i])], lambda i: _ends(g[i]),
            lambda _, added, ends: (added, [largest((-ends[0], ends[1]))]),
        )  # fmt: skip
        return dict(zip(("theta2", "g2", "G"), found, strict=True))

    @torch.no_grad()
    def compare(self) -> dict[str, float]:
        """Sums of y^2, d^2, y d and d^2 / Q up to the present parameters and gradients; Q's extremes.

        The copies are used up.
        """
        theta, g, Q = self.vectors.theta, self.vectors.g, self.Q
        names = ("y2", "d2", "yd", "weighted", "q_max", "inverse_q_min")
        if any(p.grad is None for p in self.params):
            return dict.fromkeys(names, torch.nan)

        def sums(i: int) -> list[list[Tensor]]:
            params, d, y = self.buckets[i].params, theta[i], g[i]  # negative, both
            torch._foreach_sub_(self._parts(d), [local(p) for p in params])
            torch._foreach_sub_(self._parts(y), [gradient(p) for p in params])
            found = [self._summed(_dot, *pair) for pair in ((y, y), (d, d), (y, d))]
            return found if Q is None else [*found, self._summed(_weighted, d, Q.S[i], y)]

        def scaled(i: int, added: list[float], ends: list[float]) -> tuple[list[float], list[float]]:
            if Q is None:
                return added, []
            scale, (low, high) = Q.scales[i], ends
            added = [*added[:3], _ratio(added[3], scale)]
            return added, [_ratio(scale, low), _ratio(high, scale)] if Q.S[i].numel() else [0.0, 0.0]

        found = total(self.buckets, sums, lambda i: [] if Q is None else _ends(Q.S[i]), scaled)
        return dict(zip(names, found if Q else [*found, *[torch.nan] * 3], strict=True))

    @torch.no_grad()
    def increases(self, after: Matrix) -> float:
        """The share of coordinates in which 1/Q did not decrease from here (Assumption 3.5 with eps1).

        This Q is used up.
        """
        assert self.Q is not None
        before = self.Q

        def sums(i: int) -> list[list[Tensor]]:
            S, old, new = before.S[i], before.scales[i], after.scales[i]
            if new != old or new == 0:
                S.mul_(_ratio(new, old) if new else 0.0)  # at a rate of 0, 1/Q is infinite
            held = self._summed(lambda a, b: _sum(a.le_(b)), S, after.S[i])
            return [held, []]

        held, count = total(self.buckets, sums, finish=lambda i, added, _: ([added[0], float(after.S[i].numel())], []))
        return held / count if count else 1.0

    def shaped(self) -> tuple[list[Any], list[Tensor]]:
        """The parameters and Q in their shapes; plain parameters only."""
        assert self.Q is not None
        found = zip(self.Q.S, self.Q.scales, strict=True)
        return self.params, [scale / part for vector, scale in found for part in self._parts(vector)]

    @property
    def params(self) -> list[Any]:
        """All parameters, bucket by bucket."""
        return [p for bucket in self.buckets for p in bucket.params]


def gradient(p: Any) -> Tensor:
    """This process's shard of a parameter's gradient; a sparse one as a dense tensor."""
    return local(p.grad.to_dense() if p.grad.is_sparse else p.grad)


def _key(groups: Sequence[Mapping[str, Any]]) -> list[list[tuple[int, torch.dtype, torch.Size]]]:
    return [
        [(id(p), p.dtype, p.shape) for p in group["params"] if p.requires_grad and p.grad is not None]
        for group in groups
    ]


def _room(bucket: Bucket, dtype: torch.dtype | None = None) -> Tensor:
    return local(bucket.params[0].detach()).new_empty(bucket.count, dtype=dtype)


def _split(bucket: Bucket, vector: Tensor) -> list[Tensor]:
    shapes = [local(p).shape for p in bucket.params]
    parts = vector.split([shape.numel() for shape in shapes])
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


def total(
    buckets: Sequence[Bucket],
    sums: Callable[[int], list[list[Tensor]]],
    tops: Callable[[int], list[Tensor]] = lambda _: [],
    finish: Callable[[int, list[float], list[float]], tuple[list[float], list[float]]] = lambda _, *found: found,
) -> list[float]:
    """Float64 sums, then maxima, over buckets and the shards of each; one all-reduce per mesh dimension and kind.

    Args:
        buckets: of plain or DTensor parameters. Plain ones are equal on all processes, as DDP leaves them: not reduced.
        sums: from a bucket's place to lists of scalars of this process's shards; the scalars of a list are added.
        tops: the same for scalars of which the largest counts.
        finish: from a bucket's place, its sums and its tops to those that are added and compared over buckets.

    Returns:
        The sums followed by the maxima.
    """
    rows: dict[Any, list[tuple[int, list[list[Tensor]], list[Tensor]]]] = {}
    for i, bucket in enumerate(buckets):
        rows.setdefault(bucket.layout, []).append((i, sums(i), tops(i)))
    found = []
    for layout, some in rows.items():
        read = iter(numbers([x for _, added, top in some for x in (*chain(*added), *top)]))
        values = [
            finish(i, [sum(islice(read, len(part))) for part in added], list(islice(read, len(top))))
            for i, added, top in some
        ]
        found.append(_reduced(*_merged(values), layout))
    added, top = _merged(found)
    return [*added, *top]


def _merged(rows: Sequence[tuple[list[float], list[float]]]) -> tuple[list[float], list[float]]:
    """The sums over the rows, and the maxima."""
    added, tops = zip(*rows, strict=True)
    return [sum(column) for column in zip(*added, strict=True)], [largest(column) for column in zip(*tops, strict=True)]


def largest(sizes: Iterable[float]) -> float:
    """The largest; NaN where one is, which max() may drop."""
    return max(sizes, key=lambda size: math.inf if math.isnan(size) else size)


def _layout(p: Any) -> Any:
    if not hasattr(p, "placements"):
        return p.device
    return p.device_mesh, tuple(i for i, placement in enumerate(p.placements) if placement.is_shard())


def _reduced(added: list[float], tops: list[float], layout: Any) -> tuple[list[float], list[float]]:
    if not isinstance(layout, tuple):
        return added, tops
    mesh, dims = layout
    rows = [torch.tensor(row, dtype=torch.float64, device=mesh.device_type) for row in (added, tops)]
    for row, operation in zip(rows, (torch.distributed.ReduceOp.SUM, torch.distributed.ReduceOp.MAX), strict=True):
        for dim in dims if row.numel() else ():
            torch.distributed.all_reduce(row, op=operation, group=mesh.get_group(dim))
    return rows[0].tolist(), rows[1].tolist()


def dots(x: Tensor, y: Tensor) -> list[Tensor]:
    """Scalar tensors that add to the sum of x y."""
    return summed(_dot, blocks(x), blocks(y))


def blocks(x: Tensor) -> Sequence[Tensor]:
    """Parts of a vector that are summed one by one on a CPU, so that no large tensor is made."""
    return x.split(BLOCK) if x.is_cpu and x.numel() > BLOCK else (x,)


def summed(term: Callable[..., Tensor], *vectors: Sequence[Tensor]) -> list[Tensor]:
    """Scalars ``term`` of the blocks of vectors, to be added in float64."""
    return [term(*some) for some in zip(*vectors, strict=True)]


def _single(x: Tensor) -> Tensor:
    return x.float() if x.itemsize < 4 else x  # squares overflow in half precision


def _weighted(d: Tensor, S: Tensor, room: Tensor) -> Tensor:
    """The sum of d S d; the product goes to ``room`` where it has the type, as new memory takes longer than it."""
    d, S = _single(d), _single(S)
    return _dot(d, torch.mul(d, S, out=room) if d.dtype == S.dtype == room.dtype else d * S)


def _ratio(x: float, y: float) -> float:
    return x / y if y else math.inf * x  # as torch divides


def _sum(x: Tensor) -> Tensor:
    return _single(x).sum() if x.is_cpu else x.sum(dtype=torch.float64)


def _dot(x: Tensor, y: Tensor) -> Tensor:
    x, y = _single(x), _single(y)
    return torch.dot(x, y) if x.is_cpu else (x * y).sum(dtype=torch.float64)


def _ends(x: Tensor) -> list[Tensor]:
    """The smallest and the largest."""
    if x.numel() == 0:  # a shard may be empty
        return [torch.zeros((), dtype=torch.float64, device=x.device)] * 2
    return list(x.aminmax())
