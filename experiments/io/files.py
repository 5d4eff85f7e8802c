"""Files that are either whole or absent, and locks that end with their owner."""

import contextlib
import errno
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path

from filelock import FileLock, Timeout

from experiments.io.errors import BusyError, DataError, require

SUMS = "SHA256SUMS"
"""The digests of a folder's files, in the format of ``sha256sum``: they show a number that was changed by hand.
A folder that has them keeps them; files of rows have a digest in each row instead."""
_SUMS_LOCK = f".{SUMS}.lock"  # as in theory.ledger.files, which writes there too


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
                _take_place(temporary, real)
            else:
                _sync(temporary)
                waiting[real], earlier = temporary, waiting.get(real)
                if earlier is not None:
                    earlier.unlink()
        finally:
            if waiting is None or waiting.get(real) != temporary:
                temporary.unlink(missing_ok=True)


_waiting: ContextVar[dict[Path, Path | None] | None] = ContextVar("_waiting", default=None)


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Write and delete several files or none: at the end of the block, if nothing has failed.

    Yields:
        Nothing. In the block the old contents are read.
    """
    waiting: dict[Path, Path | None] = {}
    token = _waiting.set(waiting)
    try:
        yield
        for target, temporary in waiting.items():
            if temporary is None:
                _delete(target)
            else:
                _take_place(temporary, target)
    finally:
        _waiting.reset(token)
        for temporary in waiting.values():
            if temporary is not None:
                temporary.unlink(missing_ok=True)


def _take_place(temporary: Path, target: Path) -> None:
    """Rename a file and keep its digest: meanwhile the old and the new one count, so that a kill does no harm."""
    sums = _sums(target)
    if sums is None:
        put_in_place(temporary, target)
        return
    name, digest = target.relative_to(sums.parent).as_posix(), hashlib.sha256(temporary.read_bytes()).hexdigest()
    with locked(sums.parent, 60, _SUMS_LOCK):
        known = _known(sums)
        _save(sums, known | {name: known.get(name, frozenset()) | {digest}})
        put_in_place(temporary, target)
        _save(sums, known | {name: frozenset({digest})})


def remove(path: Path) -> None:
    """Delete a file, and its digest; in a block of `together` at its end.

    Args:
        path: The file; it is there.
    """
    waiting, target = _waiting.get(), Path(os.path.realpath(path))
    if waiting is None:
        _delete(path)
        return
    if (temporary := waiting.get(target)) is not None:
        temporary.unlink()
    waiting[target] = None


def _delete(path: Path) -> None:
    target = Path(os.path.realpath(path))
    sums = _sums(target)
    path.unlink()
    if sums is not None:
        with locked(sums.parent, 60, _SUMS_LOCK):
            name = target.relative_to(sums.parent).as_posix()
            _save(sums, {one: digests for one, digests in _known(sums).items() if one != name})


def _sums(target: Path) -> Path | None:
    """Where the digest of a file belongs; None if it is kept nowhere."""
    if target.name == SUMS or target.suffix == ".jsonl":
        return None
    return next((folder / SUMS for folder in target.parents if (folder / SUMS).is_file()), None)


def _known(sums: Path) -> dict[str, frozenset[str]]:
    """The digests by the name of the file; a file has two where a writer was killed."""
    known: dict[str, frozenset[str]] = {}
    for line in sums.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        known[name] = known.get(name, frozenset()) | {digest}
    return known


def _save(sums: Path, known: Mapping[str, frozenset[str]]) -> None:
    temporary = _beside(sums)
    lines = (f"{digest}  {name}\n" for name in sorted(known) for digest in sorted(known[name]))
    temporary.write_text("".join(lines), encoding="utf-8")
    put_in_place(temporary, sums)


def unchanged(path: Path, data: bytes) -> None:
    """Refuse a file that was changed by hand; a file without a digest passes.

    Args:
        path: The file.
        data: Its content.

    Raises:
        DataError: Its digest is of other content.
    """
    target = Path(os.path.realpath(path))
    sums = _sums(target)
    digests = _known(sums).get(target.relative_to(sums.parent).as_posix()) if sums else None
    if digests and hashlib.sha256(data).hexdigest() not in digests and path.read_bytes() == data:  # not just replaced
        raise DataError(f"{path} was changed after it was written ({sums} has another digest): restore it, or delete "
                        "it and compute it again")  # fmt: skip


def check(folder: Path) -> list[str]:
    """Compare all files of a folder with their digests.

    Args:
        folder: The folder.

    Returns:
        A line for each file that is absent, has no digest, or is not what was written.

    Raises:
        DataError: The folder has no ``SHA256SUMS``.
    """
    if not (folder / SUMS).is_file():
        raise DataError(f"{folder} has no {SUMS}: name the folder of the results, or make it with --accept")
    known, there, found = _known(folder / SUMS), set(_files(folder)), []
    found += [f"{folder / name} is absent, and {SUMS} has it: restore it" for name in sorted(set(known) - there)]
    for name in sorted(there):
        try:
            unchanged(folder / name, (folder / name).read_bytes())
        except DataError as error:
            found.append(str(error))
    return found + [f"{folder / name} has no line in {SUMS}: compute it again" for name in sorted(there - set(known))]


def accept(folder: Path) -> None:
    """Make the digests those of the files as they are now.

    Args:
        folder: The folder.
    """
    with locked(folder, 60, _SUMS_LOCK):
        digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in _files(folder)}
        _save(folder / SUMS, {name: frozenset({digest}) for name, digest in digests.items()})


def _files(folder: Path) -> Iterator[str]:
    """The names of the files that get a digest; what is hidden gets none."""
    for path in folder.rglob("[!.]*"):
        if path.is_file() and path.name != SUMS and path.suffix != ".jsonl":
            yield path.relative_to(folder).as_posix()


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
    """Write ``value`` as indented JSON, atomically; a NaN or an infinity, which JSON has not, is an error."""
    write_atomic(path, (json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n").encode())


def sweep_temporaries(folder: Path) -> None:
    """Remove what a killed writer left behind in ``folder``; call it only while holding the folder's lock."""
    for leftover in folder.glob(".*.tmp"):
        leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(folder: Path, wait: float = 0.0, name: str = ".lock") -> Iterator[None]:
    """Lock ``folder`` for one writer.

    The kernel releases the lock when its owner ends, however it ends, so no lock remains after a SIGKILL.

    Args:
        folder: The folder; it is created.
        wait: Seconds to wait for another owner to release it.
        name: Of the lock's file.

    Yields:
        Nothing; the lock is held inside the ``with`` block.

    Raises:
        BusyError: another process still holds it after ``wait`` seconds.
        OSError: the folder cannot be written, or its file system has no locks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / name)
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
