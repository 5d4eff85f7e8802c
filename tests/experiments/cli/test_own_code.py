"""Data, networks and losses of the user's that cannot work: refused before anything runs, with their frames alone."""

import re

import pytest

from experiments.__main__ import main
from experiments.sweep import pool
from tests.experiments.conftest import TINY

MINE = """
import torch

def whole(count=50, target=torch.int64, **more):
    return (torch.zeros(count, 3, **more), torch.zeros(count, dtype=target),
            torch.zeros(2, 3, **more), torch.zeros(2, dtype=target))

def good(): return whole()
def one(): return whole(1)
def boolean(): return whole(target=torch.bool)
def scalar(): return (torch.tensor(1.0),) * 4
def unknown():
    parts = whole()
    parts[2][0, 0] = float("nan")
    return parts
def beyond():
    parts = whole()
    parts[1][7:], parts[3][1] = 1, 5
    return parts
def far():
    parts = whole()
    parts[1][9:] = 3
    return parts
def failing(): raise RuntimeError("no such database")
def ending(): raise SystemExit(7)

class Net(torch.nn.Module):
    def __init__(self, width=2):
        super().__init__()
        self.layer = torch.nn.Linear(3, width)
    def forward(self, x): return self.layer(x)
class Nothing(Net):
    def forward(self, x): return None
"""
REFUSED = {
    "one example": ("one", "Net", "", "mine.py:one.* leaves no example to train on"),
    "targets": ("boolean", "Net", "", "raised RuntimeError: expected target dtype"),
    "numbers": ("scalar", "Net", "", "with the examples along the first dimension"),
    "NaN": ("unknown", "Net", "", "the test inputs are not all finite"),
    "a test label": ("beyond", "Net", "", "mine.py:beyond: a test target is 5; the network has 2 outputs, .* 0 to 1"),
    "a training label": ("far", "Net", "", "mine.py:far: a training target is 3; the network has 2 outputs"),
    "fails": ("failing", "Net", "", "mine.py:failing.* raised RuntimeError: no such database"),
    "ends": ("ending", "Net", "", "mine.py:ending.* raised SystemExit: 7"),
    "no output": ("good", "Nothing", "", "mine.py:Nothing.* on mine.py:good raised AttributeError"),
    "options": ("good", "Net", "depth = 3", "model.options: mine.py:Net.* does not take .*'depth'"),
}


@pytest.mark.parametrize(("data", "net", "options", "said"), REFUSED.values(), ids=REFUSED)
def test_own_code_that_cannot_work_is_refused(data, net, options, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE)
    own = f'data = {{ name = "mine.py:{data}", validation = 0.2 }}\n'
    own += f'model = {{ name = "mine.py:{net}", options = {{ {options} }} }}\n'
    lines = [line for line in TINY.splitlines() if not line.startswith(("data =", "model ="))]
    text = "\n".join(lines).replace("title", own + "title", 1).replace("batch_size = 64", 'batch_size = "full"')
    (tmp_path / "own.toml").write_text(text)
    monkeypatch.setattr("sys.argv", ["experiments", "run", "own.toml", "--jobs", "1"])
    assert main() == 2
    *frames, line = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert re.search(said, line), line
    assert not re.search("@[0-9a-f]{12}", line), "a digest is not the user's word"
    assert not any("/experiments/" in frame for frame in frames if "File" in frame), frames
    assert bool(frames) == (data in {"failing", "ending"})


RAISES = """
import torch
class Raises(torch.optim.SGD):
    def __init__(self, params, lr, scale=1): super().__init__(params, lr)
    def step(self, closure=None): raise RuntimeError("my step has a bug")
"""


def test_an_own_optimizer_is_tried_before_the_first_run(tiny_file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mysgd.py").write_text(RAISES)
    mine = '[optimizers.Mine]\nname = "mysgd.py:Raises"\noptions = { scale = 2 }\n[tiers.laptop]'
    tiny_file.write_text(TINY.replace("[tiers.laptop]", mine))
    monkeypatch.setattr(pool, "train", lambda *_: pytest.fail("a run started"))
    monkeypatch.setattr("sys.argv", ["experiments", "run", str(tiny_file), "--jobs", "1"])
    assert main() == 2
    _, first, *_, line = capsys.readouterr().err.partition("Traceback")[2].splitlines()
    assert "mysgd.py" in first
    assert re.search(r"^error: optimizers\.Mine: mysgd\.py:Raises.* raised RuntimeError: my step has a bug$", line)
