import hashlib
import pickle

import pytest
import torch

from experiments.io.errors import CheckpointError
from experiments.runs import checkpoint

DIGEST = "0123456789abcdef"
CPU = torch.device("cpu")


class Bomb:
    """Unpickling it would create a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "checkpoint.bin"
    checkpoint.save(path, DIGEST, {"weights": torch.arange(1000.0), "step": 7})
    return path


@pytest.fixture
def loads(monkeypatch):
    """Counts how often torch gets to read anything."""
    calls = []
    real = torch.load
    monkeypatch.setattr(torch, "load", lambda *a, **k: (calls.append(k), real(*a, **k))[1])
    return calls


def test_round_trip_without_full_pickle(written, loads):
    state = checkpoint.load(written, DIGEST, CPU)
    assert torch.equal(state["weights"], torch.arange(1000.0))
    assert state["step"] == 7
    assert [call["weights_only"] for call in loads] == [True]


@pytest.mark.parametrize("share", [0.0, 0.002, 0.01, 0.5, 0.999])
def test_a_truncated_file_is_refused_unread(written, loads, share):
    content = written.read_bytes()
    written.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match="Delete"):
        checkpoint.load(written, DIGEST, CPU)
    assert loads == []


def test_a_flipped_bit_is_refused_unread(written, loads):
    content = bytearray(written.read_bytes())
    content[len(content) // 2] ^= 1
    written.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(written, DIGEST, CPU)
    assert loads == []


def test_another_runs_checkpoint_is_refused_unread(written, loads):
    with pytest.raises(CheckpointError, match="belongs to run 0123456789abcdef"):
        checkpoint.load(written, "f" * 16, CPU)
    assert loads == []


def test_a_foreign_pickle_is_refused_unread(tmp_path, loads):
    path = tmp_path / "checkpoint.bin"
    path.write_bytes(pickle.dumps(Bomb(tmp_path / "boom")))
    with pytest.raises(CheckpointError, match="not a checkpoint of this program"):
        checkpoint.load(path, DIGEST, CPU)
    assert loads == []
    assert not (tmp_path / "boom").exists()


def test_even_a_well_wrapped_pickle_runs_no_code(tmp_path):
    path, payload = tmp_path / "checkpoint.bin", pickle.dumps(Bomb(tmp_path / "boom"), protocol=2)
    path.write_bytes(b"ALTOCKP1" + DIGEST.encode() + hashlib.sha256(payload).digest() + payload)
    with pytest.raises(CheckpointError, match="holds what no checkpoint of this program holds"):
        checkpoint.load(path, DIGEST, CPU)
    assert not (tmp_path / "boom").exists()
