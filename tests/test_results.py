"""What is committed in results/ is what commands wrote there: a number that was changed by hand is named."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.io import files as experiments_files
from experiments.io import stored as experiments_stored
from experiments.io.errors import DataError
from theory.claims.networks import paper_tables
from theory.commands import verify
from theory.ledger import files, provenance, stored
from theory.ledger.effort import QUICK
from theory.tex import results as tex_results

RESULTS = Path(__file__).parents[1] / "results"
KINDS = {
    "evidence": "evidence/ours-alpha-best-large.json",
    "summary": "experiments/digits-laptop.json",
    "report": "digits/report.md",
    "answers": "README.md",
    "study": "theory/dips.json",
    "rates": "rates/pl.json",
    "worst-case": "worst-case/rows.json",
    "certificate": "worst-case/certificates/convex_N1_c=1over20_beta1=1over2.json",
    "learning-rates": "learning-rates/rules.json",
    "table": "learning-rates/runs.csv",
    "contract": "contract/contract.json",
    "bench": "bench/bench.json",
    "published": "published.json",
    "ledger": "ledger.json",
    "formal": "formal.json",
}


@pytest.fixture
def copy(tmp_path):
    """The files of every kind, with the digests of these alone."""
    sums = (RESULTS / stored.SUMS).read_text().splitlines()
    (tmp_path / stored.SUMS).write_text("".join(f"{line}\n" for line in sums if line[66:] in KINDS.values()))
    for name in KINDS.values():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(RESULTS / name, tmp_path / name)
    return tmp_path


def edit(path):
    """Change the last digit of a file to another one."""
    text = path.read_text()
    found = list(re.finditer(r"\d", text))[-1]
    path.write_text(text[: found.start()] + str((int(found[0]) + 1) % 10) + text[found.end() :])


def test_every_committed_result_is_as_it_was_written():
    assert experiments_files.check(RESULTS) == [], "python -m experiments check-results"


@pytest.mark.parametrize("name", KINDS.values(), ids=KINDS)
def test_a_number_that_was_changed_by_hand_is_named_with_the_remedy(name, copy):
    assert experiments_files.check(copy) == stored.changed(copy) == []
    edit(copy / name)
    (line,) = stored.changed(copy)
    assert experiments_files.check(copy) == [line]
    assert line.startswith(f"{copy / name} was changed after it was written")
    assert line.endswith("restore it, or delete it and compute it again")


def test_whoever_reads_a_changed_file_refuses_it(copy):
    for name in KINDS.values():
        edit(copy / name)
    with pytest.raises(stored.DamagedError, match=r"dips\.json was changed"):
        stored.read(copy / KINDS["study"])
    with pytest.raises(DataError, match=r"bench\.json was changed"):
        experiments_stored.read(copy / KINDS["bench"])
    with pytest.raises(tex_results.StaleError, match=r"pl\.json was changed .*: the command"):
        tex_results.read(copy / KINDS["rates"], "the command")


CHECKED_AGAIN = {"theory/rocq/duals.py", "theory/worst_case/certificate.py", "theory/worst_case/nonconvex.py"}


def test_every_other_reader_of_results_goes_through_that_door():
    direct = re.compile(r"json\.loads?\(.*read_(text|bytes)\(")
    root = RESULTS.parent
    found = {file for folder in ("theory", "docs/extensions") for file in (root / folder).rglob("*.py")}
    direct_readers = {str(file.relative_to(root)) for file in found if direct.search(file.read_text(encoding="utf-8"))}
    assert direct_readers - {"docs/extensions/blocks.py", "docs/extensions/ledger_data.py"} == CHECKED_AGAIN


def test_a_claim_on_a_changed_comparison_has_no_finding(copy):
    edit(copy / KINDS["evidence"])
    (evidence,) = paper_tables.evidence_for("ours-alpha-best-large", copy / "evidence")
    with pytest.raises(stored.DamagedError, match=r"large\.json was changed"):
        evidence.compute(QUICK)


@pytest.mark.parametrize(
    ("module", "name"),
    [(stored, "known"), (experiments_files, "_known")],
    ids=["theory", "experiments"],
)
def test_a_file_that_is_written_while_it_is_read_is_not_called_changed(module, name, copy, monkeypatch):
    path, real = copy / KINDS["study"], getattr(module, name)
    before = path.read_bytes()

    def written_first(sums):
        monkeypatch.undo()
        files.write(path, b"{}")
        return real(sums)

    monkeypatch.setattr(module, name, written_first)
    module.unchanged(path, before)
    assert path.read_bytes() == b"{}"
    edit(copy / KINDS["rates"])
    with pytest.raises(ValueError, match="was changed"):
        module.unchanged(copy / KINDS["rates"], (copy / KINDS["rates"]).read_bytes())


def test_verify_names_a_changed_file_and_accepts_no_verdict_on_it(copy, monkeypatch, capsys):
    edit(copy / KINDS["evidence"])
    monkeypatch.setattr(provenance, "RESULTS", copy)
    monkeypatch.setattr(verify.outcomes, "COMMITTED", copy / "ledger.json")
    from theory.__main__ import main

    assert main(["verify", "--accept"]) == 2
    assert "ours-alpha-best-large.json was changed" in capsys.readouterr().err.replace("\n", " ")
    assert main(["verify", "--only", "identity-grokfast"]) == 1  # its verdict is the committed one
    printed = capsys.readouterr().err.replace("\n", " ")
    assert "was changed after it was written" in printed
    assert "not as committed" not in printed


@pytest.mark.parametrize(
    "write",
    [experiments_files.write_atomic, files.write],
    ids=["experiments", "theory"],
)
def test_writers_keep_the_digests(write, copy):
    for name in (KINDS["study"], "new/one.json"):
        write(copy / name, b"{}\n")
    assert experiments_files.check(copy) == stored.changed(copy) == []
    assert len((copy / stored.SUMS).read_text().splitlines()) == len(KINDS) + 1
    shutil.copy(copy / "new/one.json", copy / "typed.json")
    (copy / "new/one.json").unlink()
    assert experiments_files.check(copy) == [
        f"{copy / 'new/one.json'} is absent, and SHA256SUMS has it: restore it",
        f"{copy / 'typed.json'} has no line in SHA256SUMS: compute it again",
    ]


@pytest.mark.parametrize(
    ("write", "place"),
    [(experiments_files.write_atomic, (experiments_files, "put_in_place")), (files.write, (files.Path, "replace"))],
    ids=["experiments", "theory"],
)
def test_a_writer_that_is_killed_leaves_a_file_that_is_not_called_changed(write, place, copy, monkeypatch):
    path, real, calls = copy / KINDS["study"], getattr(*place), []

    def killed_at(number):
        def rename(*arguments):
            calls.append(arguments)
            if len(calls) == number:
                raise KeyboardInterrupt
            return real(*arguments)

        calls.clear()
        monkeypatch.setattr(*place, rename)

    for number, text in ((1, b"1"), (2, b"2"), (3, b"3")):  # the digests, the file, the digests
        killed_at(number)
        with pytest.raises(KeyboardInterrupt):
            write(path, text)
        assert stored.changed(copy) == experiments_files.check(copy) == []
    assert path.read_bytes() == b"3"


def test_the_command_names_what_differs_and_accepts_it(copy):
    def command(*more):
        words = [sys.executable, "-m", "experiments", "check-results", "--results", str(copy), *more]
        return subprocess.run(words, capture_output=True, text=True, check=False, cwd=RESULTS.parent)

    edit(copy / KINDS["bench"])
    found = command()
    assert (found.returncode, found.stdout.count("\n")) == (1, 1)
    assert "bench.json was changed" in found.stdout
    assert command("--accept").returncode == command().returncode == 0
