"""The commands that run, fetch, list and report experiments."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from experiments.cli import console
from experiments.config import catalog
from experiments.config.schema import Experiment, Tier
from experiments.io.errors import ConfigError, DataError


@dataclass(frozen=True)
class Which:
    """Which experiment, and where its outputs lie.

    Attributes:
        name: The experiment; `list` shows them.
        tier: Sizes to run it at.
        set: A change as key=value, for example --set training.epochs=3; may be repeated. It becomes part of the name,
            NAME+training.epochs=3: a changed experiment has its own folders.
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

    def words(self) -> str:
        """The same choice on a command line."""
        tier = [] if self.tier == "laptop" else ["--tier", self.tier]
        changes = [word for change in self.set for word in ("--set", change)]
        out = [] if self.out == Path("runs") else ["--out", str(self.out)]
        return shlex.join([self.name, *tier, *changes, *out])


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
        parallel: How the processes of torchrun share a run: ddp, or fsdp2, which shards the weights too.
        tensorboard: Log evaluations to OUT/NAME/TIER/tensorboard as well.
    """

    which: Annotated[Which, arg(name="")]
    jobs: int = 0
    threads: int = 1
    device: str = "auto"
    checkpoint_seconds: float = 5.0
    parallel: Literal["ddp", "fsdp2"] = "ddp"
    tensorboard: bool = False

    def act(self) -> int:
        """Run, with a progress bar."""
        experiment = self.which.load()
        jobs, leads = _jobs(self.jobs), os.environ.get("RANK", "0") == "0"
        with console.progress(experiment, leads) as follow:  # on screen before the slow imports
            from experiments.distributed import teams
            from experiments.io.environment import Environment
            from experiments.sweep import runner
            from experiments.sweep.pool import Workers

            place = Environment(
                self.which.folder(experiment),
                self.which.data_dir,
                self.device,
                self.threads,
                self.checkpoint_seconds,
                self.parallel,
                self.tensorboard,
            )
            results = runner.run(experiment, place, Workers(jobs), follow)
            teams.leave()
        if leads:
            console.show_outcome(results, place.out, self.which.words())
        return 0 if results.complete else 1


@dataclass(frozen=True)
class Sweep:
    """Do the same as run with jobs of a cluster (or, with local, processes that need no terminal).

    Attributes:
        which: The experiment; its output folder must be one that all machines see.
        executor: slurm or local.
        jobs: Jobs in the queue at a time.
        minutes: Time limit of a job.
        gpus: GPUs of a job.
        partition: Slurm partition.
        threads: Threads of each run.
        tensorboard: Log evaluations to OUT/NAME/TIER/tensorboard as well.
    """

    which: Annotated[Which, arg(name="")]
    executor: Literal["slurm", "local"] = "slurm"
    jobs: int = 16
    minutes: int = 240
    gpus: int = 0
    partition: str = ""
    threads: int = 1
    tensorboard: bool = False

    def act(self) -> int:
        """Submit, wait, and say what came of it."""
        experiment = self.which.load()
        with console.progress(experiment) as follow:
            from experiments.io.environment import Environment
            from experiments.sweep import runner
            from experiments.sweep.cluster import Cluster

            out, data_dir = self.which.folder(experiment).absolute(), self.which.data_dir
            place = Environment(out, data_dir, threads=self.threads, tensorboard=self.tensorboard)
            logs = place.out / "logs"
            crew = Cluster(self.executor, logs, self.jobs, self.minutes, self.gpus, self.partition)
            results = runner.run(experiment, place, crew, follow)
        console.show_outcome(results, place.out, self.which.words())
        return 0 if results.complete else 1


@dataclass(frozen=True)
class Fetch:
    """Download a data set into the data folder, checked against its published checksum.

    Attributes:
        name: The data set: cifar10, cifar100, tinyshakespeare, mrpc or imdb.
        data_dir: The data folder; the environment's ALTO_DATA_DIR otherwise.
    """

    name: Positional[str]
    data_dir: Path | None = None

    def act(self) -> int:
        """Fetch what is not there."""
        from experiments.data.fetch import fetch

        console.show_files([fetch(self.name, self.data_dir)])
        return 0


@dataclass(frozen=True)
class Report:
    """Print means with 95 % t-intervals, paired differences and time to accuracy, and write tables and figures.

    Attributes:
        which: The experiment, with the same changes that it was run with.
        results: Keep the summary in this folder too, as experiments/NAME-TIER.json, and what it shows in NAME/.
    """

    which: Annotated[Which, arg(name="")]
    results: Path | None = None

    def act(self) -> int:
        """Report on what is finished."""
        from experiments.analysis import kept
        from experiments.io.environment import Environment
        from experiments.report import outputs
        from experiments.sweep import runner

        experiment = self.which.load()
        place = Environment(self.which.folder(experiment), self.which.data_dir)
        results = runner.collect(experiment, place)
        console.show_failures(results.failures)
        if not any(results.rows.values()):
            raise DataError(f"{place.out} has no finished runs of this configuration; first: run {self.which.words()}")
        made = kept.summarise(results)
        files = outputs.write(made, place.out / "report")
        if self.results is not None:
            files += outputs.keep(made, self.results)
        console.show_report(made, files)
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
