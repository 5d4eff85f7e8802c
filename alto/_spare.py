"""Memory kept from one step to the next.

On a CPU a large block that is freed goes back to the system, and the next step gets new memory, whose page faults
cost as much as the mixing (for the mixed gradients of a hundred million parameters).
"""

import sys
from collections import defaultdict
from typing import Any

import torch
from torch import Tensor


def _references(tensor: Tensor) -> tuple[int, int]:
    """How many tensors and other objects use a tensor's storage, and how many its Python object."""
    storage = tensor.untyped_storage()
    return torch._C._storage_Use_Count(storage._cdata), sys.getrefcount(storage)


_ALONE = _references(torch.empty(1, device="cpu"))


class Spare:
    """Blocks of memory that the last step used, for the next one; those of them to which nobody else refers."""

    def __init__(self) -> None:
        self._free: dict[Any, list[Tensor]] = {}
        self._lent: list[tuple[Tensor, int]] = []  # with its address

    def __len__(self) -> int:
        return sum(map(len, self._free.values()))

    def take(self, likes: list[Tensor]) -> list[Tensor]:
        """Uninitialised tensors, one like each of these: its shape, strides, dtype and device."""
        blocks = [free.pop() if (free := self._free.get(_kind(like))) else torch.empty_like(like) for like in likes]
        self._lent += [(block, block.data_ptr()) for block in blocks]
        return [block.detach() for block in blocks]  # so that the storage counts also who holds the whole tensor

    def settle(self) -> None:
        """End a step: keep what was taken in it, and no more; what a base or a hook still refers to is theirs.

        So is a storage whose memory they have freed, resized or shared with another process: it is elsewhere then.
        """
        free = defaultdict(list)
        for block, address in self._lent:
            if _references(block) == _ALONE and block.data_ptr() == address and not block.is_inference():
                free[_kind(block)].append(block)
        self._free, self._lent = dict(free), []


def _kind(tensor: Tensor) -> Any:
    return tensor.shape, tensor.stride(), tensor.dtype, tensor.device
