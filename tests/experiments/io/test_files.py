import multiprocessing
import os
import signal

import pytest

from experiments.io.errors import BusyError
from experiments.io.files import locked, sweep_temporaries, write_atomic


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
