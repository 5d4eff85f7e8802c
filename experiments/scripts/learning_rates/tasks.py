"""Three tasks that train in less than a second: two networks on handwritten digits, and one on a small text.

All data come with scikit-learn: the digits, and the descriptions of its data sets as a text of 43,000 characters.
"""

from pathlib import Path

import sklearn
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

BEFORE = 8
"""Characters that the next one is predicted from."""
Parts = tuple[Tensor, Tensor, Tensor, Tensor]


def digits() -> Parts:
    """1500 training and 297 test images of 8 x 8 pixels in [0, 1], shape (n, 64), and their classes, shape (n,)."""
    images, classes = load_digits(return_X_y=True)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    x, y = torch.tensor(images / 16, dtype=torch.float32)[order], torch.tensor(classes, dtype=torch.int64)[order]
    return x[:1500], y[:1500], x[1500:], y[1500:]


def characters() -> Parts:
    """The 8 characters before each one, shape (n, 8), and that one, shape (n,); the test part is the text's end."""
    folder = Path(sklearn.__file__).parent / "datasets" / "descr"
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.rst")))
    numbers = {character: number for number, character in enumerate(sorted(set(text)))}
    windows = torch.tensor([numbers[character] for character in text]).unfold(0, BEFORE + 1, 1)
    train, test = windows[: int(0.9 * len(windows))], windows[int(0.9 * len(windows)) :]
    train = train[torch.randperm(len(train), generator=torch.Generator().manual_seed(0))]
    return train[:, :BEFORE], train[:, BEFORE], test[:, :BEFORE], test[:, BEFORE]


class MLP(nn.Sequential):
    """64 - 64 - 10 with ReLU."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


class CNN(nn.Sequential):
    """Two convolutions of 16 channels, each with ReLU and pooling, and a linear layer."""

    def __init__(self) -> None:
        super().__init__(
            nn.Unflatten(1, (1, 8, 8)),
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(64, 10),
        )  # fmt: skip


class Characters(nn.Sequential):
    """An embedding of each character, and an MLP with one hidden layer."""

    def __init__(self, known: int = 128) -> None:
        super().__init__(
            nn.Embedding(known, 12), nn.Flatten(), nn.Linear(12 * BEFORE, 64), nn.ReLU(), nn.Linear(64, known)
        )
