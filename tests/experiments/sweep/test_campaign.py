import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from experiments.io.errors import ConfigError, DataError
from experiments.sweep import campaign
from experiments.sweep.campaign import Campaign, Step


@pytest.fixture(autouse=True)
def modules(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path.cwd()}")


def step(folder: Path, name: str, end: str = "pass", *, quick: bool = False) -> Step:
    """A command that counts how often it was begun."""
    count = f"with open({str(folder / name)!r}, 'a') as file:\n    file.write('x')\n"
    (folder / f"step_{name}.py").write_text(f"import sys, time\n{count}{end}\n")
    return Step(name, "a test", f"step_{name}", (), quick)


def begun(folder: Path, name: str) -> int:
    return len((folder / name).read_text()) if (folder / name).exists() else 0


def states(outcomes) -> dict[str, str]:
    return {outcome.name: outcome.state for outcome in outcomes}


def test_a_finished_step_is_not_done_again_and_a_failed_one_is(tmp_path):
    one = Campaign((step(tmp_path, "good"), step(tmp_path, "bad", "sys.exit(3)"), step(tmp_path, "late")))
    for _ in range(2):
        outcomes = campaign.run(one, tmp_path / "out", 60, lambda *_: None)
        assert states(outcomes) == {"good": "finished", "bad": "failed", "late": "finished"}
    assert [begun(tmp_path, name) for name in ("good", "bad", "late")] == [1, 2, 1]


def test_the_limit_stops_a_step_and_only_quick_ones_follow(tmp_path):
    slow = step(tmp_path, "slow", "time.sleep(60)")
    one = Campaign((slow, step(tmp_path, "after"), step(tmp_path, "report", quick=True)))
    outcomes = campaign.run(one, tmp_path / "out", 2, lambda *_: None)
    assert states(outcomes) == {"slow": "stopped", "report": "finished"}
    assert outcomes[0].seconds < 20  # it was interrupted, not waited for
    assert begun(tmp_path, "after") == 0


@pytest.mark.parametrize("name", campaign.names())
def test_a_report_is_written_again_by_every_call(name):
    """One that was written before a run had failed would stay without that run."""
    reports = [step for step in campaign.load(name).step if step.arguments[:1] == ("report",)]
    assert reports
    assert all(step.quick for step in reports)


def test_an_outcome_of_other_arguments_does_not_count(tmp_path):
    one = step(tmp_path, "good")
    campaign.run(Campaign((one,)), tmp_path / "out", 60, lambda *_: None)
    other = Step("good", "a test", one.module, ("more",))
    campaign.run(Campaign((other,)), tmp_path / "out", 60, lambda *_: None)
    assert begun(tmp_path, "good") == 2


def test_what_cannot_be_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="there are: gpu"):
        campaign.load("gpo")
    with pytest.raises(ConfigError, match="without repetition"):
        Campaign((step(tmp_path, "a"), step(tmp_path, "a")))
    with pytest.raises(ConfigError, match=r"minutes: 0.0 is not allowed; it must be in \(0, "):
        campaign.run(campaign.load("headline"), tmp_path, 0, lambda *_: None)
    (tmp_path / "campaign.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        campaign.run(campaign.load("headline"), tmp_path, 1, lambda *_: None)


def test_without_its_device_a_campaign_does_not_begin(tmp_path, monkeypatch):
    """Tests that need a GPU skip without one and exit with 0, which is no measurement."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="device: 'cuda' is not allowed; it must be auto or cpu"):
        campaign.run(campaign.load("gpu"), tmp_path / "out", 60, lambda *_: None)
    assert not (tmp_path / "out").exists()


def test_the_whole_on_a_cpu(tmp_path):
    """The GPU's campaign with its sizes for a test: train within no time, stop, go on, report."""
    from tests.experiments.data.test_cifar import write_binary

    write_binary(tmp_path, "cifar10")
    common = ["headline-gpu", "--out", str(tmp_path / "runs"), "--data-dir", str(tmp_path)]
    steps = [
        {"name": "train", "about": "tiny", "module": "experiments", "arguments": ["run", *common, "--jobs", "1"]},
        {"name": "report", "about": "tiny", "module": "experiments", "arguments": ["report", *common], "quick": True},
    ]
    file = tmp_path / "tiny.toml"
    lines = ["[[step]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in one.items()) for one in steps]
    file.write_text("\n".join(lines))
    command = [sys.executable, "-m", "experiments", "campaign", str(file), "--out", str(tmp_path / "runs")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 steps are finished" in done.stdout
    assert (tmp_path / "runs/headline-gpu/laptop/report/summary.json").is_file()
    assert len(list((tmp_path / "runs/headline-gpu/laptop/runs").glob("*/row.json"))) == 6
