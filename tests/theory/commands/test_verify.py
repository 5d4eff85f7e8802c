"""``python -m theory verify`` and ``ledger``: what goes to stdout, the files, what is kept, the exit codes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from theory import __main__ as command
from theory.claims import HEADLINE
from theory.commands import ledger as ledger_command
from theory.commands import verify as verify_command
from theory.ledger import outcomes, provenance, running
from theory.ledger.sources import Source

ROOT = Path(__file__).parents[3]
FILE = ROOT / "tests" / "theory" / "ledger" / "claims_of_another_paper.py"
KEYS = {"id", "source", "statement", "plain", "found", "assumptions", "corrected", "verdict", "evidence"}
FEW = (Source("theory.claims.theorems.scope"),)
NAMES = [claim.id for claim in FEW[0].claims()]


@pytest.fixture
def few(monkeypatch, tmp_path):
    """One file of claims that are checked soon, in one process, and a ledger of its own."""
    monkeypatch.setattr(running, "cores", lambda: 1)  # to start a process takes longer than these claims
    for module in (verify_command, ledger_command):
        monkeypatch.setattr(module, "SOURCES", FEW)
    monkeypatch.setattr(outcomes, "LOCAL", tmp_path / "local.json")
    monkeypatch.setattr(outcomes, "COMMITTED", tmp_path / "committed.json")
    monkeypatch.setattr(provenance, "RESULTS", tmp_path)  # the digests there are another test's


def test_the_first_run_computes_the_second_keeps_and_fresh_computes_again(few, capsys):
    assert command.main(["verify"]) == 1  # nothing is committed: every claim is new
    first = capsys.readouterr()
    assert f"{len(NAMES)} claims checked" in first.err
    assert "not as committed: ours-growth-of-alto: a new claim, proved" in first.err.replace("\n", " ")
    assert "ours-growth-of-alto" not in first.out  # a claim of ours is counted
    command.main(["verify", "--all"])
    second = capsys.readouterr()
    assert "nothing to check again" in second.err
    assert f"{len(NAMES)} kept" in second.err
    assert "ours-growth-of-alto" in second.out
    command.main(["verify", "--fresh"])
    assert f"{len(NAMES)} claims checked" in capsys.readouterr().err


def test_a_thorough_run_that_is_stopped_leaves_the_quick_outcomes(few, monkeypatch):
    two = (*FEW, Source("theory.claims.theorems.last_iterate"))
    monkeypatch.setattr(verify_command, "SOURCES", two)
    command.main(["verify"])
    run = running.run

    def stopped(sources, *arguments, **options):
        run({two[0]: None}, *arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "run", stopped)
    with pytest.raises(SystemExit, match="130"):
        command.main(["verify", "--thorough"])
    assert [(part.source, part.effort) for part in outcomes.load(outcomes.LOCAL)] == [
        (two[0], "thorough"), (two[1], "quick"),
    ]  # fmt: skip


def test_accept_writes_the_ledger_that_later_runs_are_compared_with(few, capsys):
    assert command.main(["verify", "--accept"]) == 0
    stored = json.loads(outcomes.COMMITTED.read_text())
    assert stored["effort"] == "thorough"
    assert [claim["id"] for claim in stored["claims"]] == NAMES
    assert command.main(["verify"]) == 0
    mine = stored["claims"][NAMES.index("ours-growth-of-alto")]
    mine["evidence"][0]["outcome"] = "contradicts"
    outcomes.COMMITTED.write_text(json.dumps(stored))
    capsys.readouterr()
    assert command.main(["verify"]) == 1
    assert "ours-growth-of-alto: was refuted, is proved" in capsys.readouterr().err.replace("\n", " ")


def test_ledger_prints_stored_outcomes_and_says_which_are_old(few, capsys, monkeypatch):
    assert command.main(["ledger"]) == 2
    assert "first: python -m theory verify" in capsys.readouterr().err
    command.main(["verify"])
    capsys.readouterr()
    assert command.main(["ledger", "--json"]) == 0
    told = capsys.readouterr()
    claim = json.loads(told.out)[NAMES.index("ours-growth-of-alto")]
    assert claim.keys() >= KEYS
    assert claim["verdict"] == "proved"
    assert told.err == ""
    command.main(["ledger", "--only", "ours-growth-of-alto"])
    assert claim["evidence"][0]["name"] in capsys.readouterr().out
    outcomes.LOCAL.rename(outcomes.COMMITTED)
    monkeypatch.setattr(Source, "fingerprint", lambda _: "other code")
    assert command.main(["ledger"]) == 0
    assert "older than the code: all of it" in capsys.readouterr().err.replace("\n", " ")
    assert command.main(["ledger", "--tex"]) == 1


def test_a_file_of_claims_from_outside(capsys, tmp_path):
    assert command.main(["verify", "--claims", str(FILE), "--json", str(tmp_path / "out.json")]) == 1
    out, err = capsys.readouterr()
    assert "refuted" in out
    assert "proved" in out
    assert f"{FILE}: all-even: property 'parity' contradicts it: " in err
    assert "1 is odd" in err
    claims = json.loads((tmp_path / "out.json").read_text())["claims"]
    assert {claim["id"]: claim["verdict"] for claim in claims} == {"binomial": "proved", "all-even": "refuted"}
    assert command.main(["verify", "--claims", str(FILE), "--only", "binomial"]) == 0


@pytest.mark.parametrize(("arguments", "why"), [
    (["--only", "theorem1"], "did you mean theorem-1"),
    (["--claims", "nowhere.py"], "does not exist"),
    (["--claims", "results"], "takes a Python file"),
    (["--accept", "--only", "lemma-7"], "leave out --only"),
])  # fmt: skip
def test_what_cannot_run_is_said_in_a_line(arguments, why, capsys):
    assert command.main(["verify", *arguments]) == 2
    assert why in capsys.readouterr().err.replace("\n", " ")


def test_a_file_without_claims_is_refused(tmp_path, capsys):
    mine = tmp_path / "mine.py"
    mine.write_text("CLAIMS = ()\n")
    assert command.main(["verify", "--claims", str(mine)]) == 2
    assert capsys.readouterr() == ("", f"{mine}: CLAIMS is empty; put at least one theory.ledger.Claim into it\n")


def test_an_error_in_a_users_file_is_shown_as_theirs(tmp_path, capsys):
    mine = tmp_path / "mine.py"
    mine.write_text("import json\n\n\ndef read():\n    return json.loads('[')\n\n\nCLAIMS = (read(),)\n")
    for more in ([], ["--kind", "proof"]):
        assert command.main(["verify", "--claims", str(mine), *more]) == 2
        (said,) = capsys.readouterr().err.splitlines()
        assert said.startswith(f"{mine} raises JSONDecodeError: Expecting value")
        assert said.endswith("(mine.py, line 8, in <module>; mine.py, line 5, in read)")
    mine.write_text("CLAIMS = (\n")
    assert command.main(["verify", "--claims", str(mine)]) == 2
    assert capsys.readouterr().err.rstrip().endswith("was never closed (mine.py, line 1)")
    mine.write_text("raise SystemExit\n")
    assert command.main(["verify", "--claims", str(mine)]) == 2
    assert "raises SystemExit:" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [
    ["--help"], ["ledger"], ["advise", "--lr", ".1", "--alpha", "-5", "--beta1", ".99"],
], ids=lambda arguments: arguments[0])  # fmt: skip
def test_a_command_imports_only_what_it_needs(arguments):
    code = (
        "import sys\nfrom theory.__main__ import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        "print([n for n in ('torch', 'sympy', 'z3', 'cvc5', 'hypothesis', 'sklearn', 'numba', 'matplotlib',"
        " 'theory.claims.lemmas') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("more", [[], ["--only", "ours-growth-of-alto"], ["--claims", str(FILE)], ["--kind", "proof"]],
                         ids=["all", "only", "claims", "kind"])  # fmt: skip
def test_a_place_that_cannot_be_written_is_refused_before_the_work(few, tmp_path, capsys, monkeypatch, more):
    monkeypatch.setattr(verify_command.running, "run", lambda *_, **__: pytest.fail("evidence was run"))
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file" / "x.json"):
        assert command.main(["verify", *more, "--json", str(place)]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith(str(place))
        assert said.err.count("\n") == 1
    if not more:
        monkeypatch.setattr(outcomes, "LOCAL", tmp_path / "file" / "local.json")
        assert command.main(["verify"]) == 2


def test_the_claims_that_matter_most_come_first_and_are_the_readmes(capsys):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|.*\[`([\w.-]+)`\]\([^)]*\) \|$", readme, re.MULTILINE)
    assert list(HEADLINE) == rows
    assert command.main(["ledger"]) == 0
    printed = capsys.readouterr().out
    places = [printed.index(f" {name} ") for name in HEADLINE]
    assert places == sorted(places)
    assert places[-1] < printed.index("What the paper claims besides") < printed.index("lemma-10 ")
