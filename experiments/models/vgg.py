"""VGG-16 as the paper changed it (its Table 15): 33.73 M parameters for ten classes."""

from torch import Tensor, nn

_STAGES = ((2, 96), (2, 128), (3, 256), (3, 512), (3, 512))  # convolutions, channels


class VGG16(nn.Module):
    """Thirteen 3x3 convolutions with batch norm and ReLU, a max-pool after each stage, and three linear layers.

    Images of 32 x 32 become one pixel of 512 channels; larger ones are averaged to it.

    Args:
        channels: Channels of the image.
        classes: Number of classes.
        dropout: Before each of the last two linear layers. Default: 0.3, the paper's.
    """

    def __init__(self, channels: int, classes: int, dropout: float = 0.3):
        super().__init__()
        layers: list[nn.Module] = []
        for count, width in _STAGES:
            for _ in range(count):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Linear(512, 4096),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(n, channels, height, width) -> (n, classes) logits; the sides must be at least 32."""
        return self.head(self.features(images).mean(dim=(2, 3)))
