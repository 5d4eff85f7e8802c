"""Sums over all coordinates between two consecutive steps, and the reduction of these sums over shards.

Let d = theta_{k+1} - theta_k and y = g_{k+1} - g_k. With minibatches y holds the noise of both gradients too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from theory.monitor.known import local

SIZE = 2**20
"""The most coordinates of small parameters in one bucket."""
BLOCK = 2**16
"""The coordinates of a float32 sum on a CPU; these sums are added in float64."""


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
    """Room for the copies of parameters, gradients and two Qs: one vector per bucket each, of this process's shards.

    They are used again for every measured pair, as new large tensors cost more than the sums over them.

    Memory: four numbers per parameter; in the parameter's type, and Q in that of the optimizer's state.
    """

    def __init__(self, groups: Sequence[Mapping[str, Any]]) -> None:
        self.buckets, self._key = buckets(groups), _key(groups)
        self.theta, self.g = ([_room(bucket) for bucket in self.buckets] for _ in range(2))
        self.parts = {
            id(vector): _split(bucket, vector)
            for vectors in (self.theta, self.g) for bucket, vector in zip(self.buckets, vectors, strict=True)
        }  # fmt: skip
        self._Q: list[list[Tensor]] = [[], []]

    def fit(self, groups: Sequence[Mapping[str, Any]]) -> bool:
        """Whether these groups have the same parameters with gradients, of the same types."""
        return self._key == _key(groups)

    def next_Q(self, types: Sequence[torch.dtype]) -> list[Tensor]:
        """The vectors for the next Q; those of the Q before it stay as they are."""
        self._Q.reverse()
        if [vector.dtype for vector in self._Q[0]] != list(types):
            self._Q[0] = [_room(bucket, kind) for bucket, kind in zip(self.buckets, types, strict=True)]
            self.parts |= {id(vector): _split(b, vector) for b, vector in zip(self.buckets, self._Q[0], strict=True)}
        return self._Q[0]


class Snapshot:
    """Copies of the parameters and gradients before one step, and Q after it, in the room of ``vectors``."""

    @torch.no_grad()
    def __init__(self, vectors: Vectors) -> None:
        self.vectors, self.buckets = vectors, vectors.buckets
        self.Q: list[Tensor] | None = None
        for i, bucket in enumerate(self.buckets):
            torch._foreach_copy_(self._parts(vectors.theta[i]), [local(p) for p in bucket.params])
            torch._foreach_copy_(self._parts(vectors.g[i]), [gradient(p) for p in bucket.params])

    def _parts(self, vector: Tensor) -> list[Tensor]:
        return self.vectors.parts[id(vector)]

    @torch.no_grad()
    def sizes(self) -> dict[str, float]:
        """|theta|^2, |g|^2 and sup |g| over whole parameters: norms over all shards."""
        theta, g = self.vectors.theta, self.vectors.g
        found = total(self.buckets, lambda i: [dot(theta[i], theta[i]), dot(g[i], g[i])], lambda i: [_largest(g[i])])
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

        def sums(i: int) -> list[Tensor]:
            params, d, y = self.buckets[i].params, theta[i], g[i]  # negative, both
            torch._foreach_sub_(self._parts(d), [local(p) for p in params])
            torch._foreach_sub_(self._parts(y), [gradient(p) for p in params])
            squares = dot(d, d)
            weighted = squares * torch.nan if Q is None else summed(lambda d, q: _dot(d, d / q), d, Q[i])
            return [dot(y, y), squares, dot(y, d), weighted]

        def extremes(i: int) -> list[Tensor]:
            if Q is None:
                return [torch.full((), torch.nan, dtype=torch.float64, device=theta[i].device)] * 2
            if Q[i].numel() == 0:
                return [_largest(Q[i])] * 2
            smallest, largest = Q[i].aminmax()
            return [largest.double(), (1 / smallest).double()]

        return dict(zip(names, total(self.buckets, sums, extremes), strict=True))

    @torch.no_grad()
    def increases(self, after: Sequence[Tensor]) -> float:
        """The share of coordinates in which 1/Q did not decrease from here (Assumption 3.5 with eps1)."""
        assert self.Q is not None
        before = self.Q

        def sums(i: int) -> list[Tensor]:
            held = summed(lambda a, b: torch.count_nonzero(a <= b), after[i], before[i])
            return [held, torch.full_like(held, after[i].numel())]

        held, count = total(self.buckets, sums)
        return held / count

    def shaped(self) -> tuple[list[Any], list[Tensor]]:
        """The parameters and Q in their shapes; plain parameters only."""
        assert self.Q is not None
        return self.params, [part for vector in self.Q for part in self._parts(vector)]

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
    sums: Callable[[int], list[Tensor]],
    largest: Callable[[int], list[Tensor]] = lambda _: [],
) -> list[float]:
    """Float64 sums, then maxima, over buckets and the shards of each; one all-reduce per mesh dimension and kind.

    Args:
        buckets: of plain or DTensor parameters. Plain ones are equal on all processes, as DDP leaves them: not reduced.
        sums: from a bucket's place to scalars of this process's shards, which are added.
        largest: the same for scalars of which the largest counts.

    Returns:
        The sums followed by the maxima: one transfer from the device.
    """
    rows: dict[Any, list[Tensor]] = {}
    count = 0
    for i, bucket in enumerate(buckets):
        added = sums(i)
        count = len(added)
        rows.setdefault(bucket.layout, []).append(torch.stack([*added, *largest(i)]))
    found = [_reduced(_merged(some, count), layout, count) for layout, some in rows.items()]
    return _merged([row.to(found[0].device) for row in found], count).tolist()


def _merged(rows: list[Tensor], sums: int) -> Tensor:
    """One row: of the first columns the sums, of the others the maxima."""
    if len(rows) == 1:
        return rows[0]
    table = torch.stack(rows)
    return torch.cat([table[:, :sums].sum(0), table[:, sums:].amax(0)])


def _layout(p: Any) -> Any:
    if not hasattr(p, "placements"):
        return p.device
    return p.device_mesh, tuple(i for i, placement in enumerate(p.placements) if placement.is_shard())


def _reduced(row: Tensor, layout: Any, sums: int) -> Tensor:
    if isinstance(layout, tuple):
        mesh, dims = layout
        for part, kind in ((row[:sums], "SUM"), (row[sums:], "MAX")):
            for dim in dims if part.numel() else ():
                operation = getattr(torch.distributed.ReduceOp, kind)
                torch.distributed.all_reduce(part, op=operation, group=mesh.get_group(dim))
    return row


def dot(x: Tensor, y: Tensor) -> Tensor:
    """The sum of x y: a scalar tensor in float64."""
    return summed(_dot, x, y)


def summed(term: Callable[..., Tensor], *vectors: Tensor) -> Tensor:
    """The float64 sum of ``term`` over parts of the vectors, so that no large tensor is made on a CPU."""
    if not vectors[0].is_cpu or vectors[0].numel() <= BLOCK:
        return term(*vectors).double()
    return torch.stack([term(*some) for some in zip(*(x.split(BLOCK) for x in vectors), strict=True)]).sum(
        dtype=torch.float64
    )


def _dot(x: Tensor, y: Tensor) -> Tensor:
    if x.itemsize < 4:  # squares overflow in half precision
        x, y = x.float(), y.float()
    return torch.dot(x, y) if x.is_cpu else (x * y).sum(dtype=torch.float64)


def _largest(x: Tensor) -> Tensor:
    if x.numel() == 0:  # a shard may be empty
        return torch.zeros((), dtype=torch.float64, device=x.device)
    smallest, largest = x.aminmax()
    return torch.maximum(-smallest, largest).double()
