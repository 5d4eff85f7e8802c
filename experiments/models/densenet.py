"""DenseNet-169 as the paper changed it (its Table 15): 7.27 M parameters for ten classes.

The paper gives blocks, growth, reduction and the linear layers. Its parameter count settles the rest: bottlenecks of
twice the growth (four times, as in Huang et al. 2017, would make 12.9 M) and a 7x7 stem with 64 channels. The stem's
stride does not show in the count; 2 is ours.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_BLOCKS = (6, 12, 32, 32)
_GROWTH = 32


class DenseNet169(nn.Module):
    """Four dense blocks with halving transitions between them, and three linear layers.

    Args:
        channels: Channels of the image.
        classes: Number of classes.
        dropout: Before each of the last two linear layers. Default: 0.4, the paper's.
    """

    def __init__(self, channels: int, classes: int, dropout: float = 0.4):
        super().__init__()
        width = 2 * _GROWTH
        layers: list[nn.Module] = [
            nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        for index, count in enumerate(_BLOCKS):
            if index:
                layers.append(_Transition(width, width // 2))
                width //= 2
            for _ in range(count):
                layers.append(_Dense(width))
                width += _GROWTH
        self.features = nn.Sequential(*layers, nn.BatchNorm2d(width), nn.ReLU())
        self.head = nn.Sequential(
            nn.Linear(width, 256),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(256, 128),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(128, classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(n, channels, height, width) -> (n, classes) logits; the sides must be at least 16."""
        return self.head(self.features(images).mean(dim=(2, 3)))


class _Dense(nn.Module):
    """Appends ``_GROWTH`` new channels to those that come in."""

    def __init__(self, width: int):
        super().__init__()
        inner = 2 * _GROWTH
        self.new = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Conv2d(inner, _GROWTH, 3, padding=1, bias=False),
        )

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([images, self.new(images)], dim=1)


class _Transition(nn.Module):
    """Halves the channels and the sides."""

    def __init__(self, before: int, after: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(before)
        self.mix = nn.Conv2d(before, after, 1, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        return F.avg_pool2d(self.mix(F.relu(self.norm(images))), 2)
