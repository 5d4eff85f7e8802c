"""Stored outcomes: what is written is read again, for which code it holds, and how a run is compared with it."""

import dataclasses

import pytest

from theory.ledger import outcomes
from theory.ledger.claim import Claim, Entry, Verdict
from theory.ledger.effort import QUICK, THOROUGH
from theory.ledger.evidence import About, Kind, Outcome, Result
from theory.ledger.outcomes import Part
from theory.ledger.sources import Source

SOURCE = Source("theory.claims.method.valley")


def entry(name="a", outcome=Outcome.SUPPORTS, found="It holds."):
    claim = Claim(name, "ours", "s", found=found, needs="nothing")
    return Entry(claim.bare, [Result(Kind.MEASUREMENT, "m", About.STATEMENT, outcome, "1 [0, 2]", 0.1)])


def part(effort=QUICK, fingerprint="f", entries=None):
    return Part(SOURCE, fingerprint, effort.name, outcomes.versions(), entries or [entry()])


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "new" / "ledger.json"
    outcomes.save([part()], path)
    (again,) = outcomes.load(path)
    assert again == dataclasses.replace(part(), computed=again.computed)
    assert [file.name for file in path.parent.iterdir()] == ["ledger.json"]


def test_nothing_is_stored_and_another_format():
    assert outcomes.load(outcomes.COMMITTED.with_name("no-such-file.json")) == []


@pytest.mark.parametrize(("stored", "fingerprint", "wanted", "serves"), [
    (QUICK, "f", QUICK, True), (THOROUGH, "f", QUICK, True), (QUICK, "f", THOROUGH, False), (QUICK, "g", QUICK, False),
], ids=["same", "more than needed", "too little", "other code"])  # fmt: skip
def test_outcomes_serve_for_the_same_code_and_enough_effort(stored, fingerprint, wanted, serves):
    assert part(stored, fingerprint).serves("f", wanted) is serves


def test_outcomes_of_other_tools_do_not_serve():
    assert not dataclasses.replace(part(), versions={"sympy": "0"}).serves("f", QUICK)


def test_differences_are_named():
    accepted = [entry("a"), entry("b"), entry("gone")]
    found = [entry("a"), entry("b", Outcome.CONTRADICTS), entry("new")]
    assert outcomes.differences(found, accepted, all_claims=True) == [
        "b: was reproduced, is contradicted",
        "new: a new claim, reproduced",
        "gone: was reproduced, is no longer claimed",
    ]
    assert outcomes.differences(found[:1], accepted, all_claims=False) == []


def test_broken_evidence_is_named_even_where_the_verdict_stays():
    broken = entry("a", Outcome.ERROR)
    assert broken.verdict is Verdict.BROKEN
    (line,) = outcomes.differences([broken], [broken], all_claims=True)
    assert "is error: 1 [0, 2]" in line


def test_a_changed_verdict_needs_a_new_sentence():
    changed = entry("a", Outcome.CONTRADICTS)
    assert outcomes.unexplained([changed], [entry("a")]) == ["a"]
    assert outcomes.unexplained([entry("a", Outcome.CONTRADICTS, "It fails.")], [entry("a")]) == []
    assert outcomes.unexplained([entry("a")], [entry("a")]) == []


def test_how_far_a_proof_is_checked_needs_no_new_sentence():
    def proof(prose):
        pieces = [{"name": "p", "tool": "sympy identity", "ok": True, "detail": "", "concludes": ["s"] * (not prose)}]
        return dataclasses.replace(entry("a"), results=[
            Result(Kind.PROOF, "m", About.STATEMENT, Outcome.SUPPORTS, "", 0.1, pieces)
        ])  # fmt: skip

    assert [proof(prose).verdict for prose in (False, True)] == [Verdict.PROVED, Verdict.ARGUED]
    assert outcomes.unexplained([proof(True)], [proof(False)]) == []
    assert outcomes.unexplained([entry("a", Outcome.CONTRADICTS)], [proof(False)]) == ["a"]
