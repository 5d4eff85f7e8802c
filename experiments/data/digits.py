"""scikit-learn's handwritten digits: 1797 grey images of 8 x 8 in the package itself, so nothing is downloaded."""

from pathlib import Path

import torch
from sklearn.datasets import load_digits

from experiments.config.schema import DataConfig
from experiments.data.dataset import Dataset, Split, hold_out


def read(config: DataConfig, _data_dir: Path | None = None) -> Dataset:
    """The digits; a fixed fifth of them is the test set (the package has no split of its own).

    Args:
        config: The share of validation examples and the limit.

    Returns:
        Images (n, 1, 8, 8) with values 0..16 as uint8.
    """
    bunch = load_digits()
    # A copy: torch warns about arrays that it may not write to.
    inputs = torch.tensor(bunch.images, dtype=torch.uint8).unsqueeze(1)  # type: ignore[union-attr]
    everything = Split(inputs, torch.tensor(bunch.target, dtype=torch.int64))  # type: ignore[union-attr]
    order = torch.randperm(len(everything), generator=torch.Generator().manual_seed(1797))
    test = everything.take(order[: len(order) // 5])
    train, validation = hold_out(
        everything.take(order[len(order) // 5 :]), config.validation, None if config.limit == "all" else config.limit
    )
    return Dataset("digits", "image", 10, train, validation, test)
