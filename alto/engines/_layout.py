"""Which tensors can be walked by address, as kernels do that are not torch's own."""

from collections.abc import Collection

import torch
from torch import Tensor


def walkable(
    of_params: list[list[Tensor]],
    of_states: list[list[Tensor]],
    param_dtypes: Collection[torch.dtype],
    state_dtypes: Collection[torch.dtype],
) -> bool:
    """Whether parallel lists have two known dtypes, and in each row one shape and one dense order of memory.

    A kernel trusts addresses: a tensor of another size or dtype would be read past its end, and the lazy sign of a
    negative view would be lost.
    """
    param, state = of_params[0][0].dtype, of_states[0][0].dtype
    if param not in param_dtypes or state not in state_dtypes:
        return False
    dtypes = [param] * len(of_params) + [state] * len(of_states)
    for row in zip(*of_params, *of_states, strict=True):
        first = row[0]
        if any(x.shape != first.shape or x.dtype != dtype or x.is_neg() for x, dtype in zip(row, dtypes, strict=True)):
            return False
        if not all(x.is_contiguous() for x in row):
            dense = torch.empty_like(first, device="meta").stride()  # first's own strides, if it fills its memory
            if any(x.stride() != dense for x in row):
                return False
    return True
