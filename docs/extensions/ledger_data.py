"""The ledger as the site shows it: the committed outcomes, grouped, and where each claim lies in the source."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import groupby
from pathlib import Path

from docs.extensions import sources
from theory.claims import SOURCES
from theory.commands import answers
from theory.ledger import outcomes
from theory.ledger.claim import Entry, Verdict
from theory.ledger.outcomes import Part

ADVICE = "run `python -m theory verify --accept`, which computes them"

# What each verdict means, and what a reader may conclude from it.
VERDICTS = {
    Verdict.KERNEL: (
        "The kernel of a proof assistant checked the whole proof.",
        "The formal statement holds. Read that statement: it is what was proved.",
    ),
    Verdict.PROVED: (
        "Every proof of the statement goes through.",
        "It holds for all values that its assumptions allow. A piece of a proof in prose was argued, not checked by a "
        "machine: the entry says how many there are.",
    ),
    Verdict.ARGUED: (
        "The machine-checked pieces of the proof go through, but none of them is the conclusion.",
        "Read the prose: the statement is as good as its argument.",
    ),
    Verdict.REPAIRED: (
        "The statement is false or unproved as written. With other assumptions the same conclusion is proved.",
        "Rely on the corrected statement, and check that its assumptions hold for you.",
    ),
    Verdict.HOLDS: (
        "It held in every case that was drawn or enumerated. There is no proof.",
        "No error was found in these cases. Others may exist.",
    ),
    Verdict.COMPUTED: (
        "It follows by arithmetic from the numbers that the paper prints.",
        "The printed numbers agree with the statement. Nothing was run.",
    ),
    Verdict.REPRODUCED: (
        "It was measured, and the whole 95 % interval lies where the statement says.",
        "It is true of the networks, data and seeds that were run. It says nothing about others.",
    ),
    Verdict.UNDECIDED: (
        "It was measured, and the interval contains the bound that the statement asserts.",
        "Nothing, for or against. More seeds or a larger effect would decide.",
    ),
    Verdict.CONTRADICTED: (
        "It was measured, and the whole interval lies on the other side of the bound.",
        "It is false of what was run. A measurement does not refute a statement about other networks.",
    ),
    Verdict.REFUTED: (
        "One case fails the statement. It is computed again each time.",
        "The statement is false as written. A correction, if there is one, has its own evidence.",
    ),
    Verdict.UNMET: (
        "The paper assumes it, and a case fails it.",
        "Do not rely on a theorem that needs it, unless you enforce it. The correction says what we use instead.",
    ),
    Verdict.NOT_RUN: ("Nothing could be run yet.", "Nothing. The entry says what a run needs."),
    Verdict.BROKEN: (
        "Evidence raised an error, or a proof or counterexample no longer goes through, or a claim that the proof "
        "rests on has fallen.",
        "Nothing, until it is mended. A release has none.",
    ),
}

# The parts of the paper, by what a source names, in the order of the page.
_PARTS = {
    "Abstract": r"abstract",
    "Section 2: the method": r"Section 2|Remark 2|Table 1\b",
    "Section 3: convergence": r"Assumption|Theorem|Remark 3|Table 2\b",
    "Section 4: experiments": r"Section 4|Table|Figure ([345]|9|1[2-8])\b",
    "Section 5 and the other figures": r"Section 5|Figure",
    "Appendix: the lemmas": r"Appendix",
}
# The figure of the theory that shows a claim.
FIGURES = {
    "figure-1": "figure-1", "figure-8": "figure-8", "table-1-signs": "figure-2", "ours-sign-of-a": "sign-of-a",
    "ours-stability-region": "stability-map", "remark-2.2-constraint": "stability-map",
    "ours-edge-of-stability": "edge-of-stability", "ours-divergence-inside": "divergence",
    "ours-frequency-response": "frequency-response", "identity-two-ema": "impulse-response",
    "ours-variance": "stationary-variance", "ours-mean-square": "mean-square", "ours-valley-drift": "valley-drift",
    "ours-label-noise": "valley-drift", "ours-dip-crossing": "dips", "ours-double-well": "double-well",
    "ours-pep-head-start": "worst-case", "ours-acceleration": "rate-and-condition", "ours-pep-tuned": "worst-case",
    "ours-figure-1-controls": "figure-1", "ours-figure-1-heavy-ball": "figure-1", "ours-cliff": "stability-map",
    "ours-figure-8-controls": "figure-8", "ours-batch-one": "mean-square",
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A line of a file, and what to call it."""

    path: str
    line: int
    name: str


@dataclass(frozen=True)
class Listed:
    """A claim with its outcomes, and the file of claims that it is in."""

    entry: Entry
    part: Part

    @property
    def id(self) -> str:
        """The claim's name."""
        return self.entry.claim.id

    @property
    def of_paper(self) -> bool:
        """Whether the paper makes the claim."""
        return answers.of_paper(self.entry)

    @property
    def group(self) -> str:
        """The part of the paper that makes the claim; for ours, its subject."""
        if not self.of_paper:
            subject = answers.subject(self.part)
            return subject[0].upper() + subject[1:]
        source = self.entry.claim.source.removeprefix("paper, ")
        appendix = ("Appendix: the lemmas",) if source.startswith("Appendix") else ()
        found = (title for title, pattern in _PARTS.items() if re.match(pattern, source))
        return next(iter((*appendix, *found)), "Elsewhere in the paper")

    @property
    def sentence(self) -> str:
        """What is claimed, in one sentence."""
        return self.entry.claim.plain or self.entry.claim.statement


@dataclass(frozen=True)
class Ledger:
    """The claims in the page's order, and the files of claims whose code has changed since."""

    parts: list[Part]
    stale: list[str]

    @cached_property
    def claims(self) -> dict[str, Listed]:
        """By id."""
        return {entry.claim.id: Listed(entry, part) for part in self.parts for entry in part.entries}

    def groups(self, *, of_paper: bool) -> Iterator[tuple[str, list[Listed]]]:
        """The paper's claims or ours, under their headings."""
        chosen = [claim for claim in self.claims.values() if claim.of_paper is of_paper]
        order = [*_PARTS, *dict.fromkeys(claim.group for claim in chosen)]
        for title, members in groupby(sorted(chosen, key=lambda c: order.index(c.group)), lambda claim: claim.group):
            yield title, list(members)


@cache
def ledger() -> Ledger:
    """The committed outcomes."""
    parts = outcomes.load(outcomes.COMMITTED)
    stale = [source.name.removeprefix("theory.claims.") for source in outcomes.stale(parts, SOURCES)]
    return Ledger(parts, stale if len(stale) < len(SOURCES) else ["all of it"])


def counts(claims: Iterable[Listed]) -> Counter[Verdict]:
    """How many claims have each verdict."""
    return Counter(claim.entry.verdict for claim in claims)


def code(claim: Listed) -> Place:
    """Where a claim is written: its id, or the file's tuple where the id is put together."""
    path = claim.part.source.name.replace(".", "/") + ".py"
    lines = (sources.ROOT / path).read_text().splitlines()
    sought = next(text for text in (f'"{claim.id}"', "CLAIMS") if any(text in line for line in lines))
    return Place(path, next(i for i, line in enumerate(lines, 1) if sought in line), path)


def shown(claim: Listed) -> tuple[str, str] | None:
    """What shows a claim, and the page of it: a figure, a study of rates, or an experiment's report."""
    if figure := FIGURES.get(claim.id):
        return f"figure {figure}", f"generated/figures/index.html#{figure}"
    if claim.id.startswith("rates-"):
        return "measured rates", f"generated/rates.html#{claim.id}"
    evidence = sources.ROOT / "results" / "evidence" / f"{claim.id}.json"
    source = Path(json.loads(evidence.read_text())["source"]) if evidence.is_file() else Path()
    if source.parent.name == "experiments":
        name = source.stem.removesuffix("-laptop")
        return f"experiment {name}", f"generated/experiments/{name}/report.html"
    return None


def tests(claim: Listed) -> list[Place]:
    """The tests that name a claim; those that run every claim are not among them."""
    found = {}
    for path, line, function in sources.mentions("tests/theory").get(claim.id, []):
        found.setdefault((path, function), Place(path, line, f"{path}: {function}" if function else path))
    return list(found.values())
