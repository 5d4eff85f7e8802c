"""A whole experiment: tune every cell, then train every cell's final runs; what is finished is not run again."""

import contextlib
from collections.abc import Callable
from dataclasses import asdict, dataclass

from experiments import data, parallel, plan, store, table
from experiments.config import Experiment
from experiments.environment import Environment
from experiments.executor import Crew, Event, execute
from experiments.files import locked, sweep_temporaries, write_json
from experiments.plan import Cell, Run
from experiments.store import Row
from experiments.tuning import Choice, choose


@dataclass(frozen=True)
class Results:
    """What is known of an experiment.

    Attributes:
        experiment: The experiment.
        choices: Chosen learning rate by cell, for the cells whose tuning is finished.
        rows: Final rows by cell, in the order of the seeds; fewer than the seeds while runs are missing.
        failures: Why runs failed, by run id.
    """

    experiment: Experiment
    choices: dict[Cell, Choice]
    rows: dict[Cell, list[Row]]
    failures: dict[str, str]

    @property
    def complete(self) -> bool:
        """Every final run of every cell has its row."""
        planned = len(plan.cells(self.experiment)) * len(self.experiment.final.seeds)
        return sum(len(rows) for rows in self.rows.values()) == planned


def run(experiment: Experiment, place: Environment, crew: Crew, notify: Callable[[Event], None]) -> Results:
    """Run what is not finished yet.

    Args:
        experiment: The experiment.
        place: Where; its ``out`` is this experiment's own folder.
        crew: Who does the runs.
        notify: Is told what happens.

    Returns:
        The results.

    Raises:
        BusyError: another process runs in the same folder.
        ConfigError: an unknown name or option, before anything runs.
        DataError: the data are absent or damaged, before anything runs.
    """
    plan.check(experiment)
    team = parallel.team()
    with locked(place.out) if team.leads else contextlib.nullcontext(), crew as workers:
        if team.leads:
            sweep_temporaries(place.out)
            write_json(place.out / "experiment.json", asdict(experiment))
        examples = _examples(experiment, place)
        all_cells = plan.cells(experiment)
        tuning = [run for cell in all_cells for run in plan.tuning_runs(experiment, cell, examples[cell.setting])]
        failures = execute(tuning, place, workers, notify).failures
        choices = _choices(experiment, place, examples)
        final = [
            run
            for cell in choices
            for run in plan.final_runs(experiment, cell, choices[cell].lr, examples[cell.setting])
        ]
        failures |= execute(final, place, workers, notify).failures
        if team.leads:
            finished = (store.read(store.folder(place.out, run), run) for run in (*tuning, *final))
            table.write(place.out, experiment, (row for row in finished if row is not None))
        return _collect(experiment, place, examples, failures)


def collect(experiment: Experiment, place: Environment) -> Results:
    """Read what is finished, and run nothing.

    Args:
        experiment: The experiment.
        place: Where it was run.

    Returns:
        The results so far.
    """
    plan.check(experiment)
    return _collect(experiment, place, _examples(experiment, place), {})


def _examples(experiment: Experiment, place: Environment) -> dict[str, int]:
    """Number of training examples by setting: what ``batch_size = "full"`` stands for."""
    return {setting: data.examples(experiment.resolve(setting)[0], place.data_dir) for setting in experiment.settings}


def _choices(experiment: Experiment, place: Environment, examples: dict[str, int]) -> dict[Cell, Choice]:
    choices = {}
    for cell in plan.cells(experiment):
        rows = _rows(place, plan.tuning_runs(experiment, cell, examples[cell.setting]))
        if None not in rows:  # a cell with a missing tuning run would have had a smaller budget than the others
            choices[cell] = choose([row for row in rows if row], experiment.tuning.metric)
    return choices


def _collect(experiment: Experiment, place: Environment, examples: dict[str, int], failures: dict[str, str]) -> Results:
    choices = _choices(experiment, place, examples)
    rows = {
        cell: [
            row
            for row in _rows(place, plan.final_runs(experiment, cell, choice.lr, examples[cell.setting]))
            if row is not None
        ]
        for cell, choice in choices.items()
    }
    return Results(experiment, choices, rows, failures)


def _rows(place: Environment, runs: list[Run]) -> list[Row | None]:
    return [store.read(store.folder(place.out, run), run) for run in runs]
