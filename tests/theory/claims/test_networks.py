"""Claims about trained networks: not-run without a stored comparison, judged by it when there is one."""

import json

import pytest

from theory import claims
from theory.claims.networks import laptop, paper_tables
from theory.ledger.claim import Claim, Verdict, entries
from theory.ledger.evidence import QUICK, Outcome


def stored(low, high):
    return {
        "quantity": "accuracy of ALTO minus LAMB", "estimate": (low + high) / 2, "low": low, "high": high,
        "at_least": 0.0, "protocol": "5 seeds", "seeds": [0, 1, 2, 3, 4],
    }  # fmt: skip


def test_every_table_whose_content_is_known_is_present():
    ids = {claim.id for claim in paper_tables.CLAIMS}
    unknown = {11, 13, 14, 17, 19}  # their content is not available
    assert {f"table-{n}" for n in range(3, 21) if n not in unknown} | {"figure-3", "figure-5"} <= ids


@pytest.mark.parametrize(("interval", "verdict"), [
    ((0.1, 0.7), Verdict.REPRODUCED), ((-0.9, -0.1), Verdict.CONTRADICTED), ((-0.1, 0.3), Verdict.UNDECIDED),
])  # fmt: skip
def test_a_stored_comparison_decides(tmp_path, interval, verdict):
    (tmp_path / "table-3.json").write_text(json.dumps(stored(*interval)))
    claim = Claim("table-3", "paper", "s", evidence=paper_tables.evidence_for("table-3", tmp_path), needs="a GPU")
    (entry,) = entries([claim], QUICK)
    assert entry.verdict is verdict
    assert "accuracy of ALTO minus LAMB" in entry.results[0].detail


@pytest.mark.parametrize(("interval", "least", "most", "outcome"), [
    ((-0.5, 0.4), -1.0, 1.0, Outcome.SUPPORTS), ((-1.5, 0.4), -1.0, 1.0, Outcome.INCONCLUSIVE),
    ((1.1, 1.4), -1.0, 1.0, Outcome.CONTRADICTS), ((-3.0, -2.0), -1.0, 1.0, Outcome.CONTRADICTS),
    ((-9.0, 0.9), None, 1.0, Outcome.SUPPORTS), ((0.9, 1.1), None, 1.0, Outcome.INCONCLUSIVE),
    ((1.1, 1.2), None, 1.0, Outcome.CONTRADICTS), ((0.0, 0.0), 0.0, None, Outcome.INCONCLUSIVE),
])  # fmt: skip
def test_bounds_on_either_side_or_both(interval, least, most, outcome):
    found = paper_tables.compare({**stored(*interval), "at_least": least, "at_most": most})
    assert found.outcome is outcome


@pytest.mark.parametrize("change", [{"at_least": None}, {"estimate": 9.0}, {"low": 0.6}])
def test_a_comparison_that_makes_no_sense_is_refused(change):
    with pytest.raises(ValueError, match=r"asserts nothing|no interval"):
        paper_tables.compare({**stored(0.1, 0.7), **change})


def test_laptop_claims_are_ours_and_apart_from_the_papers():
    ids = {claim.id for claim in laptop.CLAIMS}
    assert not ids & {claim.id for claim in paper_tables.CLAIMS}
    assert all(claim.id.startswith("ours-") and claim.source == "ours; laptop tier" for claim in laptop.CLAIMS)


def test_an_open_comparison_is_an_answer_and_not_broken_evidence(tmp_path):
    (tmp_path / "x.json").write_text(json.dumps(stored(-0.1, 0.3)))
    (entry,) = entries([Claim("x", "ours", "s", evidence=paper_tables.evidence_for("x", tmp_path))], QUICK)
    assert entry.results[0].outcome is Outcome.INCONCLUSIVE
    assert entry.verdict is Verdict.UNDECIDED
    assert entry.broken == []


def test_without_a_file_it_is_not_run(tmp_path):
    assert paper_tables.evidence_for("table-3", tmp_path) == ()


def test_the_smaller_claims_that_a_table_names_exist():
    named = {name for row in paper_tables.ROWS.values() for name in row.smaller}
    assert named <= {claim.id for claim in claims.ALL}
    assert not named & paper_tables.ROWS.keys()
