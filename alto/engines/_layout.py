"""Which tensors can be walked by address, as kernels do that are not torch's own, and memory for new ones."""

from collections.abc import Callable, Collection

import torch
from torch import Tensor

# From tensors to uninitialised ones like them.
Memory = Callable[[list[Tensor]], list[Tensor]]


def fresh(likes: list[Tensor]) -> list[Tensor]:
    """Uninitialised tensors of their own, one like each of these."""
    return [torch.empty_like(like) for like in likes]


def walkable(*kinds: tuple[list[list[Tensor]], Collection[torch.dtype]]) -> bool:
    """Whether parallel lists have known dtypes, and in each row one shape and one dense order of memory.

    A kernel trusts addresses: a tensor of another size or dtype would be read past its end, and the lazy sign of a
    negative view would be lost.

    Args:
        *kinds: lists whose tensors must all have one dtype, and which ones the kernel knows.
    """
    for of_kind, known in kinds:
        dtypes = {x.dtype for xs in of_kind for x in xs}
        if len(dtypes) > 1 or not dtypes <= set(known):
            return False
    lists = [xs for of_kind, _ in kinds for xs in of_kind]
    shapes = [x.shape for x in lists[0]]
    if any([x.shape for x in xs] != shapes or any(map(Tensor.is_neg, xs)) for xs in lists):
        return False
    return all(all(map(Tensor.is_contiguous, xs)) for xs in lists) or all(map(_ordered_alike, *lists))


def _ordered_alike(*row: Tensor) -> bool:
    """Whether tensors of one shape lie in the memory in one dense order."""
    if all(x.is_contiguous() for x in row):
        return True
    dense = torch.empty_like(row[0], device="meta").stride()  # its own strides, if it fills its memory
    return all(x.stride() == dense for x in row)
