"""The command line: what goes to stdout, the files, the exit codes."""

import json

import pytest

from theory import __main__ as command
from theory import claims, pinned
from theory.ledger import outcomes

KEYS = {"id", "source", "statement", "assumptions", "corrected", "verdict", "evidence"}
EVIDENCE_KEYS = {"kind", "name", "outcome", "detail", "seconds"}


@pytest.fixture
def one_claim(monkeypatch, tmp_path):
    monkeypatch.setattr(claims, "ALL", tuple(c for c in claims.ALL if c.id == "lemma-7"))
    monkeypatch.setattr(outcomes, "LOCAL", tmp_path / "local.json")
    monkeypatch.setattr(outcomes, "COMMITTED", tmp_path / "committed.json")


def test_ledger_prints_json_alone(one_claim, capsys):
    assert command.main(["ledger", "--json"]) == 0
    (claim,) = json.loads(capsys.readouterr().out)
    assert claim.keys() >= KEYS
    assert claim["verdict"] == "proved"
    assert all(item.keys() >= EVIDENCE_KEYS for item in claim["evidence"])


def test_ledger_uses_stored_outcomes_only_for_the_same_source(one_claim, capsys, monkeypatch):
    assert command.main(["verify"]) == 0
    stored = json.loads(outcomes.LOCAL.read_text())
    stored["claims"][0]["evidence"][0]["outcome"] = "inconclusive"
    outcomes.LOCAL.write_text(json.dumps(stored))
    capsys.readouterr()
    command.main(["ledger", "--json"])
    assert json.loads(capsys.readouterr().out)[0]["verdict"] == "holds-in-cases-tried"
    monkeypatch.setattr(outcomes, "fingerprint", lambda: "other source")
    command.main(["ledger", "--json"])
    assert json.loads(capsys.readouterr().out)[0]["verdict"] == "proved"


def test_verify_writes_the_ledger(one_claim, tmp_path):
    target = tmp_path / "out" / "ledger.json"
    assert command.main(["verify", "--json", str(target)]) == 0
    ledger = json.loads(target.read_text())
    assert ledger["effort"] == "quick"
    assert ledger["versions"]["sympy"]
    assert [claim["id"] for claim in ledger["claims"]] == ["lemma-7"]


def test_unknown_claim(capsys):
    assert command.main(["verify", "--only", "lemma-99"]) == 2
    assert "lemma-99" in capsys.readouterr().err


def test_committed_ledger_has_the_pinned_verdicts():
    stored = json.loads(outcomes.COMMITTED.read_text())
    assert {claim["id"]: claim["verdict"] for claim in stored["claims"]} == pinned.VERDICTS
    for claim in stored["claims"]:
        assert claim["evidence"] or claim["needs"], claim["id"]
