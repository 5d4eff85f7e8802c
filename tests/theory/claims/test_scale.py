"""The paper's printed sizes: right as they are, and other numbers are noticed."""

from dataclasses import replace

import pytest

from theory.claims.published import printed, scale
from theory.ledger.claim import Verdict, entries
from theory.ledger.evidence import QUICK


@pytest.mark.parametrize("entry", list(entries(scale.CLAIMS, QUICK)), ids=lambda entry: entry.claim.id)
def test_each_claim_is_computed(entry):
    assert entry.verdict is Verdict.COMPUTED


def test_the_memory_law_is_noticed_where_the_table_is_another(monkeypatch):
    table = [row for row in printed.rows() if row.source == "Table 6"]
    doubled = [replace(row, values={**row.values, "ALTO": row.values["ALTO"] + row.lead("LAMB")}) for row in table]
    for made in (doubled, table[1:]):
        monkeypatch.setattr(scale, "rows", lambda made=made: made)
        assert not scale._memory()[0]


def test_theorem_n_says_something_at_large_epsilons(monkeypatch):
    monkeypatch.setattr(scale, "EPS", (1.0, 1.0, 1.0))
    holds, _, found = scale._defaults()
    assert not holds
    assert found["EAdam"] < 1e6
