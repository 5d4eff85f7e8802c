"""SIGKILL at random moments, from outside, in every phase of an experiment."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments import catalog, runner
from experiments.environment import Environment
from experiments.executor import Workers

ROOT = Path(__file__).parents[2]


def start(config: Path, out: Path, jobs: int) -> subprocess.Popen:
    command = [sys.executable, "-m", "experiments", "run", str(config), "--out", str(out), "--jobs", str(jobs)]
    # no pipes: an orphan would hold them open, and the test would hang where it is to fail
    with (config.parent / "errors.txt").open("w") as errors:
        return subprocess.Popen([*command, "--checkpoint-seconds", "0"], cwd=ROOT, stdout=errors, stderr=errors)


def rows(out: Path) -> dict[str, dict]:
    """Every row by run id, without what may depend on the kills or on the day."""
    found = {}
    for file in out.rglob("row.json"):
        row = json.loads(file.read_text())
        for key in ("seconds", "resumed", "examples_per_second", "peak_memory", "finished", "versions"):
            row.pop(key)
        for point in row["curve"]:
            point.pop("seconds")
        found[file.parent.name] = row
    return found


def children(process: subprocess.Popen) -> list[Path]:
    """The processes that a process started, as folders of /proc, which vanish with them."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [Path("/proc", child) for child in listed]


def is_alive(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def resumed(out: Path) -> int:
    return sum(json.loads(file.read_text())["resumed"] for file in out.rglob("row.json"))


@pytest.mark.parametrize(("jobs", "seed", "times"), [(1, 1, 3), (2, 2, 2)])
def test_an_experiment_killed_again_and_again_equals_an_unbroken_one(tiny_file, tmp_path, jobs, seed, times):
    # steps slow enough that the kills fall among them
    tiny_file.write_text(tiny_file.read_text().replace("epochs = 3", "epochs = 30"))
    experiment = catalog.load(str(tiny_file))
    whole = runner.run(experiment, Environment(tmp_path / "whole" / "tiny" / "laptop"), Workers(1), lambda _: None)
    assert whole.complete

    draw = random.Random(seed)
    out, kills = tmp_path / "broken", 0
    for _ in range(times):
        process = start(tiny_file, out, jobs)
        marks = len(list(out.rglob("metrics.jsonl")))
        give_up = time.monotonic() + 60
        while len(list(out.rglob("metrics.jsonl"))) == marks and process.poll() is None:  # until it works on a new run
            assert time.monotonic() < give_up
            time.sleep(0.005)
        time.sleep(draw.uniform(0, 0.4))
        kills += process.poll() is None
        process.kill()  # SIGKILL
        process.wait()
    last = start(tiny_file, out, jobs)
    assert last.wait(timeout=120) == 0, (tiny_file.parent / "errors.txt").read_text()

    assert kills == times, "the experiment ended before it could be killed: the test shows nothing"
    assert rows(out) == rows(tmp_path / "whole")
    assert len(rows(out)) == experiment.runs
    assert resumed(out) >= 1, "no kill fell into a run: the test shows nothing"
    assert list(out.rglob(".*.tmp")) == []
    assert list(out.rglob("checkpoint.bin")) == []


def test_workers_do_not_outlive_their_parent(tiny_file, tmp_path):
    tiny_file.write_text(tiny_file.read_text().replace("epochs = 3", "epochs = 3000"))
    process = start(tiny_file, tmp_path / "out", 2)
    give_up = time.monotonic() + 60
    while len(list(tmp_path.rglob("checkpoint.bin"))) < 2:  # until both workers train
        assert time.monotonic() < give_up
        time.sleep(0.05)
    workers = children(process)
    assert sum(is_alive(worker) for worker in workers) >= 2
    process.kill()
    process.wait()
    give_up = time.monotonic() + 10
    while any(is_alive(worker) for worker in workers) and time.monotonic() < give_up:
        time.sleep(0.05)
    orphans = [worker for worker in workers if is_alive(worker)]
    for orphan in orphans:
        os.kill(int(orphan.name), signal.SIGKILL)
    assert orphans == [], "they go on training"
