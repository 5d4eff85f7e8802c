"""Sharded parameters (FSDP2, tensor parallelism): engines work on this rank's shard, norms span all shards."""

import sys
from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor

_PLAIN = (Tensor, torch.nn.Parameter)


def is_sharded(tensor: Tensor) -> bool:
    """Whether ``tensor`` is a DTensor; does not import torch.distributed if nobody else has."""
    if type(tensor) in _PLAIN:  # nearly always, and this runs several times per parameter and step
        return False
    module = sys.modules.get("torch.distributed.tensor")
    return module is not None and isinstance(tensor, module.DTensor)


def local(tensor: Any) -> Tensor:
    """This rank's shard (sharing memory), or the tensor itself."""
    return tensor.to_local() if is_sharded(tensor) else tensor


def grad_like(param: Any) -> Tensor:
    """The gradient, laid out as the parameter is; it must not be None."""
    grad = param.grad
    if is_sharded(param) and grad.placements != param.placements:
        grad = grad.redistribute(placements=param.placements)
    return grad


def like(shard: Tensor, template: Any) -> Tensor:
    """Wrap a shard as ``template`` is: the inverse of :func:`local`."""
    if not is_sharded(template):
        return shard
    return type(template).from_local(
        shard,
        template.device_mesh,
        template.placements,
        run_check=False,
        shape=template.shape,
        stride=template.stride(),
    )


def layout(tensor: Any) -> Hashable:
    """What tensors must have in common to share a norm reduction: mesh and sharded dimensions (None: no reduction)."""
    if not is_sharded(tensor):
        return None
    if any(placement.is_partial() for placement in tensor.placements):
        raise RuntimeError(f"a parameter with partial placements {tensor.placements} has no well-defined norm")
    dims = tuple(i for i, placement in enumerate(tensor.placements) if not placement.is_replicate())
    return (tensor.device_mesh, dims) if dims else None


def whole_norms(key: Any) -> Callable[[Tensor], Tensor]:
    """A function from norms of shards (any shape) to those of whole parameters: one all-reduce per mesh dimension."""
    if key is None:
        return lambda norms: norms
    mesh, dims = key

    def reduce(norms: Tensor) -> Tensor:
        squares = norms.double().square()
        for dim in dims:
            torch.distributed.all_reduce(squares, group=mesh.get_group(dim))
        return squares.sqrt().to(norms.dtype)

    return reduce
