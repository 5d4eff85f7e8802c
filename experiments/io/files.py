"""Files that are either whole or absent, and locks that end with their owner."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from experiments.io.errors import BusyError


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash at any moment, sees the old content or the new one and nothing between.

    The temporary file lies beside the target (a rename is atomic only within one file system). Both the file and its
    folder are synced, because a rename that is not on disk is undone by a power cut.

    Args:
        path: The target; its folder is created.
        content: The whole new content.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Write a file in pieces, as atomically as `write_atomic`.

    Args:
        target: The file; its folder is created.

    Yields:
        The path to write to; at the end of the block the file takes the target's place.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        put_in_place(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def put_in_place(temporary: Path, target: Path) -> None:
    """Rename a file, or a folder with all that is in it, so that a crash leaves all of it or nothing at the target.

    Args:
        temporary: What was written; in the target's file system.
        target: Its new path; there is no folder.
    """
    for path in [temporary, *temporary.rglob("*")]:
        _sync(path)
    temporary.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: object) -> None:
    """Write ``value`` as indented JSON, atomically."""
    write_atomic(path, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())


def sweep_temporaries(folder: Path) -> None:
    """Remove what a killed writer left behind in ``folder``; call it only while holding the folder's lock."""
    for leftover in folder.glob(".*.tmp"):
        leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(folder: Path, wait: float = 0.0) -> Iterator[None]:
    """Lock ``folder`` for one writer.

    The kernel releases the lock when its owner ends, however it ends, so no lock remains after a SIGKILL.

    Args:
        folder: The folder; it is created.
        wait: Seconds to wait for another owner to release it.

    Yields:
        Nothing; the lock is held inside the ``with`` block.

    Raises:
        BusyError: another process still holds it after ``wait`` seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        words = f"{folder} is in use by another process: wait for it to end, or choose another --out folder"
        raise BusyError(words) from None
    try:
        yield
    finally:
        lock.release()
