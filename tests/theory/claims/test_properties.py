"""The claims' property tests alone: ``pytest -m property``, with the seed and the profile of Hypothesis.

Without ``-m property`` one of them runs: test_verdicts.py runs all of them with their fixed draws.
"""

import hypothesis
import pytest

from theory import claims
from theory.ledger import outcomes
from theory.ledger.budget import SEED
from theory.ledger.effort import Effort
from theory.ledger.evidence import Kind, run

PROPERTIES = [(claim.id, one) for claim in claims.ALL for one in claim.evidence if one.kind is Kind.PROPERTY]
COMMITTED = {(entry.claim.id, result.name): result.outcome for entry in outcomes.accepted() for result in entry.results}


def pytest_generate_tests(metafunc):
    chosen = PROPERTIES if "property" in (metafunc.config.getoption("-m") or "") else PROPERTIES[:1]
    metafunc.parametrize(("name", "evidence"), chosen, ids=[f"{name}-{one.name}" for name, one in chosen])


@pytest.mark.property
def test_the_outcome_is_the_committed_one(name, evidence, request):
    token = SEED.set(request.config.getoption("--hypothesis-seed"))
    try:
        result = run(evidence, Effort("own", hypothesis.settings.default.max_examples, False))
    finally:
        SEED.reset(token)
    assert result.outcome == COMMITTED[name, evidence.name], result.detail
