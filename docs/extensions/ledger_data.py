"""The ledger as the site shows it: the stored outcomes of exactly this source, and where each claim lies in it."""

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from docs.extensions import sources
from theory import claims
from theory.ledger import outcomes

ADVICE = "run `python -m theory ledger`, which computes them"

# In the order of the page. What each verdict means, in a reader's words.
VERDICTS = {
    "proved": "proved as stated",
    "proved-repaired": "proved after a repair of its assumptions",
    "holds-in-cases-tried": "held in every case that was drawn; no proof",
    "reproduced": "measured, and it came out",
    "not-reproduced": "measured, and it did not come out",
    "refuted": "false as stated; a counterexample is run again each time",
    "not-run": "not run here; the entry says what it needs",
}
_EVERY_CLAIM = ("tests/theory/ledger/test_claim.py", "test_verdict_is_the_pinned_one")


@dataclass(frozen=True)
class Place:
    """A line of a file, and what to call it."""

    path: str
    line: int
    name: str


@dataclass(frozen=True)
class Ledger:
    """The claims as plain data, and what they were computed by; ``fresh`` if by this very source."""

    claims: list[dict[str, Any]]
    about: dict[str, Any]
    fresh: bool

    @property
    def counts(self) -> Counter[str]:
        """How many claims have each verdict."""
        return Counter(claim["verdict"] for claim in self.claims)


@cache
def ledger() -> Ledger:
    """The outcomes of this source if any are stored, else the committed ones, marked as stale."""
    for path in (outcomes.LOCAL, outcomes.COMMITTED):
        entries = outcomes.load(path, claims.ALL)
        if entries is not None:
            return Ledger([entry.to_json() for entry in entries], _about(path), fresh=True)
    stored = json.loads(outcomes.COMMITTED.read_text())
    return Ledger(stored["claims"], _about(outcomes.COMMITTED), fresh=False)


def _about(path: Path) -> dict[str, Any]:
    stored = json.loads(path.read_text())
    return {key: stored[key] for key in ("effort", "computed", "platform", "versions")}


def code(claim: str) -> Place | None:
    """Where a claim and its evidence are written."""
    for path, line, _ in sources.mentions("theory/claims").get(claim, []):
        return Place(path, line, path)
    for group in (*claims.METHOD, *claims.LEMMAS, *claims.THEOREMS, *claims.BEHAVIOUR):
        if any(one.id == claim for one in group.CLAIMS):  # its id is put together there
            path = f"{group.__name__.replace('.', '/')}.py"
            lines = (sources.ROOT / path).read_text().splitlines()
            line = next(i for i, text in enumerate(lines, 1) if "CLAIMS" in text)
            return Place(path, line, path)
    return None


def tests(claim: str) -> list[Place]:
    """The tests that hold a claim: the one that pins every verdict, and those that name this one."""
    path, name = _EVERY_CLAIM
    lines = (sources.ROOT / path).read_text().splitlines()
    line = next(i for i, text in enumerate(lines, 1) if re.match(rf"def {name}\b", text))
    found = [Place(path, line, f"{path}: {name}")]
    seen = set()
    for where, number, function in sources.mentions("tests/theory").get(claim, []):
        if (where, function) not in seen:
            seen.add((where, function))
            found.append(Place(where, number, f"{where}: {function}" if function else where))
    return found
