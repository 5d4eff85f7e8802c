"""ALTO with parts left out: with all of them it is ALTO, without some it is what the ablation says it is."""

import copy

import pytest
import torch
from torch import nn

import alto
from experiments.optimizers.alto_ablation import ALTOParts


def train(build, steps=12):
    """The weights after a few steps on a fixed problem in float64."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.LayerNorm(7), nn.Tanh(), nn.Linear(7, 3)).double()
    inputs, targets = torch.randn(16, 5, dtype=torch.float64), torch.randint(0, 3, (16,))
    optimizer = build(alto.decay_groups(model, weight_decay=1e-2))
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


@pytest.mark.parametrize("bias_correction", [True, False])
@pytest.mark.parametrize("layerwise", [True, False])
def test_with_the_slow_average_in_both_moments_it_is_alto(bias_correction, layerwise):
    shared = {"lr": 0.03, "alpha": -3.0, "beta1": 0.9, "bias_correction": bias_correction, "layerwise": layerwise}
    torch.testing.assert_close(
        train(lambda groups: ALTOParts(groups, **shared)), train(lambda groups: alto.ALTO(groups, **shared))
    )


def test_without_it_in_both_moments_it_is_lamb():
    parts = train(lambda groups: ALTOParts(groups, 0.03, alpha=-3.0, beta1=0.9, in_m=False, in_v=False))
    torch.testing.assert_close(parts, train(lambda groups: alto.LAMB(groups, lr=0.03)))


@pytest.mark.parametrize("switch", ["in_m", "in_v", "bias_correction", "layerwise"])
def test_every_switch_changes_the_result(switch):
    shared = {"alpha": -3.0, "beta1": 0.9}
    whole = train(lambda groups: ALTOParts(groups, 0.03, **shared))
    without = train(lambda groups: ALTOParts(groups, 0.03, **shared, **{switch: False}))
    assert (whole - without).norm() > 1e-3 * whole.norm()


def test_in_one_moment_only_is_the_formula():
    """One coordinate by hand, three steps: u in m, g in v."""
    parameter = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    eps = (1e-6, 1e-6, 1e-10)
    optimizer = ALTOParts([parameter], 0.1, alpha=-2.0, beta1=0.8, weight_decay=0.0, layerwise=False, in_v=False)
    theta, m, v, a, g_before = 2.0, 0.0, 0.0, 0.0, 0.0
    for k, g in enumerate((1.0, -0.5, 2.0), start=1):
        parameter.grad = torch.tensor([g], dtype=torch.float64)
        optimizer.step()
        a = 0.8 * a + 0.2 * (g - g_before)
        g_before = g
        m = 0.9 * m + 0.1 * (g - 2.0 * a)
        v = 0.99 * v + 0.01 * g * g
        theta -= 0.1 * (m / (1 - 0.9**k)) / ((v / (1 - 0.99**k)) ** 0.5 + eps[0])
        assert parameter.item() == pytest.approx(theta, rel=1e-12)


def test_a_state_dict_goes_on_where_it_was():
    torch.manual_seed(1)
    first = nn.Linear(3, 2)
    one = ALTOParts(first.parameters(), 0.05)
    for _ in range(3):
        one.zero_grad()
        first(torch.ones(4, 3)).square().sum().backward()
        one.step()
    second = copy.deepcopy(first)
    two = ALTOParts(second.parameters(), 0.05)
    two.load_state_dict(copy.deepcopy(one.state_dict()))  # torch shares the tensors otherwise
    for model, optimizer in ((first, one), (second, two)):
        optimizer.zero_grad()
        model(torch.ones(4, 3)).square().sum().backward()
        optimizer.step()
    torch.testing.assert_close(first.weight, second.weight, rtol=0, atol=0)


def test_outside_the_region_is_refused():
    with pytest.raises(ValueError, match=r"\|alpha\| \(1 - beta1\) = 4.5 is not allowed"):
        ALTOParts([nn.Parameter(torch.ones(1))], 0.1, alpha=-5.0, beta1=0.1)
