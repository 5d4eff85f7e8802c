"""A data set of one's own: a function that returns training and test examples as tensors."""

from pathlib import Path

import torch
from torch import Tensor

from experiments.config.schema import DataConfig
from experiments.data.dataset import IGNORED, Dataset, Split, hold_out
from experiments.io import own
from experiments.io.errors import DataError

MOST_CLASSES = 2**20


def read(config: DataConfig, _data_dir: Path | None = None) -> Dataset:
    """Call the user's function; validation examples are held out of the training examples as for every data set.

    Args:
        config: Its name is ``FILE.py:NAME``; the share of validation examples and the limit.

    Returns:
        Its inputs, (n, ...) of any dtype, and its targets, (n, ...): int64 for classes, anything else needs a loss.

    Raises:
        OwnCodeError: the function raised.
        DataError: the function does not return four tensors of examples, or a target is no class.
    """
    function = own.load(config.name, "data.name")
    with own.theirs(config.name):
        parts = function()
    wanted = "four tensors: training inputs and targets, test inputs and targets"
    if not isinstance(parts, tuple | list) or len(parts) != 4 or not all(isinstance(p, Tensor) for p in parts):
        raise DataError(f"{config.name} must return {wanted}")
    if not all(part.ndim for part in parts):
        raise DataError(f"{config.name} must return {wanted}, with the examples along the first dimension")
    inputs, targets, test_inputs, test_targets = (part.cpu() for part in parts)
    if len(inputs) != len(targets) or len(test_inputs) != len(test_targets) or min(len(inputs), len(test_inputs)) < 1:
        lengths = ", ".join(str(len(part)) for part in (inputs, targets, test_inputs, test_targets))
        raise DataError(f"{config.name} must return {wanted}, as many targets as inputs; their lengths are {lengths}")
    named = {"training inputs": inputs, "training targets": targets, "test inputs": test_inputs,
             "test targets": test_targets}  # fmt: skip
    for name, part in named.items():
        if not torch.isfinite(part).all():
            raise DataError(f"{config.name}: the {name} are not all finite")
    if not targets.is_floating_point():
        counted = torch.cat([targets.flatten(), test_targets.flatten()])
        wrong = counted[(counted != IGNORED) & ((counted < 0) | (counted >= MOST_CLASSES))]
        if len(wrong):
            allowed = f"allowed are 0 to {MOST_CLASSES - 1}, and {IGNORED} where a position does not count"
            raise DataError(f"{config.name} returns the target {int(wrong[0])}; {allowed}")
    train, validation = hold_out(
        Split(inputs, targets), config.validation, None if config.limit == "all" else config.limit
    )
    classes = (
        0 if targets.is_floating_point() else int(torch.cat([targets.flatten(), test_targets.flatten()]).max()) + 1
    )
    return Dataset(config.name.partition("@")[0], "own", classes, train, validation, Split(test_inputs, test_targets))
