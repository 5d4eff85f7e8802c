"""The command line: ``python -m experiments list | run | report``. All console text lives here and in `console`."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, UseAppendAction, arg

from experiments import catalog, console
from experiments.config import Experiment, Tier
from experiments.errors import BusyError, CheckpointError, ConfigError, DataError


@dataclass(frozen=True)
class Which:
    """Which experiment, and where its outputs lie.

    Attributes:
        name: The experiment; `list` shows them.
        tier: Sizes to run it at.
        set: A change as key=value, for example --set training.epochs=3; may be repeated.
        out: Folder of the outputs; the experiment writes to OUT/NAME/TIER.
        data_dir: Folder of the data sets; the environment's ALTO_DATA_DIR otherwise. The digits need none.
    """

    name: Positional[str]
    tier: Tier = "laptop"
    set: UseAppendAction[tuple[str, ...]] = ()
    out: Path = Path("runs")
    data_dir: Path | None = None

    def load(self) -> Experiment:
        """The experiment, checked."""
        return catalog.load(self.name, self.tier, self.set)

    def folder(self, experiment: Experiment) -> Path:
        """Where this experiment's outputs lie."""
        return self.out / experiment.name / experiment.tier


@dataclass(frozen=True)
class List:
    """Show the experiments there are."""

    def act(self) -> int:
        """Print them."""
        console.show_list([(name, catalog.load(name)) for name in catalog.names()])
        return 0


@dataclass(frozen=True)
class Run:
    """Tune and train whatever is not finished yet; killed, it goes on where it stopped.

    Attributes:
        which: The experiment.
        jobs: Runs at a time; 0 means one a core, and one under torchrun, whose processes share a run.
        threads: Threads of each run.
        device: auto, cpu or cuda.
        checkpoint_seconds: The most training time that a kill may cost a run.
    """

    which: Annotated[Which, arg(name="")]
    jobs: int = 0
    threads: int = 1
    device: str = "auto"
    checkpoint_seconds: float = 5.0

    def act(self) -> int:
        """Run, with a progress bar."""
        experiment = self.which.load()
        jobs, leads = _jobs(self.jobs), os.environ.get("RANK", "0") == "0"
        with console.progress(experiment, leads) as follow:  # on screen before the slow imports
            from experiments import parallel, runner
            from experiments.environment import Environment

            place = Environment(
                self.which.folder(experiment), self.which.data_dir, self.device, self.threads, self.checkpoint_seconds
            )
            try:
                results = runner.run(experiment, place, jobs, follow)
            finally:
                parallel.leave()
        if leads:
            console.show_outcome(results, place.out)
        return 0 if results.complete else 1


@dataclass(frozen=True)
class Report:
    """Print means with 95 % t-intervals and the paired difference, and draw the curves.

    Attributes:
        which: The experiment, with the same changes that it was run with.
    """

    which: Annotated[Which, arg(name="")]

    def act(self) -> int:
        """Report on what is finished."""
        from experiments import figures, report, runner
        from experiments.environment import Environment

        experiment = self.which.load()
        place = Environment(self.which.folder(experiment), self.which.data_dir)
        results = runner.collect(experiment, place)
        if not any(results.rows.values()):
            raise DataError(f"{place.out} has no finished runs of this configuration; first: run {experiment.name}")
        made = report.make(results)
        report.write(made, place.out / "report")
        files = figures.write(figures.curves(results), place.out / "report", "curves")
        files += figures.write(figures.intervals(made), place.out / "report", "intervals")
        console.show_report(made, [place.out / "report" / "report.md", *files])
        return 0


def _jobs(asked: int) -> int:
    """How many runs at a time; under torchrun, the processes share one run."""
    if asked < 0:
        raise ConfigError("--jobs", f"{asked} is not allowed; it must be 0 (one a core) or more")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        if asked > 1:
            raise ConfigError("--jobs", f"{asked} is not allowed under torchrun, whose processes share one run")
        return 1
    return asked or os.cpu_count() or 1


def main() -> int:
    """Parse the command line and act on it."""
    commands: dict[str, Callable] = {"list": List, "run": Run, "report": Report}
    command = tyro.extras.subcommand_cli_from_dict(commands, prog="python -m experiments", description=__doc__)
    try:
        return command.act()
    except (ConfigError, DataError, CheckpointError, BusyError) as error:
        console.show_error(error)
        return 2


if __name__ == "__main__":
    sys.exit(main())
