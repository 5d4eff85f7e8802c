"""The parameter shapes of well-known networks, computed from their architecture, and single tensors of many sizes."""

import math
from dataclasses import dataclass

from experiments.io.errors import ConfigError

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """What the contestants step on.

    Attributes:
        name: Its name on the command line.
        title: Its name in tables and figures.
        shapes: The shape of each parameter tensor.
    """

    name: str
    title: str
    shapes: tuple[Shape, ...]

    @property
    def parameters(self) -> int:
        """Number of scalars."""
        return sum(math.prod(shape) for shape in self.shapes)


def _normed(out: int, entry: int, size: int) -> list[Shape]:
    """A convolution without bias, and the scale and shift of its batch norm."""
    return [(out, entry, size, size), (out,), (out,)]


def _dense(out: int, entry: int) -> list[Shape]:
    """A linear layer's weight and bias."""
    return [(out, entry), (out,)]


def _resnet20() -> list[Shape]:
    """CIFAR's ResNet-20 with shortcuts without parameters (He et al. 2016, section 4.2, option A)."""
    shapes = _normed(16, 3, 3)
    entry = 16
    for width in (16, 32, 64):
        for _ in range(3):
            shapes += _normed(width, entry, 3) + _normed(width, width, 3)
            entry = width
    return shapes + _dense(10, 64)


def _resnet50() -> list[Shape]:
    """ImageNet's ResNet-50: bottlenecks, and a 1x1 convolution in the first shortcut of a stage (section 4.1)."""
    shapes = _normed(64, 3, 7)
    entry = 64
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            shapes += _normed(width, entry, 1) + _normed(width, width, 3) + _normed(4 * width, width, 1)
            if block == 0:
                shapes += _normed(4 * width, entry, 1)
            entry = 4 * width
    return shapes + _dense(1000, 2048)


def _gpt2_small() -> list[Shape]:
    """Radford et al. 2019: 12 pre-norm blocks of width 768; the output layer is the token embedding."""
    width = 768
    norm: list[Shape] = [(width,), (width,)]
    attention = _dense(3 * width, width) + _dense(width, width)
    perceptron = _dense(4 * width, width) + _dense(width, 4 * width)
    return [(50_257, width), (1024, width), *12 * (norm + attention + norm + perceptron), *norm]


def _bert_base() -> list[Shape]:
    """Devlin et al. 2019: three embeddings, 12 post-norm blocks of width 768 and the pooler, without a task's head."""
    width = 768
    norm: list[Shape] = [(width,), (width,)]
    attention = 4 * _dense(width, width)
    perceptron = _dense(4 * width, width) + _dense(width, 4 * width)
    embeddings: list[Shape] = [(30_522, width), (512, width), (2, width)]
    return [*embeddings, *norm, *12 * (attention + norm + perceptron + norm), *_dense(width, width)]


def _cases(*rows: tuple[str, str, list[Shape], int]) -> dict[str, Case]:
    """The cases by name; each is held against its published number of parameters."""
    cases = {}
    for name, title, shapes, parameters in rows:
        cases[name] = Case(name, title, tuple(shapes))
        if cases[name].parameters != parameters:
            raise AssertionError(f"{title} has {cases[name].parameters} parameters, and should have {parameters}")
    return cases


MODELS = _cases(
    ("resnet20", "ResNet-20", _resnet20(), 269_722),
    ("resnet50", "ResNet-50", _resnet50(), 25_557_032),
    ("gpt2-small", "GPT-2 small", _gpt2_small(), 124_439_808),
    ("bert-base", "BERT base", _bert_base(), 109_482_240),
)
SMALLEST, LARGEST = 1_000, 100_000_000


def models(names: tuple[str, ...]) -> list[Case]:
    """The networks of these names, in the order of the table; all of them for none.

    Args:
        names: Names from `MODELS`.

    Returns:
        The cases.

    Raises:
        ConfigError: an unknown name.
    """
    for name in names:
        if name not in MODELS:
            raise ConfigError("--model", f"{name!r} is not allowed; it must be one of {', '.join(MODELS)}")
    return [case for name, case in MODELS.items() if not names or name in names]


def tensors(largest: int) -> list[Case]:
    """One tensor of 1e3, 1e4, ... parameters.

    Args:
        largest: No tensor is larger.

    Returns:
        The cases.

    Raises:
        ConfigError: not even the smallest tensor fits, or ``largest`` is beyond what is offered.
    """
    if not SMALLEST <= largest <= LARGEST:
        raise ConfigError("--largest", f"{largest} is not allowed; it must be from {SMALLEST} to {LARGEST}")
    sizes = [10**digits for digits in range(3, 9) if 10**digits <= largest]
    return [Case(f"1e{len(str(size)) - 1}", f"{size:,} parameters", ((size,),)) for size in sizes]
