"""The table over packages: rows are written, those of a missing package stay, and the stored table is theirs."""

import json
import sys
import types

import pytest
import torch

from theory import __main__ as command
from theory.conform import parts, survey


class Needy(torch.optim.SGD):
    def __init__(self, params, teacher):
        super().__init__(params, lr=0.1)


class Slow(torch.optim.SGD):
    def step(self, closure=None):
        while True:
            pass


@pytest.fixture
def package(monkeypatch):
    module = types.ModuleType("small_package")
    module.SGD, module.Again, module.Needy, module.number = torch.optim.SGD, torch.optim.SGD, Needy, 3
    monkeypatch.setitem(sys.modules, "small_package", module)
    return module


def test_each_class_is_judged_once_and_a_missing_package_keeps_its_rows(package, tmp_path):
    (said,) = survey.write(tmp_path, budget=1, packages={"torch": "small_package"})
    assert "2 optimizers" in said
    stored = json.loads((tmp_path / "contract.json").read_text())["torch"]
    assert [row["optimizer"] for row in stored["rows"]] == ["Again", "Needy"]
    assert set(stored["rows"][0]["parts"]) == {*parts.CONTRACT, *(f"invariance: {name}" for name in parts.INVARIANCES)}
    assert stored["rows"][0]["kwargs"] == {"lr": survey.RATE}
    assert "teacher" in stored["rows"][1]["judged"]
    table = (tmp_path / "table.md").read_text()
    assert "| `Again` | 19 of 19 | – | sign, permutation |" in table
    assert "raises or the time is up: `Needy`" in table
    (said,) = survey.write(tmp_path, budget=1, packages={"torch": "no_such_package"})
    assert said.endswith("its stored rows stay")
    assert "not installed at the last run" in (tmp_path / "table.md").read_text()
    assert json.loads((tmp_path / "contract.json").read_text())["torch"]["rows"] == stored["rows"]
    (said,) = survey.write(tmp_path, budget=1, packages={"no-such-distribution": "small_package"})
    assert said.endswith("it has no rows")


def test_stored_rows_without_a_part_that_is_new_do_not_count_in_it(package, tmp_path):
    list(survey.write(tmp_path, budget=1, packages={"torch": "small_package"}))
    stored = survey.read(tmp_path)
    del stored["torch"]["rows"][0]["parts"]["hooks"]
    table = survey.table(stored)
    assert "| hooks | 0 of 0 |" in table
    assert "| `Again` | 18 of 18 |" in table


def test_an_optimizer_that_never_ends_is_stopped(package, monkeypatch, tmp_path):
    package.SGD = package.Again = package.Needy = Slow
    monkeypatch.setattr(survey, "SECONDS", 1)
    list(survey.write(tmp_path, budget=1, packages={"torch": "small_package"}))
    (row,) = json.loads((tmp_path / "contract.json").read_text())["torch"]["rows"]
    assert row["judged"] == "takes longer than 1 s of processor time"


def test_the_committed_table_is_that_of_the_stored_rows():
    stored = json.loads((survey.FOLDER / "contract.json").read_text())
    assert (survey.FOLDER / "table.md").read_text() == survey.table(stored)
    assert {"torch", "pytorch_optimizer", "schedulefree", "heavyball", "timm"} <= set(stored)
    assert not [row["seen"] for row in stored["alto"]["rows"] if "parts" in row and "closure" in row["seen"]]


def test_what_the_page_says_of_heavyball_is_stored():
    judged = [
        row for row in json.loads((survey.FOLDER / "contract.json").read_text())["heavyball"]["rows"] if "parts" in row
    ]
    assert judged
    for row in judged:
        assert {"p.grad kept", "deepcopy", "pickle", "distributed checkpoint", "state dtypes"} <= set(row["seen"])
        assert "use_ema" in row["seen"]["deepcopy"]
        assert row["seen"]["state dtypes"].endswith("to bfloat16")


def test_a_survey_prints_its_table_and_writes_into_its_own_folder(package, monkeypatch, tmp_path, capsys):
    before = survey.read(survey.FOLDER)
    monkeypatch.setitem(survey.PACKAGES, "torch", "small_package")
    monkeypatch.setattr(survey, "LOCAL", tmp_path / "local")
    assert command.main(["conform", "--survey", "torch", "--budget", "1"]) == 0
    said = capsys.readouterr()
    assert "| `Again` | 19 of 19 |" in said.out
    assert said.err.rstrip().endswith(f"wrote {tmp_path / 'local' / 'table.md'}")
    assert survey.read(survey.FOLDER) == before
    monkeypatch.setitem(survey.PACKAGES, "torch", "no_such_package")
    assert command.main(["conform", "--survey", "torch", "--out", str(tmp_path / "other")]) == 2
    assert not (tmp_path / "other").exists()
