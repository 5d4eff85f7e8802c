"""What is known of an experiment: the learning rates that were chosen, and the finished runs."""

from dataclasses import dataclass

from experiments.config.schema import Experiment
from experiments.runs import plan
from experiments.runs.plan import Cell
from experiments.runs.rows import Row
from experiments.runs.tuning import Choice


@dataclass(frozen=True)
class Results:
    """What is known of an experiment.

    Attributes:
        experiment: The experiment.
        choices: Chosen learning rate by cell, for the cells whose tuning is finished.
        rows: Final rows by cell, in the order of the seeds; fewer than the seeds while runs are missing.
        failures: Why runs failed, by run id.
        tuning: The finished tuning rows.
    """

    experiment: Experiment
    choices: dict[Cell, Choice]
    rows: dict[Cell, list[Row]]
    failures: dict[str, str]
    tuning: tuple[Row, ...] = ()

    @property
    def planned(self) -> int:
        """Number of final runs."""
        return len(plan.cells(self.experiment)) * len(self.experiment.final.seeds)

    @property
    def complete(self) -> bool:
        """Every final run of every cell has its row."""
        return sum(len(rows) for rows in self.rows.values()) == self.planned
