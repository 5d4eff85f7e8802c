"""Folders of images, with made pictures, and every way in which they can be wrong."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from experiments import data
from experiments.config.schema import DataConfig, ModelConfig
from experiments.data import images
from experiments.io.errors import DataError
from experiments.models import create

CONFIG = DataConfig("imagefolder", validation=0.25, size=8)
COLOURS = {"blue": (0, 0, 255), "red": (255, 0, 0)}


@pytest.fixture
def root(tmp_path):
    for part, count in (("train", 6), ("val", 3)):
        for name, colour in COLOURS.items():
            folder = tmp_path / "imagefolder" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (10 + number, 20), colour).save(folder / f"{number}.png")
    return tmp_path


def test_the_parts_and_the_pixels(root):
    found = data.load(CONFIG, root)
    assert (len(found.train), len(found.validation), len(found.test)) == (9, 3, 6)
    assert found.shape == (3, 8, 8)
    assert found.test.inputs.dtype == torch.uint8
    assert found.test.targets.tolist() == [0, 0, 0, 1, 1, 1]
    for split in (found.train, found.validation, found.test):
        for image, label in zip(split.inputs, split.targets, strict=True):
            expected = torch.tensor(list(COLOURS.values())[int(label)], dtype=torch.uint8)
            assert torch.equal(image, expected[:, None, None].expand(3, 8, 8))
    assert create(ModelConfig("convnet"), found)(found.test.inputs.float()).shape == (6, 2)


def test_a_limited_test_set_is_drawn_from_all_classes_and_is_always_the_same(tmp_path):
    for part, count in (("train", 5), ("val", 50)):
        for name, colour in COLOURS.items():
            folder = tmp_path / "imagefolder" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (8, 8), (*colour[:1], number, colour[2])).save(folder / f"{number:02}.png")
    limited = dataclasses.replace(CONFIG, test_limit=40)
    found = data.load(limited, tmp_path).test
    # half of each class; the share of one in 40 of 100 has a deviation of 2.5 images
    assert 10 <= int(found.targets.sum()) <= 30
    assert len(torch.unique(found.inputs.flatten(1), dim=0)) == 40
    data.load.cache_clear()
    assert torch.equal(data.load(limited, tmp_path).test.inputs, found.inputs)


def test_the_shorter_side_is_scaled_and_the_middle_kept(root):
    # 8 wide, 24 high: thirds of black, white, black; the middle third is what is kept
    pixels = np.zeros((24, 8, 3), np.uint8)
    pixels[8:16] = 255
    file = root / "imagefolder/val/blue/0.png"
    Image.fromarray(pixels).save(file)
    assert images.read(CONFIG, root).test.inputs[0].min() == 255


def test_the_decoded_images_are_kept_and_follow_the_files(root, monkeypatch):
    first = images.read(CONFIG, root)
    monkeypatch.setattr(images, "_image", lambda *_: pytest.fail("it decoded again"))
    again = images.read(CONFIG, root)
    assert again.fingerprint() == first.fingerprint()
    monkeypatch.undo()
    Image.new("RGB", (9, 9), (1, 2, 3)).save(root / "imagefolder/val/blue/0.png")
    assert images.read(CONFIG, root).test.inputs[0, :, 0, 0].tolist() == [1, 2, 3]
    assert list((root / "imagefolder").glob("*.tmp")) == []


def test_a_folder_that_may_not_be_written_to_serves_too(root, monkeypatch):
    def fail(*_):
        raise PermissionError("read-only")

    monkeypatch.setattr(np, "save", fail)
    assert len(images.read(CONFIG, root).test) == 6
    assert sorted(f.name for f in (root / "imagefolder").iterdir()) == ["train", "val"]


def test_a_truncated_file_is_refused_by_name(root):
    file = root / "imagefolder/train/red/2.png"
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(DataError, match=r"red/2\.png is no whole image"):
        images.read(CONFIG, root)


def test_a_file_that_is_no_image_is_refused_by_name(root):
    (root / "imagefolder/train/red/2.png").write_text("not a picture")
    with pytest.raises(DataError, match=r"red/2\.png is no whole image"):
        images.read(CONFIG, root)


def test_a_class_that_was_never_trained_is_refused(root):
    (root / "imagefolder/val/green").mkdir()
    with pytest.raises(DataError, match="green"):
        images.read(CONFIG, root)


def test_an_empty_class_is_refused_by_name(root):
    (root / "imagefolder/train/green").mkdir()
    with pytest.raises(DataError, match="train/green has no images"):
        images.read(CONFIG, root)


def test_an_absent_part_says_what_is_to_be_where(root):
    with pytest.raises(DataError, match=r"imagenet/train/CLASS/\*\.jpg and imagenet/val"):
        images.read(DataConfig("imagenet"), root)


def test_a_large_tensor_is_measured_part_by_part_with_the_same_result(root, monkeypatch):
    whole = images.read(CONFIG, root)
    monkeypatch.setattr("experiments.data.dataset._PART", 2)
    parts = images.read(CONFIG, root)
    assert torch.equal(whole.mean, parts.mean)
    assert torch.equal(whole.std, parts.std)
    pixels = whole.train.inputs.double()
    torch.testing.assert_close(parts.mean.flatten().double(), pixels.mean(dim=(0, 2, 3)), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(
        parts.std.flatten().double(), pixels.std(dim=(0, 2, 3), correction=0).clamp_min(1e-3), rtol=1e-6, atol=1e-6
    )
