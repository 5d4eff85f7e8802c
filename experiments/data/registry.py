"""The names of the data sets and who reads them."""

import functools
from pathlib import Path

from experiments.config import DataConfig
from experiments.data.dataset import Dataset
from experiments.errors import ConfigError

NAMES = ("digits",)


@functools.lru_cache(maxsize=1)
def load(config: DataConfig, data_dir: Path | None = None) -> Dataset:  # noqa: ARG001 (the digits lie in a package)
    """Read a data set, whole and checked.

    Args:
        config: Which one, and how it is split.
        data_dir: Where the standard layouts lie; None means ``ALTO_DATA_DIR``. The digits need none.

    Returns:
        The data set, on the CPU.

    Raises:
        ConfigError: an unknown name.
        DataError: the files are absent or damaged.
    """
    if config.name == "digits":
        from experiments.data import digits

        return digits.read(config)
    raise ConfigError("data.name", f"{config.name!r} is not allowed; it must be one of {', '.join(NAMES)}")
