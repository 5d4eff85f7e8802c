"""The commands that train: all of an experiment, here or on a cluster, or some of its final runs again."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from experiments.cli import console
from experiments.cli.which import Which
from experiments.config.schema import Tier
from experiments.io.cores import MOST, cores
from experiments.io.errors import require
from experiments.io.files import inside


@dataclass(frozen=True)
class Run:
    """Tune and train whatever is not finished yet. After a kill or Ctrl-C the same command goes on.

    Attributes:
        which: The experiment.
        jobs: Runs at a time; 0 means one per core, and one under torchrun, whose processes share a run.
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

    def writes(self) -> list[Path]:
        """Its files."""
        return _files(self.which)

    def act(self) -> int:
        """Run, with a progress bar."""
        experiment = self.which.load()
        jobs, leads = _jobs(self.jobs), os.environ.get("RANK", "0") == "0"
        with console.progress(experiment.name, experiment.runs, leads) as follow:  # on screen before the slow imports
            from experiments.distributed import teams
            from experiments.io.environment import Environment
            from experiments.sweep import runner
            from experiments.sweep.pool import Workers
            from experiments.training import admission

            admission.check(experiment)
            self.which.claim(self.which.folder(experiment))
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
            console.show_outcome(results, follow.trained, place, self.which.words())
        return 0 if results.complete else 1

    def kept(self) -> str:
        """What an interruption leaves."""
        return _kept(self.which)


@dataclass(frozen=True)
class Rows:
    """Carry finished rows to another checkout or machine and back, through a file that gets what it lacks and gives it.

    Attributes:
        which: The experiment.
        file: One row per line; default: results/rows/NAME-TIER.jsonl.
    """

    which: Annotated[Which, arg(name="")]
    file: Path | None = None

    def writes(self) -> list[Path]:
        """The file, and those of the folder."""
        return [self._file(), *_files(self.which)]

    def act(self) -> int:
        """Exchange, and say how many went each way."""
        from experiments.io.environment import Environment
        from experiments.sweep import runner

        experiment, file = self.which.load(), self._file()
        place = Environment(self.which.folder(experiment), self.which.data_dir)
        self.which.claim(place.out)
        gained, given = runner.exchange(experiment, file, place)
        console.show_exchange(file, gained, place.out, given)
        return 0

    def _file(self) -> Path:
        experiment = self.which.load()
        return self.file or Path("results/rows") / f"{experiment.name}-{experiment.tier}.jsonl"


@dataclass(frozen=True)
class Sweep:
    """Do the same as run with jobs of a cluster, or with local jobs that need no terminal.

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

    def writes(self) -> list[Path]:
        """Its files."""
        return _files(self.which)

    def act(self) -> int:
        """Submit, wait, and print what became of the jobs."""
        experiment = self.which.load()
        with console.progress(experiment.name, experiment.runs) as follow:
            from experiments.io.environment import Environment
            from experiments.sweep import runner
            from experiments.sweep.cluster import Cluster
            from experiments.training import admission

            admission.check(experiment)
            out, data_dir = self.which.folder(experiment).absolute(), self.which.data_dir
            place = Environment(out, data_dir, threads=self.threads, tensorboard=self.tensorboard)
            logs = place.out / "logs"
            crew = Cluster(self.executor, logs, self.jobs, self.minutes, self.gpus, self.partition, self.threads)
            self.which.claim(place.out)  # what is refused leaves nothing behind
            results = runner.run(experiment, place, crew, follow)
        console.show_outcome(results, follow.trained, place, self.which.words())
        return 0 if results.complete else 1

    def kept(self) -> str:
        """What an interruption leaves."""
        return f"{_kept(self.which)}; submitted jobs go on"


@dataclass(frozen=True)
class Repeat:
    """Train some final runs of a kept experiment again, at the learning rates that it chose, and compare them.

    Nothing is tuned: the rates are read from RESULTS/experiments/NAME-TIER.json. Rows are shared with `run NAME`.

    Attributes:
        name: The experiment.
        optimizers: Which of its optimizers; the baseline must be among them.
        seeds: How many of its final seeds.
        tier: Its tier.
        results: Folder of the kept summaries.
        out: Folder of the outputs, as in `run`.
        data_dir: Folder of the data sets; the environment's ALTO_DATA_DIR otherwise. The digits need none.
        jobs: Runs at a time; 0 means one per core.
        device: cpu, where the kept runs of a laptop were; or auto, or cuda.
    """

    name: Positional[str]
    optimizers: tuple[str, ...] = ("ALTO", "LAMB", "AdamW")
    seeds: int = 5
    tier: Tier = "laptop"
    results: Path = Path("results")
    out: Path = Path("runs")
    data_dir: Path | None = None
    jobs: int = 0
    device: str = "cpu"

    def writes(self) -> list[Path]:
        """Its files."""
        return [self._folder() / name for name in FILES]

    def act(self) -> int:
        """Train, compare and draw."""
        with console.progress(self.name) as follow:
            from experiments.analysis import kept
            from experiments.io.environment import Environment
            from experiments.report import outputs
            from experiments.report.figures import draw
            from experiments.sweep import repeat
            from experiments.sweep.pool import Workers

            source = outputs.kept_file(self.results, self.name, self.tier)
            whole = kept.read(source)
            experiment = repeat.select(whole, self.optimizers, self.seeds)
            follow.total = len(experiment.settings) * len(experiment.optimizers) * self.seeds
            place = Environment(self._folder(), self.data_dir, self.device)
            results = repeat.repeat(whole, experiment, place, Workers(_jobs(self.jobs)), follow)
        console.show_failures(results.failures)
        made = kept.summarise(results)
        if any(results.rows.values()):
            console.show_comparison(made, whole, source)
            console.show_files(draw.draw(made, place.out / "repeat", ("png",)))
        console.show_trained(follow.trained, follow.total, place.out)
        return 0 if results.complete else 1

    def kept(self) -> str:
        """What an interruption leaves."""
        return f"finished runs and the checkpoints of begun ones are in {self._folder()}"

    def _folder(self) -> Path:
        return inside(self.out, self.name) / self.tier


FILES = ("experiment.json", "data.json", "source.json", "rows.parquet", "runs/x", "tensorboard/x")
"""What a run writes, or one file of each of its folders."""


def _files(which: Which) -> list[Path]:
    folder = which.folder(which.load())
    return [folder / name for name in FILES]


def _kept(which: Which) -> str:
    return f"finished runs and the checkpoints of begun ones are in {which.folder(which.load())}"


def _jobs(asked: int) -> int:
    """How many runs at a time; under torchrun, the processes share one run."""
    require(0 <= asked <= MOST, "--jobs", asked, f"0 (one per core) or at most {MOST}")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        require(asked <= 1, "--jobs", asked, "0 or 1 under torchrun, whose processes share one run")
        return 1
    return asked or cores()
