"""Files that are either whole or absent, and locks that die with their owner."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from experiments.io.errors import BusyError


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash at any moment, sees the old content or the new one and nothing between.

    The temporary file lies beside the target (a rename is atomic only within one file system). Both the file and its
    folder are synced, because a rename that is not on disk is undone by a power cut.

    Args:
        path: The target; its folder is created.
        content: The whole new content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_json(path: Path, value: object) -> None:
    """Write ``value`` as indented JSON, atomically."""
    write_atomic(path, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())


def sweep_temporaries(folder: Path) -> None:
    """Remove what a killed writer left behind in ``folder``; call it only while holding the folder's lock."""
    for leftover in folder.glob(".*.tmp"):
        leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(folder: Path, wait: float = 0.0) -> Iterator[None]:
    """Hold the only writer's right to ``folder``.

    The kernel drops the lock when its owner dies, however it dies, so no stale lock outlives a SIGKILL.

    Args:
        folder: The folder; it is created.
        wait: Seconds to wait for another owner to let go.

    Yields:
        Nothing; the lock is held inside the ``with`` block.

    Raises:
        BusyError: another process still holds it after ``wait`` seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    give_up = time.monotonic() + wait
    with (folder / ".lock").open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= give_up:
                    raise BusyError(
                        f"{folder} is in use by another process: wait for it to end, or choose another --out folder"
                    ) from None
                time.sleep(0.05)
        yield
