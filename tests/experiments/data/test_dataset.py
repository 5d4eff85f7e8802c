"""What lies where data should: each is refused with the file, the place and the limit, and nothing waits for ever."""

import os
import pickle
from pathlib import Path

import pytest
import torch
from PIL import Image

from experiments.config.schema import DataConfig
from experiments.data import conll, images, own
from experiments.data.dataset import LARGEST_NOTE, LARGEST_TEXT, data_folder, note_beside, read_text
from experiments.io.errors import DataError
from tests.experiments.data.test_cifar import Bomb


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(200 * 2**30)


_IRREGULAR = r"cannot be used \(it is no regular file\)"
LYING = {
    "folder": (Path.mkdir, _IRREGULAR),
    "pipe": (os.mkfifo, _IRREGULAR),
    "device": (lambda path: path.symlink_to("/dev/zero"), _IRREGULAR),
    "sparse": (sparse, rf"cannot be used \(it has {200 * 2**30} bytes, and may have {LARGEST_TEXT}\)"),
    "latin-1": (lambda path: path.write_bytes("caf\xe9".encode("latin-1")), "is not UTF-8 text .* at byte 3"),
    "absent": (lambda _: None, "cannot be used"),
    "circle": (lambda path: path.symlink_to(path), "cannot be used"),
}


@pytest.mark.parametrize(("make", "said"), LYING.values(), ids=LYING)
def test_what_is_no_text_is_refused_by_name(make, said, tmp_path):
    make(tmp_path / "text.txt")
    with pytest.raises(DataError, match=rf"text\.txt {said}"):
        read_text(tmp_path / "text.txt")


def test_all_line_ends_and_a_byte_order_mark_read_alike(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffa\r\nb\rc\n".encode())
    assert read_text(tmp_path / "a.txt") == "a\nb\nc\n"


@pytest.mark.parametrize("kind", [kind for kind in LYING if kind != "absent"])
def test_a_remark_is_refused_as_any_text(kind, tmp_path):
    LYING[kind][0](tmp_path / "note.txt")
    with pytest.raises(DataError, match=r"note\.txt"):
        note_beside(tmp_path)


def test_a_remark_is_short(tmp_path):
    (tmp_path / "note.txt").write_text("x" * (LARGEST_NOTE + 1))
    with pytest.raises(DataError, match=f"may have {LARGEST_NOTE}"):
        note_beside(tmp_path)


def test_the_home_folder_of_nobody_is_refused(monkeypatch):
    monkeypatch.setenv("ALTO_DATA_DIR", "~no_such_user/data")
    with pytest.raises(DataError, match="Write the folder in full"):
        data_folder(None, "")


def test_a_sentence_that_never_ends_is_refused_by_its_place(tmp_path):
    (tmp_path / "train.txt").write_text("Fine O\n\n" + "word O\n" * 200_000)
    with pytest.raises(DataError, match=rf"train\.txt, line {conll.LONGEST + 3}: .* more than {conll.LONGEST} words"):
        conll.sentences(tmp_path / "train.txt")


@pytest.fixture
def root(tmp_path):
    for name in ("train/red/1.png", "val/red/1.png"):
        (tmp_path / "imagefolder" / name).parent.mkdir(parents=True)
        Image.new("RGB", (9, 9)).save(tmp_path / "imagefolder" / name)
    return tmp_path


def read(root: Path) -> None:
    images.read(DataConfig("imagefolder", size=8), root)


def test_a_file_in_place_of_the_folder_of_images_is_refused(root):
    (root / "imagefolder/train/red/1.png").unlink()
    (root / "imagefolder/train/red").rmdir()
    (root / "imagefolder/train").rmdir()
    (root / "imagefolder/train").touch()
    with pytest.raises(DataError, match="imagefolder/train is no folder"):
        read(root)


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_an_image_that_is_no_file_is_refused(kind, root):
    LYING[kind][0](root / "imagefolder/train/red/2.png")
    with pytest.raises(DataError, match=r"2\.png is no regular file"):
        read(root)


@pytest.mark.parametrize("pixels", [50, 20])  # Pillow refuses twice its limit, and only warns above it
def test_a_decompression_bomb_is_refused_before_it_is_decoded(pixels, root, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 150)
    Image.new("RGB", (pixels, 10)).save(root / "imagefolder/train/red/2.png")
    with pytest.raises(DataError, match=r"2\.png .* more than 150 pixels"):
        read(root)


DAMAGED = {
    "empty": lambda _: b"",
    "truncated": lambda whole: whole[:-50],
    "garbage": lambda _: bytes(range(256)),
    "other shape": lambda whole: whole.replace(b"(1, 3, 8, 8)", b"(1, 3, 8, 4)"),
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_store_of_decoded_images_is_named_with_the_remedy(damage, root):
    read(root)
    (cache,) = root.glob("imagefolder/.train-*.npy")
    cache.write_bytes(damage(cache.read_bytes()))
    with pytest.raises(DataError, match=r"\.train-8-.*\.npy is damaged .*: restore it, or delete it"):
        read(root)
    cache.unlink()
    cache.mkdir()
    with pytest.raises(DataError, match="no regular file"):
        read(root)


def test_a_pickle_in_place_of_the_decoded_images_is_not_run(root):
    read(root)
    (cache,) = root.glob("imagefolder/.train-*.npy")
    cache.write_bytes(pickle.dumps(Bomb(root / "boom")))
    with pytest.raises(DataError, match=r"\.npy is damaged"):
        read(root)
    assert not (root / "boom").exists()


@pytest.mark.parametrize("target", [-5, own.MOST_CLASSES, 2**62], ids=str)
def test_a_target_that_is_no_class_is_refused(target, monkeypatch):
    targets = torch.tensor([0, 1, target] + [0] * 20)
    monkeypatch.setattr(
        "experiments.io.own.load", lambda *_: lambda: (torch.zeros(23, 2), targets, torch.zeros(2, 2), targets[:2])
    )
    with pytest.raises(DataError, match=f"returns the target {target}; allowed are 0 to"):
        own.read(DataConfig("mine.py:data"))
