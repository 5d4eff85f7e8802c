import dataclasses

import pytest
import torch

from experiments.config.schema import DataConfig
from experiments.data import text
from experiments.io.errors import DataError

TEXT = "".join(chr(97 + i % 26) for i in range(1000))


@pytest.fixture
def config():
    return DataConfig("tinyshakespeare", validation=0.1, context=8)


def test_targets_are_the_next_characters_and_the_parts_do_not_overlap(config, tmp_path):
    (tmp_path / "tinyshakespeare.txt").write_text(TEXT)
    data = text.read(config, tmp_path)
    assert (data.vocabulary, data.classes) == (26, 26)
    for split in (data.train, data.validation, data.test):
        assert torch.equal(split.targets, (split.inputs + 1) % 26)  # the made text counts through the alphabet
        assert split.inputs.shape[1] == 8
    # 810 + 90 + 100 characters; the last one of a part is a target only
    assert [len(split) for split in (data.train, data.validation, data.test)] == [101, 11, 12]
    assert data.validation.inputs[0, 0] == 810 % 26
    assert data.test.inputs[0, 0] == 900 % 26


def test_nothing_is_held_out_where_nothing_is_chosen(config, tmp_path):
    (tmp_path / "tinyshakespeare.txt").write_text(TEXT)
    data = text.read(dataclasses.replace(config, validation=0.0), tmp_path)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [112, 0, 12]


def test_the_other_place_and_the_limit(tmp_path):
    (tmp_path / "tinyshakespeare").mkdir()
    (tmp_path / "tinyshakespeare" / "input.txt").write_text(TEXT)
    data = text.read(DataConfig("tinyshakespeare", validation=0.1, context=8, limit=20), tmp_path)
    assert (len(data.train), len(data.test)) == (20, 12)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"abc\xff" * 300, r"tinyshakespeare\.txt is not UTF-8 text"), (b"too short", "too few for a window")],
)
def test_a_bad_text_is_refused(config, tmp_path, content, words):
    (tmp_path / "tinyshakespeare.txt").write_bytes(content)
    with pytest.raises(DataError, match=words):
        text.read(config, tmp_path)


def test_a_missing_text_says_where_to_put_it(config, tmp_path):
    with pytest.raises(DataError, match=r"Put a plain text file there as tinyshakespeare\.txt"):
        text.read(config, tmp_path)
