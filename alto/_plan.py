"""What one step has found out about its tensors, for the next one.

Most steps differ from the one before in the gradients and the learning rate alone. To see that takes a hundredth of a
millisecond; to gather the tensors again, and to check that they fit each other and share no memory, takes thirty times
that, which is more than a small network's whole step.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, chain
from operator import is_
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

try:  # compares types, dtypes, devices, shapes, strides and lazy signs of many tensors in one call
    from torch._C._dynamo import guards as _guards

    TensorGuards: Any = _guards.TensorGuards
    _version: Any = _guards.dict_version  # another number after each change
except (ImportError, AttributeError):  # another torch: each step is then a first one
    TensorGuards = None

from alto._memory import extent

_PLAIN = {Tensor, torch.nn.Parameter}


class Plan:
    """Tells whether an optimizer's parameters and state are the very tensors that they were, at the same addresses.

    Args:
        optimizer: whose step it was.
        params: the parameters that had a gradient.
        grads: these gradients.
        written: all tensors that the step writes, and that share no memory with each other or the gradients.
        groups: those of its groups whose gradients count. Default: all.
        state_of: what must stay the same objects in the optimizer's state. Default: all of it.
    """

    def __init__(
        self, optimizer: Optimizer, params: list[Tensor], grads: list[Tensor], written: list[Tensor],
        groups: list[dict[str, Any]] | None = None,
        state_of: Callable[[Mapping[Any, Any]], Iterable[object]] | None = None,
    ) -> None:  # fmt: skip
        self._params = list(params_of(optimizer.param_groups))
        self._moving = params
        moving = set(map(id, params))
        counting = self._params if groups is None else params_of(groups)
        self._resting = [param for param in counting if id(param) not in moving]
        self._state_of = state_of or _whole
        self._state = list(self._state_of(optimizer.state))
        self._note(optimizer.state)
        self._written = written
        self._addresses = list(map(Tensor.data_ptr, written))
        self._alike: Callable[..., bool] = TensorGuards(
            *written, *grads, dynamic_dims_sizes=None, dynamic_dims_strides=None
        ).check
        self._grad_extents = list(map(extent, grads))
        self._grad_addresses = list(map(Tensor.data_ptr, grads))
        spans = sorted((x.data_ptr(), x.data_ptr() + extent(x)) for x in written)
        self._starts = [first for first, _ in spans]
        # How far the memory goes of those that start before each.
        self._reach = list(accumulate((end for _, end in spans), max, initial=0))

    @staticmethod
    def possible(tensors: Iterable[Tensor]) -> bool:
        """Whether the tensors are plain ones, so that addresses and metadata say all about them."""
        return TensorGuards is not None and {type(x) for x in tensors} <= _PLAIN

    def grads(self, optimizer: Optimizer) -> list[Tensor] | None:
        """The new gradients, if nothing but they has changed, and they are laid out as before and apart; else None."""
        if not same(params_of(optimizer.param_groups), self._params):
            return None
        if optimizer.state is not self._dicts[0] or list(map(_version, self._dicts)) != self._versions:
            if not same(self._state_of(optimizer.state), self._state):
                return None
            self._note(optimizer.state)  # something that does not count, as what E's base keeps there
        grads: Any = [param.grad for param in self._moving]
        if any(param.grad is not None for param in self._resting) or not self._alike(*self._written, *grads):
            return None
        if list(map(Tensor.data_ptr, self._written)) != self._addresses:
            return None
        addresses = list(map(Tensor.data_ptr, grads))
        if addresses != self._grad_addresses:
            for first, size in zip(addresses, self._grad_extents, strict=True):
                if self._reach[bisect_left(self._starts, first + size)] > first:
                    return None  # perhaps a tensor that the step writes is there
            self._grad_addresses = addresses
        return grads

    def _note(self, state: Mapping[Any, Any]) -> None:
        self._dicts = [state, *(each for each in state.values() if isinstance(each, dict))]
        self._versions = list(map(_version, self._dicts))


def same(found: Iterable[object], known: Sequence[object]) -> bool:
    """Whether these are the very same objects in the same order."""
    found = list(found)
    return len(found) == len(known) and all(map(is_, found, known))


def params_of(groups: list[dict[str, Any]]) -> Iterable[Tensor]:
    """The parameters of all these groups."""
    return chain.from_iterable([group["params"] for group in groups])


def _whole(state: Mapping[Any, Any]) -> Iterable[object]:
    """The parameters that have a state, these states, and their keys and values."""
    states = list(state.values())
    of_params = [each for each in states if isinstance(each, dict)]  # tools keep things of their own there
    inner = chain.from_iterable(of_params), chain.from_iterable([each.values() for each in of_params])
    return chain(state, states, *inner)
