"""Which tensors can be walked by address, as kernels do that are not torch's own, and memory for new ones."""

from collections.abc import Callable, Collection

import torch
from torch import Tensor
from torch.autograd.graph import increment_version

# Subclasses, such as DTensor, may have no memory of their own.
_PLAIN = {Tensor, torch.nn.Parameter}

# From tensors to uninitialised ones like them.
Memory = Callable[[list[Tensor]], list[Tensor]]


def fresh(likes: list[Tensor]) -> list[Tensor]:
    """Uninitialised tensors of their own, one like each of these."""
    return [torch.empty_like(like) for like in likes]


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
