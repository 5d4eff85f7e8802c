"""Mixtures of gradients: Grokfast and MARS are E at matched settings, around NAdamW and Muon E is E, and all resume."""

import copy

import pytest
import torch
from torch import nn

import alto
from experiments.optimizers import competitors

STEPS = 25


def network(dtype=torch.float64):
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(48, 7), nn.Tanh(), nn.Linear(7, 3)).to(dtype)


def steps(model, optimizer, begin=0, end=STEPS):
    """Weights after some steps, each with a batch of its own."""
    for number in range(begin, end):
        drawn = torch.Generator().manual_seed(number)
        inputs = torch.randn(16, 1, 6, 6, generator=drawn, dtype=model[0].weight.dtype)
        targets = torch.randint(0, 3, (16,), generator=drawn)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


def trained(name, **options):
    model = network()
    return steps(model, competitors.create(name, options, model, lr=0.02, weight_decay=1e-2))


def around_lamb(alpha, beta1, start, **options):
    """The same with E around LAMB."""
    model = network()
    base = competitors.create("LAMB", options, model, lr=0.02, weight_decay=1e-2)
    return steps(model, alto.E(base, alpha, beta1, start=start))


def test_grokfast_is_e_at_the_matched_strength():
    """c = lambda beta / (1 + lambda), which is .5 here, so alpha = -50: the steps of E from g_1 on, eps apart."""
    eps = {"eps": (1e-30, 0.0, 0.0)}
    theirs = trained("GrokfastLAMB", lamb=0.5 / 0.49, beta=0.99, **eps)
    torch.testing.assert_close(theirs, around_lamb(-50.0, 0.99, "first", **eps), rtol=0, atol=1e-6)
    assert (theirs - around_lamb(-50.0, 0.99, "zero", **eps)).abs().max() > 1e-4  # the start is what differs from ALTO


def test_mars_is_e_at_the_matched_strength():
    theirs = trained("MARSLAMB", gamma=0.5 * 0.05 / 0.95, beta=0.95)
    torch.testing.assert_close(theirs, around_lamb(0.5, 0.0, "zero"), rtol=0, atol=1e-6)
    assert (theirs - trained("LAMB")).abs().max() > 1e-4


def test_ema_nesterov_is_written_out():
    """One coordinate by hand, beside LAMB's own steps from the points where gradients are read."""
    y = torch.tensor([2.0], dtype=torch.float64)
    point = nn.Parameter(y.clone())
    optimizer = competitors._imported("EMANesterovLAMB")([point], 0.1, gamma=0.8, B=0.6, weight_decay=0.0)
    inner = nn.Parameter(y.clone())
    lamb = alto.LAMB([inner], lr=0.1, weight_decay=0.0)
    theta, m = y.clone(), torch.zeros(1, dtype=torch.float64)
    for g in (1.0, -0.5, 2.0, 0.3):
        inner.data.copy_(y)
        inner.grad = torch.tensor([g], dtype=torch.float64)
        lamb.step()
        new = inner.detach().clone()
        m = 0.8 * m + 0.2 * (new - theta)
        theta, y = new, new + 0.6 * m
        point.grad = torch.tensor([g], dtype=torch.float64)
        optimizer.step()
        assert point.item() == pytest.approx(y.item(), rel=1e-12)


@pytest.mark.parametrize(("explored", "base"), [("ENAdamW", "NAdamW"), ("EMuon", "Muon")])
def test_at_alpha_0_e_is_its_base_bit_for_bit_and_else_it_is_not(explored, base):
    fixed = competitors._ENTRIES[base].fixed
    bare = trained(base, **fixed)
    assert torch.equal(trained(explored, alpha=0.0, beta1=0.99), bare)
    assert (trained(explored, alpha=-50.0, beta1=0.99) - bare).abs().max() > 1e-4


@pytest.mark.parametrize("name", ["ENAdamW", "EMuon", "GrokfastLAMB", "MARSLAMB", "EMANesterovLAMB"])
def test_a_state_dict_goes_on_where_it_was(name):
    """In float32, because a load gives torch's NAdam one of its counters in another precision otherwise."""

    def build(model):
        return competitors.create(name, {}, model, lr=0.02, weight_decay=1e-2)

    unbroken, first = network(torch.float32), network(torch.float32)
    whole = steps(unbroken, build(unbroken))
    one = build(first)
    steps(first, one, 0, 10)
    second = copy.deepcopy(first)
    two = build(second)
    two.load_state_dict(copy.deepcopy(one.state_dict()))
    assert torch.equal(steps(second, two, 10, STEPS), whole)


@pytest.mark.parametrize("name", ["GrokfastLAMB", "MARSLAMB"])
def test_gradients_stay_the_users(name):
    model = network()
    optimizer = competitors.create(name, {}, model, lr=0.02, weight_decay=0.0)
    steps(model, optimizer, 0, 2)
    kept = [p.grad.clone() for p in model.parameters()]
    optimizer.step()
    assert all(torch.equal(p.grad, grad) for p, grad in zip(model.parameters(), kept, strict=True))


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("GrokfastLAMB", {"lamb": -1.0}, "lamb = -1.0"),
        ("MARSLAMB", {"beta": 1.0}, "beta = 1.0"),
        ("EMANesterovLAMB", {"gamma": 1.5}, "gamma = 1.5"),
    ],
)
def test_numbers_out_of_range_are_named(name, options, words):
    with pytest.raises(ValueError, match=words):
        competitors.create(name, options, network(), lr=0.1, weight_decay=0.0)
