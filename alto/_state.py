"""Optimizer state in the right precision, also after a load."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

_HALF = (torch.float16, torch.bfloat16)


def state_dtype(param: Tensor) -> torch.dtype:
    """The dtype of a parameter's averages: its own, but float32 for half-precision parameters.

    An average with decay 0.99 moves by 1 % a step, near the resolution of bfloat16 (0.4 %): kept in it, small gradients
    vanish.
    """
    return torch.float32 if param.dtype in _HALF else param.dtype


@contextmanager
def keep_precision(
    optimizer: Optimizer, dtypes_of: Callable[[dict[str, Any], Tensor], dict[str, torch.dtype]]
) -> Iterator[None]:
    """While ``optimizer`` loads a state dict, keep its averages in the dtypes that they have in its state.

    ``Optimizer.load_state_dict`` casts all floating state to the parameter's dtype, which would round float32 averages
    of half-precision parameters, and a resumed run would differ from an unbroken one. So they are taken again from the
    loaded dict.

    Args:
        optimizer: whose state is loaded.
        dtypes_of: from a parameter group, as loaded, and a parameter of it, to the dtype of each average by name.
    """
    loaded: dict[str, Any] = {}
    # Registered last, it gets the state dict as the user's own hooks left it.
    handle = optimizer.register_load_state_dict_pre_hook(lambda _, state_dict: loaded.update(state_dict))
    try:
        yield
    finally:
        handle.remove()
    saved_ids = chain.from_iterable(group["params"] for group in loaded["param_groups"])
    params = ((group, param) for group in optimizer.param_groups for param in group["params"])
    for saved_id, (group, param) in zip(saved_ids, params, strict=True):
        saved = loaded["state"].get(saved_id, {})
        for key, dtype in dtypes_of(group, param).items():
            if key in saved and dtype != param.dtype:
                optimizer.state[param][key] = saved[key].detach().to(device=param.device, dtype=dtype, copy=True)
