"""PPO as a run: the same bits however often it is stopped, what it leaves, and what it refuses."""

import dataclasses
import importlib.util

import pytest
import torch

from experiments import data
from experiments.config import catalog
from experiments.config.schema import DataConfig, GridConfig, ModelConfig
from experiments.io.environment import Environment
from experiments.io.errors import ConfigError, OwnCodeError
from experiments.runs import parquet_file, plan, rows
from experiments.sweep import data_sources, runner
from experiments.sweep.pool import Workers
from experiments.training.reinforcement import ReinforcementLoop
from experiments.training.simulators import Simulators
from experiments.training.train import train

SWIM = """
title = "Swim"
source = "ours"
baseline = "Adam"
data = { name = "swimmer", limit = 60, test_limit = 2 }
model = { name = "ppo", options = { hidden = [8], passes = 2 } }
training = { epochs = 4, batch_size = 16, evaluations = 2, clip = 0.5, schedule = "cosine" }
tuning = { metric = "reward", seeds = [11], learning_rates = { low = 0.001, high = 0.001, count = 1 } }
final = { seeds = [1] }
[settings.any]
[optimizers.ALTO]
preset = "batch"
[optimizers.Adam]
[tiers.laptop]
"""


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Swimmers' episodes of at most 20 steps, so that some end within a rollout."""
    import gymnasium

    real = gymnasium.make
    limits = {"Swimmer-v5": 20}
    monkeypatch.setattr(gymnasium, "make", lambda name: real(name, max_episode_steps=limits.get(name)))


@pytest.fixture
def experiment(tmp_path):
    path = tmp_path / "swim.toml"
    path.write_text(SWIM)
    return catalog.load(str(path))


@pytest.fixture
def run(experiment):
    return plan.final_runs(experiment, plan.Cell("any", "ALTO"), 0.01, 60)[0]


class Killed(Exception):
    pass


def killed_at(step):
    def notify(done, _total):
        if done == step:
            raise Killed

    return notify


def timeless(row):
    return row.weights, [dataclasses.replace(point, seconds=0) for point in row.curve], row.steps, row.run


@pytest.mark.parametrize("stops", [(1,), (2, 3)], ids=str)
def test_a_stopped_run_goes_on_bitwise(run, tmp_path, stops):
    whole = train(run, Environment(tmp_path / "a"))
    place = Environment(tmp_path / "b", checkpoint_seconds=0)
    for stop in stops:
        with pytest.raises(Killed):
            train(run, place, killed_at(stop))
        torch.rand(stop)
    row = train(run, place)
    assert timeless(row) == timeless(whole)
    assert row.resumed == sum(stop > 1 for stop in stops)
    assert not (rows.folder(place.out, run) / "checkpoint.bin").exists()


def test_the_row_says_what_was_done(run, tmp_path):
    row = train(run, Environment(tmp_path))
    assert row.steps == 4
    assert [point.step for point in row.curve] == [2, 4]
    assert row.last.test.accuracy is None
    assert row.last.test.reward != row.last.validation.reward  # other starts
    assert row.curve[0].lr > row.last.lr > 0
    assert {"gymnasium", "mujoco"} <= set(row.versions)
    assert len(row.data) == 16


def test_seeds_and_learning_rates_matter(run, tmp_path):
    rows = [
        train(dataclasses.replace(run, **change), Environment(tmp_path))
        for change in ({}, {"seed": 2}, {"lr": 0.02}, {"optimizer": "Adam", "options": {}})
    ]
    assert len({row.weights for row in rows}) == 4


def test_a_whole_experiment_chooses_by_the_validation_return(experiment, place):
    two = dataclasses.replace(experiment.tuning, learning_rates=GridConfig(0.001, 0.01, 2))
    experiment = dataclasses.replace(experiment, tuning=two)
    results = runner.run(experiment, place, Workers(1), lambda _: None)
    assert results.complete
    rows = parquet_file.read(place.out)
    assert len(rows) == experiment.runs
    assert {row["test_reward"] is None for row in rows if row["phase"] == "tune"} == {True}
    assert all(row["validation_reward"] is not None for row in rows)


def test_a_diverging_run_ends_says_so_and_has_the_return_of_the_untrained_policy(run, tmp_path):
    wild = dataclasses.replace(run, optimizer="SGD", options={}, lr=1e38)
    row = train(wild, Environment(tmp_path))
    assert row.diverged
    assert row.last.train_loss is None
    untrained = ReinforcementLoop(run, Environment(tmp_path), tmp_path)._scores("test")
    assert row.last.test == untrained
    assert untrained.reward is not None


def test_an_episode_that_is_cut_off_has_a_future_and_a_new_one_begins():
    swimmers = Simulators("swimmer", 2)
    first = swimmers.reset([1, 2])
    assert torch.equal(first, swimmers.reset([1, 2]))
    assert not torch.equal(first[0], first[1])
    for _ in range(20):
        following, after, rewards, failed, ended = swimmers.step(torch.ones(2, swimmers.actions))
    assert ended.all()
    assert not failed.any()
    assert not torch.equal(following, after)
    assert rewards.shape == (2,)
    *_, ended = swimmers.step(torch.ones(2, swimmers.actions))
    assert not ended.any()


def test_a_humanoid_that_falls_has_failed():
    humanoid = Simulators("humanoid", 1)
    humanoid.reset([1])
    outcomes = [humanoid.step(torch.full((1, humanoid.actions), 0.4))[3:] for _ in range(200)]
    falls = [bool(failed) for failed, ended in outcomes]
    assert any(falls), "it never fell: the test shows nothing"
    assert all(bool(ended) for failed, ended in outcomes if failed)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"precision": "bfloat16"}, "training.precision"),
        ({"compile": True}, "training.compile"),
        ({"microbatch": 8}, "training.microbatch"),
        ({"curvature": 8}, "training.curvature"),
        ({"channels_last": True}, "training.channels_last"),
    ],
)
def test_what_has_no_meaning_here_is_refused_by_name(run, tmp_path, change, key):
    odd = dataclasses.replace(run, training=dataclasses.replace(run.training, **change))
    with pytest.raises(ConfigError) as caught:
        ReinforcementLoop(odd, Environment(tmp_path), tmp_path)
    assert caught.value.key == key


def test_other_impossible_runs_are_refused_by_name(run, tmp_path):
    place = Environment(tmp_path)
    with pytest.raises(ConfigError, match="transitions of a rollout"):
        data.examples(DataConfig("swimmer"))
    with pytest.raises(ConfigError, match="convnet takes image data, and these are simulated data"):
        ReinforcementLoop(dataclasses.replace(run, model=ModelConfig("convnet")), place, tmp_path)
    with pytest.raises(ConfigError, match="is simulated and has no examples"):
        data.load(DataConfig("ant", limit=100))


def test_a_missing_package_is_named_before_anything_runs(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "mujoco" else real(name))
    with pytest.raises(ConfigError, match=r"pip install 'gymnasium\[mujoco\]'"):
        data.examples(DataConfig("humanoid", limit=100))


def test_gymnasium_without_mujoco_is_named(monkeypatch):
    import gymnasium

    def fail(_):
        raise gymnasium.error.DependencyNotInstalled("MuJoCo is not installed")

    monkeypatch.setattr(gymnasium, "make", fail)
    with pytest.raises(ConfigError, match=r"pip install 'gymnasium\[mujoco\]'"):
        Simulators("ant", 1)


@pytest.mark.parametrize("part", ["optimizer", "network"])
def test_ones_own_part_is_tried_before_the_first_run(tmp_path, monkeypatch, part):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "import torch\n"
        "class Optimizer(torch.optim.SGD):\n    def step(self, closure=None):\n        raise KeyError('mine')\n"
        "class Agent(torch.nn.Linear):\n    def __init__(self):\n        super().__init__(1, 1)\n",
        encoding="utf-8",
    )
    text = SWIM.replace("[optimizers.Adam]", '[optimizers.Mine]\nname = "mine.py:Optimizer"')
    text = text.replace('baseline = "Adam"', 'baseline = "ALTO"')
    if part == "network":
        text = SWIM.replace('{ name = "ppo", options = { hidden = [8], passes = 2 } }', '{ name = "mine.py:Agent" }')
    (tmp_path / "swim.toml").write_text(text, encoding="utf-8")
    with pytest.raises(OwnCodeError, match="mine" if part == "optimizer" else "act"):
        data_sources.look(catalog.load("swim.toml"), Environment(tmp_path))
