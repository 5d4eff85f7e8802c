"""Files that are whole or absent: one writer for every store, and a lock for what is read, changed and written."""

import errno
import hashlib
import json
import os
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from theory.ledger.provenance import RUNS
from theory.ledger.stored import SUMS, digests, known

KEPT = RUNS / "theory"
"""The folder that gets them when it is first written to; any other folder that has them keeps them."""


def write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all, on the disk when this returns; its folder is created.

    Several processes may write the same file at once: the last one wins, and no reader sees a part. What is no file
    (``/dev/stdout``, a pipe) is written to as it is, and a link keeps pointing where it does.
    """
    data = content.encode() if isinstance(content, str) else content
    with _named(path):
        if _is_stream(path):
            path.write_bytes(data)
            return
        target = _real(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = _beside(target)
        try:
            _put(partial, data)
            with _recorded(target, data):
                partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        if hasattr(os, "O_DIRECTORY"):  # the new name has to reach the disk, too
            folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


@contextmanager
def _recorded(target: Path, data: bytes) -> Iterator[None]:
    """Keep the digests: while a file takes its place the old and the new one count, so that a kill does no harm."""
    sums, kept = digests(target), KEPT.resolve()  # a link may lead to it
    if sums is None and target.is_relative_to(kept):
        sums = kept / SUMS
    if sums is None or target.name == SUMS:
        yield
        return
    name, digest = target.relative_to(sums.parent).as_posix(), hashlib.sha256(data).hexdigest()
    with lock(sums):
        before = known(sums)
        write(sums, _lines_of(before | {name: before.get(name, frozenset()) | {digest}}))
        yield
        write(sums, _lines_of(before | {name: frozenset({digest})}))


def _lines_of(sums: Mapping[str, frozenset[str]]) -> str:
    return "".join(f"{digest}  {name}\n" for name in sorted(sums) for digest in sorted(sums[name]))


def ready(*paths: Path) -> None:
    """Raise the error that writing these files would end in, where that can be known before the work for them begins.

    Args:
        paths: the files; neither they nor folders for them are created.
    """
    for path in paths:
        with _named(path):
            if _is_stream(path):
                continue
            folder = next(parent for parent in _real(path).parents if parent.exists())
            longest = os.pathconf(folder, "PC_NAME_MAX") if hasattr(os, "pathconf") and folder.is_dir() else 255
            if any(len(os.fsencode(part)) > longest for part in path.parts):
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
            probe = _beside(folder / "probe")
            try:
                _put(probe, bytes(4096))  # a block: a full disk still takes empty files
            finally:
                with suppress(OSError):  # where it could not be made
                    probe.unlink()


def _put(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _real(path: Path) -> Path:
    """Where a link points to; a folder is refused."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return Path(os.path.realpath(path))


def _beside(target: Path) -> Path:
    """A new name in the target's folder, which is short: the target's may be as long as a name can be."""
    return target.with_name(f".{target.name[:40]}.{os.getpid()}-{secrets.token_hex(4)}.partial")


def _is_stream(path: Path) -> bool:
    """Whether there is a device, a pipe or a socket, for which a file must not be put."""
    return path.exists() and not path.is_file() and not path.is_dir()


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the target in errors that name a temporary file, or nothing: a full disk has no file's name."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """A lock on a file, between processes: for a file that is read, changed and written again.

    Raises:
        OSError: the folder cannot be written, or its file system has no locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        held.acquire()
    except NotImplementedError:  # some network file systems
        raise OSError(errno.ENOSYS, "its file system has no locks", str(path.parent)) from None
    try:
        yield
    finally:
        held.release()


def to_json(record: Mapping[str, Any], long: Collection[str] = ()) -> str:
    """Strict JSON with one line per key, so that differences can be read and long lists of numbers stay small.

    Args:
        record: plain data; see also ``long``.
        long: the keys whose value, a list or a mapping, gets one line per item.

    Returns:
        The text.

    Raises:
        ValueError: a number is infinite or not a number.
    """
    lines = ",\n".join(f" {_compact(key)}: {_lines(value) if key in long else _compact(value)}"
                       for key, value in record.items())  # fmt: skip
    return f"{{\n{lines}\n}}\n"


def parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows with the same keys as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(list(rows)), buffer, compression="zstd")
    return buffer.getvalue().to_pybytes()


def _lines(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{\n" + ",\n".join(f"  {_compact(key)}: {_compact(item)}" for key, item in value.items()) + "\n }"
    return "[\n" + ",\n".join(f"  {_compact(item)}" for item in value) + "\n ]"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
