"""False numbers against what judges stored comparisons, stored rates and printed numbers: none may support a claim."""

import pytest

from theory.claims.behaviour import rates
from theory.claims.networks import paper_tables
from theory.claims.published import arithmetic
from theory.ledger.evidence import QUICK, Outcome, published, run

NAN, INF = float("nan"), float("inf")

COMPARED = {
    "quantity": "lead", "estimate": 0.4, "low": 0.1, "high": 0.7, "at_least": 0.0, "at_most": None, "p_value": 0.01,
    "adjusted": 0.01, "protocol": "8 seeds", "seeds": list(range(8)),
}  # fmt: skip
COMPARISONS = {
    "an end that is no number": {"low": NAN},
    "an estimate that is no number": {"estimate": NAN},
    "an endless interval": {"high": INF},
    "ends exchanged": {"low": 0.7, "high": 0.1},
    "an estimate outside of its interval": {"estimate": 0.8},
    "no bound": {"at_least": None},
    "a bound that is no number": {"at_least": NAN},
    "a bound of minus infinity": {"at_least": -INF},
    "bounds that nothing meets": {"at_least": 0.0, "at_most": -1.0},
    "a p-value that is no number": {"p_value": NAN},
    "an adjusted p-value that is no number": {"adjusted": NAN},
    "a negative p-value": {"p_value": -0.5},
    "a truth value for a number": {"estimate": True, "low": True, "high": True},
    "a number in words": {"low": "0.1"},
    "the same seed eight times": {"seeds": [0] * 8},
    "no protocol": {"protocol": ""},
    "a p-value that does not confirm": {"p_value": 0.2},
    "the bound within the interval": {"low": -0.1},
}

ROW = {
    "id": "a", "derived": False, "verdict": "agrees", "proved": True, "bound_over_measured": 2.0, "relation": "=",
    "low": 0.49, "high": 0.51, "tolerance": 0.02,
}  # fmt: skip
STUDY = {"rows": [ROW], "seeds": [0, 1], "mode": "full", "provenance": {"commit": "0" * 12}}
STUDIES = {
    "no comparison": {"rows": []},
    "derived comparisons alone": {"rows": [{**ROW, "derived": True}]},
    "a quick run": {"mode": "quick"},
    "a verdict that no row has": {"rows": [{**ROW, "verdict": "fine"}]},
    "no verdict": {"rows": [{**ROW, "verdict": None}]},
    "a bound below what it bounds": {"rows": [{**ROW, "bound_over_measured": 0.5}]},
    "a bound that is no number": {"rows": [{**ROW, "bound_over_measured": NAN}]},
    "a proved bound that was not computed": {"rows": [{**ROW, "bound_over_measured": None}]},
    "one row differs": {"rows": [ROW, {**ROW, "id": "b", "verdict": "differs"}]},
    "one row is undecided": {"rows": [ROW, {**ROW, "verdict": "undecided"}]},
    "a derived bound is violated": {"rows": [ROW, {**ROW, "derived": True, "verdict": "bound violated"}]},
    "a row twice": {"rows": [ROW, ROW]},
    "an interval wider than the tolerance": {"rows": [ROW, {**ROW, "id": "b", "low": 0.45, "high": 0.51}]},
}

COMPUTED = {
    "it does not hold": (False, "3 rows", {}),
    "a number that is none": (NAN, "3 rows", {}),
    "a text": ("no", "3 rows", {}),
    "a list": ([False], "3 rows", {}),
    "a number of rows": (3, "3 rows", {}),
    "nothing": (None, "3 rows", {}),
    "no words": (True, "", {}),
    "no number": (True, "as printed", {}),
    "a mean that is no number": (True, "3 rows, mean nan", {}),
    "a value that is none": (True, "3 rows", {"mean": NAN}),
    "an infinite value": (True, "3 rows", {"mean": INF}),
    "no values": (True, "3 rows"),
}


def outcome(judge, given):
    try:
        return judge(given).outcome
    except (ValueError, TypeError, KeyError, ArithmeticError):
        return None


def test_the_true_ones_are_supported():
    assert paper_tables.compare(COMPARED).outcome is Outcome.SUPPORTS
    assert rates.read(STUDY).outcome is Outcome.SUPPORTS
    assert arithmetic.finding((True, "3 rows", {"mean": 1.0})).outcome is Outcome.SUPPORTS


@pytest.mark.parametrize("change", COMPARISONS.values(), ids=COMPARISONS)
def test_no_false_comparison(change):
    assert outcome(paper_tables.compare, {**COMPARED, **change}) is not Outcome.SUPPORTS


@pytest.mark.parametrize("change", STUDIES.values(), ids=STUDIES)
def test_no_false_rates(change):
    assert outcome(rates.read, {**STUDY, **change}) is not Outcome.SUPPORTS


@pytest.mark.parametrize("computed", COMPUTED.values(), ids=COMPUTED)
def test_no_false_arithmetic(computed):
    def judge(given):
        return run(published("a", lambda _: arithmetic.finding(given)), QUICK)

    assert outcome(judge, computed) is not Outcome.SUPPORTS
