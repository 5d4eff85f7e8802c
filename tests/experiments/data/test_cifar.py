"""Both published layouts of both variants, with made content, and every way in which a file can be wrong."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from experiments.config.schema import DataConfig
from experiments.data import cifar
from experiments.io.errors import DataError

CONFIG10 = DataConfig("cifar10", validation=0.1)
CONFIG100 = DataConfig("cifar100", validation=0.1)


def images(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 3072), dtype=np.uint8)


def write_binary(root: Path, variant: str) -> None:
    folder = root / ("cifar-10-batches-bin" if variant == "cifar10" else "cifar-100-binary")
    folder.mkdir()
    if variant == "cifar10":
        names, each = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"], [10_000] * 6
    else:
        names, each = ["train.bin", "test.bin"], [50_000, 10_000]
    for seed, (name, count) in enumerate(zip(names, each, strict=True)):
        label = (np.arange(count) % (10 if variant == "cifar10" else 100)).astype(np.uint8)[:, None]
        coarse = [] if variant == "cifar10" else [label // 5]
        np.concatenate([*coarse, label, images(count, seed)], axis=1).tofile(folder / name)


def write_pickled(root: Path) -> None:
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    for seed, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        table = {b"data": images(10_000, seed), b"labels": [int(i % 10) for i in range(10_000)]}
        (folder / name).write_bytes(pickle.dumps(table, protocol=3))


@pytest.fixture(scope="module")
def binary(tmp_path_factory):
    root = tmp_path_factory.mktemp("binary")
    write_binary(root, "cifar10")
    return root


@pytest.fixture
def damaged(binary, tmp_path):
    """A copy whose files may be broken; the files are links until then."""
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for file in (binary / folder.name).iterdir():
        (folder / file.name).symlink_to(file)

    def replace(name: str, content: bytes) -> Path:
        (folder / name).unlink()
        (folder / name).write_bytes(content)
        return tmp_path

    return replace


def test_the_binary_layout(binary):
    data = cifar.read(CONFIG10, binary)
    assert (len(data.train), len(data.validation), len(data.test)) == (45_000, 5_000, 10_000)
    assert data.train.inputs.shape[1:] == (3, 32, 32)
    assert data.train.inputs.dtype == torch.uint8
    expected = images(10_000, 5).reshape(-1, 3, 32, 32)
    assert np.array_equal(data.test.inputs.numpy(), expected)
    assert data.test.targets.tolist() == [i % 10 for i in range(10_000)]
    labels = torch.cat([data.train.targets, data.validation.targets])
    assert labels.bincount().tolist() == [5_000] * 10


def test_the_pickled_layout_holds_the_same(binary, tmp_path):
    write_pickled(tmp_path)
    assert cifar.read(CONFIG10, tmp_path).fingerprint() == cifar.read(CONFIG10, binary).fingerprint()


def test_cifar100_takes_the_fine_label(tmp_path):
    write_binary(tmp_path, "cifar100")
    data = cifar.read(CONFIG100, tmp_path)
    assert data.classes == 100
    assert data.test.targets.tolist() == [i % 100 for i in range(10_000)]


def test_the_owners_note_is_carried_along(binary, tmp_path):
    (tmp_path / "cifar-10-batches-bin").mkdir()
    for file in (binary / "cifar-10-batches-bin").iterdir():
        (tmp_path / "cifar-10-batches-bin" / file.name).symlink_to(file)
    (tmp_path / "cifar-10-batches-bin" / "note.txt").write_text("Re-encoded\npixels.\n")
    assert cifar.read(CONFIG10, tmp_path).note == "Re-encoded pixels."


def test_no_folder_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.delenv("ALTO_DATA_DIR", raising=False)
    with pytest.raises(DataError, match="pass --data-dir or set ALTO_DATA_DIR"):
        cifar.read(CONFIG10, None)
    with pytest.raises(DataError, match=r"cifar-10-batches-bin, cifar-10-batches-py\. Get it with: .* fetch cifar10 "):
        cifar.read(CONFIG10, tmp_path)


def test_the_environment_names_the_folder(binary, monkeypatch):
    monkeypatch.setenv("ALTO_DATA_DIR", str(binary))
    assert len(cifar.read(CONFIG10, None).test) == 10_000


@pytest.mark.parametrize("cut", [1, 3073, 10_000 * 3073])
def test_a_short_file_is_refused_by_name(damaged, binary, cut):
    whole = (binary / "cifar-10-batches-bin" / "data_batch_3.bin").read_bytes()
    with pytest.raises(DataError, match=r"data_batch_3\.bin has .* truncated"):
        cifar.read(CONFIG10, damaged("data_batch_3.bin", whole[:-cut]))


def test_a_label_out_of_range_is_refused_by_place(damaged, binary):
    content = bytearray((binary / "cifar-10-batches-bin" / "test_batch.bin").read_bytes())
    content[3073 * 41] = 10
    with pytest.raises(DataError, match=r"test_batch\.bin: example 41 has label 10, allowed are 0 to 9"):
        cifar.read(CONFIG10, damaged("test_batch.bin", bytes(content)))


def test_a_missing_file_is_refused_by_name(damaged):
    root = damaged("data_batch_2.bin", b"")
    (root / "cifar-10-batches-bin" / "data_batch_2.bin").unlink()
    with pytest.raises(DataError, match=r"data_batch_2\.bin cannot be used"):
        cifar.read(CONFIG10, root)


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(lambda _: b"not a pickle", "is no CIFAR batch", id="foreign"),
        pytest.param(
            lambda _: pickle.dumps({b"data": images(10_000, 0)}, 3)[:-9000], "is no CIFAR batch", id="truncated"
        ),
        pytest.param(lambda _: pickle.dumps({b"labels": []}, 3), "is no CIFAR batch", id="no images"),
        pytest.param(
            lambda _: pickle.dumps({b"data": images(7, 0), b"labels": [0] * 7}, 3), "has images", id="too few"
        ),
        pytest.param(
            lambda _: pickle.dumps({b"data": images(10_000, 0), b"labels": [-1] * 10_000}, 3),
            "has label -1",
            id="label",
        ),
        pytest.param(
            lambda _: pickle.dumps({b"data": images(10_000, 0), b"labels": [None] * 10_000}, 3),
            r"labels \(10000,\) object; expected .* integers",
            id="no labels",
        ),
        pytest.param(
            lambda _: pickle.dumps({b"data": images(10_000, 0), b"labels": [2**70] * 10_000}, 3),
            "integers below 2",
            id="huge labels",
        ),
        pytest.param(
            lambda _: pickle.dumps({b"data": images(10_000, 0), b"labels": [0.5] * 10_000}, 3),
            "float64; expected",
            id="fractions",
        ),
        pytest.param(lambda _: b"(" * 1_000_000, "is no CIFAR batch", id="nested"),
        pytest.param(lambda path: pickle.dumps(Bomb(path), 3), "no CIFAR file needs", id="code"),
    ],
)
def test_a_bad_pickle_is_refused_and_runs_nothing(tmp_path, content, words):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "data_batch_1").write_bytes(content(tmp_path / "boom"))
    with pytest.raises(DataError, match=words):
        cifar.read(CONFIG10, tmp_path)
    assert not (tmp_path / "boom").exists()


def test_shrunk_images_are_the_means_of_squares(binary):
    whole, half = (cifar.read(DataConfig("cifar10", shrink=shrink), binary) for shrink in (1, 2))
    assert half.shape == (3, 16, 16)
    pixels = whole.test.inputs[:50].double()
    means = torch.nn.functional.avg_pool2d(pixels, 2)
    assert torch.equal(half.test.inputs[:50], (means + 0.5).floor().to(torch.uint8))
    assert torch.equal(half.train.targets, whole.train.targets)
