"""Optimizer state in the right precision, also after a load."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from alto import _checks

_HALF = (torch.float16, torch.bfloat16)
_IN_VAIN = "; nothing is loaded"


def state_dtype(param: Tensor) -> torch.dtype:
    """The dtype of a parameter's averages: its own, but float32 for half-precision parameters.

    An average with decay rate 0.99 moves by 1 % per step, near the resolution of bfloat16 (0.4 %): kept in it, small
    gradients vanish.
    """
    return torch.float32 if param.dtype in _HALF else param.dtype


@contextmanager
def loading(optimizer: Optimizer, state_dict: Any, name: str) -> Iterator[None]:
    """While ``optimizer`` loads a state dict: if anything is wrong with it, put everything back as it was.

    Raises:
        ValueError: in place of the errors that torch raises for what is no such state dict; the message says that
            nothing is loaded.
    """
    kept = optimizer.state, optimizer.param_groups  # torch puts new ones in their place
    try:
        if not isinstance(state_dict, Mapping):
            _complete(state_dict)
        yield
    except BaseException as error:
        for attribute, before in zip(("state", "param_groups"), kept, strict=True):
            if getattr(optimizer, attribute) is not before:  # a wrapper may have properties for them
                setattr(optimizer, attribute, before)
        if isinstance(error, (KeyError, AttributeError, TypeError)):
            message = f"it was not saved by {name} ({type(error).__name__}: {error})"
        elif type(error) is ValueError and not str(error).endswith(_IN_VAIN):  # of E around LAMB both load
            message = str(error)
        else:
            raise
        raise ValueError(f"state_dict: {message.removeprefix('state_dict: ')}{_IN_VAIN}") from error


def check_loaded_averages(
    state: Any, param: Tensor, name: str, needed: Sequence[str], possible: Sequence[str] = ()
) -> None:
    """Check that a parameter's loaded averages are there and fit it.

    Raises:
        ValueError: if one is missing, no tensor, or of another shape.
    """
    for key in (*needed, *possible):
        average = state.get(key)
        if isinstance(average, Tensor) and average.shape == param.shape and average.layout is torch.strided:
            continue
        if average is None and key in possible:
            continue
        found = (
            f"has shape {tuple(average.shape)}, {average.layout}" if isinstance(average, Tensor) else f"is {average!r}"
        )
        raise ValueError(f"state_dict: {key!r} of {name} {found}, and not a dense tensor of the parameter's shape")


def check_loaded_counter(state: Mapping[str, Any], name: str) -> None:
    """Check that a parameter's loaded step counter is one number of steps.

    Raises:
        ValueError: if it is missing, negative or NaN.
    """
    if _checks.is_fake(state.get("step")):
        return
    try:
        steps = float(state["step"])
    except (KeyError, TypeError, ValueError, RuntimeError):
        steps = math.nan
    if not 0 <= steps < math.inf:
        raise ValueError(f"state_dict: 'step' of {name} is {state.get('step')!r}, and not one number of steps taken")


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
    if not hasattr(optimizer, "_optimizer_load_state_dict_pre_hooks"):  # a wrapper around another, which has them
        yield
        return
    loaded: dict[str, Any] = {}
    # Registered last, it gets the state dict as the user's own hooks left it.
    handle = optimizer.register_load_state_dict_pre_hook(lambda _, state_dict: loaded.update(_complete(state_dict)))
    try:
        yield
    finally:
        handle.remove()
    if not loaded:  # an optimizer that loads in a way of its own
        return
    saved_ids = chain.from_iterable(group["params"] for group in loaded["param_groups"])
    params = ((group, param) for group in optimizer.param_groups for param in group["params"])
    for saved_id, (group, param) in zip(saved_ids, params, strict=True):
        saved = loaded["state"].get(saved_id, {})
        for key, dtype in dtypes_of(group, param).items():
            if key in saved and dtype != param.dtype:
                optimizer.state[param][key] = saved[key].detach().to(device=param.device, dtype=dtype, copy=True)


def _complete(state_dict: Any) -> Mapping[str, Any]:
    if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= set(state_dict):
        found = sorted(map(str, state_dict))[:4] if isinstance(state_dict, Mapping) else type(state_dict).__name__
        raise ValueError(
            f"state_dict = {found}: must be what an optimizer's state_dict() returned, with the keys 'state' and "
            "'param_groups'"
        )
    return state_dict
