"""The command line of the benchmarks: ``python -m experiments bench step | memory | scaling | host``."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, UseAppendAction, subcommand

from experiments.bench import shapes
from experiments.bench.shapes import Case
from experiments.io.cores import MOST, cores
from experiments.io.errors import require

if TYPE_CHECKING:  # it imports torch, which is slow and not needed for --help
    from experiments.bench.record import Wish

MOST_ROUNDS = 10_000
MOST_TENSORS = 100_000


@dataclass(frozen=True)
class _Common:
    """Options of all benchmarks.

    Attributes:
        only: A contestant to measure, for example --only alto-foreach; may be repeated. The default is all. The
            denominators of the ratios are always timed too.
        threads: Threads of torch; 0 means one per core.
        device: auto, cpu or cuda.
        seed: Decides the parameters, the gradients and the order of turns.
        json: Print one JSON object instead of tables.
        out: Folder for bench.json, which keeps the newest result of each benchmark, and for the figure.
    """

    only: UseAppendAction[tuple[str, ...]] = ()
    threads: int = 0
    device: str = "auto"
    seed: int = 0
    json: bool = False
    out: Path | None = None

    def wish(self) -> "Wish":
        """What to measure, checked."""
        raise NotImplementedError

    def _wish(self, bench: str, option: str, cases: Sequence[Case], rounds: int) -> "Wish":
        from experiments.bench import contestants
        from experiments.bench.record import Wish

        require(0 <= self.threads <= MOST, "--threads", self.threads, f"0 (one per core) or at most {MOST}")
        require(0 <= self.seed < 2**63, "--seed", self.seed, "in [0, 2^63)")
        chosen = contestants.choose(self.only, references=rounds > 0)
        return Wish(bench, option, cases, chosen, rounds, self.threads or cores(), self.device, self.seed)


@dataclass(frozen=True)
class Step(_Common):
    """Time one optimizer step on the parameters of well-known networks.

    Attributes:
        model: A network, for example --model gpt2-small; may be repeated. The default is all.
        rounds: Turns of each contestant.
    """

    model: UseAppendAction[tuple[str, ...]] = ()
    rounds: int = 7

    def wish(self) -> "Wish":
        """What to measure, checked."""
        require(1 <= self.rounds <= MOST_ROUNDS, "--rounds", self.rounds, f"in [1, {MOST_ROUNDS}]")
        return self._wish("step", "--model", shapes.models(self.model), self.rounds)


@dataclass(frozen=True)
class Memory(_Common):
    """Measure the memory of one optimizer step: state and temporaries.

    Attributes:
        model: A network, for example --model gpt2-small; may be repeated. The default is all.
    """

    model: UseAppendAction[tuple[str, ...]] = ()

    def wish(self) -> "Wish":
        """What to measure, checked."""
        return self._wish("memory", "--model", shapes.models(self.model), 0)


@dataclass(frozen=True)
class Scaling(_Common):
    """Time one optimizer step on single tensors of 1e3, 1e4, ... parameters.

    Attributes:
        largest: No tensor is larger.
        rounds: Turns of each contestant.
    """

    largest: int = shapes.LARGEST
    rounds: int = 7

    def wish(self) -> "Wish":
        """What to measure, checked."""
        require(1 <= self.rounds <= MOST_ROUNDS, "--rounds", self.rounds, f"in [1, {MOST_ROUNDS}]")
        return self._wish("scaling", "--largest", shapes.tensors(self.largest), self.rounds)


@dataclass(frozen=True)
class Host:
    """Measure the CPU time of a step of the GPU engine, without a GPU: its launches are replaced.

    Attributes:
        tensors: How many the optimizer has.
        rounds: Turns of each kind of step.
        json: Print one JSON object instead of a table.
        out: Folder for bench.json, which keeps the newest result of each benchmark.
    """

    tensors: int = 300
    rounds: int = 7
    json: bool = False
    out: Path | None = None

    def check(self) -> None:
        """Refuse numbers outside their ranges."""
        require(1 <= self.tensors <= MOST_TENSORS, "--tensors", self.tensors, f"in [1, {MOST_TENSORS}]")
        require(1 <= self.rounds <= MOST_ROUNDS, "--rounds", self.rounds, f"in [1, {MOST_ROUNDS}]")

    def act(self) -> int:
        """Measure, show and store."""
        from experiments.analysis import benchmarks
        from experiments.bench import host
        from experiments.cli import bench_console as console

        self.check()
        if self.out is not None:
            benchmarks.read(self.out)  # an unusable file is refused before, not after, the work
        report = host.make(self.tensors, self.rounds)
        (console.show_json if self.json else console.show_host)(report)
        if self.out is not None:
            console.show_files([benchmarks.write(self.out, report)])
        return 0


@dataclass(frozen=True)
class Bench:
    """Measure what an optimizer step costs, compared with other optimizers and with the memory bandwidth.

    Attributes:
        which: What to measure.
    """

    which: OmitArgPrefixes[
        Annotated[Step, subcommand("step")]
        | Annotated[Memory, subcommand("memory")]
        | Annotated[Scaling, subcommand("scaling")]
        | Annotated[Host, subcommand("host")]
    ]

    def writes(self) -> list[Path]:
        """The file of the results, if they are stored."""
        from experiments.analysis import benchmarks

        return [] if self.which.out is None else [self.which.out / benchmarks.NAME]

    def act(self) -> int:
        """Measure, store, draw and show."""
        if isinstance(self.which, Host):
            return self.which.act()
        from experiments.analysis import benchmarks
        from experiments.bench import figure, record
        from experiments.cli import bench_console as console
        from experiments.report.figures import draw

        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else the profiler logs every start and end to stderr
        wish, out = self.which.wish(), self.which.out
        if out is not None:
            benchmarks.read(out)  # an unusable file is refused before, not after, minutes of work
        with console.progress(f"bench {wish.bench}", wish.turns) as follow:
            report = record.make(wish, follow)
        (console.show_json if self.which.json else console.show)(report)
        if out is not None:
            files = [benchmarks.write(out, report)]
            files += draw.write(figure.draw(benchmarks.read(out)[wish.bench]), out, f"bench-{wish.bench}")
            console.show_files(files)
        return 0

    def kept(self) -> str:
        """What an interruption leaves."""
        return "a measurement is written at its end, so nothing of this one is kept"
