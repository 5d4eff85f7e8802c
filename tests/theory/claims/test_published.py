"""Arithmetic on the paper's numbers: by hand on made rows, and false where the rows are other ones."""

from dataclasses import replace

import pytest

from theory.claims.published import baselines, headline, printed
from theory.claims.published.printed import Row, average
from theory.ledger.claim import Verdict, entries
from theory.ledger.evidence import QUICK

CLAIMS = (*headline.CLAIMS, *baselines.CLAIMS)


def row(alto, lamb, other, n=100):
    return Row("T", "net, data", "s", 4096, n, "%", {"ALTO": alto, "LAMB": lamb, "SGD": other})


def test_leads_and_averages_by_hand():
    made = [row(50.0, 40.0, 45.0), row(60.0, 59.0, 20.0), row(40.0, 40.0, 50.0)]
    assert [each.lead("LAMB") for each in made] == [10.0, 1.0, 0.0]
    assert [each.lead() for each in made] == [5.0, 1.0, -10.0]
    assert [each.best_rival() for each in made] == ["SGD", "LAMB", "SGD"]
    found = average(made, "LAMB")
    assert found.points == pytest.approx(11 / 3)
    assert (found.median_points, found.percent) == (1.0, pytest.approx((25 + 100 / 59) / 3))


def test_the_sampling_error_is_the_binomial_one_and_f1_has_none():
    assert row(50.0, 90.0, 1.0).error("ALTO") == pytest.approx(5.0)
    assert row(50.0, 90.0, 1.0).lead_error("LAMB") == pytest.approx((25 + 9) ** 0.5)
    with pytest.raises(ValueError, match="no accuracy"):
        row(50.0, 40.0, 1.0, n=0).error("ALTO")


def test_a_row_that_is_not_there_once_is_refused():
    with pytest.raises(ValueError, match="one is needed"):
        printed.one("Table 99", 1)


def test_the_rows_are_the_large_batch_ones_without_the_ablation():
    some = printed.large_batch()
    assert {each.source for each in some} == {
        "Tables 3 and 10", "Table 4", "Tables 5a and 16", "Table 9", "Table 15", "Table 20",
    }  # fmt: skip
    assert all(each.batch >= 1000 and each.unit == "%" for each in some)


@pytest.mark.parametrize("entry", list(entries(CLAIMS, QUICK)), ids=lambda entry: entry.claim.id)
def test_each_claim_is_computed(entry):
    assert entry.verdict is Verdict.COMPUTED


def changed(number, of=("ALTO",)):
    """The printed rows with a number for some optimizers everywhere."""
    return tuple(
        replace(
            each, values={label: number(each, label) if label in of else value for label, value in each.values.items()}
        )
        for each in printed.rows()
    )


EQUAL = changed(lambda each, _: each.values.get("LAMB", 50.0), of=("ALTO", "ESGD", "EAdam", "LAMB (NUS)"))
FAR = changed(lambda each, label: min(99.0, each.values[label] + 6.0), of=("ALTO", "ESGD", "EAdam"))
LOW = changed(lambda *_: 10.0, of=("LAMB",))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_each_claim_fails_on_other_numbers(claim, monkeypatch):
    """With no lead at all, a large one, or a LAMB that learns nothing, the arithmetic says another thing."""
    verdicts = set()
    for made in (EQUAL, FAR, LOW):
        for module in (printed, headline, baselines):
            monkeypatch.setattr(module, "rows", lambda made=made: made)
        verdicts |= {entry.verdict for entry in entries([claim], QUICK)}
    assert Verdict.CONTRADICTED in verdicts
