"""Sums over all coordinates between two consecutive steps, and the reduction of these sums over shards.

Let d = theta_{k+1} - theta_k and y = g_{k+1} - g_k. With minibatches y holds the noise of both gradients too.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from theory.monitor.known import local


class Snapshot:
    """Copies of the parameters and gradients before one step, and Q after it; this process's shards.

    Memory: three numbers per parameter, in the parameter's type, until the next step.
    """

    def __init__(self, params: Sequence[Any]) -> None:
        self.params = [p for p in params if p.grad is not None]
        self.theta = [local(p).clone() for p in self.params]
        self.g = [local(p.grad).clone() for p in self.params]
        self.Q: list[Tensor] | None = None


def sizes(params: Sequence[Any]) -> dict[str, float]:
    """|theta|^2, |g|^2 and sup |g| over whole parameters: norms over all shards."""
    found = total(
        [p for p in params if p.grad is not None],
        lambda p, _: [dot(local(p), local(p)), dot(local(p.grad), local(p.grad))],
        lambda p, _: [_largest(local(p.grad))],
    )
    return dict(zip(("theta2", "g2", "G"), found, strict=True))


def compare(before: Snapshot) -> dict[str, float]:
    """Sums of y^2, d^2, y d and d^2 / Q from a snapshot to the present parameters and gradients; Q's extremes."""

    def sums(p: Any, i: int) -> list[Tensor]:
        d = local(p) - before.theta[i]
        y = torch.full_like(d, torch.nan) if p.grad is None else local(p.grad) - before.g[i]
        weighted = dot(d, d / before.Q[i]) if before.Q is not None else dot(d, d) * torch.nan
        return [dot(y, y), dot(d, d), dot(y, d), weighted]

    def extremes(_: Any, i: int) -> list[Tensor]:
        if before.Q is None:
            nothing = torch.full((), torch.nan, dtype=torch.float64, device=before.theta[i].device)
            return [nothing, nothing]
        return [_largest(before.Q[i]), _largest(1 / before.Q[i])]

    found = total(before.params, sums, extremes)
    names = ("y2", "d2", "yd", "weighted", "q_max", "inverse_q_min")
    return dict(zip(names, found, strict=True))


def increases(before: Sequence[Tensor], after: Sequence[Tensor], params: Sequence[Any]) -> float:
    """The share of coordinates in which 1/Q did not decrease (Assumption 3.5 with eps1)."""
    held, count = total(
        params,
        lambda _, i: [
            (after[i] <= before[i]).sum(dtype=torch.float64),
            torch.tensor(float(after[i].numel()), dtype=torch.float64, device=after[i].device),
        ],
    )
    return held / count


def total(
    params: Sequence[Any],
    sums: Callable[[Any, int], list[Tensor]],
    largest: Callable[[Any, int], list[Tensor]] | None = None,
) -> list[float]:
    """Float64 sums, then maxima, over parameters and the shards of each; one all-reduce per mesh dimension and kind.

    Args:
        params: plain or DTensor parameters. Plain ones are equal on all processes, as DDP leaves them: not reduced.
        sums: from a parameter and its place to scalars of this process's shard, which are added.
        largest: the same for scalars of which the largest counts.

    Returns:
        The sums followed by the maxima: one transfer from the device.
    """
    parts: dict[Any, tuple[list[Tensor], list[Tensor]]] = {}
    for i, p in enumerate(params):
        added, highest = parts.setdefault(_layout(p), ([], []))
        added.append(torch.stack(sums(p, i)))
        if largest is not None:
            highest.append(torch.stack(largest(p, i)))
    added, highest = [], []
    for layout, (some_sums, some_maxima) in parts.items():
        added.append(_reduced(torch.stack(some_sums).sum(0), layout, "SUM"))
        if some_maxima:
            highest.append(_reduced(torch.stack(some_maxima).amax(0), layout, "MAX"))
    device = added[0].device
    vector = torch.stack([row.to(device) for row in added]).sum(0)
    if highest:
        vector = torch.cat([vector, torch.stack([row.to(device) for row in highest]).amax(0)])
    return vector.tolist()


def _layout(p: Any) -> Any:
    """The mesh and its dimensions over which a parameter is sharded; None for a plain one."""
    if not hasattr(p, "placements"):
        return p.device
    return p.device_mesh, tuple(i for i, placement in enumerate(p.placements) if placement.is_shard())


def _reduced(vector: Tensor, layout: Any, how: str) -> Tensor:
    if isinstance(layout, tuple):
        mesh, dims = layout
        for dim in dims:
            kind = getattr(torch.distributed.ReduceOp, how)
            torch.distributed.all_reduce(vector, op=kind, group=mesh.get_group(dim))
    return vector


def dot(x: Tensor, y: Tensor) -> Tensor:
    """The sum of x y in float64: a scalar tensor."""
    if x.itemsize < 4:  # squares overflow in half precision
        x, y = x.float(), y.float()
    return (x * y).sum(dtype=torch.float64)


def _largest(x: Tensor) -> Tensor:
    if x.numel() == 0:  # a shard may be empty
        return torch.zeros((), dtype=torch.float64, device=x.device)
    return x.abs().amax().double()
