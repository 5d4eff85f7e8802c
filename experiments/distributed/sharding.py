"""FSDP2: each process holds a slice of every parameter, of its gradient and of the optimizer's state.

A checkpoint holds whole tensors all the same, written by the leader, so one file serves any reader. Nothing can be
sharded before processes have joined a group, so torch's sharding (a second of imports) is imported only after that.
"""

import itertools
from collections.abc import Iterator
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn


def shard(model: nn.Module) -> nn.Module:
    """Shard a network over all processes, in place, block by block, so that only one block is whole at a time.

    Args:
        model: The network, the same on every process. Its parameters become DTensors, so build the optimizer later.

    Returns:
        The same network.
    """
    from torch.distributed.fsdp import fully_shard

    for block in _blocks(model):
        fully_shard(block)
    fully_shard(model)
    return model


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    """The members of the outermost stacks that have parameters."""
    for child in module.children():
        if isinstance(child, nn.Sequential | nn.ModuleList):
            yield from (block for block in child if any(True for _ in block.parameters()))
        else:
            yield from _blocks(child)


def is_sharded(model: nn.Module) -> bool:
    """Whether `shard` has been applied."""
    if not dist.is_initialized():
        return False
    from torch.distributed.fsdp import FSDPModule

    return isinstance(model, FSDPModule)


def whole(tensor: Tensor) -> Tensor:
    """The whole of a tensor that may be sharded; all processes must call it."""
    return cast("Any", tensor).full_tensor() if _in_slices(tensor) else tensor


def gathered(value: Any, keep: bool) -> Any:
    """A state with its sharded tensors whole; all processes must call it. Without sharded tensors, the state itself.

    Args:
        value: Dictionaries, lists and tuples of tensors and anything else.
        keep: Whether this process wants the whole tensors, on the CPU; None stands in their place otherwise, so that
            no other process holds more than one whole tensor at a time.

    Returns:
        The same structure.
    """
    if _in_slices(value):
        full = value.full_tensor()
        return full.cpu() if keep else None
    if isinstance(value, dict):
        return {key: gathered(item, keep) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(gathered(item, keep) for item in value)
    return value


def scattered(state: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """A network's whole tensors, sharded as the network is.

    Args:
        state: Whole tensors by name.
        model: The network that will load them.

    Returns:
        What ``model.load_state_dict`` takes.
    """
    return {name: _like(state[name], own) if name in state else own for name, own in model.state_dict().items()}


def scattered_state(state: dict[str, Any], optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """An optimizer's whole state, sharded as its parameters are.

    Args:
        state: What ``state_dict`` returned, with whole tensors.
        optimizer: The optimizer that will load it.

    Returns:
        What ``optimizer.load_state_dict`` takes.
    """
    parameters = itertools.chain.from_iterable(group["params"] for group in optimizer.param_groups)
    buffers = {
        index: {key: _like(value, parameter) for key, value in state["state"][index].items()}
        for index, parameter in enumerate(parameters)
        if index in state["state"]
    }
    return {**state, "state": buffers}


def _like(value: Any, own: Tensor) -> Any:
    """A whole tensor, sharded as ``own`` is where it has its shape (a step counter has not)."""
    if not _in_slices(own) or not isinstance(value, Tensor) or value.shape != own.shape:
        return value
    from torch.distributed.tensor import distribute_tensor

    mesh, placements = cast("Any", own).device_mesh, cast("Any", own).placements
    # Every process has the whole tensor: it cuts out its own slice, and nothing is sent.
    return distribute_tensor(value.to(own.device), mesh, placements, src_data_rank=None)


def _in_slices(value: Any) -> bool:
    """Whether this is a sharded tensor."""
    if not dist.is_initialized():
        return False
    from torch.distributed.tensor import DTensor

    return isinstance(value, DTensor)
