"""What a user brings: a network, a data set, a loss or an optimizer, named as ``FILE.py:NAME``.

The file is looked for in the current folder. A digest of it belongs to the name (``net.py:Net@1a2b3c4d5e6f``), and so
to the identity of a run: with another file the runs are others. What the file imports does not count.
"""

import contextlib
import hashlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from experiments.io.errors import ConfigError, OwnCodeError
from experiments.io.files import content

_LARGEST = 2**24  # bytes of a file of Python
_NAMED = re.compile(r"(.+\.py):([A-Za-z_]\w*)(?:@([0-9a-f]{12}))?")


def is_own(name: str) -> bool:
    """Whether a name is ``FILE.py:NAME``."""
    return _NAMED.fullmatch(name) is not None


def without_digests(text: str) -> str:
    """A message in which each name is as the user wrote it."""
    return re.sub(r"(\.py:[A-Za-z_]\w*)@[0-9a-f]{12}\b", r"\1", text)


def pinned(name: str, where: str) -> str:
    """The name with the digest of its file; any other name as it is.

    Args:
        name: A name in a config.
        where: Its key, for the error.

    Returns:
        ``FILE.py:NAME@DIGEST``.

    Raises:
        ConfigError: the file cannot be read, or is not the one that the digest says.
    """
    found = _NAMED.fullmatch(name)
    if found is None:
        return name
    file, attribute, digest = found.groups()
    try:
        now = hashlib.sha256(content(Path(file), _LARGEST)).hexdigest()[:12]
    except OSError as error:
        raise ConfigError(where, f"{Path(file).absolute()} cannot be read ({error.strerror})") from None
    if digest not in {None, now}:
        raise ConfigError(where, f"{file} has changed since {name} was written down; run the experiment again")
    return f"{file}:{attribute}@{now}"


def load(name: str, where: str) -> Any:
    """The object that a name stands for.

    Args:
        name: ``FILE.py:NAME``, with a digest or without.
        where: Its key in the config, for the error.

    Returns:
        The object.

    Raises:
        ConfigError: the file cannot be read, has changed, or has no such name.
        OwnCodeError: the file raised while it was read.
    """
    file, _, rest = pinned(name, where).rpartition(":")
    attribute, _, digest = rest.partition("@")
    module = _module(str(Path(file).resolve()), digest)
    if not hasattr(module, attribute):
        raise ConfigError(where, f"{file} has no {attribute}")
    return getattr(module, attribute)


@cache
def _module(file: str, digest: str) -> ModuleType:
    """A file as a module, run once for each of its versions."""
    spec = importlib.util.spec_from_file_location(f"own_{digest}", file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # pickle and dataclasses look it up there
    try:
        with theirs(file):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
    return module


@contextlib.contextmanager
def theirs(name: str) -> Iterator[None]:
    """Say of what is raised inside that it is the user's.

    Args:
        name: What they brought.

    Yields:
        Nothing.

    Raises:
        OwnCodeError: something was raised, also an end of the program.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        words = " ".join(f"{error}".split())
        raise OwnCodeError(f"{name} raised {type(error).__name__}: {words}") from error
