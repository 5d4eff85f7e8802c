import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def call(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "experiments", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_list_names_the_experiments():
    result = call("list")
    assert result.returncode == 0
    assert "digits" in result.stdout


def test_run_then_report(tiny_file, tmp_path):
    out = str(tmp_path / "out")
    early = call("report", str(tiny_file), "--out", out)
    assert early.returncode == 2
    assert "no finished runs" in early.stderr
    ran = call("run", str(tiny_file), "--out", out, "--jobs", "2")
    assert ran.returncode == 0, ran.stderr
    assert "tiny: 8 runs" in ran.stderr  # no terminal, so quiet lines and no bar
    assert "tiny: 8 of 8 runs" in ran.stderr
    assert "\x1b" not in ran.stderr
    made = call("report", str(tiny_file), "--out", out)
    assert made.returncode == 0, made.stderr
    assert "ALTO - LAMB" in made.stdout
    assert (tmp_path / "out" / "tiny" / "laptop" / "report" / "curves.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("run", "digts"), "no such experiment"),
        (("run", "digits", "--set", "training.epoch=1"), "training.epoch: unknown key"),
        (("run", "digits", "--jobs", "-1"), "--jobs: -1 is not allowed"),
        (("run", "digits", "--device", "gpu"), "device: 'gpu' is not allowed"),
    ],
)
def test_a_mistake_is_named_on_stderr(words, complaint, tmp_path):
    result = call(*words, "--out", str(tmp_path))
    assert result.returncode == 2
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []
