"""Files of ours that are damaged: each is one sentence with the file and the remedy, and nothing in it is run."""

import json
import os

import pytest

from experiments.io import stored
from experiments.io.errors import DataError

DAMAGED = {
    "empty": b"",
    "half": b'{"a": 1',
    "garbage": bytes(range(256)),
    "nested": b"[" * 100_000,
    "latin": '{"a": "\xe9"}'.encode("latin-1"),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_one_sentence_with_the_remedy(content, tmp_path):
    path = tmp_path / "row.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"row\.json is damaged .*: restore it, or delete it$") as caught:
        stored.read(path)
    assert "\n" not in str(caught.value)


def test_what_is_no_file_and_what_is_too_large_is_not_read(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")  # reading it would wait for ever
    for name in ("folder", "pipe"):
        with pytest.raises(DataError, match=rf"{name} cannot be read \(it is no regular file\)"):
            stored.read(tmp_path / name)
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(200 * 2**30)
    with pytest.raises(DataError, match=r"sparse cannot be read \(it has \d+ bytes"):
        stored.read(tmp_path / "sparse")
    with pytest.raises(FileNotFoundError):
        stored.read(tmp_path / "absent")


def test_content_of_another_shape_is_damage_too(tmp_path):
    with pytest.raises(DataError, match=r"x is damaged"), stored.own(tmp_path / "x"):
        _ = {"a": 1}["b"]


def test_a_number_that_was_changed_by_hand_is_noticed(tmp_path):
    path, table = tmp_path / "row.json", {"loss": 0.25, "curve": (1, 2.0), "scores": {10.0: 1, 2.0: None}}
    path.write_text(json.dumps(stored.sealed(table)))
    assert stored.read(path) == {"loss": 0.25, "curve": [1, 2.0], "scores": {"10.0": 1, "2.0": None}}
    path.write_text(path.read_text().replace("0.25", "0.24"))
    with pytest.raises(DataError, match=r"row\.json was changed after it was written"):
        stored.read(path)


def test_a_file_of_an_older_version_has_no_digest_and_is_read(tmp_path):
    (tmp_path / "row.json").write_text('{"loss": 0.25}')
    assert stored.read(tmp_path / "row.json") == {"loss": 0.25}
