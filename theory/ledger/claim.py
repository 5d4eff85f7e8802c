"""Claims, their verdicts, and the ledger: what was claimed, what the evidence found, and what follows from it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from theory.ledger.evidence import About, Effort, Evidence, Kind, Outcome, Result, run


class Verdict(StrEnum):
    """What the evidence makes of the statement as it was made.

    Attributes:
        PROVED: for all reals.
        REPAIRED: false or unproved as written; proved with other assumptions, the conclusion unchanged.
        HOLDS: in all cases that were drawn or enumerated; no proof.
        REPRODUCED: measured, and the whole interval is where the statement says.
        UNDECIDED: measured, and the interval holds the asserted bound.
        CONTRADICTED: measured, and the whole interval is on the other side of the bound.
        REFUTED: a case fails the statement.
        NOT_RUN: nothing could be run yet.
        BROKEN: evidence raised an error, or a proof or counterexample no longer goes through.
    """

    PROVED = "proved"
    REPAIRED = "proved-repaired"
    HOLDS = "holds-in-cases-tried"
    REPRODUCED = "reproduced"
    UNDECIDED = "undecided"
    CONTRADICTED = "contradicted"
    REFUTED = "refuted"
    NOT_RUN = "not-run"
    BROKEN = "broken"


class Repair(StrEnum):
    """What the correction changes: the assumptions (the conclusion stands), or the conclusion itself."""

    ASSUMPTION = "assumption"
    CONCLUSION = "conclusion"


@dataclass(frozen=True)
class Statement:
    """What is claimed, without its evidence.

    Args:
        id: fixed name, the same in the ledger, the tests and the report.
        source: where the paper makes it, or "ours".
        statement: what is claimed. The paper's displayed formulas are not always available; then it is our wording.
        plain: the statement in one plain sentence, without formulas; the statement itself where it is one already.
        found: what the evidence shows, in one plain sentence, for the verdict that it has.
        assumptions: what it needs.
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
    corrected: str | None = None
    repairs: Repair | None = None
    needs: str | None = None


@dataclass(frozen=True)
class Claim(Statement):
    """A statement with its evidence.

    Args:
        evidence: what bears on it. Empty if nothing can be run yet; then ``needs`` says what is missing.
    """

    evidence: Sequence[Evidence] = ()

    def __post_init__(self) -> None:
        if not self.evidence and not self.needs:
            raise ValueError(f"{self.id}: a claim without evidence must say what it needs")
        if (self.corrected is None) != (self.repairs is None):
            raise ValueError(f"{self.id}: a correction must say what it repairs")
        if self.corrected is None and any(e.about is About.CORRECTION for e in self.evidence):
            raise ValueError(f"{self.id}: evidence about a correction that is not stated")

    @property
    def bare(self) -> Statement:
        """The statement alone, which can be stored and sent to another process."""
        return Statement(**{field.name: getattr(self, field.name) for field in fields(Statement)})


@dataclass(frozen=True)
class Entry:
    """A statement with the results of its evidence."""

    claim: Statement
    results: Sequence[Result]

    @property
    def verdict(self) -> Verdict:
        """What follows from the results."""
        return verdict(self.claim, self.results)

    @property
    def broken(self) -> list[Result]:
        """Evidence that says nothing: it raised, or a proof or counterexample no longer goes through.

        A measurement whose interval holds the asserted value has said so; the verdict is then "undecided".
        """
        logical = [r for r in self.results if r.kind is not Kind.MEASUREMENT and r.outcome is Outcome.INCONCLUSIVE]
        return [r for r in self.results if r.outcome is Outcome.ERROR] + logical

    def to_json(self) -> dict[str, Any]:
        """The entry as plain data."""
        return {
            "id": self.claim.id,
            "verdict": self.verdict,
            **{field.name: getattr(self.claim, field.name) for field in fields(Statement)},
            "assumptions": list(self.claim.assumptions),
            "evidence": [result.to_json() for result in self.results],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Entry":
        """The entry that :meth:`to_json` wrote. Its verdict is computed again, not read."""
        own = {field.name: data[field.name] for field in fields(Statement)}
        own["assumptions"] = tuple(own["assumptions"])
        own["repairs"] = None if own["repairs"] is None else Repair(own["repairs"])
        return cls(Statement(**own), [Result.from_json(item) for item in data["evidence"]])


def verdict(claim: Statement, results: Sequence[Result]) -> Verdict:
    """The verdict on the statement as made. See :class:`Verdict`; nothing but the outcomes decides.

    One failing case (a counterexample, a drawn case, an enumerated expectation) outweighs any support. A measurement
    never proves and never refutes: it reproduces, or it does not.
    """
    if not results:
        return Verdict.NOT_RUN
    if any(r.outcome is Outcome.ERROR for r in results):
        return Verdict.BROKEN
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
        return Verdict.CONTRADICTED
    if any(r.outcome is Outcome.SUPPORTS and r.kind is not Kind.PROOF for r in logical):
        return Verdict.HOLDS
    if any(r.outcome is Outcome.SUPPORTS for r in measurements):
        return Verdict.REPRODUCED
    lost = any(r.outcome is Outcome.INCONCLUSIVE for r in logical)  # a proof or counterexample that no longer works
    return Verdict.BROKEN if lost or not measurements else Verdict.UNDECIDED


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
