"""Verdicts follow from outcomes: every rule, and what happens when the evidence is broken."""

import json

import pytest
import sympy as sp
from hypothesis import strategies as st

from theory.ledger.claim import Claim, Entry, Repair, Verdict, entries, settle
from theory.ledger.evidence import (
    About,
    Effort,
    Evidence,
    Finding,
    Kind,
    Outcome,
    Piece,
    counterexample,
    enumerated,
    holds_for,
    measured,
    proof,
    published,
)
from theory.ledger.provers import identity

FEW = Effort("few", examples=15, thorough=False)
x, y = sp.symbols("x y")
MINE, MENDED = About.STATEMENT, About.CORRECTION


def proved(about=MINE):
    square = Piece("square", lambda: identity((x + y) ** 2, x**2 + 2 * x * y + y**2), concludes=True)
    return proof("true", square, about=about)


def argued(check=lambda: identity((x + y) ** 2, x**2 + 2 * x * y + y**2), *, concludes=False):
    return proof("some of it", Piece("square", check, concludes=concludes), Piece("hence the statement"))


def unproved(about=MINE):
    return proof("false", Piece("square", lambda: identity((x + y) ** 2, x**2 + y**2)), about=about)


def sampled(true=True):
    def check(n):
        assert n * n >= (0 if true else 1), "square too small"

    return holds_for("square", check, n=st.integers(-5, 5))


def case(fails=True):
    return counterexample("case", lambda: (fails, "seen"))


def expectation(true=True):
    def check(_):
        assert true, "off"
        return "all paths"

    return enumerated("all paths", check)


def measurement(outcome):
    return measured("measured", lambda _: Finding(outcome, "1.0 +- 0.1"))


def printed(outcome=Outcome.SUPPORTS):
    return published("printed", lambda _: Finding(outcome, "1 of 2"))


def kernel(outcome=Outcome.SUPPORTS, prose=0, about="x"):
    rocq = {"name": "p", "tool": "Rocq", "ok": True, "detail": "", "concludes": [about]}
    pieces = [rocq, *[{"name": "p", "tool": "prose", "ok": True, "detail": ""}] * prose]
    return Evidence(Kind.FORMAL, "kernel", lambda _: Finding(outcome, "axioms: none", pieces))


def claim(*evidence, repairs=None, assumed=False, name="a-claim", rests_on=()):
    corrected = "c" if repairs else None
    return Claim(
        name, "here", "$x$ and $y$", evidence=evidence, corrected=corrected, repairs=repairs, assumed=assumed,
        rests_on=rests_on,
    )  # fmt: skip


def verdict_of(a_claim):
    (entry,) = entries([a_claim], FEW)
    return entry.verdict


@pytest.mark.parametrize(("a_claim", "expected"), [
    (claim(proved()), Verdict.PROVED),
    (claim(proved(), sampled()), Verdict.PROVED),
    (claim(argued()), Verdict.ARGUED),  # the square is no conclusion
    (claim(argued(concludes=True)), Verdict.PROVED),
    (claim(argued(lambda: identity(x, x), concludes=True)), Verdict.ARGUED),  # it says nothing
    (claim(argued(lambda: identity(2 * sp.Symbol("q"), sp.Symbol("q") * 2 + 0), concludes=True)), Verdict.ARGUED),
    (claim(proved(), unproved()), Verdict.BROKEN),
    (claim(proved(), sampled(true=False)), Verdict.REFUTED),
    (claim(unproved(), sampled()), Verdict.HOLDS),
    (claim(sampled()), Verdict.HOLDS),
    (claim(expectation()), Verdict.HOLDS),
    (claim(expectation(true=False)), Verdict.REFUTED),
    (claim(case()), Verdict.REFUTED),
    (claim(case(fails=False)), Verdict.BROKEN),
    (claim(case(), proved(MENDED), repairs=Repair.ASSUMPTION), Verdict.REPAIRED),
    (claim(case(), unproved(MENDED), repairs=Repair.ASSUMPTION), Verdict.REFUTED),
    (claim(case(), proved(MENDED), repairs=Repair.CONCLUSION), Verdict.REFUTED),
    (claim(proved(MENDED), repairs=Repair.ASSUMPTION), Verdict.REPAIRED),
    (claim(measurement(Outcome.SUPPORTS)), Verdict.REPRODUCED),
    (claim(measurement(Outcome.CONTRADICTS)), Verdict.CONTRADICTED),
    (claim(measurement(Outcome.INCONCLUSIVE)), Verdict.UNDECIDED),
    (claim(measurement(Outcome.SUPPORTS), measurement(Outcome.INCONCLUSIVE)), Verdict.UNDECIDED),
    (claim(measurement(Outcome.INCONCLUSIVE), measurement(Outcome.CONTRADICTS)), Verdict.CONTRADICTED),
    (claim(measurement(Outcome.INCONCLUSIVE), sampled()), Verdict.HOLDS),
    (claim(measurement(Outcome.INCONCLUSIVE), case(fails=False)), Verdict.BROKEN),
    (claim(measurement(Outcome.SUPPORTS), case()), Verdict.REFUTED),
    (claim(kernel()), Verdict.KERNEL),
    (claim(kernel(), proved()), Verdict.KERNEL),
    (claim(kernel(prose=1)), Verdict.PROVED),
    (claim(kernel(about="q")), Verdict.ARGUED),  # a theorem about something else
    (claim(kernel(about="q"), proved()), Verdict.ARGUED),
    (claim(kernel(), unproved()), Verdict.BROKEN),
    (claim(kernel(), case()), Verdict.REFUTED),
    (claim(kernel(Outcome.INCONCLUSIVE)), Verdict.BROKEN),
    (claim(printed()), Verdict.COMPUTED),
    (claim(printed(), measurement(Outcome.SUPPORTS)), Verdict.REPRODUCED),
    (claim(printed(Outcome.CONTRADICTS)), Verdict.CONTRADICTED),
    (claim(printed(Outcome.INCONCLUSIVE)), Verdict.UNDECIDED),
    (claim(case(), assumed=True), Verdict.UNMET),
    (claim(case(), proved(MENDED), repairs=Repair.ASSUMPTION, assumed=True), Verdict.UNMET),
    (claim(proved(), assumed=True), Verdict.PROVED),
    (Claim("a-claim", "here", "s", needs="a GPU"), Verdict.NOT_RUN),
], ids=lambda value: value if isinstance(value, str) else "+".join(e.name for e in value.evidence))  # fmt: skip
def test_verdict_rules(a_claim, expected):
    assert verdict_of(a_claim) == expected


def test_a_repair_that_is_only_argued_is_argued():
    bare = proof("true", Piece("square", lambda: identity((x + y) ** 2, x**2 + 2 * x * y + y**2)), about=MENDED)
    assert verdict_of(claim(bare, repairs=Repair.ASSUMPTION)) is Verdict.ARGUED


def graph(lemma, theorem):
    """The verdicts on a lemma, on a theorem that rests on it, and on one that rests on that theorem."""
    claims = [
        claim(*theorem, name="last", rests_on=("theorem",)),
        claim(*theorem, name="theorem", rests_on=("lemma",)),
        claim(*lemma, name="lemma"),
    ]
    return [entry.verdict for entry in reversed(settle(list(entries(claims, FEW))))]


@pytest.mark.parametrize(("lemma", "theorem", "expected"), [
    ((proved(),), (proved(),), [Verdict.PROVED] * 3),
    ((kernel(),), (proved(),), [Verdict.KERNEL, Verdict.PROVED, Verdict.PROVED]),
    ((unproved(),), (proved(),), [Verdict.BROKEN] * 3),
    ((case(),), (proved(),), [Verdict.REFUTED, Verdict.BROKEN, Verdict.BROKEN]),
    ((sampled(),), (proved(), sampled()), [Verdict.HOLDS] * 3),
    ((unproved(),), (kernel(),), [Verdict.BROKEN, Verdict.KERNEL, Verdict.KERNEL]),
], ids=["stands", "kernel", "unproved", "refuted", "only sampled", "kernel-checked theorem"])  # fmt: skip
def test_a_theorem_falls_with_the_lemma_that_it_rests_on(lemma, theorem, expected):
    assert graph(lemma, theorem) == expected


def test_a_claim_that_has_not_been_run_does_not_stand_and_a_circle_is_refused():
    (alone,) = entries([claim(proved(), rests_on=("lemma",))], FEW)
    assert alone.verdict is Verdict.PROVED, "before its premises are looked at"
    (settled,) = settle([alone])
    assert (settled.verdict, settled.fallen) == (Verdict.BROKEN, ["lemma"])
    (lemma,) = entries([claim(proved(), name="lemma", rests_on=("a-claim",))], FEW)
    with pytest.raises(ValueError, match="a-claim -> lemma -> a-claim"):
        settle([alone], [lemma])


def test_evidence_that_raises_is_broken_whatever_the_rest_says():
    broken = claim(proof("broken", Piece("division", lambda: identity(1 / 0))), sampled(), case())
    (entry,) = entries([broken], FEW)
    assert entry.results[0].outcome is Outcome.ERROR
    assert "ZeroDivisionError" in entry.results[0].detail
    assert entry.verdict is Verdict.BROKEN
    assert entry.broken == [entry.results[0]]


def test_a_false_property_shows_its_smallest_case():
    (entry,) = entries([claim(sampled(true=False))], FEW)
    assert "n=0" in entry.results[0].detail


def test_an_entry_survives_json():
    mended = claim(sampled(true=False), proved(MENDED), measurement(Outcome.SUPPORTS), repairs=Repair.ASSUMPTION)
    (entry,) = entries([mended], FEW)
    again = Entry.from_json(json.loads(json.dumps(entry.to_json())))
    assert again.claim == mended.bare
    assert [(r.kind, r.about, r.outcome, r.detail) for r in again.results] == [
        (r.kind, r.about, r.outcome, r.detail) for r in entry.results
    ]
    assert again.verdict is entry.verdict is Verdict.REPAIRED


def test_a_verdict_written_by_hand_is_not_read():
    (entry,) = entries([claim(case())], FEW)
    assert Entry.from_json({**entry.to_json(), "verdict": "proved"}).verdict is Verdict.REFUTED


@pytest.mark.parametrize(("arguments", "why"), [
    ({"statement": "s"}, "must say what it needs"),
    ({"statement": "s", "needs": "x", "corrected": "c"}, "what it repairs"),
    ({"statement": "s", "evidence": (proved(MENDED),)}, "a correction that is not stated"),
], ids=["no evidence", "no repair", "no correction"])  # fmt: skip
def test_a_claim_must_be_complete(arguments, why):
    with pytest.raises(ValueError, match=why):
        Claim(id="a-claim", source="here", **arguments)


def test_a_proof_needs_a_machine():
    with pytest.raises(ValueError, match="no machine-checked piece"):
        proof("words", Piece("trust me"))
