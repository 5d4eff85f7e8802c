"""Optimizers by name."""

import pytest
import torch
from torch import nn

import alto


@pytest.mark.parametrize(
    ("name", "kind"),
    [("alto", alto.ALTO), ("LAMB", alto.LAMB), ("esgd", alto.ESGD), ("eadam", alto.EAdam), ("EAdamW", alto.EAdamW)],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_name_gives_its_optimizer(name, kind):
    optimizer = alto.create(name, nn.Linear(2, 3), lr=0.1, weight_decay=0.01)
    assert type(optimizer) is kind
    assert [(group["lr"], group["weight_decay"]) for group in optimizer.param_groups] == [(0.1, 0.01), (0.1, 0.0)]


def test_e_over_any_of_torchs():
    optimizer = alto.create("e_radam", nn.Linear(2, 3), alpha=-3.0, beta1=0.9, betas=(0.8, 0.99))
    assert isinstance(optimizer.base, torch.optim.RAdam)
    assert optimizer.param_groups[0]["explore_alpha"] == -3.0
    assert optimizer.param_groups[0]["betas"] == (0.8, 0.99)
    assert alto.create("e_adam", nn.Linear(2, 3), start="first").start == "first"


@pytest.mark.parametrize("name", ["adamw", "e_", "e_optimizer", "e_nothing", "e_lbfgs", "e_sparseadam"])
def test_an_unknown_name_gets_the_known_ones(name):
    with pytest.raises(ValueError, match=rf"'{name}'.*alto.*e_adamw") as caught:
        alto.create(name, nn.Linear(2, 3))
    assert f" {name}," not in str(caught.value)
