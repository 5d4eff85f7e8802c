"""The variance of the gradient, from the micro-batches of gradient accumulation.

A step's gradient A is the sum of n contributions d_i, one per backward pass. The unbiased estimate of E|A - E A|^2 for
independent, equally distributed d_i is n (sum |d_i|^2 - |A|^2 / n) / (n - 1). Under DDP on W processes A is the sum of
all their contributions over W, so one backward pass per process is enough (McCandlish et al. 2018, appendix A.1).
"""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import get_gradient_edge
from torch.nn.parallel import DistributedDataParallel

from theory.monitor.known import numbers
from theory.monitor.secants import dots


class Noise:
    """Hooks on the accumulation of gradients, from :meth:`start` to :meth:`take`. Nothing is copied.

    They are hooks of autograd's nodes. A removed hook still slows each backward pass as long as its node lives, and a
    loss that the training keeps until the next one keeps all nodes. So there are three stages: without hooks, until a
    gradient was changed after it was made; then one parameter is followed, to count the passes; then all, as long as
    a step has two or more of them. The first two steps with several passes are not measured.

    Args:
        ddp: the model under DDP; all its parameters are followed, and each :meth:`take` reduces three numbers.

    Attributes:
        seconds: time spent in the hooks.
    """

    def __init__(self, ddp: DistributedDataParallel | None = None) -> None:
        self._ddp, self._queued = ddp, False
        self.seconds = 0.0
        self._squares: dict[Any, list[list[Tensor]]] = {}
        self._whole: dict[Any, list[Tensor]] = {}
        self._hooks: list[tuple[Any, Any]] = []
        self._followed: list[Any] = []
        self._stage = 2 if ddp else 0

    def start(self, params: Sequence[Any]) -> None:
        """Follow the gradients of the next step; those of sharded parameters are not followed."""
        self._queued = False  # a backward pass that raised never came to its end
        followed = [p for p in params if not hasattr(p, "placements")]
        self._followed = [p for p in followed if p.grad is not None][:1] or followed[:1]
        if self._stage < 2:
            followed = self._followed if self._stage else []
        for p in followed:
            node = get_gradient_edge(p).node  # lives as long as it is kept here
            self._hooks.append((node, node.register_hook(partial(self._accumulated, p))))

    def _accumulated(self, p: Any, _: Any, contributions: tuple[Tensor | None, ...]) -> None:
        if p.grad is None or contributions[0] is None:
            return
        begin = time.perf_counter()
        rows = self._squares.setdefault(p, [])
        rows.append([] if self._stage < 2 else _square(contributions[0]))
        if self._ddp:
            if not self._queued:
                self._queued = True
                at_the_end(lambda: at_the_end(self._averaged))  # DDP's own last callback comes between
        elif len(rows) > 1 and self._stage == 2:
            self._whole[p] = _square(p.grad)
        self.seconds += time.perf_counter() - begin

    def _averaged(self) -> None:
        self._queued = False
        self._whole = {p: _square(p.grad) for p in self._squares if p.grad is not None}

    def take(self, g2: float) -> float | None:
        """The estimate for the step that is about to be taken; None with fewer than two backward passes.

        Args:
            g2: |g|^2 of the step's gradient. The estimate is scaled to it, as clipping or a ``GradScaler`` may have
                changed the gradient's length since the backward passes.
        """
        self.remove()
        squares, parts = self._squares, self._whole
        self._squares, self._whole = {}, {}
        counts, stage = {len(rows) for rows in squares.values()}, self._stage
        if self._ddp:
            return self._over_processes(squares, parts, counts.pop() if len(counts) == 1 else 0, g2)
        if stage == 0:
            self._stage = int(any(p.grad is None or p.grad._version for p in self._followed))
        else:
            self._stage = 2 if max(counts, default=2) > 1 else 1
        if stage < 2 or len(counts) != 1 or (n := counts.pop()) < 2 or torch.distributed.is_initialized():
            return None  # several processes: the last pass holds the others' gradients
        return _estimate(n, _added(chain(*squares.values())), _added(parts.values()), g2)

    def _over_processes(self, squares: dict, parts: dict, passes: int, g2: float) -> float | None:
        assert self._ddp
        device = next(self._ddp.parameters()).device
        row = torch.tensor([_added(chain(*squares.values())), passes, passes**2], dtype=torch.float64, device=device)
        torch.distributed.all_reduce(row, group=self._ddp.process_group)
        count = torch.distributed.get_world_size(self._ddp.process_group)
        added, n, n2 = row.tolist()
        if n < 2 or n2 * count != n**2:  # no pass was followed here, or the processes took different numbers of them
            return None
        return _estimate(n, added / count**2, _added(parts.values()), g2)

    def remove(self) -> None:
        """Take the hooks away."""
        for _, hook in self._hooks:
            hook.remove()
        self._hooks = []


def why_not(params: Iterable[Any]) -> str:
    """Why the variance of these parameters' gradient was not measured, and what to give."""
    if any(hasattr(p, "placements") for p in params):
        return (
            "FSDP2 keeps a shard of the averaged gradient, and each process's own gradient is gone when the step "
            "begins: give variance="
        )
    if torch.distributed.is_initialized():
        return "give variance=, or ddp=model on every process, with as many backward passes on each"
    return "give variance= (0 for full batches), or accumulate two or more micro-batches per step"


def at_the_end(call: Callable[[], None]) -> None:
    """Call this at the end of the backward pass that runs now, after what was queued before it."""
    torch.autograd.Variable._execution_engine.queue_callback(call)  # type: ignore[attr-defined]


def _estimate(n: float, added: float, whole: float, g2: float) -> float:
    return n * (added - whole / n) / (n - 1) * (g2 / whole if whole else 1.0)


def _added(rows: Iterable[list[Tensor]]) -> float:
    return sum(numbers([x for row in rows for x in row]))


@torch.no_grad()
def _square(g: Tensor) -> list[Tensor]:
    g = (g.coalesce().values() if g.is_sparse else g).detach().reshape(-1)
    return dots(g, g)
