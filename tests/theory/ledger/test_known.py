"""How a verdict is known: the evidence that decides it, and no other."""

import pytest

from theory.ledger.claim import Entry, Repair, Statement
from theory.ledger.evidence import About, Kind, Outcome, Result
from theory.ledger.known import known_by, worded


def result(kind: Kind, outcome: Outcome = Outcome.SUPPORTS, about: About = About.STATEMENT, prose: int = 0) -> Result:
    conclusion = {"tool": "sympy identity", "ok": True, "concludes": ["x"]}
    pieces = [*([{"tool": "prose", "ok": True}] * prose), conclusion] if kind is Kind.PROOF else []
    return Result(kind, "name", about, outcome, "detail", 0.1, pieces)


REPAIR = result(Kind.PROOF, about=About.CORRECTION, prose=1)
AGAINST = result(Kind.COUNTEREXAMPLE, Outcome.CONTRADICTS)
OPEN = result(Kind.MEASUREMENT, Outcome.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ([], ""),
        ([result(Kind.PROOF, prose=2), result(Kind.PROPERTY)], "proof (2 prose pieces), property"),
        ([result(Kind.PROOF), result(Kind.PROOF)], "proof"),
        ([AGAINST, REPAIR], "proof (1 prose piece)"),
        ([AGAINST, result(Kind.PROPERTY)], "counterexample"),
        ([OPEN, result(Kind.MEASUREMENT)], "measured"),
    ],
    ids=["not run", "proved", "proved twice", "repaired", "refuted", "reproduced"],
)
def test_the_evidence_that_decides_is_named(results, words):
    claim = Statement("any", "ours", "A statement on $x$.", corrected="Another.", repairs=Repair.ASSUMPTION)
    assert known_by(Entry(claim, results)) == words


def test_a_proof_is_worded_with_its_prose_and_a_property_is_not():
    concluding = Result(Kind.PROOF, "p", About.STATEMENT, Outcome.SUPPORTS, "d", 0.1, [
        {"tool": "sympy identity", "ok": True, "concludes": ["x_1"]}, {"tool": "prose", "ok": True}])  # fmt: skip
    assert worded(Entry(Statement("any", "ours", "$x_1 > 0$"), [concluding])) == "proved (1 prose)"
    assert worded(Entry(Statement("any", "ours", "$y > 0$"), [concluding])) == "argued (1 prose)"
    assert worded(Entry(Statement("any", "ours", "$y > 0$"), [result(Kind.PROPERTY)])) == "holds-in-cases-tried"
