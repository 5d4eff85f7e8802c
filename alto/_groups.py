"""Parameter groups: which parameters get weight decay and the layer factor."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from torch import nn
from torch.nn.parameter import is_lazy

from alto._sharding import flattened_by

_NORMS = (
    nn.modules.batchnorm._NormBase,  # BatchNorm*, SyncBatchNorm, InstanceNorm*
    nn.GroupNorm,
    nn.LayerNorm,
    nn.RMSNorm,
)


def decay_groups(
    model: nn.Module, weight_decay: float = 1e-4, *, exclude: Iterable[str] = (), names: bool = False
) -> list[dict[str, Any]]:
    r"""Split a model's parameters into those that decay and scale layerwise, and those that do neither.

    The second group holds the parameters of normalisation layers, biases (also those of keys and values that
    ``MultiheadAttention`` adds), and every parameter of at most one dimension (so the gain of a home-made RMSNorm,
    too): their norm says nothing about the scale of a layer, and decay only pulls them from their initial value.
    :class:`ALTO` updates them with a plain Adam-like step, :math:`\theta \leftarrow \theta - \eta r` with
    :math:`\gamma = 0`. A parameter shared by several modules is listed once, at its first place; if it is excluded
    anywhere, it is excluded.

    Args:
        model: the module whose ``named_parameters()`` are split, frozen ones included (they have no gradient and are
            skipped). Parameters of lazy modules, which have no shape yet, count as weights unless they are biases or
            belong to a normalisation layer. Under FSDP2 and ZeRO-3 the shapes are those of the whole parameters.
        weight_decay: the decay of the first group, :math:`\gamma`. Default: 1e-4, the paper's lambda.
        exclude: patterns of names (as in a shell: ``"*.gain"``, ``"cls_token"``) of further parameters for the second
            group: gains of more than one dimension, tokens, position embeddings. Default: none.
        names: put ``(name, parameter)`` into the groups, as ``named_parameters()`` does, so that the optimizer's
            messages and checkpoints hold the names. Default: False.

    Returns:
        Up to two groups, an empty one left out: ``{"params": ..., "weight_decay": weight_decay}`` and
        ``{"params": ..., "weight_decay": 0.0, "layerwise": False}``. The key ``layerwise`` is :class:`ALTO`'s;
        ``torch.optim`` optimizers carry it along without using it.

    Raises:
        TypeError: if ``model`` is no module.
        ValueError: if FSDP1 has flattened the parameters, so that their shapes are gone, or a pattern of ``exclude``
            matches no name.

    Example:
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
        >>> [(len(group["params"]), group["weight_decay"]) for group in decay_groups(model)]
        [(1, 0.0001), (3, 0.0)]
    """
    if not isinstance(model, nn.Module):
        raise TypeError(
            f"model = {type(model).__name__}: must be a torch.nn.Module (the model itself, not its parameters()): "
            "which layer a parameter belongs to decides on its group"
        )
    named = dict(model.named_parameters())
    # A shared parameter has several names, of which any may be meant.
    all_names = dict(model.named_parameters(remove_duplicate=False))
    patterns = [exclude] if isinstance(exclude, str) else list(exclude)
    matched = {pattern: [name for name in all_names if fnmatchcase(name, pattern)] for pattern in patterns}
    for pattern, found in matched.items():
        if not found:
            some = ", ".join(map(repr, list(named)[:3]))
            raise ValueError(f"exclude: {pattern!r} matches no name in model.named_parameters() ({some}, ...)")
    excluded = {
        id(parameter)
        for module in model.modules()
        for name, parameter in module.named_parameters(recurse=False)
        if isinstance(module, _NORMS)
        or _dimensions(name, parameter) <= 1
        or name.endswith(("bias", "bias_k", "bias_v"))
    }
    excluded |= {id(all_names[name]) for found in matched.values() for name in found}
    groups: list[dict[str, Any]] = []
    for options, wanted in (({"weight_decay": weight_decay}, False), ({"weight_decay": 0.0, "layerwise": False}, True)):
        chosen = [(name, parameter) for name, parameter in named.items() if (id(parameter) in excluded) is wanted]
        if chosen:
            groups.append({"params": chosen if names else [parameter for _, parameter in chosen], **options})
    return groups


def _dimensions(name: str, parameter: nn.Parameter) -> int:
    """How many dimensions a parameter has as a whole.

    Raises:
        ValueError: if that is unknown.
    """
    if hasattr(parameter, "ds_shape"):  # ZeRO-3 leaves an empty placeholder, and notes the shape
        return len(parameter.ds_shape)  # pyright: ignore[reportAttributeAccessIssue]
    library = flattened_by(parameter)
    if library is not None:
        raise ValueError(
            f"model: parameter {name!r} was flattened by {library}, so the shape of its layer is gone; call "
            "decay_groups before wrapping (with use_orig_params=True), or shard with fully_shard (FSDP2)"
        )
    return 2 if is_lazy(parameter) else parameter.ndim
