"""Optimizers by name, as in timm and pytorch_optimizer."""

from collections.abc import Callable
from typing import Any

from torch import nn, optim
from torch.optim import Optimizer

from alto._adaptor import E
from alto._alto import ALTO
from alto._groups import decay_groups
from alto._lamb import LAMB
from alto._variants import ESGD, EAdam, EAdamW

NAMES: dict[str, Callable[..., Optimizer]] = {
    "alto": ALTO, "lamb": LAMB, "esgd": ESGD, "eadam": EAdam, "eadamw": EAdamW,
}  # fmt: skip


_NO_BASES = (Optimizer, optim.LBFGS, optim.SparseAdam)
"""E needs a step without a closure and dense gradients."""


def create(name: str, model: nn.Module, lr: float = 1e-3, weight_decay: float = 1e-4, **options: Any) -> Optimizer:
    """Build an optimizer by name on a model's parameters.

    Norm and bias parameters get neither weight decay nor the layer factor (:func:`decay_groups`).

    Args:
        name: "alto", "lamb", "esgd", "eadam", "eadamw", or ``e_`` before an optimizer of ``torch.optim`` in any case,
            such as ``e_nadam``: E over it.
        model: the module.
        lr: learning rate. Default: 1e-3, as in timm.
        weight_decay: of the weights. Default: 1e-4, the paper's.
        options: the optimizer's other arguments, such as ``alpha`` and ``beta1`` (``**alto.for_batch(4096)``). Of
            ``e_...``, ``alpha``, ``beta1``, ``start``, ``foreach`` and ``fused`` are E's, the others the base's.

    Returns:
        The optimizer.

    Raises:
        ValueError: if there is no such name, with those that there are; or the optimizer refuses a value.

    Example:
        >>> from torch import nn
        >>> optimizer = create("alto", nn.Linear(3, 4), lr=0.01, alpha=-5.0)
        >>> type(optimizer).__name__, [group["weight_decay"] for group in optimizer.param_groups]
        ('ALTO', [0.0001, 0.0])
        >>> type(create("e_nadam", nn.Linear(3, 4), alpha=-5.0).base).__name__
        'NAdam'
    """
    key = name.lower()
    groups = decay_groups(model, weight_decay)
    if key in NAMES:
        return NAMES[key](groups, lr=lr, **options)
    bases = {each.lower(): kind for each, kind in vars(optim).items()
             if isinstance(kind, type) and issubclass(kind, Optimizer) and kind not in _NO_BASES}  # fmt: skip
    base = bases.get(key.removeprefix("e_")) if key.startswith("e_") else None
    if base is None:
        known = ", ".join([*NAMES, *(f"e_{each}" for each in sorted(bases))])
        raise ValueError(f"name = {name!r}: must be one of {known}")
    own = {key: options.pop(key) for key in ("alpha", "beta1", "start", "foreach", "fused") if key in options}
    return E(base(groups, lr=lr, **options), **own)  # pyright: ignore[reportCallIssue]
