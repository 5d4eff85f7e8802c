"""A theorem's proof as stages: each is an inequality (or equality) between numbers taken from a run.

Stages are asserted one by one, so that slack in one cannot hide an error in another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Stage:
    """One step of a proof: ``left <= right`` (or ``==``) elementwise.

    Attributes:
        name: which step.
        left, right: arrays that broadcast.
        equal: whether the two sides must agree.
        scale: the size of the terms that cancel in an equality or a difference; it sets the allowance for rounding.
    """

    name: str
    left: np.ndarray | float
    right: np.ndarray | float
    equal: bool = False
    scale: np.ndarray | float = 0.0

    def excess(self) -> float:
        """How far it fails beyond rounding (1e-9 of the terms' size); <= 0 if it holds. NaN counts as failing."""
        left, right = np.asarray(self.left, dtype=float), np.asarray(self.right, dtype=float)
        gap = np.abs(left - right) if self.equal else left - right
        allowance = 1e-9 * (np.abs(left) + np.abs(right) + np.abs(self.scale)) + 1e-13
        worst = np.max(gap - allowance)
        return np.inf if np.isnan(worst) else float(worst)


def broken(stages: Sequence[Stage]) -> list[str]:
    """The names of the stages that fail."""
    return [stage.name for stage in stages if stage.excess() > 0]


def check(stages: Sequence[Stage]) -> None:
    """Assert every stage."""
    failing = broken(stages)
    assert not failing, f"stages that fail: {', '.join(failing)}"


def looseness(stage: Stage) -> float:
    """The smallest right / left of a stage."""
    return float(np.min(np.asarray(stage.right) / np.asarray(stage.left)))
