"""Two processes that share a run train the same network as one process."""

import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from experiments import catalog, parallel, runner
from experiments.environment import Environment
from experiments.errors import ConfigError
from experiments.executor import Workers
from experiments.parallel import Team

ROOT = Path(__file__).parents[2]

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


def command(kind: str, config: Path, out: Path) -> list[str]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    options = ["--out", str(out), "--parallel", kind, "--checkpoint-seconds", "0"]
    return [*launcher, "experiments", "run", str(config), *options]


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
    done = subprocess.run(command(kind, config, tmp_path / "2"), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    one, two = rows(tmp_path / "1"), rows(tmp_path / "2")
    assert one.keys() == two.keys()
    assert len(one) == 4
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
    whole = subprocess.run(command(kind, config, tmp_path / "whole"), cwd=ROOT, capture_output=True, check=False)
    assert whole.returncode == 0
    out = tmp_path / "broken"
    process = subprocess.Popen(
        command(kind, config, out), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    give_up = time.monotonic() + 300
    while not list(out.rglob("checkpoint.bin")):
        assert time.monotonic() < give_up
        time.sleep(0.01)
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(workers) == 2
    process.kill()  # SIGKILL to the launcher; its processes have to notice
    process.wait()
    give_up = time.monotonic() + 30
    while any(Path("/proc", worker).exists() for worker in workers):
        assert time.monotonic() < give_up, "they go on training"
        time.sleep(0.05)
    again = subprocess.run(command(kind, config, out), cwd=ROOT, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    before, after = rows(tmp_path / "whole"), rows(out)
    assert {name: row["weights"] for name, row in after.items()} == {n: row["weights"] for n, row in before.items()}
    assert sum(row["resumed"] for row in after.values()) == 1


@pytest.mark.parametrize(("size", "n"), [(2, 10), (2, 7), (3, 7)])
def test_the_parts_make_the_whole(size, n):
    parts = [Team(rank, size).part(torch.arange(n)) for rank in range(size)]
    assert sorted(torch.cat([part for part, _ in parts]).tolist()) == list(range(n))
    assert [weight for _, weight in parts] == [1.0] * size


def test_a_process_without_a_part_takes_part_with_no_weight():
    part, weight = Team(2, 3).part(torch.tensor([5, 6]))
    assert part.tolist() == [5]
    assert weight == 0.0


def test_a_team_of_one_needs_no_group():
    team = parallel.team()
    assert team == Team(0, 1)
    assert team.leads
    assert team.share(lambda: 3) == 3
    model = torch.nn.Linear(1, 1)
    assert parallel.wrap(model, team, "ddp") is model
    assert dataclasses.astuple(team) == (0, 1)


def test_sharding_among_one_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="torchrun"):
        Environment(tmp_path, parallel="fsdp2")
