"""A file is whole or absent, whoever writes at the same time; JSON is strict and has one line per key."""

import json
import math
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from theory.ledger import files


def test_a_write_replaces_the_file_and_makes_its_folder(tmp_path):
    path = tmp_path / "new" / "file"
    files.write(path, "old")
    files.write(path, b"new")
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    files.write(path, "old")
    monkeypatch.setattr(files.Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        files.write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def _write_often(path, letter):
    for _ in range(30):
        files.write(path, letter * 100_000)


def _count(path):
    for _ in range(30):
        with files.lock(path):
            files.write(path, str(int(path.read_text()) + 1))


def test_processes_that_write_one_file_leave_it_whole(tmp_path):
    path = tmp_path / "file"
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        list(pool.map(_write_often, [path] * 2, "ab"))
    assert path.read_text() in {"a" * 100_000, "b" * 100_000}
    assert list(tmp_path.iterdir()) == [path]


def test_a_lock_keeps_every_change_of_two_processes(tmp_path):
    path = tmp_path / "count"
    files.write(path, "0")
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        list(pool.map(_count, [path] * 2))
    assert path.read_text() == "60"


def test_json_has_a_line_per_key_and_per_item_of_what_is_long():
    record = {"a": [1, 2], "rows": [{"x": 1}, {"x": 2}], "data": {"y": [1], "z": None}, "none": []}
    text = files.to_json(record, long=("rows", "data"))
    assert json.loads(text) == record
    assert ' "a": [1,2],\n "rows": [\n  {"x":1},\n  {"x":2}\n ],\n "data": {\n  "y": [1],\n' in text


def test_json_refuses_what_strict_json_has_not():
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.to_json({"a": math.inf})
