"""Claims, their verdicts, and the ledger: what was claimed, what the evidence found, and what follows from it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from theory.ledger.evidence import About, Effort, Evidence, Kind, Outcome, Result, run


class Verdict(StrEnum):
    """What the evidence makes of the statement as it was made.

    Attributes:
        KERNEL: proved, and the kernel of a proof assistant checked the whole proof, of a theorem that has variables of
            the statement.
        PROVED: for all reals; a piece of the proof in prose was argued, not machine-checked.
        ARGUED: as PROVED, but no machine-checked piece is the conclusion.
        REPAIRED: false or unproved as written; proved with other assumptions, the conclusion unchanged.
        HOLDS: in all cases that were drawn or enumerated; no proof.
        COMPUTED: from numbers that the source prints, by arithmetic; nothing was run.
        REPRODUCED: measured, and the whole interval is where the statement says.
        UNDECIDED: measured, and the interval holds the asserted bound.
        CONTRADICTED: measured, and the whole interval is on the other side of the bound.
        REFUTED: a case fails the statement.
        UNMET: a case fails what the source assumes: the assumption does not hold.
        NOT_RUN: nothing could be run yet.
        BROKEN: evidence raised an error, or a proof or counterexample no longer goes through, or a claim that the
            proof rests on has fallen.
    """

    KERNEL = "proved-kernel"
    PROVED = "proved"
    ARGUED = "argued"
    REPAIRED = "proved-repaired"
    HOLDS = "holds-in-cases-tried"
    COMPUTED = "computed"
    REPRODUCED = "reproduced"
    UNDECIDED = "undecided"
    CONTRADICTED = "contradicted"
    REFUTED = "refuted"
    UNMET = "assumption-does-not-hold"
    NOT_RUN = "not-run"
    BROKEN = "broken"


STANDING = {Verdict.KERNEL, Verdict.PROVED, Verdict.REPAIRED, Verdict.ARGUED}
"""The verdicts on a claim that a proof may rest on. One that rests on an argued claim is itself argued."""


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
        assumed: the source assumes it and does not claim it.
        rests_on: the ids of the claims that its proof uses.
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
    assumed: bool = False
    rests_on: Sequence[str] = ()

    @property
    def symbols(self) -> set[str]:
        r"""The variables of its formulas, the correction's and the assumptions' too: ``\beta_1`` is beta1 and beta."""
        texts = [self.statement, self.corrected or "", *self.assumptions]
        formulas = [part for text in texts for part in text.split("$")[1::2]] or texts
        words = {w for text in formulas for w in re.findall(r"[A-Za-z][A-Za-z0-9_]*", re.sub(r"[\\{}]", "", text))}
        return {w.replace("_", "") for w in words} | {w.partition("_")[0] for w in words}


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
    """A statement with the results of its evidence.

    Args:
        claim: the statement.
        results: of its evidence.
        premises: the verdicts on the claims that it rests on; None before :func:`settle`, and then they do not count.
    """

    claim: Statement
    results: Sequence[Result]
    premises: Mapping[str, Verdict] | None = None

    @property
    def verdict(self) -> Verdict:
        """What follows from the results, and from the verdicts on the claims that it rests on."""
        return verdict(self.claim, self.results, self.premises or {})

    @property
    def fallen(self) -> list[str]:
        """The claims that it rests on and that do not stand: its own proof then proves nothing."""
        return [name for name, found in (self.premises or {}).items() if found not in STANDING]

    @property
    def broken(self) -> list[Result]:
        """Evidence that says nothing: it raised, or a proof or counterexample no longer goes through.

        A measurement whose interval holds the asserted value has said so; the verdict is then "undecided".
        """
        logical = [r for r in self.results if r.kind not in DATA and r.outcome is Outcome.INCONCLUSIVE]
        return [r for r in self.results if r.outcome is Outcome.ERROR] + logical

    def to_json(self) -> dict[str, Any]:
        """The entry as plain data."""
        return {
            "id": self.claim.id,
            "verdict": self.verdict,
            **{field.name: getattr(self.claim, field.name) for field in fields(Statement)},
            "assumptions": list(self.claim.assumptions),
            "rests_on": list(self.claim.rests_on),
            "evidence": [result.to_json() for result in self.results],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Entry":
        """The entry that :meth:`to_json` wrote. Its verdict is computed again, not read."""
        own = {field.name: data[field.name] for field in fields(Statement) if field.name in data}
        own |= {name: tuple(own.get(name, ())) for name in ("assumptions", "rests_on")}
        own["repairs"] = None if own["repairs"] is None else Repair(own["repairs"])
        return cls(Statement(**own), [Result.from_json(item) for item in data["evidence"]])


DATA = {Kind.MEASUREMENT, Kind.PUBLISHED}
"""Evidence from data: it never proves and never refutes."""


def verdict(claim: Statement, results: Sequence[Result], premises: Mapping[str, Verdict]) -> Verdict:
    """The verdict on the statement as made. See :class:`Verdict`; nothing but the outcomes decides.

    One failing case (a counterexample, a drawn case, an enumerated expectation) outweighs any support. A measurement
    never proves and never refutes: it reproduces, or it does not. Where one of several leaves the claim open, the claim
    is undecided. A proof counts while the claims that it rests on
    stand; a kernel-checked one contains all that it uses.
    """
    if not results:
        return Verdict.NOT_RUN
    if any(r.outcome is Outcome.ERROR for r in results):
        return Verdict.BROKEN
    made = [r for r in results if r.about is About.STATEMENT]
    mended = _proved(claim, [r for r in results if r.about is About.CORRECTION], premises)
    repaired = mended not in {None, Verdict.ARGUED} and claim.repairs is Repair.ASSUMPTION

    logical = [r for r in made if r.kind not in DATA]
    if any(r.outcome is Outcome.CONTRADICTS for r in logical):
        return Verdict.UNMET if claim.assumed else Verdict.REPAIRED if repaired else Verdict.REFUTED
    if proved := _proved(claim, logical, premises):
        return proved
    if repaired:
        return Verdict.REPAIRED
    if mended is Verdict.ARGUED and claim.repairs is Repair.ASSUMPTION:
        return Verdict.ARGUED
    data = [r for r in made if r.kind in DATA]
    if any(r.outcome is Outcome.CONTRADICTS for r in data):
        return Verdict.CONTRADICTED
    if any(r.outcome is Outcome.SUPPORTS and r.kind not in {Kind.PROOF, Kind.FORMAL} for r in logical):
        return Verdict.HOLDS
    if data and all(r.outcome is Outcome.SUPPORTS for r in data):
        return Verdict.REPRODUCED if any(r.kind is Kind.MEASUREMENT for r in data) else Verdict.COMPUTED
    lost = any(r.kind not in DATA for r in made)  # a proof or counterexample that no longer works
    return Verdict.BROKEN if lost or not data else Verdict.UNDECIDED


def _proved(claim: Statement, results: Sequence[Result], premises: Mapping[str, Verdict]) -> Verdict | None:
    """How far it is proved: there is a proof, every proof goes through, and nothing contradicts it."""
    proofs = [r for r in results if r.kind in {Kind.PROOF, Kind.FORMAL}]
    failed = any(r.outcome is not Outcome.SUPPORTS for r in proofs)
    if not proofs or failed or any(r.outcome is Outcome.CONTRADICTS for r in results):
        return None
    if any(r.kind is Kind.FORMAL and not r.prose and r.concludes(claim.symbols) for r in proofs):
        return Verdict.KERNEL
    if not set(premises.values()) <= STANDING:
        return None
    concluded = all(r.concludes(claim.symbols) for r in proofs)
    return Verdict.PROVED if concluded and Verdict.ARGUED not in premises.values() else Verdict.ARGUED


def settle(found: Sequence[Entry], known: Sequence[Entry] = ()) -> list[Entry]:
    """The entries with the verdicts on the claims that they rest on. One falls with any of these.

    Args:
        found: the entries.
        known: entries of other claims, for those that ``found`` rests on and does not hold. What is in neither has
            not been run, and does not stand.

    Returns:
        The entries, in their order.

    Raises:
        ValueError: claims rest on each other in a circle.
    """
    waiting = {entry.claim.id: entry for entry in [*known, *found]}
    done: dict[str, Entry] = {}

    def settled(name: str, path: tuple[str, ...]) -> Entry:
        if name in path:
            raise ValueError(f"claims rest on each other in a circle: {' -> '.join([*path, name])}")
        if name not in done:
            entry = waiting[name]
            premises = {
                premise: settled(premise, (*path, name)).verdict if premise in waiting else Verdict.NOT_RUN
                for premise in entry.claim.rests_on
            }
            done[name] = replace(entry, premises=premises) if premises else entry
        return done[name]

    return [settled(entry.claim.id, ()) for entry in found]


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
