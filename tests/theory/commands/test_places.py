"""Places that cannot be written are refused before the work, and damaged files of ours are named: one line, code 2."""

from pathlib import Path

import pytest

from theory.__main__ import main
from theory.ledger import stored
from theory.rates import cells, measuring
from theory.studies import store
from theory.worst_case import grid, solved

COMMANDS = {
    "worst-case": "worst-case --out PLACE",
    "figures": "figures divergence --out PLACE",
    "figures-fresh": "figures divergence --fresh --studies PLACE",
    "figures-own": "figures divergence --set beta1=.95 --out PLACE",
    "figures-data": "figures divergence --data PLACE/x.csv",
    "ledger-tex": "ledger --tex --out PLACE",
    "rates": "rates --only floor --out PLACE",
    "rates-objective": "rates --objective quadratic --out PLACE",
    "rates-save": "rates --optimizer ESGD --objective quadratic --kwargs lr=.1 --save PLACE/x.json",
    "rates-plot": "rates --optimizer ESGD --objective quadratic --kwargs lr=.1 --plot PLACE/x.png",
    "new-claim": "new-claim mine --out PLACE/x.py",
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("place", ["/etc/passwd", "/proc", "too-long"], ids=["file", "read-only", "too-long"])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(words, place, monkeypatch, capsys, tmp_path):
    def worked(*_, **__):
        pytest.fail("it worked")

    for module, name in (
        (grid, "compare"), (store, "run"), (store, "load"), (cells, "run_study"), (measuring, "measure"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, worked)
    monkeypatch.chdir(tmp_path)
    place = str(tmp_path / ("x" * 256)) if place == "too-long" else place
    before = Path("/etc/passwd").read_bytes()
    assert main(words.replace("PLACE", place).split()) == 2
    said = capsys.readouterr()
    assert place in said.err.replace("\n", "")
    assert " cannot be used (" in said.err.replace("\n", " ")
    assert "Traceback" not in said.err
    assert Path("/etc/passwd").read_bytes() == before
    assert list(tmp_path.iterdir()) == []


DAMAGED = {"empty": b"", "half": b'{"a": 1', "garbage": bytes(range(256)), "nested": b"[" * 100_000, "other": b"[]"}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_named_with_the_remedy(content, tmp_path, capsys):
    (tmp_path / "rows.json").write_bytes(content)
    assert main(["worst-case", "--out", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{tmp_path / 'rows.json'} is damaged (")
    assert line.endswith("): restore it, or delete it")


def test_every_reader_of_stored_results_names_a_damaged_file(tmp_path, monkeypatch):
    (tmp_path / "x.json").mkdir()
    monkeypatch.setattr(solved, "code", lambda: None)
    with pytest.raises(stored.DamagedError, match=r"x\.json is damaged \(it is no regular file\)"):
        store.load("x", tmp_path)
    with pytest.raises(stored.DamagedError, match="no regular file"):
        cells.stored_studies(tmp_path, ["x"])
