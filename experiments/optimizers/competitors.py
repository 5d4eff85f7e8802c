"""The competing optimizers: from a name to an optimizer, on parameter groups that are the same for all.

Ours come from ``alto``, torch's from ``torch.optim``, the rest from ``pytorch_optimizer``. Weight decay is decoupled
wherever there is a choice (SGD and Adam have none), so that the shared value means the same for all.
"""

import dataclasses
import importlib
import inspect
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import nn

from experiments.config.schema import OptimizerConfig
from experiments.io import own
from experiments.io.errors import ConfigError


@dataclass(frozen=True)
class _Entry:
    """Where an optimizer is, and which arguments it takes.

    Attributes:
        module: The package's module, imported when needed.
        attribute: The class in it.
        marks: What it needs in the group of norm and bias parameters: that they have no layer factor (ours), or
            that they are not matrices (Muon).
        explores: It takes alpha and beta1.
        base: The torch optimizer whose keyword arguments it takes too.
        fixed: Keyword arguments that every competitor of this name gets.
        package: What pip installs, where it is not the module's first name.
    """

    module: str
    attribute: str
    marks: Literal["nothing", "layerwise", "muon"] = "nothing"
    explores: bool = False
    base: str = ""
    fixed: dict[str, object] = field(default_factory=dict)
    package: str = ""


_DECOUPLED: dict[str, object] = {"weight_decouple": True}
_ENTRIES = {
    "ALTO": _Entry("alto", "ALTO", "layerwise", explores=True),
    "ALTOParts": _Entry("experiments.optimizers.alto_ablation", "ALTOParts", "layerwise", explores=True),
    "LAMB": _Entry("alto", "LAMB", "layerwise"),
    "EAdamW": _Entry("alto", "EAdamW", explores=True, base="AdamW"),
    "EAdam": _Entry("alto", "EAdam", explores=True, base="Adam"),
    "ESGD": _Entry("alto", "ESGD", explores=True, base="SGD"),
    "SGD": _Entry("torch.optim", "SGD"),
    "NAdamW": _Entry("torch.optim", "NAdam", fixed={"decoupled_weight_decay": True}),
    "OfficialALTO": _Entry("ALTO", "ALTO", package="e-optimizer-adaptor"),  # it clips inside its step
    "Adam": _Entry("torch.optim", "Adam"),
    "AdamW": _Entry("torch.optim", "AdamW"),
    "AdaBelief": _Entry("pytorch_optimizer", "AdaBelief", fixed=_DECOUPLED),
    "Adan": _Entry("pytorch_optimizer", "Adan", fixed=_DECOUPLED),
    "Lion": _Entry("pytorch_optimizer", "Lion", fixed=_DECOUPLED),
    "QHAdam": _Entry("pytorch_optimizer", "QHAdam", fixed=_DECOUPLED),
    "AdEMAMix": _Entry("pytorch_optimizer", "AdEMAMix", fixed=_DECOUPLED),
    "Muon": _Entry("pytorch_optimizer", "Muon", "muon", fixed=_DECOUPLED),
    "ENAdamW": _Entry("experiments.optimizers.mixed", "e_nadamw", explores=True),
    "EMuon": _Entry("experiments.optimizers.mixed", "e_muon", "muon", explores=True),
    "GrokfastLAMB": _Entry("experiments.optimizers.mixed", "GrokfastLAMB", "layerwise"),
    "MARSLAMB": _Entry("experiments.optimizers.mixed", "MARSLAMB", "layerwise"),
    "EMANesterovLAMB": _Entry("experiments.optimizers.mixed", "EMANesterovLAMB", "layerwise"),
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
    if name not in _ENTRIES and not own.is_own(name):
        has = f"{', '.join(NAMES)}, or a class of yours: FILE.py:NAME"
        raise ConfigError(f"{where}.name", f"{name!r} is not allowed; it must be one of {has}")
    entry = _entry(name)
    if config.preset == "batch" and not entry.explores:
        raise ConfigError(f"{where}.preset", f"'batch' sets alpha and beta1, and {name} has neither; leave it out")
    # **kwargs are not among the options: some optimizers ignore there what they do not know.
    allowed = _keywords(_imported(name)) | (_keywords(getattr(torch.optim, entry.base)) if entry.base else set())
    for table, keys in (("options", config.options), ("tuned", config.tuned)):
        for key in keys:
            if key not in allowed:
                has = ", ".join(sorted(allowed))
                raise ConfigError(f"{where}.{table}.{key}", f"{name} has no such option; it has: {has}")
    # Only the optimizer itself can check the values: it is built once for a small and once for a large batch.
    for batch_size, tried in itertools.product((1, 1_000_000), itertools.product(*config.tuned.values())):
        one = dataclasses.replace(
            config, tuned={}, options=config.options | dict(zip(config.tuned, tried, strict=True))
        )
        try:
            create(*resolved(label, one, batch_size), nn.Linear(2, 2), lr=1e-3, weight_decay=1e-4)
        except ConfigError as error:
            raise ConfigError(where, error.problem) from error


def resolved(label: str, config: OptimizerConfig, batch_size: int) -> tuple[str, dict[str, object]]:
    """A competitor's name and its full options at one batch size.

    Args:
        label: Its label.
        config: The competitor.
        batch_size: Examples per step; decides the preset.

    Returns:
        The optimizer's name, and its keyword arguments without learning rate and weight decay.
    """
    name = config.name or label
    preset: dict[str, object] = {}
    if config.preset == "batch":
        import alto

        preset = dict(alto.for_batch(batch_size))
    return name, {**_entry(name).fixed, **preset, **config.options}


def create(
    name: str, options: dict[str, Any], model: nn.Module, *, lr: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Build an optimizer for a network.

    Norm and bias parameters get no weight decay under any optimizer, and no layerwise scaling under those that have it.
    Under Muon they get its AdamW step, at the same learning rate.

    Args:
        name: One of `NAMES`.
        options: Keyword arguments of the optimizer.
        model: The network.
        lr: Learning rate.
        weight_decay: Weight decay of all other parameters.

    Returns:
        The optimizer.

    Raises:
        ConfigError: the optimizer refuses its arguments; its own message is in the error.
    """
    import alto

    groups: list[dict[str, Any]] = [dict(group) for group in alto.decay_groups(model, weight_decay=weight_decay)]
    marks = _entry(name).marks
    for group in groups:
        scaled = group.get("layerwise", True)
        if marks != "layerwise":
            group.pop("layerwise", None)
        if marks == "muon":
            group |= {"use_muon": scaled, "lr": lr}
    arguments = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    try:
        return _imported(name)(groups, lr=lr, **arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"optimizers.{name}", f"refused with lr={lr} and {options}: {error}") from error


def _keywords(build: Callable[..., object]) -> set[str]:
    """The names of the keyword arguments that an experiment may set."""
    variable = {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
    parameters = inspect.signature(build).parameters
    return {n for n, p in parameters.items() if p.kind not in variable} - {"params", "lr", "weight_decay"}


def _entry(name: str) -> _Entry:
    """Where it is; a class of the user's is in its file, and takes what its constructor takes."""
    return _Entry("", "") if own.is_own(name) else _ENTRIES[name]


def _imported(name: str) -> Callable[..., torch.optim.Optimizer]:
    if own.is_own(name):
        return own.load(name, f"optimizers.{name}")
    entry = _ENTRIES[name]
    try:
        return getattr(importlib.import_module(entry.module), entry.attribute)
    except ModuleNotFoundError as error:
        package = entry.package or entry.module.partition(".")[0]
        raise ConfigError(f"optimizers.{name}", f"needs the package {package}: pip install {package}") from error
