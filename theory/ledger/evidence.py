"""The kinds of evidence. Each piece is a function that computes its finding; none is written by hand.

A *formal* proof is checked whole by the kernel of a proof assistant. In a *proof* each piece either is machine-checked
for all reals, or is prose. A *property* holds for the cases that were drawn, an *exact expectation* for the problems
whose noise was enumerated; a *measurement* has an interval, *published* is arithmetic on the numbers that the source
prints, a *counterexample* is run again each time. None passes for another: the kind travels with the finding.
"""

import hashlib
import inspect
import math
import re
import sysconfig
import time
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theory.ledger.budget import SEED
from theory.ledger.draws import of_their_seed
from theory.ledger.effort import QUICK, THOROUGH, Effort

if TYPE_CHECKING:  # slow to import, and not needed to read stored outcomes
    from hypothesis.strategies import SearchStrategy

    from theory.ledger.provers import Check

OURS = (str(Path(__file__).resolve().parents[1]), sysconfig.get_path("stdlib"), "<frozen importlib")
"""Where a file is none of the user's, beside installed packages."""

__all__ = [
    "QUICK", "THOROUGH", "About", "Effort", "Evidence", "Finding", "Kind", "Outcome", "Piece", "Result",
    "counterexample", "enumerated", "holds_for", "measured", "proof", "published", "run",
]  # fmt: skip


class Kind(StrEnum):
    """What sort of evidence it is."""

    FORMAL = "formal"
    PROOF = "proof"
    PROPERTY = "property"
    EXACT = "exact-expectation"
    MEASUREMENT = "measurement"
    PUBLISHED = "published"
    COUNTEREXAMPLE = "counterexample"


class Outcome(StrEnum):
    """What the evidence says about the statement that it concerns."""

    SUPPORTS = "supports"
    CONTRADICTS = "contradicts"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


class About(StrEnum):
    """Which statement the evidence concerns: the claim as made, or our correction of it."""

    STATEMENT = "statement"
    CORRECTION = "correction"


@dataclass(frozen=True)
class Finding:
    """What a piece of evidence found.

    Attributes:
        outcome: what it says.
        detail: what was seen, in words.
        pieces: the parts of a proof: name, tool, ok, detail.
        values: the numbers of the detail by name, for texts that quote one of them.
    """

    outcome: Outcome
    detail: str
    pieces: Sequence[Mapping[str, Any]] = ()
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """A named computation that bears on a claim."""

    kind: Kind
    name: str
    compute: Callable[[Effort], Finding]
    about: About = About.STATEMENT


@dataclass(frozen=True)
class Result:
    """The finding of one piece of evidence, with what it took."""

    kind: Kind
    name: str
    about: About
    outcome: Outcome
    detail: str
    seconds: float
    pieces: Sequence[Mapping[str, Any]] = field(default=())
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def prose(self) -> int:
        """How many pieces of a proof are prose."""
        return sum(piece["tool"] == "prose" for piece in self.pieces)

    def concludes(self, symbols: Collection[str]) -> bool:
        """Whether a machine-checked conclusion of the proof is about one of these variables."""
        checked = {name.replace("_", "") for p in self.pieces if p["ok"] for name in p.get("concludes", ())}
        return not checked.isdisjoint(symbols)

    def to_json(self) -> dict[str, Any]:
        """The result as plain data."""
        data = {**vars(self), "seconds": round(self.seconds, 3), "pieces": [dict(piece) for piece in self.pieces]}
        data["values"] = dict(self.values)
        return data if self.values else {name: value for name, value in data.items() if name != "values"}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Result":
        """The result that :meth:`to_json` wrote."""
        kinds = {"kind": Kind(data["kind"]), "about": About(data["about"]), "outcome": Outcome(data["outcome"])}
        return cls(**{**data, **kinds, "pieces": tuple(data["pieces"])})


def run(evidence: Evidence, effort: Effort) -> Result:
    """Compute one piece of evidence. An exception in it is the outcome ``error``: it neither supports nor refutes."""
    begin = time.perf_counter()
    try:
        finding = _examined(evidence, evidence.compute(effort))
    except (Exception, SystemExit) as error:  # whatever it is: a broken check shows as broken, beside the others
        finding = Finding(Outcome.ERROR, told(error))
    seconds = time.perf_counter() - begin
    return Result(
        evidence.kind, evidence.name, evidence.about, finding.outcome, finding.detail, seconds, finding.pieces,
        finding.values,
    )  # fmt: skip


def told(error: BaseException) -> str:
    """An exception in one line, with the frames that are in the user's files, or else the innermost one."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [one for one in frames if not (one.filename.startswith(OURS) or "site-packages" in one.filename)]
    shown = theirs or [one for one in frames[-1:] if not one.filename.startswith("<")]
    where = "; ".join(f"{Path(one.filename).name}, line {one.lineno}, in {one.name}" for one in shown)
    said = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {said[0]}" + f" ({where})" * bool(where)


def _examined(evidence: Evidence, finding: Any) -> Finding:
    """The finding, if it is one and says what its kind must say."""
    if not isinstance(finding, Finding) or not isinstance(finding.outcome, Outcome):
        raise TypeError(f"{evidence.name!r} returned {finding!r}; evidence returns a Finding with an Outcome")
    if not finding.detail.strip() or not all(math.isfinite(value) for value in finding.values.values()):
        raise ValueError(f"{evidence.name!r} returned {finding!r}; its detail is in words, its values are finite")
    data = evidence.kind in {Kind.MEASUREMENT, Kind.PUBLISHED}
    if (data and not re.search(r"\d", finding.detail)) or re.search(r"\bnan\b", finding.detail):
        raise ValueError(f"{evidence.name!r} found {finding.detail!r}; it gives the numbers that were seen")
    proved = evidence.kind in {Kind.PROOF, Kind.FORMAL} and finding.outcome is Outcome.SUPPORTS
    checked = [piece["ok"] for piece in finding.pieces if piece["tool"] != "prose"]
    if proved and not (checked and all(checked)):
        raise ValueError(f"{evidence.name!r}: a proof without a machine-checked piece, or with one that failed")
    return finding


@dataclass(frozen=True)
class Piece:
    """A part of a proof.

    Args:
        name: what it shows.
        check: its machine check; None for prose, an argument that a reader and no machine must follow.
        concludes: the check is the conclusion: the statement itself, or its step where only an induction, a sum over
            coordinates or steps, or an expectation is left as prose.
        control: a negative control: a false relation that resembles the true one. Its check must fail.
    """

    name: str
    check: "Callable[[], Check] | None" = None
    concludes: bool = False
    control: "Callable[[], Check] | None" = None


NO_CONTROL = "no negative control"
"""What a proof or a property says where no false statement was shown to fail the same check."""


def proof(name: str, *pieces: Piece, about: About = About.STATEMENT) -> Evidence:
    """A proof in pieces. It supports the statement if every machine-checked piece goes through, and there is one.

    Without a machine-checked conclusion that is about variables of the statement, the claim is argued and not proved.

    Args:
        name: what is proved.
        *pieces: its parts, in order; an induction has a base, a step and a conclusion.
        about: the claim's statement or its correction.

    Returns:
        The evidence.

    Raises:
        ValueError: all pieces are prose, or a piece of prose is marked as the conclusion or has a negative control.
    """
    if all(piece.check is None for piece in pieces):
        raise ValueError(f"the proof {name!r} has no machine-checked piece")
    for piece in pieces:
        if piece.check is None and (piece.concludes or piece.control):
            raise ValueError(f"the piece {piece.name!r} is prose: it has no check that concludes or can be controlled")

    def compute(_: Effort) -> Finding:
        from theory.ledger.provers import Check

        parts = []
        values = {}
        controls = 0
        for piece in pieces:
            check = Check(True, "prose", "argued, not machine-checked") if piece.check is None else piece.check()
            if piece.control and piece.control().ok:
                check = Check(False, check.tool, "its negative control, a false relation, goes through as well")
            controls += check.controlled or piece.control is not None
            parts.append({"name": piece.name, "tool": check.tool, "ok": check.ok, "detail": check.detail})
            if piece.concludes:
                parts[-1]["concludes"] = list(check.symbols)
            if check.value is not None:
                values[piece.name] = check.value
        failed = [f"{part['name']}: {part['detail']}" for part in parts if not part["ok"]]
        machine = sum(piece.check is not None for piece in pieces)
        if failed:
            return Finding(Outcome.INCONCLUSIVE, "not proved: " + "; ".join(failed), parts)
        refuted = f"{controls} of them with a negative control" if controls else NO_CONTROL
        detail = f"{machine} machine-checked, {len(pieces) - machine} prose; {refuted}"
        return Finding(Outcome.SUPPORTS, detail, parts, values)

    return Evidence(Kind.PROOF, name, compute, about)


def holds_for(
    name: str,
    check: Callable[..., None],
    *,
    about: About = About.STATEMENT,
    share: float = 1.0,
    control: Callable[..., None] | None = None,
    **strategies: "SearchStrategy",
) -> Evidence:
    """A property: ``check`` asserts, for keyword arguments drawn from the strategies.

    The draws are a fixed function of the check's source and of ``name``, so that a verdict does not depend on luck.
    Cases that the check leaves by ``hypothesis.assume`` are not counted.

    Args:
        name: what holds, and in which arithmetic or to which tolerance.
        check: raises AssertionError where the statement fails; that contradicts the statement. It returns None: a
            check that returns something, a truth value or a coroutine, asserts nothing, and is an error.
        about: the claim's statement or its correction.
        share: fraction of the effort's examples to draw; below 1 for slow checks.
        control: a negative control: a false check that resembles the true one. It must fail for a drawn case.
        **strategies: one hypothesis strategy for each argument of ``check``.

    Returns:
        The evidence.
    """

    def compute(effort: Effort) -> Finding:
        examples = max(10, round(share * effort.examples))
        checked, failure = _draw(name, check, examples, strategies)
        if failure is not None:
            notes = " ".join(getattr(failure, "__notes__", []))
            return Finding(Outcome.CONTRADICTS, f"fails: {failure} {notes}".strip())
        if control is None:
            return Finding(Outcome.SUPPORTS, f"{checked} cases checked, none failed; {NO_CONTROL}")
        drawn, failure = _draw(name, control, examples, strategies, shrink=False)
        if failure is None:
            return Finding(Outcome.INCONCLUSIVE, f"the negative control, a false statement, holds in {drawn} cases")
        return Finding(Outcome.SUPPORTS, f"{checked} cases checked, none failed; the negative control fails")

    return Evidence(Kind.PROPERTY, name, compute, about)


def _draw(
    name: str,
    check: Callable[..., None],
    examples: int,
    strategies: "Mapping[str, SearchStrategy]",
    *,
    shrink: bool = True,
) -> tuple[int, AssertionError | None]:
    """How many drawn cases a check passed, and the failure of the one, if any, that failed."""
    from hypothesis import HealthCheck, Phase, given, seed, settings

    checked = 0

    def counted(**arguments: Any) -> None:
        nonlocal checked
        returned = check(**arguments)
        if returned is not None:
            raise TypeError(f"the check of {name!r} returned {returned!r}; a check asserts, and returns None")
        checked += 1

    configured = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
    )
    try:
        with of_their_seed():
            configured(seed(_seed(name, check))(given(**strategies)(counted)))()
    except AssertionError as failure:
        return checked, failure
    return checked, None


def _seed(name: str, check: Callable[..., None]) -> int:
    """A number that depends on the check's source and its name alone, or on the caller's seed too."""
    try:
        source = inspect.getsource(check)
    except (OSError, TypeError):  # written at a prompt, or no plain function
        source = ""
    salt = "" if SEED.get() is None else f"{SEED.get()}\0"
    return int.from_bytes(hashlib.sha256(f"{salt}{name}\0{source}".encode()).digest()[:8], "big")


def counterexample(name: str, exhibit: Callable[[], tuple[bool, str]], *, about: About = About.STATEMENT) -> Evidence:
    """A stored case in which the statement fails. ``exhibit`` runs it: (does it fail the statement, what was seen)."""

    def compute(_: Effort) -> Finding:
        fails, detail = exhibit()
        truth = type(fails).__name__ in {"bool", "bool_"}  # Python's or NumPy's; NaN, say, or a count is no answer
        if not truth or not isinstance(detail, str) or not detail.strip():
            raise TypeError(f"the counterexample {name!r} returned ({fails!r}, {detail!r}); it returns (bool, str)")
        return Finding(Outcome.CONTRADICTS if fails else Outcome.INCONCLUSIVE, detail)

    return Evidence(Kind.COUNTEREXAMPLE, name, compute, about)


Seen = str | tuple[str, Mapping[str, float]]
"""What a check saw: in words, or in words and by name."""


def enumerated(name: str, check: Callable[[Effort], Seen], *, about: About = About.STATEMENT) -> Evidence:
    """An exact expectation: ``check`` enumerates every noise path, asserts, and returns what it saw."""
    return _asserting(Kind.EXACT, name, check, about)


def measured(name: str, measure: Callable[[Effort], Finding], *, about: About = About.STATEMENT) -> Evidence:
    """A measurement: ``measure`` returns a finding whose detail gives the value with its interval or tolerance."""
    return Evidence(Kind.MEASUREMENT, name, measure, about)


def published(name: str, compute: Callable[[Effort], Finding], *, about: About = About.STATEMENT) -> Evidence:
    """Arithmetic on numbers that the source prints: the finding says which numbers, and what follows from them."""
    return Evidence(Kind.PUBLISHED, name, compute, about)


def _asserting(kind: Kind, name: str, check: Callable[[Effort], Seen], about: About) -> Evidence:
    def compute(effort: Effort) -> Finding:
        try:
            seen = check(effort)
        except AssertionError as failure:
            return Finding(Outcome.CONTRADICTS, f"fails: {failure}")
        detail, values = (seen, {}) if isinstance(seen, str) else seen if isinstance(seen, tuple) else (None, {})
        if not isinstance(detail, str):
            raise TypeError(f"the check {name!r} returned {seen!r}; it returns what it saw: words, and numbers by name")
        return Finding(Outcome.SUPPORTS, detail, values=values)

    return Evidence(kind, name, compute, about)
