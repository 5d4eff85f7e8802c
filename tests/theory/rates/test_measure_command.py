"""``python -m theory rates --optimizer``: files and arguments from the command line, and their errors."""

import json

import pytest

from theory.__main__ import main
from theory.rates import user_code

FILE = """
import torch
start = [1.0, -2.0]
noise = 0.5

def f(x):
    return torch.log(torch.cosh(x)).sum()

def broken(x):
    raise KeyError("mine")

class Mine(torch.optim.SGD):
    pass
"""
QUICK = ["--T", "10,20,40", "--seeds", "3"]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


def test_a_function_and_an_optimizer_of_a_file_are_measured_printed_drawn_and_stored(file, capsys):
    drawn, stored = file.with_suffix(".pdf"), file.with_suffix(".json")
    code = main(["rates", "--optimizer", f"{file}:Mine", "--kwargs", "lr=.1", "momentum=.5", "--objective", f"{file}:f",
                 *QUICK, "--plot", str(drawn), "--save", str(stored)])  # fmt: skip
    assert code == 0
    printed = capsys.readouterr().out
    assert "standard deviation 0.5" in printed
    assert "no theorem, no verdict" in printed
    assert drawn.read_bytes().startswith(b"%PDF")
    assert json.loads(stored.read_text())["columns"]["T"] == [10, 20, 40]


def test_the_command_says_the_theorems_verdict_and_its_tolerance(capsys):
    code = main(["rates", "--optimizer", "torch.optim:SGD", "--kwargs", '{"lr": 0.5}', "--objective", "quadratic",
                 "--noise", "0", "--schedule", "constant", "--quantity", "last", "--T", "100:800:4"])  # fmt: skip
    assert code == 0
    assert "tolerance 0.0005: agrees" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"--optimizer": "torch.optim:Adamw"}, "has no 'Adamw'"),
        ({"--optimizer": "no_such:Adam"}, "no module 'no_such'"),
        ({"--optimizer": "Adam"}, "must be one of ESGD"),
        ({"--objective": "none.py:f"}, "there is no file none.py"),
        ({"--objective": "none"}, "is no objective"),
        ({"--kwargs": "momentum=.5"}, "must hold the learning rate"),
        ({"--kwargs": "lr"}, "must have the form KEY=VALUE"),
        ({"--T": "100:10"}, "1 <= FROM < TO"),
        ({"--T": "a,b"}, "must be numbers"),
        ({"--full": None, "--quick": None}, "choose one"),
        ({"--objective": None}, "must both be given"),
        ({"--plot": "x.xyz"}, "--plot x.xyz: its ending must be one of"),
    ],
)
def test_a_wrong_argument_is_named(change, word, capsys):
    given = {
        "--optimizer": "torch.optim:SGD",
        "--kwargs": "lr=.1",
        "--objective": "quadratic",
        "--T": "10,20,40",
        **change,
    }
    words = [word for name, value in given.items() for word in ([name, value] if value else [name])]
    if change == {"--objective": None}:
        words.remove("--objective")
    assert main(["rates", *words]) == 2
    assert word in capsys.readouterr().err


def test_an_error_of_the_users_function_is_shown_with_their_traceback(file, capsys):
    code = main(["rates", "--optimizer", "ESGD", "--kwargs", "lr=.1", "--objective", f"{file}:broken", *QUICK])
    assert code == 1
    printed = capsys.readouterr().err
    assert 'raise KeyError("mine")' in printed
    assert "broken raised KeyError" in printed
    assert "theory/rates" not in printed


def test_values_are_read_as_python_or_json_writes_them():
    found = user_code.keywords(["lr=.1", "betas=(.9,.99)", "amsgrad=true", "mode=fast", "clip=inf", '{"eps": 1e-8}'])
    assert found == {
        "lr": 0.1,
        "betas": (0.9, 0.99),
        "amsgrad": True,
        "mode": "fast",
        "clip": float("inf"),
        "eps": 1e-8,
    }


def test_a_full_run_is_not_replaced_by_a_quick_one_and_continues(tmp_path, capsys, monkeypatch):
    from theory.rates import cells, one_objective

    monkeypatch.setattr(one_objective, "sizes", lambda full: ([40, 100, 400], range(2)))
    monkeypatch.setattr(
        cells.run_study, "__kwdefaults__", {**cells.run_study.__kwdefaults__, "cells": tmp_path / "cells"}
    )
    words = ["rates", "--objective", "quadratic", "--out", str(tmp_path)]
    assert main([*words, "--full"]) == 0
    first = json.loads((tmp_path / "objective-quadratic.json").read_text())
    ran = []
    monkeypatch.setattr(one_objective, "descend", lambda *given: ran.append(given))
    assert main([*words, "--full"]) == 0
    assert not ran
    assert json.loads((tmp_path / "objective-quadratic.json").read_text())["rows"] == first["rows"]
    assert main(words) == 2
    assert "holds a full run" in capsys.readouterr().err


def test_a_full_run_of_ones_own_optimizer_continues_with_the_finished_runs(file, tmp_path, monkeypatch, capsys):
    from theory.rates import measuring

    words = ["rates", "--optimizer", "torch.optim:SGD", "--kwargs", "lr=.1", "--objective", f"{file}:f", "--full",
             "--seeds", "3", "--out", str(tmp_path / "kept")]  # fmt: skip
    walked, stop, one = [], [40], measuring._one

    def counted(*given):
        walked.append(int(given[2][-1]))
        if stop and walked[-1] == stop[0]:
            stop.clear()
            raise KeyboardInterrupt
        return one(*given)

    monkeypatch.setattr(measuring, "_one", counted)
    assert main([*words, "--T", "10,20,40"]) == 130
    assert "continues" in capsys.readouterr().err
    assert main([*words, "--T", "10,20,40"]) == 0
    assert walked == [10, 20, 40, 40]  # what was finished is not run again
    again = capsys.readouterr().out
    assert main([*words[:-2], "--out", str(tmp_path / "fresh"), "--T", "10,20,40"]) == 0
    fresh = capsys.readouterr().out
    assert again.split("took")[0] == fresh.split("took")[0]
    walked.clear()
    file.write_text(FILE.replace("cosh(x)", "cosh(2 * x)"))
    assert main([*words, "--T", "10,20,40"]) == 0
    assert walked == [10, 20, 40]  # another function is another run
