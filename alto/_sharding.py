"""Sharded parameters (FSDP2, tensor parallelism): engines work on this rank's shard, norms span all shards."""

import gc
import sys
from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

_PLAIN = (Tensor, torch.nn.Parameter)


def is_sharded(tensor: Tensor) -> bool:
    """Whether ``tensor`` is a DTensor; does not import torch.distributed if nobody else has."""
    if type(tensor) in _PLAIN:  # nearly always, and this runs several times per parameter and step
        return False
    module = sys.modules.get("torch.distributed.tensor")
    return module is not None and isinstance(tensor, module.DTensor)


def flattened_by(param: Any) -> str | None:
    """Which library has taken a parameter's own shape away, or None: its norm and its dimensions are not a layer's."""
    if hasattr(param, "ds_id") or hasattr(param, "ds_shape"):
        return "DeepSpeed's ZeRO stage 3"
    flat = getattr(param, "_fsdp_flattened", False) or getattr(param, "_is_flat_param", False)
    if flat or any(kind.__name__ == "FlatParameter" for kind in type(param).__mro__):
        return "FSDP1 (FullyShardedDataParallel)"
    return None


def refuse_flattened(params: list[Any], name_of: Callable[[int], str]) -> None:
    """Refuse parameters of which this process cannot know the norm of the whole layer.

    Raises:
        ValueError: if there is one; the message names the remedies.
    """
    for place, param in enumerate(params):
        library = flattened_by(param)
        if library is not None:
            raise ValueError(
                f"{name_of(place)} was flattened by {library}: the layer factor needs the norm of a whole layer, "
                "and would get that of a piece; shard with fully_shard (FSDP2) or use DDP, or set layerwise = False in "
                "its group, or wrap an elementwise optimizer in E"
            )


def refuse_replaced(params: list[Any], name_of: Callable[[int], str]) -> None:
    """Refuse parameters that never had a gradient, where FSDP1 has put a flat parameter in their place.

    It does so with ``use_orig_params=False``, and leaves no mark on them. All objects of Python are looked through.

    Args:
        params: of the optimizer, none of which has a gradient.
        name_of: from a parameter's place to its name in a message.

    Raises:
        ValueError: if no module holds one, and it has a shape of which FSDP1 has made a flat parameter.
    """
    flat = sys.modules.get("torch.distributed.fsdp._flat_param")
    if flat is None or not params:
        return
    everything = gc.get_objects()
    handles = (one for one in everything if type(one) is flat.FlatParamHandle and not one._use_orig_params)
    shapes = {shape for handle in handles for shape in handle.flat_param._shapes}
    if not shapes:
        return
    modules = (one for one in everything if issubclass(type(one), torch.nn.Module))
    held = {id(param) for module in modules for param in module.__dict__.get("_parameters", {}).values()}
    for place, param in enumerate(params):
        if not is_lazy(param) and param.shape in shapes and id(param) not in held:
            raise ValueError(
                f"{name_of(place)} was flattened by FSDP1 (FullyShardedDataParallel, use_orig_params=False) after this "
                "optimizer was built, and gets no gradient: a step would train nothing; build the optimizer after the "
                "wrapping (ALTO and LAMB then need layerwise = False), or shard with fully_shard (FSDP2)"
            )


def dimensions(params: list[Any]) -> int:
    """The most dimensions that one of these parameters has; those of lazy modules may get two."""
    return max((2 if is_lazy(param) else param.ndim for param in params), default=0)


def refuse_flat_buffers(params: list[Any], before: int, name_of: Callable[[int], str]) -> None:
    """Refuse a group in which vectors have taken the place of layers.

    Args:
        params: the group's parameters.
        before: the most dimensions that one of them had when they were added.
        name_of: from a parameter's place in the group to its name in a message.

    Raises:
        ValueError: if all of them have one dimension, and one had more.
    """
    if params and before > 1 and dimensions(params) == 1:
        raise ValueError(
            f"{name_of(0)} stands where a layer of {before} dimensions was: a library (DeepSpeed's ZeRO stage 1 or 2, "
            "Megatron's distributed optimizer) has put a flat buffer in its place, and the layer factor would get "
            "that one's norm; shard with fully_shard (FSDP2) or use DDP, or set layerwise = False in its group, or "
            "wrap an elementwise optimizer in E"
        )


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


def unsharded(norms: Tensor) -> Tensor:
    """The norms of whole parameters, where each is held here as a whole."""
    return norms


def whole_norms(key: Any) -> Callable[[Tensor], Tensor]:
    """A function from norms of shards (any shape) to those of whole parameters: one all-reduce per mesh dimension."""
    if key is None:
        return unsharded
    mesh, dims = key

    def reduce(norms: Tensor) -> Tensor:
        squares = norms.double().square()
        for dim in dims:
            torch.distributed.all_reduce(squares, group=mesh.get_group(dim))
        return squares.sqrt().to(norms.dtype)

    return reduce
