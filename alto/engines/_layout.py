"""Which tensors can be walked by address, as kernels do that are not torch's own, and memory for new ones."""

import sys
from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import increment_version

# Subclasses, such as DTensor, may have no memory of their own.
_PLAIN = {Tensor, torch.nn.Parameter}

# What an engine has kept of a call, for another one with the same slow averages and gradients like the earlier ones.
Kept = dict[str, Any]


class Blocks:
    """Memory for tensors like these, used in every step anew, but where somebody else refers to it by then.

    On a CPU a large block that is freed goes back to the system, and the next step gets new memory, whose page faults
    cost as much as the mixing (for the mixed gradients of a hundred million parameters).
    """

    def __init__(self, likes: list[Tensor]) -> None:
        self._blocks = [torch.empty_like(like) for like in likes]
        self._note()

    def take(self) -> list[Tensor]:
        """The tensors, uninitialised."""
        uses = self._uses()
        if uses != self._alone:  # a base or a hook refers to one, or has freed, resized or shared its memory
            for i, (found, alone) in enumerate(zip(uses, self._alone, strict=True)):
                if found != alone:
                    self._blocks[i] = torch.empty_like(self._blocks[i])
            self._note()
        return list(map(Tensor.detach, self._blocks))  # so that the storage counts also who holds the whole tensor

    def _note(self) -> None:
        self._storages = list(map(Tensor.untyped_storage, self._blocks))
        self._ids = [storage._cdata for storage in self._storages]
        self._alone = self._uses()
        self.addresses = [address for *_, address in self._alone]

    def _uses(self) -> list[tuple[int, int, int]]:
        """How many tensors and other objects use each storage, how many its Python object, and its address."""
        counts = map(torch._C._storage_Use_Count, self._ids), map(sys.getrefcount, self._storages)
        return list(zip(*counts, map(Tensor.data_ptr, self._blocks), strict=True))


def walkable(*kinds: tuple[list[list[Tensor]], Collection[torch.dtype]]) -> bool:
    """Whether parallel lists lie on one device, have known dtypes, and in each row one shape and dense order of memory.

    A kernel trusts addresses: a tensor of another size or dtype would be read past its end, one of another device
    (averages that stayed behind when the model moved) at an address that is nothing here, a subclass may have none, and
    the lazy sign of a negative view would be lost.

    Args:
        *kinds: lists whose tensors must all have one dtype, and which dtypes the kernel supports.
    """
    for of_kind, known in kinds:
        dtypes = {x.dtype for xs in of_kind for x in xs}
        if len(dtypes) > 1 or not dtypes <= set(known):
            return False
    lists = [xs for of_kind, _ in kinds for xs in of_kind]
    everything = [x for xs in lists for x in xs]
    if not {type(x) for x in everything} <= _PLAIN or len({x.device for x in everything}) > 1:
        return False
    shapes = [x.shape for x in lists[0]]
    if any([x.shape for x in xs] != shapes for xs in lists):
        return False
    if any(map(Tensor.is_neg, everything)) or any(map(Tensor._is_zerotensor, everything)):
        return False
    return all(all(map(Tensor.is_contiguous, xs)) for xs in lists) or all(map(_ordered_alike, *lists))


def _ordered_alike(*row: Tensor) -> bool:
    """Whether tensors of one shape lie in the memory in one dense order."""
    if all(x.is_contiguous() for x in row):
        return True
    dense = torch.empty_like(row[0], device="meta").stride()  # its own strides, if it fills its memory
    return all(x.stride() == dense for x in row)


def written(*lists: list[Tensor]) -> None:
    """Tell autograd that a kernel wrote to these, as torch's own operations do: a graph that saved them is then stale.

    Without it, a backward through such a graph would give wrong gradients instead of an error.
    """
    increment_version([x for xs in lists for x in xs])
