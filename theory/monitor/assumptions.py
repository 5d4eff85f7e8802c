"""The assumptions of each theorem, counted step by step, with the first step that broke each."""

from dataclasses import dataclass


@dataclass
class Check:
    """How often one assumption held.

    Attributes:
        theorem: Theorem N, Theorem C, or stability.
        assumption: what was checked, in words.
        steps: how many steps were checked.
        held: at how many it held.
        first_broken: the first step at which it did not hold, counted from 1; None if there is none.
    """

    theorem: str
    assumption: str
    steps: int = 0
    held: int = 0
    first_broken: int | None = None

    def note(self, step: int, holds: bool) -> None:
        """Count one step."""
        self.steps += 1
        self.held += holds
        if not holds and self.first_broken is None:
            self.first_broken = step

    @property
    def share(self) -> float:
        """The share of the checked steps at which it held; nan if none was checked."""
        return self.held / self.steps if self.steps else float("nan")


class Checks:
    """All checks of a run, in the order in which they were first made. Memory: a few numbers per assumption."""

    def __init__(self) -> None:
        self._checks: dict[tuple[str, str], Check] = {}

    def note(self, theorem: str, assumption: str, step: int, holds: bool) -> None:
        """Count one step."""
        check = self._checks.get((theorem, assumption))
        if check is None:
            check = self._checks[theorem, assumption] = Check(theorem, assumption)
        check.note(step, holds)

    def all(self) -> tuple[Check, ...]:
        """Every check."""
        return tuple(self._checks.values())

    def broken(self, theorem: str) -> list[Check]:
        """Those of a theorem that did not hold at every step."""
        return [check for check in self.all() if check.theorem == theorem and check.first_broken is not None]
