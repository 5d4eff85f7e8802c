"""Folders of image files, one folder per class (the ImageFolder layout), as one uint8 tensor: ImageNet or your own.

Every image is decoded once, to a square of one size, and stored beside the folders: the next start reads one file.
"""

import contextlib
import hashlib
import warnings
from pathlib import Path

import numpy as np
import torch

from experiments.config.schema import DataConfig
from experiments.data.dataset import Dataset, Split, hold_out, locate, note_beside
from experiments.io import stored
from experiments.io.errors import DataError
from experiments.io.files import replacing

_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})


def read(config: DataConfig, data_dir: Path | None) -> Dataset:
    """Read ``NAME/train/CLASS/*`` and ``NAME/val/CLASS/*`` (or ``test``).

    The second part is the test set; the validation examples are held out of the first. The images are in memory, 3
    ``size``^2 bytes each: all of ImageNet takes 16 GB at size 64, and 193 GB at size 224.

    Args:
        config: The name, the share of validation examples, the limit and the images' size.
        data_dir: The folder above.

    Returns:
        Images (n, 3, size, size) uint8: the shorter side is scaled to ``size``, and the middle cut out.

    Raises:
        DataError: a folder is absent or has no images, a file is no image, or the two parts have other classes.
    """
    remedy = f"Unpack its images as {config.name}/train/CLASS/*.jpg and {config.name}/val/CLASS/*.jpg."
    folder = locate(data_dir, config.name, remedy=remedy)
    train, test = locate(folder, "train", remedy=remedy), locate(folder, "val", "test", remedy=remedy)
    classes, others = _classes(train), _classes(test)
    if unknown := sorted(set(others) - set(classes)):
        raise DataError(f"{test} has classes that {train} has not: {', '.join(unknown[:5])}")
    kept, validation = hold_out(
        _decoded(train, classes, config.size), config.validation, None if config.limit == "all" else config.limit
    )
    held = _decoded(test, classes, config.size)
    return Dataset(config.name, "image", len(classes), kept, validation, held, note=note_beside(folder))


def _classes(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder: unpack the images again")
    found = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not found:
        raise DataError(f"{folder} has no folders; each class is one")
    return found


def _decoded(folder: Path, classes: list[str], size: int) -> Split:
    """All images below a folder, in the order of their names, class by class."""
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        own = sorted(
            f for f in (folder / name).glob("*") if f.suffix.lower() in _ENDINGS and not f.name.startswith(".")
        )
        files += own
        labels += [label] * len(own)
        if not own and (folder / name).is_dir():
            raise DataError(f"{folder / name} has no images ({', '.join(sorted(_ENDINGS))}): unpack it again")
    facts = [(str(f.relative_to(folder)), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    digest = hashlib.sha256(repr((size, facts)).encode()).hexdigest()[:16]
    cache = folder.with_name(f".{folder.name}-{size}-{digest}.npy")
    if cache.exists():
        pixels = _kept(cache, (len(files), 3, size, size))
    else:
        pixels = np.stack([_image(file, size) for file in files])
        _keep(cache, pixels)
    return Split(torch.from_numpy(pixels), torch.tensor(labels))


def _image(file: Path, size: int) -> np.ndarray:
    from PIL import Image, ImageOps

    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    if not file.is_file():  # opening a pipe would wait for ever
        raise DataError(f"{file} is no regular file: unpack it again")
    try:
        with warnings.catch_warnings(action="error", category=bombs[1]), Image.open(file) as opened:
            fitted = ImageOps.fit(opened.convert("RGB"), (size, size), Image.Resampling.BILINEAR)
    except bombs as error:
        raise DataError(
            f"{file} is no image of the data: it has more than {Image.MAX_IMAGE_PIXELS} pixels once it is decoded"
        ) from error
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises on a damaged file
        raise DataError(f"{file} is no whole image ({error}): unpack it again") from error
    return np.asarray(fitted, np.uint8).transpose(2, 0, 1)


def _kept(cache: Path, shape: tuple[int, ...]) -> np.ndarray:
    """The decoded images as they were stored; a pickle in their place is not read."""
    with stored.own(cache):
        if not cache.is_file():
            raise ValueError("no regular file")
        pixels = np.load(cache, mmap_mode="c", allow_pickle=False)
        if not isinstance(pixels, np.ndarray) or (pixels.shape, pixels.dtype) != (shape, np.uint8):
            raise ValueError(f"it does not hold bytes of shape {shape}")
        return pixels


def _keep(cache: Path, pixels: np.ndarray) -> None:
    """Store the decoded images, atomically, if the folder can be written to; otherwise they are decoded each time."""
    with contextlib.suppress(OSError), replacing(cache) as temporary, temporary.open("wb") as out:
        np.save(out, pixels)
