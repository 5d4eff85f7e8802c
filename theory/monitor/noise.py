"""The variance of the gradient, from the micro-batches of gradient accumulation.

A step's gradient A is the sum of n contributions d_i, one per backward pass. The unbiased estimate of E|A - E A|^2 for
independent, equally distributed d_i is n (sum |d_i|^2 - |A|^2 / n) / (n - 1).
"""

import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from theory.monitor.known import local
from theory.monitor.secants import dot


class Noise:
    """Hooks on the accumulated gradients, from :meth:`start` to :meth:`take`; memory: one number per parameter.

    Attributes:
        seconds: time spent in the hooks.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._before: dict[Any, Tensor] = {}
        self._squares: dict[Any, list[Tensor]] = {}
        self._hooks: list[Any] = []

    def start(self, params: Sequence[Any]) -> None:
        """Follow the gradients of the next step; those of sharded parameters are not followed."""
        self._hooks = [
            p.register_post_accumulate_grad_hook(self._accumulated) for p in params if not hasattr(p, "placements")
        ]

    def _accumulated(self, p: Any) -> None:
        if p.grad is None:
            return
        begin = time.perf_counter()
        g, before = local(p.grad).detach(), self._before.get(p)
        if before is not None:
            if p not in self._squares:
                self._squares[p] = [dot(before, before)]
            part = g - before
            self._squares[p].append(dot(part, part))
        self._before[p] = g.clone()
        self.seconds += time.perf_counter() - begin

    def take(self) -> float | None:
        """The estimate for the step that is about to be taken; None with fewer than two backward passes."""
        self.remove()
        squares, last = self._squares, self._before
        self._squares, self._before = {}, {}
        counts = {len(squares.get(p, ())) for p in last}
        if len(counts) != 1 or (n := counts.pop()) < 2 or torch.distributed.is_initialized():
            return None  # several processes: the last pass holds the others' gradients
        added = sum(float(torch.stack(rows).sum()) for rows in squares.values())
        whole = sum(float(dot(g, g)) for g in last.values())
        return n * (added - whole / n) / (n - 1)

    def remove(self) -> None:
        """Take the hooks away."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []
