"""Claims, their verdicts, and the ledger: what was claimed, what the evidence found, and what follows from it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from theory.ledger.evidence import About, Effort, Evidence, Kind, Outcome, Result, run


class Verdict(StrEnum):
    """What the evidence makes of the statement as it was made."""

    PROVED = "proved"
    REPAIRED = "proved-repaired"
    HOLDS = "holds-in-cases-tried"
    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not-reproduced"
    REFUTED = "refuted"
    NOT_RUN = "not-run"


class Repair(StrEnum):
    """What the correction changes: the assumptions (the conclusion stands), or the conclusion itself."""

    ASSUMPTION = "assumption"
    CONCLUSION = "conclusion"


@dataclass(frozen=True)
class Claim:
    """A statement with its evidence.

    Args:
        id: fixed name, the same in the ledger, the tests and the report.
        source: where the paper makes it, or "ours".
        statement: what is claimed. The paper's displayed formulas are not always available; then it is our wording.
        plain: the statement in one plain sentence, without formulas; the statement itself where it is one already.
        found: what the evidence shows, in one plain sentence, for the verdict that it has.
        assumptions: what it needs.
        evidence: what bears on it. Empty if nothing can be run yet; then ``needs`` says what is missing.
        corrected: our statement, where it differs.
        repairs: what ``corrected`` changes.
        needs: what has to exist before the claim can be tested.
    """

    id: str
    source: str
    statement: str
    plain: str = ""
    found: str = ""
    assumptions: Sequence[str] = ()
    evidence: Sequence[Evidence] = ()
    corrected: str | None = None
    repairs: Repair | None = None
    needs: str | None = None

    def __post_init__(self) -> None:
        if not self.evidence and not self.needs:
            raise ValueError(f"{self.id}: a claim without evidence must say what it needs")
        if (self.corrected is None) != (self.repairs is None):
            raise ValueError(f"{self.id}: a correction must say what it repairs")
        if self.corrected is None and any(e.about is About.CORRECTION for e in self.evidence):
            raise ValueError(f"{self.id}: evidence about a correction that is not stated")


@dataclass(frozen=True)
class Entry:
    """A claim with the results of its evidence."""

    claim: Claim
    results: Sequence[Result]

    @property
    def verdict(self) -> Verdict:
        """What follows from the results."""
        return verdict(self.claim, self.results)

    @property
    def broken(self) -> list[Result]:
        """Evidence that says nothing: it raised, or a proof or counterexample no longer goes through.

        A measurement whose interval holds the asserted value has said so; the verdict is then "not reproduced".
        """
        logical = [r for r in self.results if r.kind is not Kind.MEASUREMENT and r.outcome is Outcome.INCONCLUSIVE]
        return [r for r in self.results if r.outcome is Outcome.ERROR] + logical

    def to_json(self) -> dict[str, Any]:
        """The entry as plain data."""
        claim = self.claim
        return {
            "id": claim.id,
            "source": claim.source,
            "statement": claim.statement,
            "assumptions": list(claim.assumptions),
            "corrected": claim.corrected,
            "repairs": claim.repairs,
            "verdict": self.verdict,
            "needs": claim.needs,
            "evidence": [_result_json(result) for result in self.results],
        }


def _result_json(result: Result) -> dict[str, Any]:
    return {
        "kind": result.kind,
        "name": result.name,
        "about": result.about,
        "outcome": result.outcome,
        "detail": result.detail,
        "seconds": round(result.seconds, 3),
        "pieces": [dict(piece) for piece in result.pieces],
        **({"values": dict(result.values)} if result.values else {}),
    }


def verdict(claim: Claim, results: Sequence[Result]) -> Verdict:
    """The verdict on the statement as made. See :class:`Verdict`; nothing but the outcomes decides.

    One failing case (a counterexample, a drawn case, an enumerated expectation) outweighs any support. A measurement
    never proves and never refutes: it reproduces, or it does not.
    """
    if not results:
        return Verdict.NOT_RUN
    made = [r for r in results if r.about is About.STATEMENT]
    mended = _proved([r for r in results if r.about is About.CORRECTION])
    repaired = mended and claim.repairs is Repair.ASSUMPTION

    logical = [r for r in made if r.kind is not Kind.MEASUREMENT]
    if any(r.outcome is Outcome.CONTRADICTS for r in logical):
        return Verdict.REPAIRED if repaired else Verdict.REFUTED
    if _proved(logical):
        return Verdict.PROVED
    if repaired:
        return Verdict.REPAIRED
    measurements = [r for r in made if r.kind is Kind.MEASUREMENT]
    if any(r.outcome is Outcome.CONTRADICTS for r in measurements):
        return Verdict.NOT_REPRODUCED
    if any(r.outcome is Outcome.SUPPORTS and r.kind is not Kind.PROOF for r in logical):
        return Verdict.HOLDS
    if any(r.outcome is Outcome.SUPPORTS for r in measurements):
        return Verdict.REPRODUCED
    return Verdict.NOT_REPRODUCED


def _proved(results: Sequence[Result]) -> bool:
    """There is a proof, every proof goes through, and nothing contradicts it."""
    proofs = [r for r in results if r.kind is Kind.PROOF]
    return (
        bool(proofs)
        and all(r.outcome is Outcome.SUPPORTS for r in proofs)
        and all(r.outcome is not Outcome.CONTRADICTS for r in results)
    )


def entries(
    claims: Sequence[Claim], effort: Effort, *, starting: Callable[[Claim], None] = lambda _: None
) -> Iterator[Entry]:
    """Run the evidence of each claim in turn.

    Args:
        claims: which.
        effort: how much to spend.
        starting: called with each claim before its evidence runs, for a progress display.

    Yields:
        An entry a claim.

    Raises:
        RuntimeError: Python strips assertions (``-O``), so that no check could fail.
    """
    if not __debug__:
        raise RuntimeError("assertions are stripped (python -O): no check could fail; run without -O")
    for claim in claims:
        starting(claim)
        yield Entry(claim, [run(evidence, effort) for evidence in claim.evidence])


def surprises(ledger: Sequence[Entry], pinned: Mapping[str, str]) -> list[str]:
    """One line for each outcome that is not the pinned one, and for each piece of evidence that is broken."""
    lines = []
    for entry in ledger:
        expected = pinned.get(entry.claim.id)
        if expected is None:
            lines.append(f"{entry.claim.id}: no verdict is pinned, computed {entry.verdict}")
        elif entry.verdict != expected:
            lines.append(f"{entry.claim.id}: pinned {expected}, computed {entry.verdict}")
        lines += [f"{entry.claim.id}: {r.kind} {r.name!r} is {r.outcome}: {r.detail}" for r in entry.broken]
    return lines
