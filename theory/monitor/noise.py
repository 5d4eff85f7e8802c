"""The variance of the gradient, from the micro-batches of gradient accumulation.

A step's gradient A is the sum of n contributions d_i, one per backward pass. The unbiased estimate of E|A - E A|^2 for
independent, equally distributed d_i is n (sum |d_i|^2 - |A|^2 / n) / (n - 1).
"""

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import get_gradient_edge

from theory.monitor.secants import dot


class Noise:
    """Hooks on the accumulation of gradients, from :meth:`start` to :meth:`take`. Nothing is copied.

    They are hooks of autograd's nodes: a hook of a tensor slows every backward pass, also after it was removed. Where a
    step had one backward pass, the next one follows one parameter only, to count the passes.

    Attributes:
        seconds: time spent in the hooks.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._squares: dict[Any, list[Tensor]] = {}
        self._whole: dict[Any, Tensor] = {}
        self._hooks: list[tuple[Any, Any]] = []
        self._one = False

    def start(self, params: Sequence[Any]) -> None:
        """Follow the gradients of the next step; those of sharded parameters are not followed."""
        followed = [p for p in params if not hasattr(p, "placements")]
        for p in followed[:1] if self._one else followed:
            node = get_gradient_edge(p).node  # lives as long as it is kept here
            self._hooks.append((node, node.register_hook(partial(self._accumulated, p))))

    def _accumulated(self, p: Any, _: Any, contributions: tuple[Tensor | None, ...]) -> None:
        if p.grad is None or contributions[0] is None:
            return
        begin = time.perf_counter()
        rows = self._squares.setdefault(p, [])
        rows.append(_square(contributions[0]))
        if len(rows) > 1:
            self._whole[p] = _square(p.grad)
        self.seconds += time.perf_counter() - begin

    def take(self, g2: float) -> float | None:
        """The estimate for the step that is about to be taken; None with fewer than two backward passes.

        Args:
            g2: |g|^2 of the step's gradient. The estimate is scaled to it, as clipping or a ``GradScaler`` may have
                changed the gradient's length since the backward passes.
        """
        self.remove()
        squares, parts = self._squares, self._whole
        self._squares, self._whole = {}, {}
        counts, one = {len(rows) for rows in squares.values()}, self._one
        self._one = max(counts, default=0) < 2
        if one or len(counts) != 1 or (n := counts.pop()) < 2 or torch.distributed.is_initialized():
            return None  # several processes: the last pass holds the others' gradients
        added = sum(float(torch.stack(rows).sum()) for rows in squares.values())
        whole = sum(float(part) for part in parts.values())
        return n * (added - whole / n) / (n - 1) * (g2 / whole if whole else 1.0)

    def remove(self) -> None:
        """Take the hooks away."""
        for _, hook in self._hooks:
            hook.remove()
        self._hooks = []


@torch.no_grad()
def _square(g: Tensor) -> Tensor:
    g = (g.coalesce().values() if g.is_sparse else g).detach().reshape(-1)
    return dot(g, g)
