"""A network, data set, loss and optimizer from the user's files: run, resumed, compared and reported like ours."""

import pytest
import torch

import experiments
from experiments.config import catalog
from experiments.io import own
from experiments.io.errors import ConfigError, DataError
from experiments.training import admission

MINE = """
import torch
from torch import nn

def wine():
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(240, 5, generator=draw)
    y = x @ torch.arange(5.0)
    return x[:200], y[:200, None], x[200:], y[200:, None]

def classes():
    x, y, x2, y2 = wine()
    return x, (y[:, 0] > 0).long(), x2, (y2[:, 0] > 0).long()

def half_ignored():
    x, y, x2, y2 = classes()
    return x, torch.where(torch.arange(len(y)) % 2 == 0, y, -100), x2, y2

def half():
    x, y, x2, y2 = classes()
    return x[::2], y[::2], x2, y2

class Net(nn.Module):
    def __init__(self, width=8, out=1):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(5, width), nn.Tanh(), nn.Linear(width, out))

    def forward(self, x):
        return self.layers(x)

def dict_of(**options):
    return options

def squared(outputs, targets):
    return (outputs - targets).square().mean()

class Signs(torch.optim.Optimizer):
    def __init__(self, params, lr=0.01, scale=1.0):
        super().__init__(params, {"lr": lr, "scale": scale})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(p.grad.sign(), alpha=group["lr"] * group["scale"])
"""

CONFIG = """
title = "Mine"
source = "ours: an example"
baseline = "AdamW"
data = { name = "mine.py:wine", validation = 0.2 }
model = { name = "mine.py:Net", options = { width = 4 } }
training = { epochs = 3, batch_size = 32, evaluations = 3, loss = "mine.py:squared" }
tuning = { metric = "loss", seeds = [11], learning_rates = { low = 0.01, high = 0.1, count = 2 } }
final = { seeds = [1, 2, 3] }
[settings.small]
[optimizers.AdamW]
[optimizers.Signs]
name = "mine.py:Signs"
options = { scale = 0.5 }
[tiers.laptop]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "mine.toml").write_text(CONFIG)
    return tmp_path


def test_ones_own_training_is_run_resumed_and_reported(here):
    experiment = experiments.load("mine.toml")
    admission.check(experiment)
    results = experiments.run(experiment, crew=experiments.Workers(1))
    assert results.complete, results.failures
    follow = experiments.run(experiment, crew=experiments.Workers(1))  # nothing is left to do
    assert follow == results
    summary = experiments.summarise(results)
    assert {line.label for line in summary.runs} == {"AdamW", "Signs"}
    path = here / "results" / "experiments" / "mine-laptop.json"
    from experiments.report import outputs

    outputs.keep(summary, here / "results")
    assert "Signs" in (here / "results" / "mine" / "report.md").read_text()
    table = experiments.frame("mine", results=here / "results")
    assert table.equals(experiments.frame(str(path)))
    assert len(table) == 2 * 3 * 3
    last = table[table["last"]]
    assert sorted(last["seed"]) == [1, 1, 2, 2, 3, 3]
    assert (last.groupby("label")["test"].mean() < 40).all()  # the variance of the targets is 30
    assert last["test"].notna().all()


def test_another_file_is_another_experiment(here):
    before = experiments.load("mine.toml")
    (here / "mine.py").write_text(MINE.replace("Tanh", "ReLU"))
    after = experiments.load("mine.toml")
    assert before.model.name != after.model.name
    with pytest.raises(ConfigError, match=r"mine\.py has changed"):
        own.load(before.model.name, "model.name")
    assert isinstance(own.load(after.model.name, "model.name")().layers[1], torch.nn.ReLU)


def test_classes_have_an_accuracy(here):
    changes = ['training.loss=""', "data.name=mine.py:classes", "tuning.metric=accuracy", "model.options.out=2"]
    experiment = catalog.load("mine.toml", changes=[*changes, "final.seeds=[1]", "tuning.learning_rates.count=1"])
    results = experiments.run(experiment, crew=experiments.Workers(1))
    assert results.complete, results.failures
    accuracies = [row.curve[-1].test.accuracy for rows in results.rows.values() for row in rows]
    assert all(0 <= accuracy <= 1 for accuracy in accuracies)


def test_targets_that_do_not_count_change_no_step(here):
    curves = []
    for name in ("half", "half_ignored"):
        changes = ['training.loss=""', f"data.name=mine.py:{name}", "tuning.metric=accuracy", "model.options.out=2",
                   "data.validation=0", "training.batch_size=full", "final.seeds=[1]",
                   "tuning.learning_rates.high=0.01", "tuning.learning_rates.count=1"]  # fmt: skip
        results = experiments.run(catalog.load("mine.toml", changes=changes), crew=experiments.Workers(1))
        assert results.complete, results.failures
        points = [p for rows in results.rows.values() for row in rows for p in row.curve]
        curves.append([(p.train_loss, p.test.loss) for p in points])
    for one, other in zip(*curves, strict=True):
        assert other == pytest.approx(one, rel=1e-5)


WRONG = {
    "no file": ("model.name=none.py:Net", "none.py cannot be read"),
    "no name": ("model.name=mine.py:Nothing", "has no Nothing"),
    "no network": ("model.name=mine.py:dict_of", "makes a dict"),
    "no option": ("optimizers.Signs.options.size=1", "size.*scale"),
    "a loss for our data": ("data.name=digits", "training.loss"),
    "a metric of classes": ("tuning.metric=accuracy", "loss, with a loss of yours"),
    "our network": ("model.name=convnet", "give a network"),
    "a loss that is no name": ("training.loss=mse", "FILE.py:NAME"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case, here):
    change, message = WRONG[case]
    with pytest.raises(ConfigError, match=message):
        experiments.run(catalog.load("mine.toml", changes=[change]), crew=experiments.Workers(1))


def test_data_must_be_four_tensors(here):
    (here / "mine.py").write_text(
        MINE.replace("return x[:200], y[:200, None], x[200:]", "return x[:200], y[:100, None], x[200:]")
    )
    from experiments import data

    with pytest.raises(DataError, match="200, 100, 40, 40"):
        data.load(experiments.load("mine.toml").data)
