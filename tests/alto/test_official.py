"""Parity with the official package (PyPI e-optimizer-adaptor), its departures from the paper allowed for."""

import copy

import ALTO as official_alto
import E as official_e
import pytest
import torch
from torch import nn

from alto import ALTO, E
from tests.alto.zoo import BASES, gradients, matrices, run


@pytest.mark.parametrize("foreach", [True, False])
@pytest.mark.parametrize(("alpha", "beta1"), [(-5.0, 0.99), (0.5, 0.01), (-5.0, 0.9), (3.0, 0.8)])
def test_alto_equals_the_official_one(alpha, beta1, foreach):
    """Its departures: a hidden clip to norm 1 (fed gradients stay below), one epsilon, phi without eps, |theta|/|r|."""
    ours, theirs = matrices(dtype=torch.float64), matrices(dtype=torch.float64)
    a = ALTO(
        ours,
        lr=0.05,
        alpha=alpha,
        beta1=beta1,
        betas=(0.9, 0.99),
        eps=(1e-8, 0.0, 0.0),
        weight_decay=1e-3,
        foreach=foreach,
    )
    b = official_alto.ALTO(theirs, lr=0.05, alp=alpha, betas=(beta1, 0.9, 0.99), eps=1e-8, weight_decay=1e-3)
    for step in range(20):
        for p, q, g in zip(ours, theirs, gradients(ours, step, scale=0.05), strict=True):
            p.grad, q.grad = g, g.clone()
        assert sum(p.grad.square().sum() for p in ours) < 1  # below its clip
        a.step()
        b.step()
        for p, q in zip(ours, theirs, strict=True):
            torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-12)


def test_alto_equals_the_official_one_without_decay_and_layerwise():
    ours, theirs = matrices(dtype=torch.float64), matrices(dtype=torch.float64)
    a = ALTO(ours, lr=0.05, weight_decay=0.0, layerwise=False)
    b = official_alto.ALTO(theirs, lr=0.05, alp=-5, betas=(0.99, 0.9, 0.99), eps=1e-6, weight_decay=0.0)
    for step in range(20):
        for p, q, g in zip(ours, theirs, gradients(ours, step, scale=0.05), strict=True):
            p.grad, q.grad = g, g.clone()
        a.step()
        b.step()
        for p, q in zip(ours, theirs, strict=True):
            torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-12)


def test_the_official_clip_is_what_separates_them():
    ours, theirs = matrices(dtype=torch.float64), matrices(dtype=torch.float64)
    run(ALTO(ours, lr=0.05, eps=(1e-8, 0.0, 0.0)), ours, 3)
    run(official_alto.ALTO(theirs, lr=0.05, betas=(0.99, 0.9, 0.99), eps=1e-8), theirs, 3)
    assert max((p - q).abs().max().item() for p, q in zip(ours, theirs, strict=True)) > 1e-4


@pytest.mark.parametrize("base", ["SGD", "Adam", "AdamW", "RMSprop"])
@pytest.mark.parametrize(("alpha", "beta1"), [(-5.0, 0.99), (0.5, 0.01)])
def test_e_equals_the_official_one(base, alpha, beta1):
    ours, theirs = matrices(dtype=torch.float64), matrices(dtype=torch.float64)
    a = E(BASES[base](ours), alpha, beta1)
    b = official_e.E(BASES[base](theirs), alpha=alpha, beta=beta1)
    run(a, ours, 20)
    run(b, theirs, 20)
    for p, q in zip(ours, theirs, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-12)


def test_the_official_e_loses_its_buffers_on_resume_and_ours_does_not():
    def resumed(make):
        params = matrices(dtype=torch.float64)
        optimizer = make(params)
        run(optimizer, params, 5)
        copies = [nn.Parameter(p.detach().clone()) for p in params]
        other = make(copies)
        other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        unbroken = run(optimizer, params, range(5, 15))
        return max((p - q).abs().max().item() for p, q in zip(unbroken, run(other, copies, range(5, 15)), strict=True))

    assert resumed(lambda p: E(torch.optim.Adam(p), -5.0, 0.99)) == 0.0
    assert resumed(lambda p: official_e.E(torch.optim.Adam(p), alpha=-5.0, beta=0.99)) > 0.0
