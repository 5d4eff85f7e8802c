"""Claims about trained networks: not-run without a stored comparison, judged by it when there is one."""

import json

import pytest

from theory.claims import experiments
from theory.evidence import QUICK
from theory.ledger import Claim, Verdict, entries


def stored(low, high):
    return {
        "quantity": "accuracy of ALTO minus LAMB", "estimate": (low + high) / 2, "low": low, "high": high,
        "at_least": 0.0, "protocol": "5 seeds", "seeds": [0, 1, 2, 3, 4],
    }  # fmt: skip


def test_every_table_is_present():
    ids = {claim.id for claim in experiments.CLAIMS}
    assert {f"table-{n}" for n in range(3, 21)} <= ids
    assert {"abstract-2.5-percent", "figure-1", "figure-3", "figure-5", "clipping-confound"} <= ids


@pytest.mark.parametrize(("interval", "verdict"), [
    ((0.1, 0.7), Verdict.REPRODUCED), ((-0.9, -0.1), Verdict.NOT_REPRODUCED), ((-0.1, 0.3), Verdict.NOT_REPRODUCED),
])  # fmt: skip
def test_a_stored_comparison_decides(tmp_path, interval, verdict):
    (tmp_path / "table-3.json").write_text(json.dumps(stored(*interval)))
    claim = Claim("table-3", "paper", "s", evidence=experiments.evidence_for("table-3", tmp_path), needs="a GPU")
    (entry,) = entries([claim], QUICK)
    assert entry.verdict is verdict
    assert "accuracy of ALTO minus LAMB" in entry.results[0].detail


def test_without_a_file_it_is_not_run(tmp_path):
    assert experiments.evidence_for("table-3", tmp_path) == ()
