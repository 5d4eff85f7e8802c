"""A tier changes sizes and never the method."""

import tomllib

import pytest

from experiments.config import catalog
from experiments.optimizers import competitors

FULL = {"digits": 1000, "cifar10": 45_000, "cifar100": 45_000, "made-sentences": 600, "conll2003": 14_041,
        "tinyshakespeare": 3_000}  # fmt: skip
"""At least so many examples are a full batch."""


@pytest.mark.parametrize("name", catalog.names())
def test_a_setting_has_the_same_optimizers_in_all_tiers(name):
    # a preset that follows the batch has to pick the same one everywhere
    found = {}
    for tier in tomllib.loads((catalog.FOLDER / f"{name}.toml").read_text())["tiers"]:
        experiment = catalog.load(name, tier)
        for setting in experiment.settings:
            data, _, training = experiment.resolve(setting)
            batch = FULL[data.name] if training.batch_size == "full" else training.batch_size
            for label, config in experiment.optimizers.items():
                made = competitors.resolved(label, config, batch)
                assert found.setdefault((setting, label), made) == made, (tier, setting, label)


@pytest.mark.parametrize("name", catalog.names())
def test_a_setting_has_the_same_schedule_and_clip_in_all_tiers(name):
    found = {}
    for tier in tomllib.loads((catalog.FOLDER / f"{name}.toml").read_text())["tiers"]:
        experiment = catalog.load(name, tier)
        for setting in experiment.settings:
            training = experiment.resolve(setting)[2]
            recipe = (training.schedule, training.clip, training.weight_decay, training.warmup > 0)
            assert found.setdefault(setting, recipe) == recipe, (tier, setting)
