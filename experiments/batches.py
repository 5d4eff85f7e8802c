"""Which examples a step sees, and how they look: functions of (seed, epoch, step), so a resumed run needs no memory."""

import hashlib
import math

import torch
from torch import Tensor
from torch.nn import functional as F

from experiments.data import Dataset


def derive_seed(seed: int, *purpose: str | int) -> int:
    """An independent 63-bit seed for one purpose of one run."""
    digest = hashlib.sha256(repr((seed, *purpose)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def steps_per_epoch(examples: int, batch_size: int) -> int:
    """Batches an epoch; the last one may be smaller, no example is dropped."""
    return math.ceil(examples / batch_size)


def order(examples: int, seed: int, epoch: int) -> Tensor:
    """The order of the examples in one epoch: (examples,) int64."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
    return torch.randperm(examples, generator=generator)


def prepare(data: Dataset, inputs: Tensor) -> Tensor:
    """What the network sees: images as float32, normalised by channel; tokens as they are."""
    if data.kind != "image":
        return inputs
    return (inputs.float() - data.mean.to(inputs.device)) / data.std.to(inputs.device)


def augment(images: Tensor, seed: int, step: int, padding: int = 4) -> Tensor:
    """Random shift by up to ``padding`` pixels (zeros enter) and random mirror image, the usual CIFAR recipe.

    It runs on the images' device, without a loop over images.

    Args:
        images: (n, channels, height, width) normalised, so that a zero is the mean pixel.
        seed: The run's seed.
        step: The step; the same (seed, step) gives the same augmentation.
        padding: Largest shift.

    Returns:
        Images of the same shape.
    """
    n, channels, height, width = images.shape
    # Drawn on the CPU: a GPU's generator gives other numbers, and the draws are tiny.
    generator = torch.Generator().manual_seed(derive_seed(seed, "augment", step))
    top, left = torch.randint(0, 2 * padding + 1, (2, n), generator=generator).to(images.device)
    mirrored = (torch.rand(n, generator=generator) < 0.5).to(images.device)
    rows = top[:, None] + torch.arange(height, device=images.device)
    columns = left[:, None] + torch.arange(width, device=images.device)
    columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    padded = F.pad(images, (padding,) * 4)
    return padded[
        torch.arange(n, device=images.device)[:, None, None, None],
        torch.arange(channels, device=images.device)[None, :, None, None],
        rows[:, None, :, None],
        columns[:, None, None, :],
    ]
