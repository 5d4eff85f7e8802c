import errno
import json
import math
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from experiments.io.errors import BusyError
from experiments.io.files import locked, ready, remove, sweep_temporaries, together, write_atomic, write_json


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "row.json"
    write_atomic(path, b"old")

    def fail(_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["row.json"]


def test_the_content_is_synced_before_the_rename_and_the_folder_after(tmp_path, monkeypatch):
    order = []
    real_sync, real_replace = os.fsync, type(tmp_path).replace
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append("sync"), real_sync(fd))[1])
    monkeypatch.setattr(type(tmp_path), "replace", lambda a, b: (order.append("rename"), real_replace(a, b))[1])
    write_atomic(tmp_path / "x", b"1")
    assert order == ["sync", "rename", "sync"]


def test_leftovers_of_a_killed_writer_are_swept(tmp_path):
    (tmp_path / ".row.json.77.tmp").write_bytes(b"half")
    (tmp_path / "row.json").write_bytes(b"whole")
    sweep_temporaries(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["row.json"]


def _hold(folder, ready):
    with locked(folder):
        ready.set()
        signal.pause()


def test_a_lock_excludes_others_and_dies_with_its_owner(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    owner = context.Process(target=_hold, args=(tmp_path, ready))
    owner.start()
    assert ready.wait(30)
    with pytest.raises(BusyError, match="in use by another process"), locked(tmp_path):
        pass
    os.kill(owner.pid, signal.SIGKILL)
    owner.join()
    with locked(tmp_path, wait=5):
        pass


def test_several_files_take_their_places_together_or_not_at_all(tmp_path):
    write_atomic(tmp_path / "a", b"old")

    def failing() -> None:
        with together():
            write_atomic(tmp_path / "a", b"new")
            write_atomic(tmp_path / "b", b"new")
            remove(tmp_path / "a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}
    with together():
        write_atomic(tmp_path / "a", b"new")
        write_atomic(tmp_path / "a", b"newest")
        assert (tmp_path / "a").read_bytes() == b"old"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"newest"}
    with together():
        write_atomic(tmp_path / "b", b"new")
        remove(tmp_path / "a")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"b": b"new"}


def test_a_folder_in_a_files_place_is_refused_before_any_of_them_is_written(tmp_path):
    (tmp_path / "b").mkdir()

    def both() -> None:
        with together():
            write_atomic(tmp_path / "a", b"new")
            write_atomic(tmp_path / "b", b"new")

    with pytest.raises(IsADirectoryError, match=f"{tmp_path / 'b'}"):
        both()
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_link_keeps_pointing_and_a_device_stays_a_device(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    write_atomic(tmp_path / "link", b"1")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "file").read_bytes() == b"1"
    write_atomic(Path("/dev/null"), b"1")
    assert Path("/dev/null").is_char_device()
    with pytest.raises(OSError, match="/dev/full"):
        write_atomic(Path("/dev/full"), b"1")


def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path):
    write_atomic(tmp_path / ("x" * 255), b"1")
    assert [len(path.name) for path in tmp_path.iterdir()] == [255]


def test_a_place_is_ready_or_says_why_and_nothing_is_left_there(tmp_path):
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "folder").mkdir()
    ready(tmp_path / "new" / "newer" / "file")
    ready(tmp_path / "file")
    ready(Path("/dev/null"))
    for target, said in (
        (tmp_path / "file" / "below", "Not a directory"),
        (tmp_path / "folder", "Is a directory"),
        (tmp_path / "new" / ("x" * 256), "File name too long"),
        (tmp_path / ("x" * 256) / "file", "File name too long"),
        (Path("/proc/nothing/file"), "No such file"),
    ):
        with pytest.raises(OSError, match=said) as caught:
            ready(target)
        assert caught.value.filename == str(target)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}


def test_a_full_disk_is_noticed_before_the_work(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        ready(tmp_path / "file")
    assert caught.value.filename == str(tmp_path / "file")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=str)
def test_what_json_has_not_is_not_written(tmp_path, value):
    write_json(tmp_path / "x.json", {"a": 1.0})
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", {"a": value})
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": 1.0}
