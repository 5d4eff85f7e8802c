"""What a command cannot do is said on stderr, with exit code 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from theory.__main__ import main


@pytest.mark.parametrize("alpha", ["-1e-3", "-5.", "-.5", "-5"])
def test_a_negative_number_is_a_value_and_no_option(alpha, capsys):
    assert main(["advise", "--lr", "0.1", "--alpha", alpha, "--json"]) == 0
    assert f'"alpha": {float(alpha)}' in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ("--alpha", "1e308"),
        ("--alpha", "-1e308"),
        ("--beta1", "0.9999999999999999"),
        ("--alpha", "nan"),
        ("--alpha", "-inf"),
    ],
    ids=" ".join,
)
def test_advice_that_no_number_can_hold_is_refused(words, capsys):
    assert main(["advise", "--lr", "0.1", *words]) == 2
    said = capsys.readouterr()
    assert said.err.strip()
    assert not said.out


def test_a_place_that_cannot_be_written_is_named(tmp_path, monkeypatch, capsys):
    from theory.commands import watch

    def failing(_):
        (tmp_path / "absent" / "file").write_text("", encoding="utf-8")

    monkeypatch.setattr(watch, "run", failing)
    assert main(["watch"]) == 2
    assert "absent/file cannot be used (No such file or directory)" in capsys.readouterr().err


def test_a_failure_to_write_without_a_name_is_said_too(monkeypatch, capsys):
    from theory.commands import watch

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(watch, "run", full)
    assert main(["watch"]) == 2
    assert "No space left on device" in capsys.readouterr().err


def test_the_home_folder_is_meant_by_a_tilde(tmp_path, monkeypatch):
    from theory.commands import rates

    given = []
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(rates, "run", lambda options: given.append(options.out) or 0)
    assert main(["rates", "--out=~/kept"]) == 0
    assert given == [tmp_path / "kept"]


def test_the_home_folder_of_nobody_is_refused(capsys):
    assert main(["rates", "--out=~no_such_user/kept"]) == 2
    assert "Write the folder in full" in capsys.readouterr().err


@pytest.mark.parametrize("writable", [True, False], ids=["writable", "read-only"])
def test_kernels_have_a_place_where_package_and_cache_are_read_only(writable, monkeypatch):
    from theory.commands import rates

    given = []
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")  # it is restored after the test
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setattr(os, "access", lambda *_: writable)
    monkeypatch.setattr(rates, "run", lambda _: given.append(os.environ.get("NUMBA_CACHE_DIR")) or 0)
    assert main(["rates"]) == 0
    assert [folder is None or Path(folder).is_dir() for folder in given] == [True]
    assert (given == [None]) == writable


def test_an_empty_objective_is_refused(capsys):
    assert main(["rates", "--objective", ""]) == 2
    assert "is no objective" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["rates", "--only", "linear", "--only", "floor"], "only"),
        (["watch", "--kwargs", "lr=.1", "--kwargs", "eps=1e-8"], "kwargs"),
    ],
    ids=["rates", "watch"],
)
def test_of_a_list_given_twice_both_parts_count(words, name, monkeypatch):
    from theory.commands import rates, watch

    given = []
    for command in (rates, watch):
        monkeypatch.setattr(command, "run", lambda options: given.append(getattr(options, name)) or 0)
    assert main(words) == 0
    assert given == [[words[2], words[4]]]


def test_a_closed_pipe_ends_a_command_without_a_traceback():
    script = f"{sys.executable} -m theory advise --lr 0.1 --json | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "141"
    assert not done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "watch --steps 2 --optimizer math:pi",
            "raised TypeError: 'float' object is not callable",
        ),
        ("watch --steps 2 --optimizer builtins:print", "optimizer is a NoneType: allowed are torch optimizers"),
        ("watch --steps 2 --optimizer torch.optim:LBFGS", "missing 1 required positional argument: 'closure'"),
        ("rates --objective quadratic --only linear", "--only: left out where one"),
        ("rates --optimizer ESGD --objective quadratic --kwargs lr=.1 --every --out x", "--every, --out: left out"),
        ("conform alto:LAMB --lamb --contract", "--contract and --lamb: choose one"),
        ("conform alto:LAMB --examples 3 --contract", "--examples: not for --contract"),
        ("conform alto:LAMB --budget 3", "--budget: not for the comparison with the paper"),
        ("conform alto:LAMB --lamb --reference LAMB --seed 1", "--reference, --seed: not for --lamb"),
        ("conform --survey keras", "allowed: torch, "),
        ("conform alto:LAMB --survey torch.optim --json", "MODULE:OPTIMIZER, --json: not for --survey"),
        ("bound math:pi --steps 2", "training with math:pi raised TypeError"),
        ("conform math:pi --contract", "math:pi is no optimizer: it is a float"),
        ("conform [/red]:x", "there is no module '[/red]'"),
        ("figures [/red]", "unknown figure [/red]"),
        (
            "rates --optimizer ESGD --objective quadratic --kwargs lr=.1 --T 10:100000000000000000000",
            "<= 1000000000",
        ),
        ("rates --optimizer ESGD --objective quadratic --kwargs lr=.1 --T 10,nan,40", "numbers from 1 to 1000000000"),
        ("rates --optimizer ESGD --objective quadratic --kwargs lr=.1 --seeds 1000000000000", "must be at most 10000"),
    ],
    ids=lambda word: word[:60],
)
def test_what_cannot_be_done_is_said_in_one_line(words, said, capsys):
    assert main(words.split()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_a_file_that_ends_the_program_is_named(tmp_path, capsys):
    (tmp_path / "ends.py").write_text("raise SystemExit(7)", encoding="utf-8")
    assert main(["conform", f"{tmp_path / 'ends.py'}:X"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("ends.py raised SystemExit: 7")
