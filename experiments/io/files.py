"""Files that are either whole or absent, and locks that end with their owner."""

import contextlib
import errno
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from filelock import FileLock, Timeout

from experiments.io.errors import BusyError, require


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash at any moment, sees the old content or the new one and nothing between.

    The temporary file lies beside the target (a rename is atomic only within one file system). Both the file and its
    folder are synced, because a rename that is not on disk is undone by a power cut. What is no file (``/dev/stdout``,
    a pipe) is written to as it is, and a link keeps pointing where it does.

    Args:
        path: The target; its folder is created.
        content: The whole new content.
    """
    if _is_stream(path):
        with _named(path):
            path.write_bytes(content)
        return
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Write a file in pieces, as atomically as `write_atomic`.

    Args:
        target: The file; its folder is created.

    Yields:
        The path to write to; at the end of the block, or of a `together` around it, the file takes the target's place.
    """
    with _named(target):
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        real = Path(os.path.realpath(target))
        real.parent.mkdir(parents=True, exist_ok=True)
        temporary, waiting = _beside(real), _waiting.get()
        try:
            yield temporary
            if waiting is None:
                put_in_place(temporary, real)
            else:
                _sync(temporary)
                waiting[real], earlier = temporary, waiting.get(real)
                if earlier is not None:
                    earlier.unlink()
        finally:
            if waiting is None or waiting.get(real) != temporary:
                temporary.unlink(missing_ok=True)


_waiting: ContextVar[dict[Path, Path] | None] = ContextVar("_waiting", default=None)


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Write several files or none: those written in the block take their places at its end, if nothing has failed.

    Yields:
        Nothing. In the block the old contents are read.
    """
    waiting: dict[Path, Path] = {}
    token = _waiting.set(waiting)
    try:
        yield
        for target, temporary in waiting.items():
            put_in_place(temporary, target)
    finally:
        _waiting.reset(token)
        for temporary in waiting.values():
            temporary.unlink(missing_ok=True)


def ready(target: Path) -> None:
    """Raise the error that writing a file would end in, where that can be known before the work for it begins.

    Args:
        target: The file; neither it nor a folder for it is created.
    """
    with _named(target):
        if _is_stream(target):
            return
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        real = Path(os.path.realpath(target))
        folder = next(parent for parent in real.parents if parent.exists())
        _name_fits(real, folder)
        probe = _beside(folder / "probe")
        try:
            probe.write_bytes(bytes(4096))  # a block: a full disk still takes empty files
            _sync(probe)
        finally:
            with contextlib.suppress(OSError):  # where it could not be made
                probe.unlink()


def _name_fits(target: Path, folder: Path) -> None:
    """Refuse a name that the file system would refuse when the folders above it are made."""
    longest = os.pathconf(folder, "PC_NAME_MAX") if hasattr(os, "pathconf") and folder.is_dir() else 255
    if any(len(os.fsencode(part)) > longest for part in target.parts):
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))


def _beside(target: Path) -> Path:
    """A new name in the target's folder, which is short: the target's may be as long as a name can be."""
    return target.with_name(f".{target.name[:40]}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


def _is_stream(path: Path) -> bool:
    """Whether there is a device, a pipe or a socket, for which a file must not be put."""
    return path.exists() and not path.is_file() and not path.is_dir()


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the target in errors that name a temporary file, or nothing: a full disk has no file's name."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def content(path: Path, most: int) -> bytes:
    """The bytes of a file: the one place where a file is read that may be anything.

    Args:
        path: The file.
        most: How many bytes it may have.

    Returns:
        Its bytes.

    Raises:
        OSError: it is no regular file (reading a pipe or a device may never end), is larger, or cannot be read.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    if found.st_size > most:
        raise OSError(errno.EFBIG, f"it has {found.st_size} bytes, and may have {most}", str(path))
    return path.read_bytes()


def inside(folder: Path, name: str) -> Path:
    """A file or folder of a folder; a name never leaves it.

    Args:
        folder: The folder.
        name: The name, without folders.

    Returns:
        The path.

    Raises:
        ConfigError: the name is a path.
    """
    require(Path(name).name == name and name.isprintable(), "name", name, "a name, without folders")
    return folder / name


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
        OSError: the folder cannot be written, or its file system has no locks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        words = f"{folder} is in use by another process: wait for it to end, or choose another --out folder"
        raise BusyError(words) from None
    except NotImplementedError:  # some network file systems
        raise OSError(errno.ENOSYS, "its file system has no locks", str(folder)) from None
    try:
        yield
    finally:
        lock.release()
