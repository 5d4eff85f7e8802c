"""The names of the networks and who builds them."""

import inspect
from collections.abc import Callable

from torch import nn

from experiments.config import ModelConfig
from experiments.data.dataset import Dataset
from experiments.errors import ConfigError


def _convnet() -> type[nn.Module]:
    from experiments.models.convnet import ConvNet

    return ConvNet


# name -> (kind of data, the class); the classes are imported when they are needed
_FAMILIES: dict[str, tuple[str, Callable[[], Callable[..., nn.Module]]]] = {
    "convnet": ("image", _convnet),
}
NAMES = tuple(_FAMILIES)


def check(config: ModelConfig) -> None:
    """Refuse an unknown network or an option that it does not have, without building it.

    Args:
        config: The network's name and options.

    Raises:
        ConfigError: names the key and what is allowed.
    """
    if config.name not in _FAMILIES:
        raise ConfigError("model.name", f"{config.name!r} is not allowed; it must be one of {', '.join(NAMES)}")
    allowed = _options(config.name)
    for key in config.options:
        if key not in allowed:
            raise ConfigError(f"model.options.{key}", f"{config.name} has no such option; it has: {', '.join(allowed)}")


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
    check(config)
    kind, family = _FAMILIES[config.name]
    if kind != data.kind:
        raise ConfigError("model.name", f"{config.name} takes {kind} data, and {data.name} is {data.kind} data")
    first = data.shape[0] if kind == "image" else data.vocabulary
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in config.options.items()}
    try:
        return family()(first, data.classes, **options)
    except (TypeError, ValueError) as error:
        raise ConfigError("model.options", f"{config.name} refuses {config.options}: {error}") from error


def _options(name: str) -> list[str]:
    """The keyword arguments of a network beyond those that the data set decides."""
    return list(inspect.signature(_FAMILIES[name][1]()).parameters)[2:]
