"""Everything that is refused before a run starts: by name, and before the output folder exists."""

import dataclasses
import re

import pytest
from torch import nn

from experiments import data, models
from experiments.config import catalog
from experiments.config.schema import DataConfig, ModelConfig
from experiments.io.errors import ConfigError
from experiments.sweep import pool, runner
from experiments.sweep.pool import Workers
from experiments.training import admission

SWIM = ("data.name=swimmer", "data.limit=60", "model=ppo", "tuning.metric=reward")
TAGS = ("data={name='made-sentences'}", "model=bilstm", "tuning.metric=f1")
TEXT = ("data={name='text'}", "model=gpt")
REVIEWS = ("data={name='made-reviews'}", "model=bert-classifier")


def load(tiny_file, changes):
    """The tiny experiment with changes, of one key the last; ``model=NAME`` takes another network, without options."""
    for change in changes:
        if change.startswith("model="):
            text = re.sub("(?m)^model = .*$", f'model = {{ name = "{change[6:]}" }}', tiny_file.read_text())
            tiny_file.write_text(text)
    last = {change.partition("=")[0]: change for change in changes}
    return catalog.load(str(tiny_file), changes=[change for key, change in last.items() if key != "model"])


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        # names
        (["data.name=mnist"], "data.name"),
        (["model.name=perceptron"], "model.name"),
        (["model.options.depth=3"], "model.options.depth"),
        # values that a network refuses
        (["model.options.dropout=2.0"], "model.options"),
        (["model.options.widths=[-4, 8]"], "model.options"),
        (["model.options.widths=[0]"], "model.options"),
        (["model.options.widths=[4, 0]"], "model.options"),
        (["model.options.widths=[]"], "model.options"),
        (["model.options.widths=many"], "model.options"),
        (["model=resnet", "model.options.depth=19"], "model.options"),
        ([*TEXT, "model.options.heads=3"], "model.options"),
        ([*TEXT, "model.options.heads=0"], "model.options"),
        ([*TEXT, "model.options.layers=1.5"], "model.options"),
        ([*TAGS, "model.options.hidden=0"], "model.options"),
        ([*REVIEWS, "model.options.heads=7"], "model.options"),
        ([*SWIM, "model.options.discount=1.5"], "model.options"),
        ([*SWIM, "model.options.hidden=wide"], "model.options"),
        # a network for other data
        (["model=gpt"], "model.name"),
        ([*TEXT, "model=convnet"], "model.name"),
        ([*SWIM, "model=convnet"], "model.name"),
        (["model=ppo"], "model.name"),
        ([*TAGS, "model=bert-classifier"], "model.name"),
        # a metric that the data have not
        (["tuning.metric=f1"], "tuning.metric"),
        (["tuning.metric=reward"], "tuning.metric"),
        ([*TEXT, "tuning.metric=f1"], "tuning.metric"),
        ([*TAGS, "tuning.metric=reward"], "tuning.metric"),
        ([*SWIM, "tuning.metric=accuracy"], "tuning.metric"),
        # switches that the data have not
        ([*TEXT, "data.augment=true"], "data.augment"),
        ([*TAGS, "training.channels_last=true"], "training.channels_last"),
        (["data.pieces=bert-base-cased"], "data.pieces"),
        ([*SWIM, "data.augment=true"], "data.augment"),
        ([*SWIM, "training.precision=bfloat16"], "training.precision"),
        ([*SWIM, "training.microbatch=5"], "training.microbatch"),
        ([*SWIM, "training.compile=true"], "training.compile"),
        ([*SWIM, "training.channels_last=true"], "training.channels_last"),
        ([*SWIM, "training.curvature=8"], "training.curvature"),
        ([*SWIM, "data.limit=61"], "data.limit"),  # for two simulators
        ([*SWIM, "data.limit=all"], "data.limit"),
        # in one setting only
        (["settings.other.training.channels_last=true", *TEXT], "training.channels_last"),
        (["settings.other.model.options.dropout=2.0"], "model.options"),
        # optimizers
        (["optimizers.LAMB.options.betas=[2.0, 0.9]"], "optimizers.LAMB"),
        (["optimizers.LAMB.options.eps=small"], "optimizers.LAMB"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[-1],
)
def test_it_is_refused_by_name_before_the_folder_exists(tiny_file, place, monkeypatch, changes, key):
    monkeypatch.setattr(pool, "train", lambda *_: pytest.fail("a run started"))
    monkeypatch.setattr(data, "load", lambda *_: pytest.fail("the data were read"))
    experiment = load(tiny_file, changes)
    with pytest.raises(ConfigError) as caught:
        runner.run(experiment, place, Workers(1), lambda _: None)
    assert caught.value.key == key
    assert not place.out.exists()


def test_several_processes_are_refused_for_a_simulated_task(tiny_file, monkeypatch):
    experiment = load(tiny_file, SWIM)
    admission.check(experiment)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="torchrun: 2 is not allowed; it must be one process for simulated data"):
        admission.check(experiment)


@pytest.mark.parametrize("changes", [(), TEXT, TAGS, REVIEWS, SWIM], ids=["image", "text", "tags", "sentence", "swim"])
def test_what_is_right_is_admitted_and_no_weight_is_allocated(tiny_file, monkeypatch, changes):
    real, devices = nn.Module.register_parameter, set()

    def watched(self, name, parameter):
        if parameter is not None:
            devices.add(parameter.device.type)
        real(self, name, parameter)

    monkeypatch.setattr(nn.Module, "register_parameter", watched)
    monkeypatch.setattr("experiments.optimizers.competitors.check", lambda *_: None)  # that tries each on four weights
    admission.check(load(tiny_file, changes))
    assert devices == {"meta"}


@pytest.mark.parametrize(
    ("network", "of", "key", "words"),
    [
        (ModelConfig("vgg16"), DataConfig(), "model.name", r"cannot take images \(1, 8, 8\)"),
        (
            ModelConfig("bert-classifier", {"context": 4}),
            DataConfig("made-reviews"),
            "model.options.context",
            "least 1",
        ),
        (ModelConfig("bert-tagger", {"context": 4}), DataConfig("made-sentences"), "model.options.context", "at least"),
        (
            ModelConfig("bert-classifier", {"weights": "/nowhere"}),
            DataConfig("made-reviews"),
            "model.options.weights",
            "neither a folder",
        ),
    ],
    ids=["small images", "long reviews", "long sentences", "absent weights"],
)
def test_a_network_that_cannot_take_the_data_is_refused(network, of, key, words):
    with pytest.raises(ConfigError, match=words) as caught:
        models.fits(network, data.load(of))
    assert caught.value.key == key


def test_a_text_longer_than_the_networks_context_is_refused_before_the_folder_exists(tiny_file, place, tmp_path):
    (tmp_path / "text.txt").write_text("to be or not to be " * 100)
    place = dataclasses.replace(place, data_dir=tmp_path)
    experiment = load(tiny_file, [*TEXT, "data.context=9", "model.options.context=8"])
    with pytest.raises(ConfigError, match=r"model\.options\.context: 8 is not allowed; it must be at least 9"):
        runner.run(experiment, place, Workers(1), lambda _: None)
    assert not place.out.exists()


@pytest.mark.parametrize("change", ["training.batch_size=161", "settings.small.training.batch_size=16384"])
def test_a_batch_larger_than_the_data_is_refused_before_the_first_training(tiny_file, place, change):
    with pytest.raises(ConfigError, match=r'batch_size: .* must be "full" or at most 160'):
        runner.run(catalog.load(str(tiny_file), changes=[change]), place, Workers(1))
    assert not place.out.exists()


@pytest.mark.parametrize(
    ("change", "allowed"),
    [("data.limit=1000000", '"all" or at most 1438'), ("settings.small.data.limit=1439", '"all" or at most 1438')],
    ids=["all settings", "one setting"],
)
def test_a_limit_beyond_the_data_is_refused_and_not_reported(tiny_file, place, change, allowed):
    with pytest.raises(ConfigError, match=rf"data\.limit: .* must be {allowed}"):
        runner.run(catalog.load(str(tiny_file), changes=[change]), place, Workers(1))
    assert not place.out.exists()


def test_a_warm_up_beyond_the_steps_is_refused(tiny_file, place):
    changes = ["training.steps=6", "training.warmup=2.1"]  # 160 examples in batches of 64: three steps an epoch
    with pytest.raises(ConfigError, match=r"training\.warmup: 2\.1 .* at most 2, the epochs of the whole run"):
        runner.run(catalog.load(str(tiny_file), changes=changes), place, Workers(1))
    assert not place.out.exists()


def test_a_batch_of_all_examples_is_taken(tiny_file, place):
    experiment = catalog.load(str(tiny_file), changes=["training.batch_size=160", "training.epochs=1"])
    assert runner.run(experiment, place, Workers(1)).complete
