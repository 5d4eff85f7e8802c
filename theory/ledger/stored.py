"""Files that this package wrote, read: whole, of the right kind, and not changed by hand. Claims read results here."""

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SUMS = "SHA256SUMS"
"""The digests of a folder's files, in the format of ``sha256sum``: they show a number that was changed by hand."""
LARGEST = 2**30
"""Bytes of a file of JSON; the largest of ours has a few million."""


class DamagedError(ValueError):
    """A file of ours is damaged; the message names it and the remedy."""


@contextmanager
def own(path: Path) -> Iterator[None]:
    """Say of what goes wrong while a file of ours is read and interpreted that the file is damaged.

    Raises:
        DamagedError: it is damaged, or cannot be read.
        FileNotFoundError: it is absent.
    """
    try:
        yield
    except (DamagedError, FileNotFoundError):
        raise
    except OSError as error:
        reason = f"it cannot be read: {error.strerror or error}"
    except RecursionError:
        reason = "it is nested too deeply"
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
    else:
        return
    raise DamagedError(f"{path} is damaged ({reason}): restore it, or delete it")


def read(path: Path) -> Any:
    """The JSON of a file of ours; FileNotFoundError if it is absent.

    Raises:
        DamagedError: it is no regular file, or is damaged.
    """
    with own(path):
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
            raise ValueError("it is no regular file" if found.st_size <= LARGEST else f"it has {found.st_size} bytes")
        data = path.read_bytes()
        unchanged(path, data)
        return json.loads(data)


def digests(target: Path) -> Path | None:
    """The file that has the digest of a file, which is no link; None if there is none."""
    return next((folder / SUMS for folder in target.parents if (folder / SUMS).is_file()), None)


def known(sums: Path) -> dict[str, frozenset[str]]:
    """The digests by the name of the file; a file has two where a writer was killed."""
    found: dict[str, frozenset[str]] = {}
    for line in sums.read_text(encoding="utf-8").splitlines() if sums.is_file() else ():
        digest, _, name = line.partition("  ")
        found[name] = found.get(name, frozenset()) | {digest}
    return found


def unchanged(path: Path, data: bytes) -> None:
    """Refuse a file that was changed by hand; a file without a digest passes.

    Raises:
        DamagedError: its digest is of other content.
    """
    target = Path(os.path.realpath(path))
    sums = digests(target)
    right = known(sums).get(target.relative_to(sums.parent).as_posix()) if sums else None
    if right and hashlib.sha256(data).hexdigest() not in right and path.read_bytes() == data:  # not written meanwhile
        raise DamagedError(f"{path} was changed after it was written ({sums} has another digest): restore it, or "
                           "delete it and compute it again")  # fmt: skip


def changed(folder: Path) -> list[str]:
    """A line for each file of a folder that is absent, or is not what was written; none without ``SHA256SUMS``."""
    found = []
    for name in known(folder / SUMS):
        try:
            unchanged(folder / name, (folder / name).read_bytes())
        except FileNotFoundError:
            found.append(f"{folder / name} is absent, and {folder / SUMS} has it: restore it")
        except DamagedError as error:
            found.append(str(error))
    return found
