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


@pytest.mark.parametrize("name", ["cifar-resnet20", "headline-gpu"])
def test_the_docs_say_how_long_the_gpu_tier_takes(name):
    """Runs times epochs times training images, and hours at the throughput that the page names."""
    experiment, images = catalog.load(name, "gpu"), 0
    for setting in experiment.settings:
        data, _, training = experiment.resolve(setting)
        tuning = len(experiment.grid(setting).values()) * len(experiment.tuning.seeds)
        runs = (tuning if tuning > 1 else 0) + len(experiment.final.seeds)
        images += len(experiment.optimizers) * runs * training.epochs * round(50_000 * (1 - data.validation))
    page = " ".join((catalog.FOLDER.parents[1] / "docs" / "experiments.md").read_text(encoding="utf-8").split())
    begin = page.index(f"`{name}`", page.index("follows from its throughput"))
    said = page[begin : page.index(";" if name == "headline-gpu" else ". `headline-gpu`", begin)]
    assert f"{images / 1e9:.3g} billion" in said
    assert f"{images / 20_000 / 3600:.2g} hours" in said
    assert "20,000 images per second" in page
    if name == "cifar-resnet20":
        assert f"{experiment.runs} runs" in said
