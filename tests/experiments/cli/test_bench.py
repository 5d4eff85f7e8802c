"""The command line of the benchmarks."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.analysis import benchmarks
from experiments.bench.contestants import FLOORS, YARDSTICK
from experiments.cli.bench import Memory, Scaling, Step
from experiments.io.errors import ConfigError

ROOT = Path(__file__).parents[3]


def call(*words):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "experiments", "bench", *words],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_json_is_alone_on_stdout_and_equal_to_the_file(tmp_path):
    result = call("step", "--model", "resnet20", "--only", "alto-foreach", "--rounds", "1", "--threads", "1", "--json",
                  "--out", str(tmp_path))  # fmt: skip
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert benchmarks.read(tmp_path) == {"step": report}
    assert {row["name"] for row in report["cases"][0]["contestants"]} == {"alto-foreach", YARDSTICK, *FLOORS}
    assert (tmp_path / "bench-step.png").exists()
    assert (tmp_path / "bench-step.pdf").exists()
    assert "\x1b" not in result.stdout + result.stderr


def test_a_table_without_noise():
    result = call("memory", "--model", "resnet20", "--only", "alto-foreach", "--threads", "1")
    assert result.returncode == 0, result.stderr
    assert "ResNet-20: 269,722 parameters in 59 tensors" in result.stdout
    assert result.stderr.splitlines() == ["bench memory: ResNet-20"]


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (Step(model=("resnet21",)), "--model: 'resnet21' is not allowed; it must be one of resnet20"),
        (Memory(model=("gpt2-small", "")), "--model: '' is not allowed"),
        (Step(only=("sgd",)), "--only: 'sgd' is not allowed; it must be one of alto-single"),
        (Memory(only=("in-place",)), "--only: 'in-place' is not allowed"),
        (Step(rounds=0), "--rounds: 0 is not allowed; it must be in [1, 10000]"),
        (Scaling(rounds=-2), "--rounds: -2 is not allowed"),
        (Step(threads=-1), "--threads: -1 is not allowed"),
        (Scaling(largest=10), "--largest: 10 is not allowed; it must be from 1000 to 100000000"),
    ],
    ids=str,
)
def test_a_bad_value_is_refused_by_name(command, complaint):
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        command.wish()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("step", "--device", "gpu"), "device: 'gpu' is not allowed"),
        (("scaling", "--model", "resnet20"), "--model"),
        (("memory", "--rounds", "3"), "--rounds"),
    ],
)
def test_a_bad_option_is_refused_in_a_line_and_leaves_nothing_behind(words, complaint, tmp_path):
    result = call(*words, "--out", str(tmp_path / "out"))
    assert result.returncode == 2
    assert complaint in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()
