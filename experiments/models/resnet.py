"""Residual networks: ResNet-20 for CIFAR (He et al. 2016, section 4.2), and ResNet-18, -34 and -50 (section 4.1)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_STAGES = {
    # depth: (blocks a stage, bottleneck)
    18: ((2, 2, 2, 2), False),
    34: ((3, 4, 6, 3), False),
    50: ((3, 4, 6, 3), True),
}


class ResNet20(nn.Module):
    """Three stages of three basic blocks with 16, 32 and 64 channels; 0.27 M parameters (the paper's CIFAR network).

    Shortcuts between stages have no parameters: every second pixel, and zeros for the new channels (He et al., option
    A). With 1x1 convolutions there, it would have 0.27 M all the same (272,474 for 10 classes, against 269,722).

    Args:
        channels: Channels of the image.
        classes: Number of classes.
        blocks: Blocks per stage, n in He et al.'s 6n + 2 layers.
    """

    def __init__(self, channels: int, classes: int, blocks: int = 3):
        super().__init__()
        self.stem = _convolution(channels, 16, 3)
        widths = ((16, 16, 1), (16, 32, 2), (32, 64, 2))
        self.stages = nn.Sequential(*(_stage(a, b, blocks, stride, projected=False) for a, b, stride in widths))
        self.head = nn.Linear(64, classes)
        _initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """(n, channels, height, width) -> (n, classes) logits."""
        return self.head(self.stages(F.relu(self.stem(images))).mean(dim=(2, 3)))


class ResNet8(ResNet20):
    """The same with one block per stage; 0.08 M parameters.

    Args:
        channels: Channels of the image.
        classes: Number of classes.
    """

    def __init__(self, channels: int, classes: int):
        super().__init__(channels, classes, blocks=1)


class ResNet(nn.Module):
    """ResNet-18, -34 or -50, with 1x1 convolutions in the shortcuts that change the shape.

    Args:
        channels: Channels of the image.
        classes: Number of classes.
        depth: 18, 34 or 50.
        small_images: A 3x3 stem without pooling, for CIFAR; False is the stem for ImageNet, 7x7 with stride 2 and
            max-pooling.

    Raises:
        ValueError: another depth.
    """

    def __init__(self, channels: int, classes: int, depth: int = 18, small_images: bool = True):
        super().__init__()
        if depth not in _STAGES:
            raise ValueError(f"depth = {depth} is not allowed; it must be one of {', '.join(map(str, _STAGES))}")
        counts, bottleneck = _STAGES[depth]
        if small_images:
            self.stem = nn.Sequential(_convolution(channels, 64, 3), nn.ReLU())
        else:
            self.stem = nn.Sequential(_convolution(channels, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        grown = 4 if bottleneck else 1
        widths = [64 * 2**i for i in range(4)]
        entries = [64, *(grown * width for width in widths)]
        self.stages = nn.Sequential(
            *(
                _stage(entries[i], width, counts[i], 1 if i == 0 else 2, projected=True, bottleneck=bottleneck)
                for i, width in enumerate(widths)
            )
        )
        self.head = nn.Linear(grown * 512, classes)
        _initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """(n, channels, height, width) -> (n, classes) logits."""
        return self.head(self.stages(self.stem(images)).mean(dim=(2, 3)))


class _Block(nn.Module):
    """relu(residual(x) + shortcut(x))."""

    def __init__(self, residual: nn.Module, shortcut: nn.Module):
        super().__init__()
        self.residual, self.shortcut = residual, shortcut

    def forward(self, images: Tensor) -> Tensor:
        return F.relu(self.residual(images) + self.shortcut(images))


class _Subsample(nn.Module):
    """The shortcut without parameters: every ``stride``-th pixel, and zeros for the ``extra`` channels."""

    def __init__(self, stride: int, extra: int):
        super().__init__()
        self.stride, self.extra = stride, extra

    def forward(self, images: Tensor) -> Tensor:
        kept = images[:, :, :: self.stride, :: self.stride]
        return F.pad(kept, (0, 0, 0, 0, self.extra // 2, self.extra - self.extra // 2))


def _stage(entry: int, width: int, count: int, stride: int, *, projected: bool, bottleneck: bool = False) -> nn.Module:
    """``count`` blocks, the first of which changes the shape."""
    leaving = 4 * width if bottleneck else width
    blocks = []
    for index in range(count):
        before, step = (entry, stride) if index == 0 else (leaving, 1)
        if before == leaving and step == 1:
            shortcut: nn.Module = nn.Identity()
        elif projected:
            shortcut = _convolution(before, leaving, 1, step)
        else:
            shortcut = _Subsample(step, leaving - before)
        blocks.append(_Block(_residual(before, width, step, bottleneck), shortcut))
    return nn.Sequential(*blocks)


def _residual(before: int, width: int, stride: int, bottleneck: bool) -> nn.Module:
    if bottleneck:  # the stride is in the 3x3 convolution, as in every implementation since 2016
        layers: Sequence[nn.Module] = (
            _convolution(before, width, 1),
            nn.ReLU(),
            _convolution(width, width, 3, stride),
            nn.ReLU(),
            _convolution(width, 4 * width, 1),
        )
    else:
        layers = (_convolution(before, width, 3, stride), nn.ReLU(), _convolution(width, width, 3))
    return nn.Sequential(*layers)


def _convolution(before: int, after: int, size: int, stride: int = 1) -> nn.Sequential:
    """A convolution without bias, and batch norm."""
    return nn.Sequential(nn.Conv2d(before, after, size, stride, padding=size // 2, bias=False), nn.BatchNorm2d(after))


def _initialise(model: nn.Module) -> None:
    """He's normal initialisation by fan-out of every convolution; the rest as torch has it."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
