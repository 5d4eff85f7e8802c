"""The competitors: from a name to a built optimizer, on parameter groups that are the same for all."""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from experiments.config import OptimizerConfig
from experiments.errors import ConfigError


@dataclass(frozen=True)
class _Entry:
    """Where an optimizer lives, and what it understands.

    Attributes:
        module: The package's module, imported when needed.
        attribute: The class in it.
        layerwise: It scales its step layer by layer, and a parameter group can switch that off.
        explores: It takes alpha and beta1.
    """

    module: str
    attribute: str
    layerwise: bool = False
    explores: bool = False


_ENTRIES = {
    "ALTO": _Entry("alto", "ALTO", layerwise=True, explores=True),
    "LAMB": _Entry("alto", "LAMB", layerwise=True),
    "EAdamW": _Entry("alto", "EAdamW", explores=True),
    "EAdam": _Entry("alto", "EAdam", explores=True),
    "ESGD": _Entry("alto", "ESGD", explores=True),
    "SGD": _Entry("torch.optim", "SGD"),
    "Adam": _Entry("torch.optim", "Adam"),
    "AdamW": _Entry("torch.optim", "AdamW"),
}
NAMES = tuple(_ENTRIES)


def check(label: str, config: OptimizerConfig) -> None:
    """Refuse an unknown optimizer, an option that it does not have, or a value that it refuses.

    Args:
        label: The competitor's label, which is also its name where the config gives none.
        config: The competitor.

    Raises:
        ConfigError: names the key and what is allowed.
    """
    name = config.name or label
    where = f"optimizers.{label}"
    if name not in _ENTRIES:
        raise ConfigError(f"{where}.name", f"{name!r} is not allowed; it must be one of {', '.join(NAMES)}")
    if config.preset == "batch" and not _ENTRIES[name].explores:
        raise ConfigError(f"{where}.preset", f"'batch' sets alpha and beta1, and {name} has neither; leave it out")
    parameters = inspect.signature(_imported(name)).parameters
    # E's variants pass their base's keywords on, and their signature says so with **kwargs.
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for key in config.options:
        if key not in parameters and not open_ended:
            allowed = ", ".join(p for p in parameters if p not in {"params", "lr", "weight_decay"})
            raise ConfigError(f"{where}.options.{key}", f"{name} has no such option; it has: {allowed}")
    # The rest only the optimizer itself can judge: it is built once for a small and once for a large batch.
    for batch_size in (1, 1_000_000):
        try:
            create(*resolved(label, config, batch_size), nn.Linear(2, 2), lr=1e-3, weight_decay=1e-4)
        except ConfigError as error:
            raise ConfigError(where, error.problem) from error


def resolved(label: str, config: OptimizerConfig, batch_size: int) -> tuple[str, dict[str, object]]:
    """A competitor's name and its full options at one batch size.

    Args:
        label: Its label.
        config: The competitor.
        batch_size: Examples a step; decides the preset.

    Returns:
        The optimizer's name, and its keyword arguments without learning rate and weight decay.
    """
    name = config.name or label
    preset: dict[str, object] = {}
    if config.preset == "batch":
        import alto

        preset = dict(alto.for_batch(batch_size))
    return name, {**preset, **config.options}


def create(
    name: str, options: dict[str, Any], model: nn.Module, *, lr: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Build an optimizer for a network.

    Norm and bias parameters get no weight decay under any optimizer, and no layerwise scaling under those that have it.

    Args:
        name: One of `NAMES`.
        options: Keyword arguments of the optimizer.
        model: The network.
        lr: Learning rate.
        weight_decay: Weight decay of all other parameters.

    Returns:
        The optimizer.

    Raises:
        ConfigError: the optimizer refuses its arguments; its own words are in the error.
    """
    import alto

    groups: list[dict[str, Any]] = [dict(group) for group in alto.decay_groups(model, weight_decay=weight_decay)]
    if not _ENTRIES[name].layerwise:
        for group in groups:
            group.pop("layerwise", None)
    arguments = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    try:
        return _imported(name)(groups, lr=lr, **arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"optimizers.{name}", f"refused with lr={lr} and {options}: {error}") from error


def _imported(name: str) -> Callable[..., torch.optim.Optimizer]:
    entry = _ENTRIES[name]
    return getattr(importlib.import_module(entry.module), entry.attribute)
