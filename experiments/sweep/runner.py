"""A whole experiment: tune every cell, then train every cell's final runs; what is finished is not run again."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from experiments.config.schema import Experiment
from experiments.distributed import teams
from experiments.io.cores import cores
from experiments.io.environment import Environment
from experiments.io.errors import DataError
from experiments.io.files import sweep_temporaries, write_json
from experiments.runs import parquet_file, plan, row_file, rows
from experiments.runs.plan import Cell, Run
from experiments.runs.results import Results
from experiments.runs.rows import Row
from experiments.runs.tuning import Choice, choose
from experiments.sweep import data_sources
from experiments.sweep.data_sources import Sources
from experiments.sweep.pool import Crew, Event, Workers, execute
from experiments.training import admission


def run(
    experiment: Experiment,
    place: Environment | None = None,
    crew: Crew | None = None,
    notify: Callable[[Event], None] = lambda _: None,
) -> Results:
    """Run what is not finished yet.

    Args:
        experiment: The experiment.
        place: Where; its ``out`` is this experiment's own folder. Default: ``runs/NAME/TIER``.
        crew: Where the runs are done. Default: one process per core that this one may use.
        notify: Called with each event.

    Returns:
        The results.

    Raises:
        BusyError: another process runs in the same folder.
        ConfigError: an unknown name or option, a refused value, or a network that cannot take the data, before
            anything runs.
        DataError: the data are absent or damaged, before anything runs.
        TeamError: one of the processes that share a run failed.
    """
    admission.check(experiment)
    place = place or _usual_place(experiment)
    crew = crew or Workers(cores())
    team = teams.team(place.resolve_device())
    known = team.agree(lambda: data_sources.look(experiment, place))
    with team.holding(place.out), crew as workers:
        if team.leads:
            sweep_temporaries(place.out)
            write_json(place.out / "experiment.json", asdict(experiment))
            data_sources.write(known, place)
        reader = _Reader(experiment, place, known)
        failures = execute(reader.tuning(), place, workers, notify).failures
        failures |= execute(reader.final(), place, workers, notify).failures
        if team.leads:
            parquet_file.write(place.out, experiment, reader.finished())
        return reader.results(failures)


def collect(experiment: Experiment, place: Environment | None = None) -> Results:
    """Read what is finished, and run nothing; the data need not be there.

    Args:
        experiment: The experiment.
        place: Where it was run. Default: ``runs/NAME/TIER``.

    Returns:
        The results so far; a row that is damaged or of other data than the rest is among the failures.
    """
    admission.check(experiment)
    place = place or _usual_place(experiment)
    return _Reader(experiment, place, data_sources.recall(experiment, place)).results({})


def exchange(experiment: Experiment, file: Path, place: Environment | None = None) -> tuple[int, int]:
    """Carry finished rows between a file and the experiment's output folder, each side getting what it lacks.

    Rows of the file that are of another configuration or of other data are refused, as `run` refuses them.

    Args:
        experiment: The experiment.
        file: The file.
        place: Where it is run. Default: ``runs/NAME/TIER``.

    Returns:
        How many rows the file gained, and how many the folder.

    Raises:
        BusyError: another process runs in the same folder.
        DataError: a line of the file is no whole row.
    """
    admission.check(experiment)
    place = place or _usual_place(experiment)
    with teams.Team().holding(place.out):
        known = data_sources.recall(experiment, place)
        return row_file.exchange(file, place.out, _Reader(experiment, place, known).finished())


def _usual_place(experiment: Experiment) -> Environment:
    return Environment(Path("runs") / experiment.name / experiment.tier)


@dataclass(frozen=True)
class _Reader:
    """The runs of an experiment on known data, and what is on disk of them."""

    experiment: Experiment
    place: Environment
    known: Sources
    refused: dict[str, str] = field(default_factory=dict)  # why a row does not count, by run id

    def tuning(self) -> list[Run]:
        return [run for cell in plan.cells(self.experiment) for run in self._tuning(cell)]

    def final(self) -> list[Run]:
        """Seed by seed, so that what is finished at any time is a comparison of all competitors on the same seeds."""
        by_cell = [self._final(cell, choice) for cell, choice in self._choices().items()]
        return [run for same_seed in zip(*by_cell, strict=True) for run in same_seed]

    def finished(self) -> list[Row]:
        return [row for row in self._rows([*self.tuning(), *self.final()]) if row is not None]

    def results(self, failures: dict[str, str]) -> Results:
        choices = self._choices()
        rows = {
            cell: [row for row in self._rows(self._final(cell, choice)) if row is not None]
            for cell, choice in choices.items()
        }
        tuning = tuple(row for row in self._rows(self.tuning()) if row is not None)
        return Results(self.experiment, choices, rows, self.refused | failures, tuning)

    def _tuning(self, cell: Cell) -> list[Run]:
        return plan.tuning_runs(self.experiment, cell, self.known[cell.setting].examples)

    def _final(self, cell: Cell, choice: Choice) -> list[Run]:
        return plan.final_runs(self.experiment, cell, choice.lr, self.known[cell.setting].examples, choice.options)

    def _choices(self) -> dict[Cell, Choice]:
        choices = {}
        for cell in plan.cells(self.experiment):
            rows = self._rows(self._tuning(cell))
            tried = plan.trials(self.experiment, cell)
            if len(tried) == 1:
                choices[cell] = Choice(tried[0][1], at_edge=False, scores={}, options=tried[0][0])
            elif None not in rows:  # with a tuning run missing, this cell would have a smaller budget than the others
                choices[cell] = choose(
                    [row for row in rows if row],
                    self.experiment.tuning.metric,
                    self.experiment.optimizers[cell.label].tuned,
                )
        return choices

    def _rows(self, runs: list[Run]) -> list[Row | None]:
        return [self._row(run) for run in runs]

    def _row(self, run: Run) -> Row | None:
        try:
            return rows.read(rows.folder(self.place.out, run), run, self.known[run.setting].fingerprint)
        except DataError as error:
            self.refused[run.id] = str(error)
            return None
