"""Downloads, on request: every file is checked against its published checksum before it is used."""

import contextlib
import hashlib
import os
import shutil
import tarfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.data.dataset import data_folder
from experiments.io.errors import ConfigError, DataError
from experiments.io.files import put_in_place

_TIMEOUT = 30.0  # seconds without a byte


@dataclass(frozen=True)
class _File:
    """One file to download.

    Attributes:
        url: Where it is.
        digest: Its published checksum.
        method: The kind of the checksum.
        target: Its name in the data folder: the folder in the archive, or the file itself.
    """

    url: str
    digest: str
    method: str
    target: str


_FILES = {
    # The md5 sums are on the page of the authors, https://www.cs.toronto.edu/~kriz/cifar.html.
    "cifar10": _File(
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", "md5",
        "cifar-10-batches-bin",
    ),
    "cifar100": _File(
        "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", "md5",
        "cifar-100-binary",
    ),
    "tinyshakespeare": _File(
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed", "sha256", "tinyshakespeare.txt",
    ),
}  # fmt: skip
_HUB = {"mrpc": ("nyu-mll/glue", "mrpc"), "imdb": ("stanfordnlp/imdb", None)}  # the hub checks what it sends
NAMES = (*_FILES, *_HUB)


def fetch(name: str, data_dir: Path | None) -> Path:
    """Download a data set into the data folder; one that is there is not changed.

    Args:
        name: One of `NAMES`. The others may not be distributed freely, or need no download.
        data_dir: The data folder; None falls back to ``ALTO_DATA_DIR``.

    Returns:
        The file or folder.

    Raises:
        ConfigError: a name that cannot be fetched, or a package is absent.
        DataError: there is no data folder, no network, or the file is not the published one.
    """
    path = target(name, data_dir)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with _beside(path) as temporary:
            if name in _FILES:
                _download(_FILES[name], temporary, path)
            else:
                _from_hub(name, temporary, path)
    return path


def target(name: str, data_dir: Path | None) -> Path:
    """Where a data set is put; nothing is downloaded.

    Args:
        name: As in `fetch`.
        data_dir: As in `fetch`.

    Returns:
        The file or folder, there or not.

    Raises:
        ConfigError: a name that cannot be fetched.
    """
    if name not in NAMES:
        raise ConfigError("name", f"{name!r} cannot be fetched; these can: {', '.join(NAMES)}")
    return data_folder(data_dir, "Then fetch again.") / (_FILES[name].target if name in _FILES else name)


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """An empty folder beside the target, whose content can be renamed to the target; it is removed at the end."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    temporary.mkdir()
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _download(file: _File, temporary: Path, target: Path) -> None:
    loaded = temporary / "download"
    by_hand = f"Download it elsewhere and put {target.name} into {target.parent}"
    digest = hashlib.new(file.method)
    try:
        with urllib.request.urlopen(file.url, timeout=_TIMEOUT) as source, loaded.open("wb") as sink:
            while block := source.read(1 << 20):
                digest.update(block)
                sink.write(block)
    except (urllib.error.URLError, OSError) as error:
        raise DataError(f"{file.url} cannot be fetched ({error}). {by_hand}") from error
    if digest.hexdigest() != file.digest:
        raise DataError(
            f"{file.url} is not the published file: its {file.method} is {digest.hexdigest()}, expected {file.digest}. "
            f"Fetch it again; if that does not help: {by_hand[0].lower()}{by_hand[1:]}"
        )
    if not file.url.endswith(".tar.gz"):
        put_in_place(loaded, target)
        return
    try:
        with tarfile.open(loaded) as archive:
            archive.extractall(temporary, filter="data")  # nothing outside the folder, no links out of it, no devices
        put_in_place(temporary / target.name, target)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"{file.url} cannot be unpacked to {target} ({type(error).__name__}: {reason}). {by_hand}"
        ) from error


def _from_hub(name: str, temporary: Path, target: Path) -> None:
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise ConfigError("name", f"{name} needs the package datasets: pip install datasets") from error
    try:
        datasets.load_dataset(*_HUB[name]).save_to_disk(str(temporary / name))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{name} cannot be fetched from the Hugging Face hub ({error}). Where there is network, write it with "
            f"datasets.load_dataset{_HUB[name]!r}.save_to_disk({name!r}), and put the folder into {target.parent}"
        ) from error
    put_in_place(temporary / name, target)
