"""What an interval says: wholly above 0 supports, wholly below 0 contradicts, all else is open."""

import math

import pytest

from theory.ledger.evidence import Outcome
from theory.ledger.intervals import decided_by

ABOVE, AROUND, BELOW = (0.1, 0.3), (-0.1, 0.3), (-0.3, -0.1)


@pytest.mark.parametrize(("margins", "outcome"), [
    ([ABOVE], Outcome.SUPPORTS),
    ([AROUND], Outcome.INCONCLUSIVE),
    ([BELOW], Outcome.CONTRADICTS),
    ([ABOVE, AROUND], Outcome.INCONCLUSIVE),
    ([ABOVE, AROUND, BELOW], Outcome.CONTRADICTS),
    ([(0.0, 0.0)], Outcome.INCONCLUSIVE),
    ([(0.1, math.inf)], Outcome.SUPPORTS),
    ([(math.nan, math.nan)], Outcome.INCONCLUSIVE),
    ([], Outcome.INCONCLUSIVE),
], ids=["above", "around", "below", "one around", "one below", "exactly 0", "one-sided", "nan", "none"])  # fmt: skip
def test_each_interval_counts(margins, outcome):
    assert decided_by(iter(margins)) is outcome
