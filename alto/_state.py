"""Optimizer state in the right precision, also after a load."""

from collections.abc import Collection, Iterator
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
def keep_precision(optimizer: Optimizer, keys: Collection[str]) -> Iterator[None]:
    """While ``optimizer`` loads a state dict, keep the tensors named ``keys`` in :func:`state_dtype`.

    ``Optimizer.load_state_dict`` casts all floating state to the parameter's dtype, which would round float32 averages
    of half-precision parameters, and a resumed run would differ from an unbroken one. So they are taken again from the
    loaded dict.
    """
    loaded: dict[str, Any] = {}
    # Registered last, it sees the state dict as the user's own hooks left it.
    handle = optimizer.register_load_state_dict_pre_hook(lambda _, state_dict: loaded.update(state_dict))
    try:
        yield
    finally:
        handle.remove()
    saved_ids = chain.from_iterable(group["params"] for group in loaded["param_groups"])
    params = chain.from_iterable(group["params"] for group in optimizer.param_groups)
    for saved_id, param in zip(saved_ids, params, strict=True):
        if param.dtype in _HALF and saved_id in loaded["state"]:
            for key in keys & loaded["state"][saved_id].keys():
                value = loaded["state"][saved_id][key]
                optimizer.state[param][key] = value.detach().to(
                    device=param.device, dtype=state_dtype(param), copy=True
                )
