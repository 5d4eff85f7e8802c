import pytest
import torch
from torch import nn

from experiments.config.schema import OptimizerConfig
from experiments.io.errors import ConfigError
from experiments.optimizers import competitors

SMALL_BATCH = {  # the preset, in each one's words
    **{
        name: {"alpha": 0.5, "beta1": 0.01}
        for name in ("ALTO", "ALTOParts", "ESGD", "EAdam", "EAdamW", "ENAdamW", "EMuon")
    },
    "OfficialALTO": {"alp": 0.5, "betas": [0.01, 0.9, 0.99]},
    "GrokfastLAMB": {"lamb": 0.1},  # its own 2 is too slow for 60 steps
}
LR = {
    "ALTO": 0.05,
    "OfficialALTO": 0.05,
    "ALTOParts": 0.05,
    "LAMB": 0.05,
    "Lion": 0.003,
    "SGD": 0.05,
    "ESGD": 0.05,
    "Muon": 0.01,
    "GrokfastLAMB": 0.05,
    "MARSLAMB": 0.05,
    "EMANesterovLAMB": 0.05,
}


def problem():
    """A small network and a full-batch loss that any of them can lower."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16, 3))
    inputs, targets = torch.randn(32, 1, 6, 6), torch.randint(0, 3, (32,))
    return model, lambda: nn.functional.cross_entropy(model(inputs), targets)


@pytest.mark.parametrize("name", competitors.NAMES)
def test_every_competitor_learns(name):
    model, loss = problem()
    _, options = competitors.resolved(name, OptimizerConfig(), 32)
    options |= SMALL_BATCH.get(name, {})
    optimizer = competitors.create(name, options, model, lr=LR.get(name, 0.01), weight_decay=1e-4)
    first = loss().item()
    for _ in range(60):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
    assert loss().item() < 0.5 * first


@pytest.mark.parametrize("name", competitors.NAMES)
def test_norm_and_bias_parameters_do_not_decay_and_the_others_do(name):
    model, _ = problem()
    _, options = competitors.resolved(name, OptimizerConfig(), 32)
    optimizer = competitors.create(name, options, model, lr=0.1, weight_decay=0.25)
    decay = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    matrices = {id(model[0].weight), id(model[4].weight)}
    assert decay == {id(p): (0.25 if id(p) in matrices else 0.0) for p in model.parameters()}
    assert {group["lr"] for group in optimizer.param_groups} == {0.1}


@pytest.mark.parametrize("name", ["AdamW", "AdaBelief", "Adan", "Lion", "QHAdam", "AdEMAMix", "Muon", "EAdamW"])
def test_the_shared_weight_decay_is_decoupled(name):
    # without a gradient's pull, one step at rate 0.1 with decay 0.5 leaves 0.95 of a weight
    model = nn.Linear(3, 3, bias=False)
    before = model.weight.detach().clone()
    _, options = competitors.resolved(name, OptimizerConfig(), 32)
    optimizer = competitors.create(name, options, model, lr=0.1, weight_decay=0.5)
    model.weight.grad = torch.zeros_like(model.weight)
    optimizer.step()
    torch.testing.assert_close(model.weight.detach(), 0.95 * before)


def test_an_option_that_the_optimizer_would_swallow_is_refused():
    for name in ("QHAdam", "EAdamW"):
        with pytest.raises(ConfigError, match="no such option"):
            competitors.check(name, OptimizerConfig(options={"betaz": [0.9, 0.99]}))
    competitors.check("EAdamW", OptimizerConfig(options={"betas": [0.9, 0.99], "amsgrad": True}))


def test_the_preset_follows_the_batch_and_options_have_the_last_word():
    config = OptimizerConfig(preset="batch", options={"alpha": 0.25})
    assert competitors.resolved("ALTO", config, 32) == ("ALTO", {"alpha": 0.25, "beta1": 0.01})
    assert competitors.resolved("ALTO", OptimizerConfig(preset="batch"), 4096)[1] == {"alpha": -5.0, "beta1": 0.99}


def test_a_missing_package_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setitem(competitors._ENTRIES, "Lion", competitors._Entry("no_such_package", "Lion"))
    with pytest.raises(ConfigError, match="pip install no_such_package"):
        competitors.check("Lion", OptimizerConfig())
