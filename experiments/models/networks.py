"""The names of the networks, and the classes that build them."""

import importlib
import importlib.util
import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn

from experiments.config.schema import ModelConfig
from experiments.data.dataset import Dataset, Kind
from experiments.io import own
from experiments.io.errors import ConfigError
from experiments.models.ppo import PPO


@dataclass(frozen=True)
class _Family:
    """Where a network's class is, for which kind of data, and which optional package it needs.

    The class takes two arguments that the data set decides (channels or vocabulary, and classes), then its options.
    """

    kind: Kind
    module: str
    attribute: str
    needs: str = ""

    def imported(self) -> Callable[..., nn.Module]:
        return getattr(importlib.import_module(f"experiments.models.{self.module}"), self.attribute)

    def options(self) -> list[str]:
        return list(inspect.signature(self.imported()).parameters)[2:]


_FAMILIES = {
    "convnet": _Family("image", "convnet", "ConvNet"),
    "resnet8": _Family("image", "resnet", "ResNet8"),
    "resnet20": _Family("image", "resnet", "ResNet20"),
    "resnet": _Family("image", "resnet", "ResNet"),
    "vgg16": _Family("image", "vgg", "VGG16"),
    "densenet169": _Family("image", "densenet", "DenseNet169"),
    "gpt": _Family("text", "gpt", "GPT"),
    "bilstm": _Family("tags", "bilstm", "BiLSTM"),
    "bert-tagger": _Family("tags", "bert", "BertTagger", "transformers"),
    "bert-classifier": _Family("sentence", "bert", "BertClassifier", "transformers"),
    "ppo": _Family("simulated", "ppo", "PPO"),
}
NAMES = tuple(_FAMILIES)
MOST = 10**10  # parameters of a network: more than any machine of one process trains


# Sizes that any data could have, to try options on: the first and second argument of a network.
_TRIAL: dict[Kind, tuple[int, int]] = {
    "image": (3, 10), "text": (100, 100), "tags": (100, 9), "sentence": (100, 2), "simulated": (8, 2),
    "own": (1, 1),
}  # fmt: skip


def check(config: ModelConfig, kind: Kind) -> None:
    """Refuse an unknown network, one for other data, and options that it refuses; nothing is allocated.

    Pretrained weights are not read here, but in `fits`.

    Args:
        config: The network's name and options.
        kind: Of the data.

    Raises:
        ConfigError: names the key and what is allowed, or the package that is absent.
    """
    if own.is_own(config.name):  # it is built with the data
        return
    if kind == "own":
        raise ConfigError("model.name", f"{config.name} cannot take data of yours: give a network, FILE.py:NAME")
    _named(config)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Initializing zero-element")  # it is refused below
        model = _empty(config, kind, *_TRIAL[kind])
    count = sum(parameter.numel() for parameter in model.parameters())
    if count > MOST:
        raise ConfigError("model.options", f"{config.options} make {count} parameters; {MOST} are allowed")
    empty = [name for name, parameter in model.named_parameters() if not parameter.numel()]
    if empty:  # it would train, as a constant
        raise ConfigError(
            "model.options", f"{config.options} leave {', '.join(empty)} without a number; sizes must be at least 1"
        )


def fits(config: ModelConfig, data: Dataset) -> None:
    """Refuse a network that cannot take the data; only pretrained weights are allocated.

    Args:
        config: The network's name and options.
        data: The data set.

    Raises:
        ConfigError: there are no such weights, images are too small, or examples too long.
    """
    if config.options.get("weights") or own.is_own(config.name):
        model = create(config, data)
    else:
        model = _empty(config, data.kind, _first(data), data.classes)
    longest, context = data.shape[-1], getattr(model, "context", None)
    if context is not None and context < longest:
        raise ConfigError(
            "model.options.context", f"{context} is not allowed; it must be at least {longest}, the data's longest"
        )
    if data.kind == "image":
        try:
            model(torch.zeros(2, *data.shape, device="meta"))
        except RuntimeError as error:
            raise ConfigError("model.name", f"{config.name} cannot take images {data.shape}: {error}") from error


def simulators(config: ModelConfig) -> int:
    """How many simulators an agent has side by side."""
    return cast("PPO", _empty(config, "simulated", *_TRIAL["simulated"])).simulators


def _named(config: ModelConfig) -> None:
    """Refuse an unknown network or an option that it does not have, without building it."""
    if own.is_own(config.name):
        return
    if config.name not in _FAMILIES:
        has = f"{', '.join(NAMES)}, or a class of yours: FILE.py:NAME"
        raise ConfigError("model.name", f"{config.name!r} is not allowed; it must be one of {has}")
    needs = _FAMILIES[config.name].needs
    if needs and importlib.util.find_spec(needs) is None:
        raise ConfigError("model.name", f"{config.name} needs the package {needs}: pip install {needs}")
    allowed = _FAMILIES[config.name].options()
    for key in config.options:
        if key not in allowed:
            has = ", ".join(allowed) or "none"
            raise ConfigError(f"model.options.{key}", f"{config.name} has no such option; it has: {has}")


def _empty(config: ModelConfig, kind: Kind, first: int, second: int) -> nn.Module:
    """The network without weights, on the device that holds none."""
    bare = {key: value for key, value in config.options.items() if key != "weights"}
    with torch.device("meta"):
        return _built(ModelConfig(config.name, bare), kind, first, second)


def create(config: ModelConfig, data: Dataset) -> nn.Module:
    """Build a network that fits a data set, from torch's global random state.

    Args:
        config: The network's name and options.
        data: Says the input's shape and the number of classes.

    Returns:
        The network, in training mode.

    Raises:
        ConfigError: an unknown name or option, or a network for another kind of data.
    """
    return _built(config, data.kind, _first(data), data.classes)


def _first(data: Dataset) -> int:
    """The first argument of a network for these data."""
    return data.shape[0] if data.kind == "image" else data.vocabulary


def create_agent(config: ModelConfig, observations: int, actions: int) -> PPO:
    """Build an agent that fits a simulated task, from torch's global random state.

    Args:
        config: The agent's name and options.
        observations: Coordinates of an observation.
        actions: Coordinates of an action.

    Returns:
        The agent.

    Raises:
        ConfigError: an unknown name or option, or a network for data.
    """
    return cast("PPO", _built(config, "simulated", observations, actions))


def _built(config: ModelConfig, kind: Kind, first: int, second: int) -> nn.Module:
    _named(config)
    if own.is_own(config.name):
        build = own.load(config.name, "model.name")
        try:
            inspect.signature(build).bind(**config.options)
        except (TypeError, ValueError) as error:
            raise ConfigError("model.options", f"{config.name} does not take {config.options}: {error}") from None
        with own.theirs(config.name):
            made = build(**config.options)
        if not isinstance(made, nn.Module):
            raise ConfigError(
                "model.name", f"{config.name} makes a {type(made).__name__}; it must make a torch.nn.Module"
            )
        return made
    family = _FAMILIES[config.name]
    if family.kind != kind:
        raise ConfigError("model.name", f"{config.name} takes {family.kind} data, and these are {kind} data")
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in config.options.items()}
    try:
        return family.imported()(first, second, **options)
    except ConfigError:
        raise
    except (TypeError, ValueError, RuntimeError, ArithmeticError, LookupError) as error:  # what a wrong size can raise
        raise ConfigError("model.options", f"{config.name} refuses {config.options}: {error}") from error
