"""Downloads from files in the place of the network: right ones, damaged ones, hostile ones, and none."""

import hashlib
import io
import tarfile

import pytest

from experiments import __main__ as command
from experiments.data import fetch
from experiments.io.errors import ConfigError, DataError


def archive(path, names, folder="made"):
    with tarfile.open(path, "w:gz") as made:
        for name in names:
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = 3
            made.addfile(entry, io.BytesIO(b"abc"))
    return path


@pytest.fixture
def offer(tmp_path, monkeypatch):
    """Let the name "made" be fetched from a file."""

    def put(source, target, digest=None):
        right = hashlib.sha256(source.read_bytes()).hexdigest() if source.exists() else ""
        monkeypatch.setitem(fetch._FILES, "made", fetch._File(source.as_uri(), digest or right, "sha256", target))
        monkeypatch.setattr(fetch, "NAMES", ("made",))

    return put


@pytest.fixture
def root(tmp_path):
    return tmp_path / "data"


def test_an_archive_is_unpacked_and_a_second_call_fetches_nothing(offer, tmp_path, root, monkeypatch):
    offer(archive(tmp_path / "made.tar.gz", ["a.bin"]), "made")
    assert fetch.fetch("made", root) == root / "made"
    assert (root / "made/a.bin").read_bytes() == b"abc"
    assert [p.name for p in root.iterdir()] == ["made"]
    monkeypatch.setattr(fetch.urllib.request, "urlopen", lambda *_, **__: pytest.fail("it fetched again"))
    fetch.fetch("made", root)


def test_a_plain_file_keeps_its_content(offer, tmp_path, root):
    (tmp_path / "input.txt").write_text("To be")
    offer(tmp_path / "input.txt", "text.txt")
    assert fetch.fetch("made", root).read_text() == "To be"


def test_a_file_with_another_checksum_leaves_nothing(offer, tmp_path, root):
    offer(archive(tmp_path / "made.tar.gz", ["a.bin"]), "made", digest="0" * 64)
    with pytest.raises(DataError, match="not the published file: its sha256 is"):
        fetch.fetch("made", root)
    assert list(root.iterdir()) == []


def test_no_network_says_what_to_do_by_hand(offer, tmp_path, root):
    offer(tmp_path / "absent.tar.gz", "made")
    with pytest.raises(DataError, match=r"cannot be fetched .*\. Download it elsewhere and put made into"):
        fetch.fetch("made", root)
    assert list(root.iterdir()) == []


def test_an_archive_that_would_write_elsewhere_is_refused(offer, tmp_path, root):
    offer(archive(tmp_path / "made.tar.gz", ["../../../evil"], folder="made"), "made")
    with pytest.raises(DataError, match=r"made\.tar\.gz cannot be unpacked to .*OutsideDestinationError"):
        fetch.fetch("made", root)
    assert not (tmp_path / "evil").exists()
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("damage", ["no archive", "half", "another folder"])
def test_an_archive_that_cannot_be_unpacked_is_refused_by_name_and_leaves_nothing(offer, tmp_path, root, damage):
    file = archive(tmp_path / "made.tar.gz", [f"{i}.bin" for i in range(200)], "other" if damage[0] == "a" else "made")
    content = bytearray(file.read_bytes())
    if damage == "no archive":
        content = bytearray(b"<html>")
    elif damage == "half":
        del content[len(content) // 2 :]
    file.write_bytes(content)
    offer(file, "made")
    with pytest.raises(DataError, match=r"made\.tar\.gz cannot be unpacked to .*Download it elsewhere and put made"):
        fetch.fetch("made", root)
    assert list(root.iterdir()) == []


def test_what_cannot_be_fetched_is_refused_by_name(root):
    with pytest.raises(ConfigError, match="'imagenet' cannot be fetched; these can: cifar10, cifar100"):
        fetch.fetch("imagenet", root)


def test_without_a_data_folder_nothing_is_fetched(monkeypatch):
    monkeypatch.delenv("ALTO_DATA_DIR", raising=False)
    with pytest.raises(DataError, match="pass --data-dir or set ALTO_DATA_DIR"):
        fetch.fetch("cifar10", None)


def test_the_hub_out_of_reach_says_what_to_write(root, monkeypatch):
    def unreachable(*_):
        raise ConnectionError("no network")

    monkeypatch.setattr("datasets.load_dataset", unreachable)
    with pytest.raises(DataError, match=r"load_dataset\('nyu-mll/glue', 'mrpc'\)\.save_to_disk\('mrpc'\)"):
        fetch.fetch("mrpc", root)
    assert list(root.iterdir()) == []


def test_the_command(offer, tmp_path, root, monkeypatch, capsys):
    (tmp_path / "input.txt").write_text("To be")
    offer(tmp_path / "input.txt", "text.txt")
    monkeypatch.setattr("sys.argv", ["experiments", "fetch", "made", "--data-dir", str(root)])
    assert command.main() == 0
    assert "text.txt" in capsys.readouterr().out.replace("\n", "")
    monkeypatch.setattr("sys.argv", ["experiments", "fetch", "nothing", "--data-dir", str(root)])
    assert command.main() == 2
