"""The names of the data sets, and the modules that read them."""

import dataclasses
import functools
import hashlib
import importlib.util
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import torch

from experiments.config.schema import DataConfig
from experiments.data.dataset import Dataset, Kind
from experiments.io import own
from experiments.io.errors import ConfigError

SIMULATED = {"swimmer": "Swimmer-v5", "ant": "Ant-v5", "humanoid": "Humanoid-v5"}  # gymnasium's names


@dataclass(frozen=True)
class _Source:
    """What a data set is of, and the module of this package that reads it.

    Attributes:
        kind: What the examples are.
        module: It has ``read(config, data_dir)``.
        ordered: The test examples are in the order of their classes, or may be, so the first few would be of one class.
    """

    kind: Kind
    module: str
    ordered: bool = False


_SOURCES = {
    "digits": _Source("image", "digits"),
    **dict.fromkeys(("cifar10", "cifar100"), _Source("image", "cifar")),
    **dict.fromkeys(("imagenet", "imagefolder"), _Source("image", "images", ordered=True)),
    **dict.fromkeys(("tinyshakespeare", "text"), _Source("text", "text")),
    **dict.fromkeys(("conll2003", "conll"), _Source("tags", "conll")),
    "made-sentences": _Source("tags", "made"),
    **dict.fromkeys(("mrpc", "imdb"), _Source("sentence", "sentences", ordered=True)),
    **dict.fromkeys(("made-reviews", "made-pairs"), _Source("sentence", "made")),
    **dict.fromkeys(SIMULATED, _Source("simulated", "")),
}
NAMES = tuple(_SOURCES)


def kind(name: str) -> Kind:
    """The kind of a data set, without reading it.

    Args:
        name: One of `NAMES`.

    Returns:
        Its kind.

    Raises:
        ConfigError: an unknown name.
    """
    return _source(name).kind


def _source(name: str) -> _Source:
    if own.is_own(name):
        return _Source("own", "own", ordered=True)
    if name not in _SOURCES:
        has = f"{', '.join(NAMES)}, or a function of yours: FILE.py:NAME"
        raise ConfigError("data.name", f"{name!r} is not allowed; it must be one of {has}")
    return _SOURCES[name]


@functools.lru_cache(maxsize=1)
def load(config: DataConfig, data_dir: Path | None = None) -> Dataset:
    """Read a data set, whole and checked.

    Args:
        config: Which one, and how it is split. A limited test set is the beginning of the test set if its authors have
            shuffled it, and a subset drawn with a fixed seed if it is sorted by class.
        data_dir: Folder of the data sets; None means ``ALTO_DATA_DIR``. The digits need none.

    Returns:
        The data set, on the CPU.

    Raises:
        ConfigError: an unknown name.
        DataError: the files are absent or damaged.
    """
    dataset = _read(config, data_dir)
    if config.test_limit == "all":
        return dataset
    order = torch.arange(len(dataset.test))
    if _source(config.name).ordered:
        order = torch.randperm(len(order), generator=torch.Generator().manual_seed(20251))
    return dataclasses.replace(dataset, test=dataset.test.take(order[: config.test_limit]))


def examples(config: DataConfig, data_dir: Path | None = None) -> int:
    """The number of training examples, which is what ``batch_size = "full"`` stands for.

    Args:
        config: As for `load`.
        data_dir: As for `load`.

    Returns:
        Their number; of a simulated task, the transitions of a rollout.

    Raises:
        ConfigError: an unknown name, or a simulated task without ``data.limit``.
        DataError: the files are absent or damaged.
    """
    if config.name not in SIMULATED:
        return len(load(config, data_dir).train)
    if importlib.util.find_spec("mujoco") is None or importlib.util.find_spec("gymnasium") is None:
        raise ConfigError("data.name", f"{config.name} needs MuJoCo: pip install 'gymnasium[mujoco]'")
    if config.limit == "all":
        raise ConfigError("data.limit", "'all' is not allowed; it must be the number of transitions of a rollout")
    return config.limit


@functools.cache
def fingerprint(config: DataConfig, data_dir: Path | None = None) -> str:
    """A digest of the training, validation and test data; equal digests mean equal data.

    Args:
        config: As for `load`.
        data_dir: As for `load`.

    Returns:
        16 hexadecimal digits: of every example; of a simulated task, of its simulator's name and version.

    Raises:
        ConfigError: an unknown name.
        DataError: the files are absent or damaged.
    """
    if config.name not in SIMULATED:
        return load(config, data_dir).fingerprint()
    versions = [metadata.version(package) for package in ("gymnasium", "mujoco")]
    return hashlib.sha256(repr((SIMULATED[config.name], versions)).encode()).hexdigest()[:16]


def reader(name: str) -> str:
    """The module that reads a data set; empty for a simulated task."""
    module = _source(name).module
    return module and f"experiments.data.{module}"


def _read(config: DataConfig, data_dir: Path | None) -> Dataset:
    if kind(config.name) == "simulated":
        raise ConfigError("data.name", f"{config.name} is simulated and has no examples; a network for it is: ppo")
    return importlib.import_module(reader(config.name)).read(config, data_dir)
