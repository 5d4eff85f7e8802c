"""The claims about trained networks: a statement, the comparison that tests it, and the bound that it asserts.

They are data (`questions.toml`), and hold no results.
"""

import functools
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from experiments.analysis.benchmarks import Race
from experiments.analysis.contrast import Term
from experiments.config.parse import build
from experiments.config.schema import Tier
from experiments.io.errors import require

FILE = Path(__file__).parent / "questions.toml"


@dataclass(frozen=True)
class Rivals:
    """The smallest lead of one competitor over any of the others."""

    setting: str
    label: str


@dataclass(frozen=True)
class Question:
    """A claim and the comparison that tests it: exactly one of terms, rivals, race and tasks.

    Attributes:
        statement: The claim in one plain sentence; empty at the tier ``"paper"``, whose claims the ledger states.
        terms: A weighted sum of cells, paired by seed.
        rivals: The smallest lead over the others, its interval by Bonferroni over them.
        race: A ratio of times; then ``experiment`` is ``bench``.
        tasks: Other claims, whose estimates are the units of a mean over tasks; then ``experiment`` is ``tasks``.
        experiment: The experiment whose final runs are compared.
        quantity: What the number is, in words.
        of: The quantity of `contrast.values`.
        sign: -1 where less is better, so that a positive lead is always a good one; it multiplies every weight.
        at_least: The claim is that the number is above this; absent where only ``at_most`` is claimed.
        at_most: The claim is that it is below this.
        tier: The tier of the final runs.
    """

    experiment: str
    quantity: str
    statement: str = ""
    terms: tuple[Term, ...] = ()
    rivals: Rivals | None = None
    race: Race | None = None
    tasks: tuple[str, ...] = ()
    of: str = "test"
    sign: Literal[1, -1] = 1
    at_least: float | None = None
    at_most: float | None = None
    tier: Tier = "laptop"

    def __post_init__(self):
        kinds = {"terms": self.terms, "rivals": self.rivals, "race": self.race, "tasks": self.tasks}
        given = [name for name, value in kinds.items() if value]
        require(len(given) == 1, "terms", given, "given, or rivals, race or tasks, and only one of them")
        bounded = self.at_least is not None or self.at_most is not None
        require(bounded, "at_least", None, "given, or at_most, or both")
        where = "absent at the tier paper, whose claims the ledger states, and one sentence at the others"
        require(bool(self.statement) == (self.tier != "paper"), "statement", self.statement, where)


@dataclass(frozen=True)
class _File:
    question: dict[str, Question] = field(default_factory=dict)
    families: dict[str, tuple[str, ...]] = field(default_factory=dict)


@functools.cache
def _read(path: Path) -> _File:
    return build(_File, tomllib.loads(path.read_text(encoding="utf-8")))


def questions(path: Path = FILE) -> dict[str, Question]:
    """All questions by claim.

    Args:
        path: The data file.

    Returns:
        The questions.

    Raises:
        ConfigError: an unknown key, a wrong type, or a question without a claim.
    """
    return dict(_read(path).question)


def family(claim: str, question: Question, path: Path = FILE) -> str:
    """The group of questions within which p-values are adjusted for their number.

    Args:
        claim: The claim's name.
        question: The question.
        path: The data file.

    Returns:
        The name of the group one of whose beginnings of names fits; without one, the experiment's name.

    Raises:
        ConfigError: as in `questions`.
    """
    return next(
        (name for name, starts in _read(path).families.items() if claim.startswith(starts)), question.experiment
    )
