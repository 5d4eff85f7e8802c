"""SIGKILL at random moments, from outside, and at chosen ones, in the midst of every kind of file."""

import contextlib
import functools
import itertools
import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from experiments.config import catalog
from experiments.config.schema import Experiment
from experiments.io import stored
from experiments.io.environment import Environment
from experiments.runs import parquet_file
from experiments.sweep import runner
from experiments.sweep.pool import Workers
from tests.experiments import forked

ROOT = Path(__file__).parents[3]


PATIENCE = 300  # seconds before a test gives up on a process; a busy machine needs many

SWIM = """
title = "Swim"
source = "ours"
baseline = "Adam"
data = { name = "swimmer", limit = 40, test_limit = 1 }
model = { name = "ppo", options = { hidden = [8], passes = 2 } }
training = { epochs = 30, batch_size = 20, evaluations = 3 }
tuning = { metric = "reward", seeds = [11], learning_rates = { low = 0.001, high = 0.001, count = 1 } }
final = { seeds = [1] }
[settings.any]
[optimizers.ALTO]
preset = "batch"
[optimizers.Adam]
[tiers.laptop]
"""


class Forked:
    """What the tests use of a ``Popen``, for a command in a process that starts at once."""

    def __init__(self, words, output, first=None):
        self._process = forked.start(words, output, first)
        self.kill, self.pid = self._process.kill, self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        self._process.join(timeout)
        return self._process.exitcode


def words(config: Path, out: Path, jobs: int) -> list[str]:
    return ["run", str(config), "--out", str(out), "--jobs", str(jobs), "--tensorboard", "--checkpoint-seconds", "0"]


def start(config: Path, out: Path, jobs: int, first=None) -> Forked:
    return Forked(words(config, out, jobs), config.parent / "printed.txt", first)


def rows(out: Path) -> dict[str, dict]:
    """Every row by run id, without what may depend on the kills or on the day."""
    found = {}
    for file in out.rglob("row.json"):
        row = json.loads(file.read_text())
        row.pop(stored.DIGEST)
        for key in ("seconds", "resumed", "examples_per_second", "peak_memory", "finished", "versions"):
            row.pop(key)
        for point in row["curve"]:
            point.pop("seconds")
        found[file.parent.name] = row
    return found


def states(out: Path) -> set[tuple[Path, int]]:
    """Every checkpoint with its time."""
    found = set()
    for file in out.rglob("checkpoint.bin"):
        with contextlib.suppress(FileNotFoundError):  # its run has just ended
            found.add((file, file.stat().st_mtime_ns))
    return found


def children(process: int | str) -> list[Path]:
    """The processes that a process started, as folders of /proc, which vanish with them."""
    listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [Path("/proc", child) for child in listed]


def is_alive(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def printed(config: Path) -> str:
    return (config.parent / "printed.txt").read_text()


def resumed(out: Path) -> int:
    return sum(json.loads(file.read_text())["resumed"] for file in out.rglob("row.json"))


def assert_whole(out: Path, experiment: Experiment) -> None:
    """Every run is there once, in every form, and nothing is left over."""
    found = rows(out)
    assert len(found) == experiment.runs
    folder = out / experiment.name / "laptop"
    records = {record["id"]: record for record in parquet_file.read(folder)}
    assert len(parquet_file.read(folder, ["id"])) == experiment.runs
    assert {name: record["weights"] for name, record in records.items()} == {n: r["weights"] for n, r in found.items()}
    for name, row in found.items():
        events = EventAccumulator(str(folder / "tensorboard" / name)).Reload()
        assert [event.step for event in events.Scalars("lr")] == [point["step"] for point in row["curve"]]
    assert list(out.rglob(".*.tmp")) == []
    assert list(out.rglob("checkpoint.bin")) == []


@pytest.mark.parametrize(
    ("kind", "jobs", "seed", "times"), [("digits", 1, 1, 2), ("digits", 2, 2, 2), ("ppo", 1, 3, 2)]
)
def test_an_experiment_killed_again_and_again_equals_an_unbroken_one(tiny_file, tmp_path, kind, jobs, seed, times):
    # steps slow enough that the kills fall among them
    tiny_file.write_text(SWIM if kind == "ppo" else tiny_file.read_text().replace("epochs = 3", "epochs = 12"))
    experiment = catalog.load(str(tiny_file))
    whole = runner.run(experiment, Environment(tmp_path / "whole" / "tiny" / "laptop"), Workers(1), lambda _: None)
    assert whole.complete

    draw = random.Random(seed)
    out, kills = tmp_path / "broken", 0
    for _ in range(times):
        process = start(tiny_file, out, jobs)
        before, give_up = states(out), time.monotonic() + PATIENCE
        while states(out) <= before and process.poll() is None:  # until it has left a checkpoint of its own
            assert time.monotonic() < give_up
            time.sleep(0.005)
        time.sleep(draw.uniform(0, 0.4))
        kills += process.poll() is None
        process.kill()  # SIGKILL
        process.wait()
    last = start(tiny_file, out, jobs)
    assert last.wait(timeout=PATIENCE) == 0, printed(tiny_file)

    assert kills == times, "the experiment ended before it could be killed: the test shows nothing"
    assert rows(out) == rows(tmp_path / "whole")
    assert resumed(out) >= 1, "no kill fell into a run: the test shows nothing"
    assert_whole(out, experiment)


def die_at(name: str) -> None:
    """Let the process kill itself when half a file of this name is written and not yet in its place."""
    real = os.fsync

    def fsync(fd):
        if f".{name}." in (path := os.readlink(f"/proc/self/fd/{fd}")):
            os.truncate(path, os.fstat(fd).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        real(fd)

    os.fsync = fsync


def test_a_kill_in_the_midst_of_any_file_costs_nothing(tiny_file, tmp_path):
    experiment = catalog.load(str(tiny_file))
    runner.run(experiment, Environment(tmp_path / "whole" / "tiny" / "laptop"), Workers(1), lambda _: None)
    out = tmp_path / "broken"
    for name in ("experiment.json", "checkpoint.bin", "row.json", parquet_file.FILE):
        process = start(tiny_file, out, 1, functools.partial(die_at, name))
        assert process.wait(timeout=PATIENCE) == -signal.SIGKILL, f"it never wrote {name}: the test shows nothing"
        (half,) = out.rglob(".*.tmp")
        assert half.name.startswith(f".{name}.")
        assert list(out.rglob(parquet_file.FILE)) == []
        if name == parquet_file.FILE:
            assert len(rows(out)) == experiment.runs
    assert start(tiny_file, out, 1).wait(timeout=PATIENCE) == 0, printed(tiny_file)
    assert rows(out) == rows(tmp_path / "whole")
    assert_whole(out, experiment)


def test_ctrl_c_ends_all_processes_with_one_line_and_the_same_command_goes_on(tiny_file, tmp_path):
    tiny_file.write_text(tiny_file.read_text().replace("epochs = 3", "epochs = 36"))
    out = tmp_path / "out"
    process = start(tiny_file, out, 2, os.setsid)
    give_up = time.monotonic() + PATIENCE
    while not states(out):
        assert time.monotonic() < give_up
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process
    assert process.wait(timeout=PATIENCE) == 130, printed(tiny_file)
    told = [line for line in printed(tiny_file).splitlines() if not re.match(r"tiny: \d of 8 runs", line)]
    assert len(told) == 1, told
    assert told[0].startswith("stopped: finished runs and the checkpoints of begun ones are in ")
    assert told[0].endswith(f"Go on with: python -m experiments {shlex.join(words(tiny_file, out, 2))}")
    assert start(tiny_file, out, 1).wait(timeout=PATIENCE) == 0, printed(tiny_file)
    assert resumed(out) >= 1


def clock_back() -> None:
    """A wall clock that steps an hour back at each look."""
    hours = itertools.count()
    time.time = lambda: 1e9 - 3600 * next(hours)


def test_stopped_processes_go_on_and_the_wall_clock_counts_for_nothing(tiny_file, tmp_path):
    tiny_file.write_text(tiny_file.read_text().replace("epochs = 3", "epochs = 40"))
    experiment = catalog.load(str(tiny_file))
    runner.run(experiment, Environment(tmp_path / "whole" / "tiny" / "laptop"), Workers(1), lambda _: None)
    out, give_up = tmp_path / "out", time.monotonic() + PATIENCE
    first = start(tiny_file, out, 2)
    while not states(out):
        assert time.monotonic() < give_up
        time.sleep(0.005)
    workers = [int(worker.name) for server in children(first.pid) for worker in children(server.name)]
    for pids in ([first.pid], workers, [first.pid, *workers]):
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in pids:
                os.kill(pid, number)
            time.sleep(0.1)
    assert workers
    assert first.poll() is None, printed(tiny_file)
    first.kill()
    first.wait()
    assert start(tiny_file, out, 1, clock_back).wait(timeout=PATIENCE) == 0, printed(tiny_file)
    assert resumed(out) >= 1
    assert rows(out) == rows(tmp_path / "whole")
    for file in out.rglob("row.json"):
        row = json.loads(file.read_text())
        assert 0 < row["seconds"] < PATIENCE
        assert row["examples_per_second"] > 0


def test_workers_do_not_outlive_their_parent(tiny_file, tmp_path):
    tiny_file.write_text(tiny_file.read_text().replace("epochs = 3", "epochs = 3000"))
    command = [sys.executable, "-m", "experiments", *words(tiny_file, tmp_path / "out", 2)]
    # no pipes: an orphan would hold them open, and the test would hang where it is to fail
    with (tmp_path / "printed.txt").open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    give_up = time.monotonic() + PATIENCE
    while len(list(tmp_path.rglob("checkpoint.bin"))) < 2:  # until both workers train
        assert time.monotonic() < give_up
        time.sleep(0.05)
    # Python's servers, one of which has forked the workers
    servers = children(process.pid)
    workers = [worker for server in servers for worker in children(server.name)]
    assert sum(is_alive(worker) for worker in workers) >= 2
    workers += servers
    process.kill()
    process.wait()
    give_up = time.monotonic() + PATIENCE / 10
    while any(is_alive(worker) for worker in workers) and time.monotonic() < give_up:
        time.sleep(0.05)
    orphans = [worker for worker in workers if is_alive(worker)]
    for orphan in orphans:
        os.kill(int(orphan.name), signal.SIGKILL)
    assert orphans == [], "they go on training"
