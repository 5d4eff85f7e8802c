"""Memory kept from one step to the next.

On a CPU a large block that is freed goes back to the system, and the next step meets it page by page: for the mixed
gradients of a hundred million parameters that costs as much as mixing them.
"""

from collections import defaultdict
from typing import Any

import torch
from torch import Tensor

# References to a storage that one tensor alone uses: the tensor's, and that of the object which asks.
_ALONE = 2


class Spare:
    """Blocks of memory that the last step used, for the next one; those of them to which nobody else refers."""

    def __init__(self) -> None:
        self._free: dict[Any, list[Tensor]] = {}
        self._lent: list[Tensor] = []

    def __len__(self) -> int:
        return sum(map(len, self._free.values()))

    def take(self, likes: list[Tensor]) -> list[Tensor]:
        """Uninitialised tensors, one like each of these: its shape, strides, dtype and device."""
        blocks = [free.pop() if (free := self._free.get(_kind(like))) else torch.empty_like(like) for like in likes]
        self._lent += blocks
        return [block.detach() for block in blocks]  # so that the storage counts also who holds the whole tensor

    def settle(self) -> None:
        """End a step: keep what was taken in it, and no more; what a base or a hook still refers to is theirs."""
        free = defaultdict(list)
        for block in self._lent:
            if torch._C._storage_Use_Count(block.untyped_storage()._cdata) == _ALONE:
                free[_kind(block)].append(block)
        self._free, self._lent = dict(free), []


def _kind(tensor: Tensor) -> Any:
    return tensor.shape, tensor.stride(), tensor.dtype, tensor.device
