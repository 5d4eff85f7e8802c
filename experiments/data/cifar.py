"""CIFAR-10 and CIFAR-100 in the two layouts that their authors publish: binary records, and pickled batches."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from experiments.config.schema import DataConfig
from experiments.data.dataset import Dataset, Split, hold_out, locate, note_beside, read_bytes
from experiments.io.errors import DataError

_PIXELS = 3 * 32 * 32
_LARGEST = 2**28  # bytes; the largest of the published files has 155 million


@dataclass(frozen=True)
class _Layout:
    """The published files of one variant.

    Attributes:
        classes: Number of classes.
        binary: Folder of the binary layout.
        python: Folder of the pickled layout.
        train: File names of the training examples, without suffix.
        test: File name of the test examples, without suffix.
        each: Examples a training file; the test file always has 10,000.
        labels: Bytes in front of an image in the binary layout; the last one is the label.
        key: The label's key in the pickled layout.
    """

    classes: int
    binary: str
    python: str
    train: tuple[str, ...]
    test: str
    each: int
    labels: int
    key: str


_LAYOUTS = {
    "cifar10": _Layout(
        10, "cifar-10-batches-bin", "cifar-10-batches-py", tuple(f"data_batch_{i}" for i in range(1, 6)), "test_batch",
        10_000, 1, "labels",
    ),
    "cifar100": _Layout(
        100, "cifar-100-binary", "cifar-100-python", ("train",), "test", 50_000, 2, "fine_labels",
    ),
}  # fmt: skip


def read(config: DataConfig, data_dir: Path | None) -> Dataset:
    """Read CIFAR-10 or CIFAR-100.

    Args:
        config: Its name, the share of validation examples and the limit.
        data_dir: The folder in which the published folder lies.

    Returns:
        Images (n, 3, side, side) uint8, where side is 32 over ``shrink``.

    Raises:
        DataError: files are absent or damaged; the file and what is wrong with it are named.
    """
    layout = _LAYOUTS[config.name]
    folder = locate(
        data_dir,
        layout.binary,
        layout.python,
        remedy=f"Get it with: python -m experiments fetch {config.name} --data-dir DIR (where there is network), or "
        f"unpack cifar-{config.name[5:]}-binary.tar.gz or cifar-{config.name[5:]}-python.tar.gz from "
        "https://www.cs.toronto.edu/~kriz/cifar.html into it.",
    )
    if folder.name == layout.binary:
        train = [_read_binary(folder / f"{name}.bin", layout, layout.each) for name in layout.train]
        test = _read_binary(folder / f"{layout.test}.bin", layout, 10_000)
    else:
        train = [_read_pickled(folder / name, layout, layout.each) for name in layout.train]
        test = _read_pickled(folder / layout.test, layout, 10_000)
    train, test = [_shrunk(part, config.shrink) for part in train], _shrunk(test, config.shrink)
    whole = Split(torch.cat([part.inputs for part in train]), torch.cat([part.targets for part in train]))
    kept, validation = hold_out(whole, config.validation, None if config.limit == "all" else config.limit)
    return Dataset(config.name, "image", layout.classes, kept, validation, test, note=note_beside(folder))


def _shrunk(images: Split, by: int) -> Split:
    """Squares of ``by`` x ``by`` pixels replaced by their mean, rounded half up."""
    if by == 1:
        return images
    n, channels, height, width = images.inputs.shape
    squares = images.inputs.view(n, channels, height // by, by, width // by, by)
    sums = squares.sum(dim=(3, 5), dtype=torch.int32)
    return Split(((2 * sums + by**2) // (2 * by**2)).to(torch.uint8), images.targets)


def _read_binary(path: Path, layout: _Layout, expected: int) -> Split:
    record = layout.labels + _PIXELS
    content = read_bytes(path, _LARGEST)
    if len(content) != expected * record:
        raise DataError(
            f"{path} has {len(content)} bytes; {expected} records of {record} bytes make {expected * record}: "
            "it is truncated or of another layout, fetch it again"
        )
    records = torch.from_numpy(np.frombuffer(content, np.uint8).reshape(expected, record).copy())
    return _checked(path, records[:, layout.labels :], records[:, layout.labels - 1].long(), layout)


def _read_pickled(path: Path, layout: _Layout, expected: int) -> Split:
    content = read_bytes(path, _LARGEST)
    try:
        # The published files are Python 2 pickles of plain containers and one array.
        table = _Plain(content).load()
        images, labels = np.asarray(table[b"data"]), np.asarray(table[layout.key.encode()])
    except Exception as error:  # a damaged pickle can raise anything
        raise DataError(f"{path} is no CIFAR batch ({type(error).__name__}: {error}): fetch it again") from error
    whole = images.shape == (expected, _PIXELS) and images.dtype == np.uint8
    if not whole or labels.shape != (expected,) or labels.dtype.kind != "i":
        raise DataError(
            f"{path} has images {images.shape} {images.dtype} and labels {labels.shape} {labels.dtype}; expected "
            f"({expected}, {_PIXELS}) uint8 and ({expected},) of integers below 2^63: fetch it again"
        )
    return _checked(path, torch.from_numpy(images.copy()), torch.from_numpy(labels.astype(np.int64)), layout)


def _checked(path: Path, images: torch.Tensor, labels: torch.Tensor, layout: _Layout) -> Split:
    wrong = ((labels < 0) | (labels >= layout.classes)).nonzero().flatten()
    if len(wrong):
        place = int(wrong[0])
        raise DataError(
            f"{path}: example {place} has label {int(labels[place])}, allowed are 0 to {layout.classes - 1}: "
            "it is damaged or of another layout, fetch it again"
        )
    return Split(images.reshape(-1, 3, 32, 32).contiguous(), labels)


class _Plain(pickle.Unpickler):
    """An unpickler that can rebuild arrays and nothing else: a pickle from the network must not run code."""

    _ALLOWED = frozenset({"_reconstruct", "ndarray", "dtype"})

    def __init__(self, content: bytes):
        import io

        super().__init__(io.BytesIO(content), encoding="bytes")

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".", maxsplit=1)[0] != "numpy" or name not in self._ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no CIFAR file needs")
        if name == "_reconstruct":  # where numpy 2 keeps it; the files name numpy 1's place
            from numpy._core import multiarray

            return multiarray._reconstruct  # type: ignore[attr-defined]
        return getattr(np, name)
