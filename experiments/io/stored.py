"""The one place where files are read that this package wrote: whole, of the right kind, and not changed by hand."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from experiments.io.errors import DataError
from experiments.io.files import content, unchanged

DIGEST = "content_sha256"
_LARGEST = 2**30  # bytes of a file of JSON; the largest of ours has a few million
_REMEDY = "restore it, or delete it"


def sealed(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table with a digest of its content, by which `read` notices a number that was changed by hand."""
    return {**table, DIGEST: _digest(json.loads(json.dumps(table)))}


def read(path: Path) -> Any:
    """The JSON of a file; a digest in it is checked and left out. Files of older versions have none.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        DataError: it is no regular file, is damaged, or was changed by hand.
        FileNotFoundError: it is absent.
    """
    with own(path):
        return unsealed(parsed(text(path)), path)


def text(path: Path) -> str:
    """The text of a file.

    Args:
        path: The file.

    Returns:
        Its text.

    Raises:
        DataError: it is no regular file, is damaged, or cannot be read.
        FileNotFoundError: it is absent.
    """
    with own(path):
        data = content(path, _LARGEST)
        unchanged(path, data)
        return data.decode()


def parsed(words: str) -> Any:
    """JSON.

    Raises:
        ValueError: it is not, or is nested too deeply.
    """
    try:
        return json.loads(words)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def unsealed(table: Any, where: object) -> Any:
    """The table without its digest.

    Args:
        table: From JSON.
        where: The file, for the error.

    Returns:
        The rest; what has no digest as it is.

    Raises:
        DataError: the digest is of other content.
    """
    if not isinstance(table, dict) or DIGEST not in table:
        return table
    rest = {key: value for key, value in table.items() if key != DIGEST}
    if _digest(rest) != table[DIGEST]:
        raise DataError(f"{where} was changed after it was written (its {DIGEST} is of other content): {_REMEDY}")
    return rest


@contextlib.contextmanager
def own(path: Path, remedy: str = _REMEDY) -> Iterator[None]:
    """Say of what goes wrong while a file of ours is read and interpreted that the file is damaged.

    Args:
        path: The file.
        remedy: What to do about it.

    Yields:
        Nothing.

    Raises:
        DataError: it is damaged, or cannot be read.
        FileNotFoundError: it is absent.
    """
    try:
        yield
    except (DataError, FileNotFoundError):
        raise
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}): {remedy}") from error
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, EOFError) as error:
        raise DataError(f"{path} is damaged ({' '.join(str(error).split())[:200]}): {remedy}") from error


def _digest(table: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(table, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
