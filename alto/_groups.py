"""Parameter groups: which parameters get weight decay and the layerwise factor."""

from typing import Any

from torch import nn

_NORMS = (
    nn.modules.batchnorm._NormBase,  # BatchNorm*, SyncBatchNorm, InstanceNorm*
    nn.GroupNorm,
    nn.LayerNorm,
    nn.RMSNorm,
)


def decay_groups(model: nn.Module, weight_decay: float = 1e-4) -> list[dict[str, Any]]:
    """Split a model's parameters into those that decay and scale layerwise, and those that do neither.

    The second group holds the parameters of normalisation layers, biases (also those of keys and values that
    ``MultiheadAttention`` adds), and every parameter of at most one dimension (so the gain of a home-made RMSNorm,
    too): their norm says nothing about the scale of a layer, and decay only pulls them from their initial value.
    :class:`ALTO` updates them with a plain Adam-like step. A parameter shared by several modules is listed once, at its
    first place; if it is excluded anywhere, it is excluded.

    Args:
        model: the module whose ``named_parameters()`` are split, frozen ones included (they have no gradient and are
            skipped).
        weight_decay: the decay of the first group. Default: 1e-4, the paper's lambda.

    Returns:
        Up to two groups, an empty one left out: ``{"params": ..., "weight_decay": weight_decay}`` and
        ``{"params": ..., "weight_decay": 0.0, "layerwise": False}``. The key ``layerwise`` is :class:`ALTO`'s;
        ``torch.optim`` optimizers carry it along unread.

    Example:
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
        >>> [(len(group["params"]), group["weight_decay"]) for group in decay_groups(model)]
        [(1, 0.0001), (3, 0.0)]
    """
    excluded = {
        id(parameter)
        for module in model.modules()
        for name, parameter in module.named_parameters(recurse=False)
        if isinstance(module, _NORMS) or parameter.ndim <= 1 or name.endswith(("bias", "bias_k", "bias_v"))
    }
    decayed = [p for p in model.parameters() if id(p) not in excluded]
    plain = [p for p in model.parameters() if id(p) in excluded]
    groups: list[dict[str, Any]] = []
    if decayed:
        groups.append({"params": decayed, "weight_decay": weight_decay})
    if plain:
        groups.append({"params": plain, "weight_decay": 0.0, "layerwise": False})
    return groups
