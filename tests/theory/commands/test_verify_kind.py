"""``verify --kind``: one kind of evidence, with a budget, a seed and patterns of names."""

import json

import hypothesis
import pytest

from theory.__main__ import main

FILE = """
from hypothesis.strategies import integers
from theory.ledger import Claim, holds_for

def holds(n):
    assert isinstance(n, int)

def fails(n):
    assert n < 7, "seven"

CLAIMS = (
    Claim(id="mine-holds", source="ours", statement="n is whole", evidence=(holds_for("whole", holds, n=integers()),)),
    Claim(id="mine-fails", source="ours", statement="n < 7",
          evidence=(holds_for("small", fails, n=integers(0, 1000000)),)),
)
"""


def test_examples_and_patterns_count(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    words = ["verify", "--kind", "property", "--claims", str(path), "--json", str(tmp_path / "out.json")]
    assert main([*words, "--examples", "33", "--only", "*-holds"]) == 0
    (row,) = json.loads((tmp_path / "out.json").read_text())
    assert row["id"] == "mine-holds"
    assert row["detail"].startswith("33 cases checked")
    assert main(words) == 1  # a property fails
    assert "mine-fails: small contradicts (in this file)" in capsys.readouterr().err
    assert "seven" in json.loads((tmp_path / "out.json").read_text())[1]["detail"]


def test_a_seed_draws_other_cases(monkeypatch):
    from theory.ledger.budget import SEED
    from theory.ledger.effort import Effort
    from theory.ledger.evidence import holds_for, run

    drawn = []

    def keep(n):
        drawn.append(n)

    evidence = holds_for("n", keep, n=hypothesis.strategies.integers())

    def draws(seed):
        drawn.clear()
        token = SEED.set(seed)
        run(evidence, Effort("own", 20, False))
        SEED.reset(token)
        return list(drawn)

    assert draws(None) == draws(None) != draws(1) == draws(1) != draws(2)


def test_a_claim_of_the_package_is_compared_with_the_committed_outcome(capsys):
    assert main(["verify", "--kind", "property", "--only", "lemma-4", "--seed", "5", "--examples", "10"]) == 0
    assert "10 cases checked" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("words", "said"), [
    (["--seed", "1"], "need --kind"), (["--kind", "property", "--examples", "3"], "at least 10"),
    (["--kind", "property", "--only", "lema-4"], "did you mean lemma-4"),
    (["--kind", "property", "--accept"], "leave out --kind"),
])  # fmt: skip
def test_wrong_options_are_named(words, said, capsys):
    assert main(["verify", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
