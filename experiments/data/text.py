"""A text file as a character-level language model's data."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from experiments.config.schema import DataConfig
from experiments.data.dataset import Dataset, Split, locate, note_beside, read_text
from experiments.io.errors import DataError

_TEST = 0.1  # share of the text at its end that is the test set


def read(config: DataConfig, data_dir: Path | None) -> Dataset:
    """Read ``NAME.txt``, or ``NAME/input.txt``, and cut it into windows that do not overlap.

    The parts are contiguous, so that no window of one part continues in another: first the training text, then the
    validation text, then the last tenth as the test text. A limit keeps that many training windows.

    Args:
        config: The name, the share of validation text, the limit and the context.
        data_dir: The folder of the file.

    Returns:
        Inputs and targets (n, context); a target is the character after its input.

    Raises:
        DataError: the file is absent, not UTF-8, or too short for one window per part.
    """
    path = locate(
        data_dir,
        f"{config.name}.txt",
        f"{config.name}/input.txt",
        remedy=f"Put a plain text file there as {config.name}.txt; get tinyshakespeare with: python -m "
        "experiments fetch tinyshakespeare --data-dir DIR (where there is network).",
    )
    text = read_text(path)
    codes = np.frombuffer(text.encode("utf-32-le"), "<u4")
    characters = np.unique(codes)
    tokens = torch.from_numpy(np.searchsorted(characters, codes))
    test_from = round((1 - _TEST) * len(tokens))
    validation_from = round((1 - config.validation) * test_from)
    parts = tokens[:validation_from], tokens[validation_from:test_from], tokens[test_from:]
    if min(len(part) for part in parts if len(part) or config.validation) <= config.context:
        raise DataError(
            f"{path} has {len(text)} characters, too few for a window of context = {config.context} in each of its "
            f"parts ({', '.join(str(len(part)) for part in parts)} characters)"
        )
    train, validation, test = (_windows(part, config.context) for part in parts)
    if config.limit != "all":
        train = train.take(torch.arange(min(config.limit, len(train))))
    return Dataset(
        config.name,
        "text",
        len(characters),
        train,
        validation,
        test,
        vocabulary=len(characters),
        note=note_beside(path),
    )


def _windows(tokens: Tensor, context: int) -> Split:
    count = max(0, (len(tokens) - 1) // context)
    inputs = tokens[: count * context].view(count, context)
    return Split(inputs.clone(), tokens[1 : count * context + 1].view(count, context).clone())
