"""Two processes that share a run train the same network as one process."""

import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from experiments.config import catalog
from experiments.distributed import teams
from experiments.distributed.teams import Team
from experiments.io.environment import Environment
from experiments.io.errors import ConfigError
from experiments.sweep import runner
from experiments.sweep.pool import Workers
from tests.experiments import forked
from tests.experiments.conftest import TINY
from tests.experiments.distributed import processes

ROOT = Path(__file__).parents[3]

# Sentences of different lengths: a share of the batch has its own count of words, so equal weights would be wrong.
# No batch norm and no dropout: those see a process's own share.
TAGGER = """
title = "Tagger"
source = "ours"
baseline = "LAMB"
data = { name = "made-sentences", limit = 101 }
model = { name = "bilstm", options = { embedding = 8, hidden = 8, layers = 1, dropout = 0.0 } }
training = { epochs = 2, batch_size = 20, microbatch = 6, evaluations = 2, clip = 0.5, curvature = 4 }
tuning = { metric = "f1", seeds = [11], learning_rates = { low = 0.03, high = 0.03, count = 1 } }
final = { seeds = [1] }
[settings.small]
[optimizers.ALTO]
preset = "batch"
[optimizers.LAMB]
[tiers.laptop]
"""


KINDS = ("ddp", "fsdp2")


TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]


def words(kind: str, config: Path, out: Path) -> list[str]:
    return ["run", str(config), "--out", str(out), "--parallel", kind, "--checkpoint-seconds", "0"]


def finish(kind: str, config: Path, out: Path) -> None:
    """Run it in two processes, to the end."""
    printed = config.with_name("printed.txt")
    process = forked.pair(words(kind, config, out), printed)
    process.join(PATIENCE)
    assert process.exitcode == 0, printed.read_text()


PATIENCE = 300  # seconds before a test gives up on a process


def rows(out: Path) -> dict[str, dict]:
    return {file.parent.name: json.loads(file.read_text()) for file in out.rglob("row.json")}


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "tagger.toml"
    path.write_text(TAGGER)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_train_the_same_network_as_one(config, tmp_path, kind):
    place = Environment(tmp_path / "1" / "tagger" / "laptop")
    assert runner.run(catalog.load(str(config)), place, Workers(1), lambda _: None).complete
    if kind == "ddp":
        command = [*TORCHRUN, "experiments", *words(kind, config, tmp_path / "2")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    else:
        finish(kind, config, tmp_path / "2")
    one, two = rows(tmp_path / "1"), rows(tmp_path / "2")
    assert one.keys() == two.keys()
    assert len(one) == 2  # one learning rate: nothing is tuned
    assert any(point["curvature"] for row in one.values() for point in row["curve"])
    for name, alone in one.items():
        shared = two[name]
        assert shared["hardware"]["processes"] == 2
        assert shared["hardware"]["parallel"] == kind
        assert shared["parameters"] == alone["parameters"]
        assert shared["weights"] != ""
        for a, b in zip(alone["curve"], shared["curve"], strict=True):
            assert a["train_loss"] == pytest.approx(b["train_loss"], rel=1e-5)
            assert a["validation"]["loss"] == pytest.approx(b["validation"]["loss"], rel=1e-5)
            if a["curvature"]:
                assert a["moved"] == pytest.approx(b["moved"], rel=1e-4)
                assert a["curvature"]["sharpness"] == pytest.approx(b["curvature"]["sharpness"], rel=1e-3)
        # the training did something that a wrong gradient would have done otherwise
        assert (
            alone["curve"][-1]["train_loss"] < 0.9 * alone["curve"][0]["train_loss"] or alone["run"]["phase"] == "tune"
        )


@pytest.mark.parametrize("kind", KINDS)
def test_two_killed_processes_go_on(config, tmp_path, kind):
    alone = TAGGER.replace("epochs = 2", "epochs = 6").replace('baseline = "LAMB"', 'baseline = "ALTO"')
    config.write_text(alone.replace("[optimizers.LAMB]", "").replace("curvature = 4", "curvature = 0"))
    finish(kind, config, tmp_path / "whole")
    out = tmp_path / "broken"
    process = forked.pair(words(kind, config, out), tmp_path / "printed.txt")
    give_up = time.monotonic() + PATIENCE
    while not list(out.rglob("checkpoint.bin")):
        assert time.monotonic() < give_up
        time.sleep(0.01)
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(workers) == 2
    process.kill()  # SIGKILL to the launcher; its processes have to notice
    process.join()
    give_up = time.monotonic() + 30
    while any(Path("/proc", worker).exists() for worker in workers):
        assert time.monotonic() < give_up, "they go on training"
        time.sleep(0.05)
    finish(kind, config, out)
    before, after = rows(tmp_path / "whole"), rows(out)
    assert {name: row["weights"] for name, row in after.items()} == {n: row["weights"] for n, row in before.items()}
    assert sum(row["resumed"] for row in after.values()) == 1


@pytest.fixture(scope="module")
def team_of_two(tmp_path_factory):
    """What two processes say of themselves, by process; how they ended; and their folder. See processes.py."""
    folder = tmp_path_factory.mktemp("team")
    (folder / "tiny.toml").write_text(TINY)
    begin = time.monotonic()
    try:
        done = subprocess.run(
            [*TORCHRUN, "tests.experiments.distributed.processes", str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
        )
    except subprocess.TimeoutExpired as error:
        pytest.fail(f"one process failed, and the other waits for it: {error.stderr}")
    said = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]
    return said, done, time.monotonic() - begin, folder


def test_without_a_gpu_in_use_the_processes_talk_by_gloo(team_of_two):
    assert [words["backend"] for words in team_of_two[0]] == ["gloo", "gloo"]


@pytest.mark.parametrize("what", ["share", "agree", "holding"])
def test_what_fails_on_one_process_fails_on_both_in_the_same_words(team_of_two, what):
    one, two = (words[what] for words in team_of_two[0])
    assert one == two
    assert (
        one
        == {
            "share": "DataError: the leader has none",
            "agree": "RuntimeError: Odd: process 1",  # an error that cannot be sent is described
            "holding": one if one.startswith("BusyError: ") and "in use" in one else "BusyError",
        }[what]
    )


def test_a_damaged_checkpoint_fails_its_run_on_both_and_the_next_run_is_trained(team_of_two):
    one, two = (words["damaged"] for words in team_of_two[0])
    assert one == two
    assert list(one["failures"]) == [one["runs"][0]]
    assert "not a checkpoint of this program" in one["failures"][one["runs"][0]]
    assert one["rows"] == [one["runs"][1]]


def test_a_process_that_fails_by_itself_ends_all_and_says_why(team_of_two):
    _, done, seconds, folder = team_of_two
    assert done.returncode != 0
    assert "process 1 of 2 failed: RuntimeError: no luck" in done.stderr
    assert seconds < 100
    assert not (folder / "passed").exists(), "a process went on as if nothing had been"


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_reach_the_weights_of_one_with_augmentation(team_of_two, kind):
    folder = team_of_two[3]
    alone = processes.weights(catalog.load(str(folder / "tiny.toml")), Environment(folder), Team())
    shared = torch.load(folder / f"{kind}.pt", weights_only=True)
    start = processes.weights(catalog.load(str(folder / "tiny.toml")), Environment(folder), Team(), steps=0)
    # float32 sums in another order: 1e-5 of the way that the weights have gone
    assert (alone - start).norm() > 0.1
    assert (alone - shared).norm() < 1e-5 * (alone - start).norm()


@pytest.mark.parametrize("micro", [None, 1, 3])
@pytest.mark.parametrize(("size", "n"), [(1, 7), (2, 10), (2, 7), (3, 7), (3, 2)])
def test_the_parts_make_the_whole_and_all_have_equally_many(size, n, micro):
    places = range(n)
    shares = [[(places[p], w) for p, w in Team(rank, size).parts(n, micro)] for rank in range(size)]
    counted = [place for share in shares for part, weight in share if weight == 1 for place in part]
    assert sorted(counted) == list(places)
    assert len({len(share) for share in shares}) == 1
    assert all(len(part) == 1 for share in shares for part, weight in share if weight == 0)
    assert max(len(part) for share in shares for part, _ in share) <= (micro or n)


def test_a_process_without_a_part_takes_part_with_no_weight():
    ((part, weight),) = Team(2, 3).parts(2, None)
    assert [5, 6][part] == [5]
    assert weight == 0.0


def test_a_team_of_one_needs_no_group():
    team = teams.team(torch.device("cpu"))
    assert team == Team(0, 1)
    assert team.leads
    assert team.share(lambda: 3) == team.agree(lambda: 3) == 3
    model = torch.nn.Linear(1, 1)
    assert teams.wrap(model, team, "ddp") is model
    assert dataclasses.astuple(team) == (0, 1)


def test_sharding_among_one_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="torchrun"):
        Environment(tmp_path, parallel="fsdp2")
