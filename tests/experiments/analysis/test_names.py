import dataclasses
import tomllib

import pytest

from experiments.analysis import names
from experiments.config import catalog
from experiments.config.schema import TIERS, DataConfig
from experiments.data import load
from experiments.data.data_sets import NAMES, kind
from theory.tex import networks


@pytest.mark.parametrize(
    ("experiment", "setting", "words"),
    [
        ("imagenet-resnet", "ResNet-34, batch 4086", "ResNet-20 on 490 digits, full batch"),
        ("imagenet-resnet", "ResNet-50, batch 1K", "convnet 16-32 on digits, batch 44"),
        ("cifar-vgg-densenet", "DenseNet-169", "ResNet-20 on 450 digits, full batch"),
        ("batch-scaling", "batch 200", "convnet 16-32 on digits, batch 5"),
        ("clipping", "large batch, clip 0.1", "convnet 16-32 on digits, full batch, clip 0.1"),
        ("flatness", "large batch, equal lr", "convnet 16-32 on digits, full batch, equal learning rates"),
        ("gpt", "small batch", "1-layer GPT (width 32) on tiny Shakespeare (4,000 sequences), batch 32"),
        ("headline-16px", "lr .05", "ResNet-8 on CIFAR-10 at 16 pixels, batch 1024"),
        ("ppo-ant", "ant", "PPO on Ant, batch 250"),
    ],
)
def test_a_setting_is_named_by_what_its_tier_runs(experiment, setting, words):
    assert names.one(catalog.load(experiment), setting) == words


def _tiers():
    """Every experiment at each of its tiers."""
    for name in catalog.names():
        table = tomllib.loads((catalog.FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
        yield from ((name, tier) for tier in TIERS if tier in table["tiers"])


@pytest.mark.parametrize(("name", "tier"), list(_tiers()))
def test_no_title_or_name_tells_of_a_network_or_data_set_that_did_not_run(name, tier):
    experiment = catalog.load(name, tier)
    shown = names.settings(experiment)
    assert list(shown) == list(experiment.settings)
    assert len(set(shown.values())) == len(shown)
    ran = names.what_ran(experiment)
    for word in ("ResNet-34", "ResNet-50", "VGG-16", "DenseNet-169", "ImageNet", "CIFAR-10"):
        if word not in ran:
            assert word not in names.title(experiment)
            assert not any(word in setting for setting in shown.values())
    assert ran in names.title(experiment)


def test_a_title_that_is_true_stays():
    assert names.title(catalog.load("digits")).startswith("Handwritten digits, full batch and batch 32 (")
    paper = names.title(catalog.load("cifar-vgg-densenet", "paper"))
    assert paper.startswith("VGG-16 and DenseNet-169 on CIFAR-10 at batch 16384")
    assert names.title(catalog.load("cifar-vgg-densenet")).startswith("ALTO, LAMB, AdamW and SGD (")


def test_settings_that_differ_in_nothing_shown_keep_their_labels():
    digits = catalog.load("digits")
    one = digits.settings["full batch"]
    two = dataclasses.replace(digits, settings={"a": one, "b": dataclasses.replace(one, training={"warmup": 1.0})})
    assert list(names.settings(dataclasses.replace(two, settings={"a": one, "b": one})).values()) == [
        "full batch (a)",
        "full batch (b)",
    ]


def test_the_examples_that_are_told_are_those_that_are_trained_on(tmp_path):
    (tmp_path / "text.txt").write_text("all work and no play. " * 500, encoding="utf-8")
    for name in ("digits", "made-pairs", "made-sentences", "text"):
        for share in (0.0, 0.004, 0.25) if name in {"digits", "made-pairs"} else (0.25,):
            config = DataConfig(name, validation=share, limit=100, context=16)
            trained = load(config, tmp_path).train
            assert f"{len(trained)} " in names.data(config)


def test_a_data_set_with_a_validation_part_of_its_own_is_known_as_one():
    assert {name for name in NAMES if kind(name) in {"text", "tags"}} == names.OWN_PART == networks.OWN_PART
