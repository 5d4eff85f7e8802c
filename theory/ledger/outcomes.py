"""Stored outcomes: what the evidence found, and for which code.

A ledger file holds outcomes; verdicts are computed from them again when it is read. For each file of claims it has the
fingerprint of the code that computed them: where that differs from today's, the outcomes are stale.
"""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from theory.ledger import provenance
from theory.ledger.claim import Entry, Verdict, settle
from theory.ledger.effort import QUICK, THOROUGH, Effort
from theory.ledger.files import write
from theory.ledger.sources import Source
from theory.ledger.stored import own, read

COMMITTED = provenance.RESULTS / "ledger.json"
LOCAL = provenance.RUNS / "theory" / "ledger.json"
FORMAT = 2  # raised when a key changes its meaning
TOOLS = ("sympy", "z3-solver", "cvc5", "hypothesis", "numpy", "scipy", "torch")


@dataclass(frozen=True)
class Part:
    """The outcomes of one file of claims.

    Args:
        source: the file.
        fingerprint: of the code and the stored results that it was computed from.
        effort: how much was spent: "quick" or "thorough".
        versions: of the tools that ran.
        entries: in the file's order.
        computed: when, in UTC.
    """

    source: Source
    fingerprint: str
    effort: str
    versions: Mapping[str, str]
    entries: Sequence[Entry]
    computed: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def serves(self, fingerprint: str, effort: Effort) -> bool:
        """Whether these are the outcomes of this code, with these tools and at least this effort."""
        enough = self.effort in (effort.name, THOROUGH.name)
        return enough and self.fingerprint == fingerprint and self.versions == versions()


def versions() -> dict[str, str]:
    """The versions of the tools that evidence is computed with."""
    return {name: version(name) for name in TOOLS}


def save(parts: Iterable[Part], path: Path) -> None:
    """Write the parts to ``path``, whole or not at all; the folder is created."""
    kept = list(parts)
    efforts = {part.effort for part in kept}
    write(path, json.dumps({
        "format": FORMAT,
        "effort": THOROUGH.name if efforts == {THOROUGH.name} else QUICK.name,
        "computed": max((part.computed for part in kept), default=None),
        "platform": platform.platform(),
        "sources": {
            part.source.name: {
                "fingerprint": part.fingerprint,
                "effort": part.effort,
                "computed": part.computed,
                "versions": dict(part.versions),
                "claims": [entry.claim.id for entry in part.entries],
            }
            for part in kept
        },
        "claims": [entry.to_json() for part in kept for entry in part.entries],
    }, indent=1, ensure_ascii=False) + "\n")  # fmt: skip


def load(path: Path) -> list[Part]:
    """The stored parts, stale or not; none if there is no file, or one of another format."""
    try:
        with own(path):
            stored = read(path)
            if stored.get("format") != FORMAT:
                return []
            entries = {item["id"]: Entry.from_json(item) for item in stored["claims"]}
            return settled([_part(name, data, entries) for name, data in stored["sources"].items()])
    except FileNotFoundError:
        return []


def settled(parts: Sequence[Part], known: Sequence[Entry] = ()) -> list[Part]:
    """The parts with the verdicts on the claims that theirs rest on; see :func:`theory.ledger.claim.settle`."""
    entries = {entry.claim.id: entry for entry in settle([e for part in parts for e in part.entries], known)}
    return [replace(part, entries=[entries[entry.claim.id] for entry in part.entries]) for part in parts]


def _part(name: str, data: Mapping[str, Any], entries: Mapping[str, Entry]) -> Part:
    own = [entries[claim] for claim in data["claims"]]
    return Part(Source(name), data["fingerprint"], data["effort"], data["versions"], own, data["computed"])


def accepted() -> list[Entry]:
    """The entries of the committed ledger, with which every run is compared."""
    return [entry for part in load(COMMITTED) for entry in part.entries]


def stale(parts: Sequence[Part], sources: Sequence[Source]) -> list[Source]:
    """The files of claims whose outcomes these parts do not have for today's code."""
    known = {part.source: part.fingerprint for part in parts}
    return [source for source in sources if known.get(source) != source.fingerprint()]


def differences(found: Sequence[Entry], accepted: Sequence[Entry], *, all_claims: bool) -> list[str]:
    """One line for each verdict that is not the accepted one, and for each piece of evidence that is broken.

    Args:
        found: what was computed now.
        accepted: the committed ledger.
        all_claims: whether ``found`` has every claim, so that one that is only in ``accepted`` is missing.

    Returns:
        The lines; none if nothing differs.
    """
    known = {entry.claim.id: entry.verdict for entry in accepted}
    lines = []
    for entry in found:
        expected = known.pop(entry.claim.id, None)
        if expected is None:
            lines.append(f"{entry.claim.id}: a new claim, {entry.verdict}")
        elif entry.verdict != expected:
            lines.append(f"{entry.claim.id}: was {expected}, is {entry.verdict}")
        lines += [f"{entry.claim.id}: {r.kind} {r.name!r} is {r.outcome}: {r.detail}" for r in entry.broken]
        if entry.fallen:
            lines.append(f"{entry.claim.id}: rests on {', '.join(entry.fallen)}, which does not stand")
    return lines + [f"{name}: was {verdict}, is no longer claimed" for name, verdict in known.items() if all_claims]


def unexplained(found: Sequence[Entry], accepted: Sequence[Entry]) -> list[str]:
    """The claims whose verdict has changed while the sentence that says what was found has not.

    How far a proof is machine-checked is no part of that sentence. No broken verdict is ever accepted, so one that
    reads so now was accepted under other rules.
    """
    checked = {Verdict.KERNEL, Verdict.PROVED, Verdict.ARGUED}
    known = {entry.claim.id: entry for entry in accepted}
    return [
        entry.claim.id
        for entry in found
        if (old := known.get(entry.claim.id))
        and old.verdict != entry.verdict
        and old.verdict is not Verdict.BROKEN
        and not {old.verdict, entry.verdict} <= checked
        and {old.verdict, entry.verdict} != {Verdict.ARGUED, Verdict.REPAIRED}
        and entry.claim.found
        and old.claim.found == entry.claim.found
    ]
