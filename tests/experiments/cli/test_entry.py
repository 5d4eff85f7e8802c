"""What a command may meet from outside, whatever it does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from experiments.cli import entry
from experiments.io.files import locked
from theory.ledger import files as theory_files

ROOT = Path(__file__).parents[3]


class Failing:
    """A command that fails in a given way."""

    def __init__(self, error: BaseException):
        self.error = error

    def act(self) -> int:
        raise self.error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError("of 8 TiB"), "error: there is not enough memory for this: of 8 TiB; choose smaller sizes"),
        (OSError(28, "No space left on device"), "error: the place of the output cannot be used (No space left"),
    ],
    ids=["memory", "disk"],
)
def test_what_runs_out_is_one_line(error, said, monkeypatch, capsys):
    monkeypatch.setattr(entry, "with_home", lambda command: command)
    assert entry.act(lambda: Failing(error)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(said)


@pytest.mark.parametrize("words", ["-m experiments list", "-m theory ledger"], ids=["experiments", "theory"])
@pytest.mark.parametrize(
    ("how", "code"), [(">&-", 0), (">&- 2>&-", 0), ("> /dev/full", 2)], ids=["closed", "both closed", "full"]
)
def test_an_output_that_is_closed_or_full_is_no_traceback(words, how, code):
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} {words} {how}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("both", ["", "2>&1"], ids=["stdout", "both"])
@pytest.mark.parametrize(
    "words", ["experiments run --help", "experiments list", "theory advise --lr 0.1"], ids=["help", "list", "theory"]
)
def test_a_reader_that_has_gone_is_no_traceback(words, both):
    script = f"{sys.executable} -u -m {words} {both} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("words", [["list"], ["run", "--help"]], ids=["list", "help"])
def test_a_terminal_of_one_column_ends_nothing(words):
    environment = {**os.environ, "COLUMNS": "1", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "experiments", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=environment,
    )
    assert len(done.stdout) > 1000
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("lock", [locked, lambda folder: theory_files.lock(folder / "x")], ids=["folder", "file"])
def test_a_file_system_without_locks_is_named(lock, tmp_path, monkeypatch):
    def absent(*_, **__):
        raise NotImplementedError

    monkeypatch.setattr(FileLock, "acquire", absent)
    with pytest.raises(OSError, match="its file system has no locks") as caught, lock(tmp_path):
        pass
    assert caught.value.filename == str(tmp_path)
