"""``new-claim`` writes a file that runs and proves nothing; the worked example of the documentation runs to its end."""

import json
import re
from pathlib import Path

import pytest

from theory.__main__ import main

PAGE = (Path(__file__).parents[3] / "docs" / "extending.md").read_text(encoding="utf-8")


def verdicts(path, tmp_path):
    code = main(["verify", "--claims", str(path), "--json", str(tmp_path / "out.json")])
    return code, {claim["id"]: claim for claim in json.loads((tmp_path / "out.json").read_text())["claims"]}


def test_the_file_runs_and_its_placeholders_show_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new-claim", "my-claim"]) == 0
    code, found = verdicts(Path("my_claim.py"), tmp_path)
    assert code == 1
    assert found["my-claim"]["verdict"] == "broken"
    evidence = found["my-claim"]["evidence"]
    assert {one["kind"] for one in evidence} == {"proof", "property", "counterexample"}
    assert all(one["outcome"] == "error" and "fill in" in one["detail"] for one in evidence)
    lines = Path("my_claim.py").read_text().splitlines()
    said = [line for line in capsys.readouterr().err.splitlines() if "NotImplementedError" in line]
    assert len(said) == 3
    for line in said:
        assert line.startswith("my_claim.py: my-claim: ")
        place = re.search(r"fill in (.*) \(my_claim\.py, line (\d+), in \w+; my_claim\.py, line \d+, in todo\)$", line)
        assert f'todo("{place[1]}")' in lines[int(place[2]) - 1]


@pytest.mark.parametrize(("kept", "verdict"), [("proof", "proved"), ("holds_for", "holds-in-cases-tried")])
def test_a_part_that_is_filled_in_counts(kept, verdict, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["new-claim", "filled"])
    text = re.sub(r"^    todo\(.*\)\n", "", Path("filled.py").read_text(), flags=re.MULTILINE)
    text = text.replace("left, right = x, x ", "left, right = (x + 1) ** 2, x**2 + 2 * x + 1 ")
    start, end = text.index("            proof("), text.index("            holds_for(")
    proof, others = text[start:end], text[end:].splitlines(keepends=True)
    chosen = proof if kept == "proof" else others[0]
    Path("filled.py").write_text(text[:start] + chosen + "".join(others[2:]))
    code, found = verdicts(Path("filled.py"), tmp_path)
    assert (code, found["filled"]["verdict"]) == (0, verdict)


@pytest.mark.parametrize(("words", "said"), [
    (["My Claim"], "is no id of a claim"), (["a-"], "is no id"), (["there"], "is there already"),
    (["new", "--out", "new.txt"], "must end in .py"), (["new", "--out", "there.py"], "is there already"),
])  # fmt: skip
def test_a_wrong_name_is_refused_and_nothing_is_overwritten(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("there.py").write_text("mine")
    assert main(["new-claim", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_the_worked_example_of_the_documentation(tmp_path):
    example = re.search(r":caption: adam_bias\.py\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert example
    path = tmp_path / "adam_bias.py"
    path.write_text(example[1])
    code, found = verdicts(path, tmp_path)
    assert code == 1  # the second claim is false
    assert found["adam-bias"]["verdict"] == "proved"
    assert found["adam-bias-any-gradients"]["verdict"] == "refuted"
    assert all("negative control" in one["detail"] for one in found["adam-bias"]["evidence"])
    path.write_text(example[1].replace("return identity(beta *", "return identity(2 * beta *"))
    assert verdicts(path, tmp_path)[1]["adam-bias"]["verdict"] != "proved"


def test_one_claim_is_counted_in_the_singular():
    from types import SimpleNamespace

    from theory.commands import answers
    from theory.ledger.outcomes import Verdict

    one = SimpleNamespace(verdict=next(iter(Verdict)))
    assert answers.counts([one]).startswith("1 claim: 1 ")
    assert answers.counts([one, one]).startswith("2 claims: 2 ")
