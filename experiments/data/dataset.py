"""The type of all data sets."""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from experiments.io.errors import DataError
from experiments.io.files import content

Kind = Literal["image", "text", "tags", "sentence", "simulated", "own"]

IGNORED = -100  # the target of a position that does not count (padding): torch's own default
_PART = 4096  # images whose pixels are summed at once
LARGEST_TEXT = 2**30  # bytes of a file of text, all of which is held in memory
LARGEST_NOTE = 2000  # bytes of a remark, which goes into every row
PADDING = 0  # token number of a position past the end of a sentence


@dataclass(frozen=True)
class Split:
    """Examples along the first dimension.

    Attributes:
        inputs: Images, (n, channels, height, width) uint8; or token numbers, (n, length) int64; or, to classify
            sentences, (n, 2, length) int64: token numbers, and 1 where they are of the second sentence.
        targets: Class numbers, (n,) or (n, length) int64; `IGNORED` where a position does not count.
    """

    inputs: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, indices: Tensor) -> "Split":
        """The examples at ``indices``, in that order, on the same device."""
        indices = indices.to(self.inputs.device)
        return Split(self.inputs.index_select(0, indices), self.targets.index_select(0, indices))

    def to(self, device: torch.device) -> "Split":
        """The same examples on ``device``."""
        return Split(self.inputs.to(device), self.targets.to(device))


@dataclass(frozen=True)
class Dataset:
    """A data set in its three parts.

    Attributes:
        name: Its name.
        kind: What the inputs are.
        classes: Number of classes (of characters, of tags).
        train: The training examples.
        validation: Held out of the training examples, to choose learning rates.
        test: Used by the final runs only.
        vocabulary: Number of different input tokens; 0 for images.
        labels: Names of the classes where the metric needs them (the tags of a tagger).
        note: What a reader of the results must know about these data.
    """

    name: str
    kind: Kind
    classes: int
    train: Split
    validation: Split
    test: Split
    vocabulary: int = 0
    labels: tuple[str, ...] = ()
    note: str = ""
    mean: Tensor = field(init=False)
    std: Tensor = field(init=False)

    def __post_init__(self):
        """Measure the training images: mean and deviation of each channel, (1, channels, 1, 1) float32, pixel units."""
        mean, std = torch.zeros(1), torch.ones(1)
        if self.kind == "image":
            # Sums of integers are exact, so the statistics depend neither on the number of threads nor on the parts.
            pixels = self.train.inputs
            count = pixels.numel() // pixels.shape[1]
            sums = torch.zeros(2, pixels.shape[1], dtype=torch.int64)
            for part in pixels.split(_PART):
                whole = part.to(torch.int64)
                sums += torch.stack([whole.sum(dim=(0, 2, 3)), whole.square().sum(dim=(0, 2, 3))])
            first, second = sums.double() / count
            mean = first.float().view(1, -1, 1, 1)
            std = (second - first**2).clamp_min(1e-6).sqrt().float().view(1, -1, 1, 1)
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "std", std)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return tuple(self.train.inputs.shape[1:])

    def fingerprint(self) -> str:
        """A digest of every example, so that a row records the bytes that it was trained on."""
        digest = hashlib.sha256()
        for split in (self.train, self.validation, self.test):
            for tensor in (split.inputs, split.targets):
                digest.update(str((tuple(tensor.shape), str(tensor.dtype))).encode())
                digest.update(tensor.contiguous().numpy().data)
        return digest.hexdigest()[:16]


def hold_out(examples: Split, share: float, limit: int | None) -> tuple[Split, Split]:
    """Split training examples into those to train on and those to choose learning rates with.

    The shuffle has a fixed seed: every run of every optimizer has the same split.

    Args:
        examples: All training examples.
        share: Share of the held-out ones, in [0, 1); 0 holds none out, and any other at least one.
        limit: Use only this many examples, or None for all.

    Returns:
        The two parts.
    """
    order = torch.randperm(len(examples), generator=torch.Generator().manual_seed(20250))[:limit]
    held = max(1, round(share * len(order))) if share else 0
    return examples.take(order[held:]), examples.take(order[:held])


def data_folder(data_dir: Path | None, remedy: str) -> Path:
    """The folder of the data sets: from ``--data-dir``, or the environment's ``ALTO_DATA_DIR``.

    Args:
        data_dir: From ``--data-dir``.
        remedy: How to get the data, for the error.

    Returns:
        The folder; it need not exist.

    Raises:
        DataError: neither is set.
    """
    named = os.environ.get("ALTO_DATA_DIR")
    if data_dir is None and not named:
        raise DataError(f"no data folder: pass --data-dir or set ALTO_DATA_DIR. {remedy}")
    folder = data_dir or Path(named or "")
    try:
        return folder.expanduser()  # a shell expands ~ in neither --data-dir=~/x nor ="~/x"
    except RuntimeError as error:
        raise DataError(f"{folder}: {error} Write the folder in full") from None


def locate(data_dir: Path | None, *candidates: str, remedy: str) -> Path:
    """Find a file or folder of a data set.

    Args:
        data_dir: From ``--data-dir``; None falls back to the environment's ``ALTO_DATA_DIR``.
        candidates: Paths below it, the first that exists is taken.
        remedy: How to get the data, for the error.

    Returns:
        The path.

    Raises:
        DataError: there is no data folder, or none of the candidates is in it.
    """
    root = data_folder(data_dir, remedy)
    for candidate in candidates:
        if (root / candidate).exists():
            return root / candidate
    raise DataError(f"{root} has none of {', '.join(candidates)}. {remedy}")


def note_beside(path: Path) -> str:
    """A remark on a data set: the text of ``note.txt`` in its folder, or of ``NAME.note.txt``.

    It goes into every row and report, so that results on changed data are not taken for results on the original.

    Args:
        path: The data set's file or folder.

    Returns:
        The remark on one line, or nothing.

    Raises:
        DataError: the remark cannot be read, or is not UTF-8.
    """
    note = path / "note.txt" if path.is_dir() else path.with_suffix(".note.txt")
    return " ".join(read_text(note, LARGEST_NOTE).split()) if os.path.lexists(note) else ""


def read_text(path: Path, most: int = LARGEST_TEXT) -> str:
    """The text of a data file.

    Args:
        path: The file.
        most: How many bytes it may have.

    Returns:
        Its text, without a byte order mark and with one kind of line end.

    Raises:
        DataError: as of `read_bytes`, or it is not UTF-8.
    """
    try:
        return read_bytes(path, most).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}): convert it") from error


def read_bytes(path: Path, most: int) -> bytes:
    """The content of a data file.

    Args:
        path: The file.
        most: How many bytes it may have.

    Returns:
        Its bytes.

    Raises:
        DataError: it is no regular file, is larger, or cannot be read; the file and the limit are named.
    """
    try:
        return content(path, most)
    except OSError as error:
        raise DataError(f"{path} cannot be used ({error.strerror}): put the right file there") from error
