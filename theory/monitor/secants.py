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
"""The most coordinates of small parameters in one bucket: what is copied at a time."""


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


class Snapshot:
    """Copies of the parameters and gradients before one step, and Q after it: vectors of this process's shards.

    Memory: three numbers per parameter, in the parameter's type, until the next step.
    """

    @torch.no_grad()
    def __init__(self, groups: Sequence[Mapping[str, Any]]) -> None:
        self.buckets = buckets(groups)
        self.theta = [flat(bucket.params) for bucket in self.buckets]
        self.g = [flat([p.grad for p in bucket.params]) for bucket in self.buckets]
        self.Q: list[Tensor] | None = None

    @torch.no_grad()
    def sizes(self) -> dict[str, float]:
        """|theta|^2, |g|^2 and sup |g| over whole parameters: norms over all shards."""
        found = total(
            self.buckets,
            lambda i: [dot(self.theta[i], self.theta[i]), dot(self.g[i], self.g[i])],
            lambda i: [_largest(self.g[i])],
        )
        return dict(zip(("theta2", "g2", "G"), found, strict=True))

    @torch.no_grad()
    def compare(self) -> dict[str, float]:
        """Sums of y^2, d^2, y d and d^2 / Q up to the present parameters and gradients; Q's extremes.

        The copies are used up and freed.
        """
        theta, g, Q = self.theta, self.g, self.Q
        self.theta = self.g = []
        names = ("y2", "d2", "yd", "weighted", "q_max", "inverse_q_min")
        if any(p.grad is None for p in self.params):
            return dict.fromkeys(names, torch.nan)

        def sums(i: int) -> list[Tensor]:
            params = self.buckets[i].params
            d, y = theta[i].sub_(flat(params)), g[i].sub_(flat([p.grad for p in params]))  # negative, both
            squares = dot(d, d)
            return [dot(y, y), squares, dot(y, d), squares * torch.nan if Q is None else dot(d, d / Q[i])]

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
            held = (after[i] <= before[i]).sum(dtype=torch.float64)
            return [held, torch.full_like(held, after[i].numel())]

        held, count = total(self.buckets, sums)
        return held / count

    def shaped(self) -> tuple[list[Any], list[Tensor]]:
        """The parameters and Q in their shapes; plain parameters only."""
        assert self.Q is not None
        parts = [
            part.view(p.shape)
            for bucket, vector in zip(self.buckets, self.Q, strict=True)
            for p, part in zip(bucket.params, vector.split([p.numel() for p in bucket.params]), strict=True)
        ]
        return self.params, parts

    @property
    def params(self) -> list[Any]:
        """All parameters, bucket by bucket."""
        return [p for bucket in self.buckets for p in bucket.params]


def flat(tensors: Sequence[Any]) -> Tensor:
    """A new vector of this process's shards."""
    return torch.cat([local(tensor).reshape(-1) for tensor in tensors])


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
    """The sum of x y in float64: a scalar tensor."""
    if x.itemsize < 4:  # squares overflow in half precision
        x, y = x.float(), y.float()
    return (x * y).sum(dtype=torch.float64)


def _largest(x: Tensor) -> Tensor:
    if x.numel() == 0:  # a shard may be empty
        return torch.zeros((), dtype=torch.float64, device=x.device)
    smallest, largest = x.aminmax()
    return torch.maximum(-smallest, largest).double()
