"""The examples of a step and their augmentation: functions of (seed, epoch, step), so no checkpoint holds them."""

import hashlib
import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from experiments.data import Dataset
from experiments.data.dataset import PADDING


def derive_seed(seed: int, *purpose: str | int) -> int:
    """An independent 63-bit seed for one purpose of one run."""
    digest = hashlib.sha256(repr((seed, *purpose)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def steps_per_epoch(examples: int, batch_size: int) -> int:
    """Batches per epoch; the last one may be smaller, and no example is dropped."""
    return math.ceil(examples / batch_size)


def order(examples: int, seed: int, epoch: int) -> Tensor:
    """The order of the examples in one epoch: (examples,) int64."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
    return torch.randperm(examples, generator=generator)


def by_length(inputs: Tensor) -> Tensor:
    """An order in which sentences of one length are neighbours, the same for every run: (examples,) int64."""
    return (inputs != PADDING).sum(dim=1).argsort(stable=True)


def prepare(data: Dataset, inputs: Tensor) -> Tensor:
    """What the network sees: images as float32, normalised by channel; tokens as they are."""
    if data.kind != "image":
        return inputs
    return (inputs - data.mean.to(inputs.device)).div_(data.std.to(inputs.device))


@dataclass(frozen=True)
class Moves:
    """How the images of a batch are shifted and mirrored, one entry per image.

    Attributes:
        top: Shift from the top, in 0 .. 2 padding.
        left: Shift from the left, likewise.
        mirrored: Whether it is mirrored.
        padding: Largest shift.
    """

    top: Tensor
    left: Tensor
    mirrored: Tensor
    padding: int

    def take(self, places: slice) -> "Moves":
        """The moves of the images at these places of the batch."""
        return Moves(self.top[places], self.left[places], self.mirrored[places], self.padding)

    def to(self, device: torch.device) -> "Moves":
        """The same moves on ``device``."""
        return Moves(self.top.to(device), self.left.to(device), self.mirrored.to(device), self.padding)


def moves(count: int, seed: int, step: int, padding: int = 4) -> Moves:
    """Draw how each image of a whole batch moves, however the batch is split afterwards.

    Args:
        count: Images of the batch.
        seed: The run's seed.
        step: The step; the same (seed, step) gives the same moves.
        padding: Largest shift.

    Returns:
        The moves, on the CPU: a GPU's generator gives other numbers, and the draws are tiny.
    """
    generator = torch.Generator().manual_seed(derive_seed(seed, "augment", step))
    top, left = torch.randint(0, 2 * padding + 1, (2, count), generator=generator)
    return Moves(top, left, torch.rand(count, generator=generator) < 0.5, padding)


def augment(images: Tensor, how: Moves) -> Tensor:
    """Shift (zeros enter) and mirror images, the usual CIFAR recipe, on their device, without a loop over images.

    Args:
        images: (n, channels, height, width) normalised, so that a zero is the mean pixel.
        how: Their moves, on the same device.

    Returns:
        Images of the same shape.
    """
    n, channels, height, width = images.shape
    rows = how.top[:, None] + torch.arange(height, device=images.device)
    columns = how.left[:, None] + torch.arange(width, device=images.device)
    columns = torch.where(how.mirrored[:, None], columns.flip(1), columns)
    padded = F.pad(images, (how.padding,) * 4)
    return padded[
        torch.arange(n, device=images.device)[:, None, None, None],
        torch.arange(channels, device=images.device)[None, :, None, None],
        rows[:, None, :, None],
        columns[:, None, None, :],
    ]
