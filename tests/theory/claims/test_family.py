"""E beside the published code of Grokfast and MARS, and beside EMA-Nesterov written out; broken maps are noticed."""

import pytest
import pytorch_optimizer
import torch
from pytorch_optimizer.optimizer.grokfast import gradfilter_ema

from alto import ALTO, LAMB, E
from theory.claims.method import family
from theory.ledger.claim import Verdict, entries
from theory.ledger.evidence import QUICK
from theory.method.setting import Setting
from theory.stability import family as maps

STEPS = 40
TINY = 1e-30
"""An eps that adds nothing, since eps is not multiplied by 1 + lambda."""

BASES = {
    "Adam": lambda p: torch.optim.Adam(p, 1e-2, eps=TINY),
    "AdamW": lambda p: torch.optim.AdamW(p, 1e-2, eps=TINY, weight_decay=0.1),
    "NAdam": lambda p: torch.optim.NAdam(p, 1e-2, eps=TINY),
    "RMSprop": lambda p: torch.optim.RMSprop(p, 1e-3, eps=TINY),
    "LAMB": lambda p: LAMB(p, lr=1e-2, eps=(TINY, 0.0, 0.0)),
}


def trained(make, before_step=None):
    """All weights after ``STEPS`` steps of a small network in float64."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3)).double()
    optimizer = make(list(model.parameters()))
    for k in range(STEPS):
        drawn = torch.Generator().manual_seed(k)
        x, y = torch.randn(32, 6, generator=drawn).double(), torch.randint(0, 3, (32,), generator=drawn)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        if before_step:
            before_step(model)
        optimizer.step()
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


def filtering(lamb, beta, *, from_zero):
    """pytorch_optimizer's filter, its averages begun at 0 or, as published, at g_1."""
    kept = {"grads": None}

    def before_step(model):
        if kept["grads"] is None and from_zero:
            kept["grads"] = {name: torch.zeros_like(p) for name, p in model.named_parameters()}
        kept["grads"] = gradfilter_ema(model, grads=kept["grads"], alpha=beta, lamb=lamb)

    return before_step


@pytest.mark.parametrize(("lamb", "beta"), [(2.0, 0.98), (0.5, 0.9), (5.0, 0.99)])
@pytest.mark.parametrize("base", BASES)
def test_grokfast_from_zero_is_e(base, lamb, beta):
    F = maps.grokfast_setting(lamb, beta)
    theirs = trained(BASES[base], filtering(lamb, beta, from_zero=True))
    ours = trained(lambda p: E(BASES[base](p), F.alpha, F.beta1))
    assert float((theirs - ours).abs().max()) < 1e-11
    assert float((theirs - trained(BASES[base])).abs().max()) > 1e-3  # the filter does something here


def test_under_sgd_the_factor_is_the_learning_rates():
    lamb, beta = 2.0, 0.98
    F = maps.grokfast_setting(lamb, beta)
    theirs = trained(lambda p: torch.optim.SGD(p, 0.01, momentum=0.9), filtering(lamb, beta, from_zero=True))
    for lr, same in ((0.01 * (1 + lamb), True), (0.01, False)):
        ours = trained(lambda p, lr=lr: E(torch.optim.SGD(p, lr, momentum=0.9), F.alpha, F.beta1))
        assert torch.allclose(theirs, ours, rtol=0, atol=1e-12) is same


def test_alto_is_lamb_with_grokfast():
    F = Setting(-5.0, 0.99, 0.9)
    lamb = maps.amplification(F)
    eps = (TINY, 0.0, 0.0)
    theirs = trained(lambda p: LAMB(p, lr=1e-2, eps=eps), filtering(lamb, 0.99, from_zero=True))
    ours = trained(lambda p: ALTO(p, lr=1e-2, alpha=-5.0, beta1=0.99, eps=eps))
    assert torch.allclose(theirs, ours, rtol=0, atol=1e-11)


@pytest.mark.parametrize("scale", [1.0, 30.0], ids=["clip-idle", "clip-active"])
@pytest.mark.parametrize(("gamma", "beta"), [(0.025, 0.95), (0.3, 0.7)])
def test_mars_is_e_around_the_rest_of_mars(gamma, beta, scale):
    """MARS with gamma = 0 is its base: Adam that clips what it gets."""

    def mars(gamma):
        return lambda p: pytorch_optimizer.MARS(
            p, 1e-2, betas=(beta, 0.99), gamma=gamma, optimize_1d=True, foreach=False
        )

    def enlarge(model):
        for p in model.parameters():
            p.grad.mul_(scale)

    F = maps.mars_setting(gamma, beta)
    theirs = trained(mars(gamma), enlarge)
    ours = trained(lambda p: E(mars(0.0)(p), F.alpha, F.beta1), enlarge)
    assert float((theirs - ours).abs().max()) < 1e-11
    assert float((theirs - trained(mars(0.0), enlarge)).abs().max()) > 1e-4


def test_the_small_batch_preset_is_near_mars():
    """The paper's alpha = .5, beta1 = .01 beside MARS's default, alpha = .475, beta1 = 0; Adam is further away."""
    F = maps.mars_setting(0.025, 0.95)
    base = BASES["Adam"]
    mars, preset = (trained(lambda p, s=s: E(base(p), *s)) for s in ((F.alpha, 0.0), (0.5, 0.01)))
    assert float((mars - preset).norm()) < 0.2 * float((mars - trained(base)).norm())


MAPPED = [claim for claim in family.CLAIMS if claim is not family.ema_nesterov_adam]  # which says that there is no map


@pytest.mark.parametrize("claim", MAPPED, ids=lambda claim: claim.id)
def test_a_wrong_map_is_noticed(monkeypatch, claim):
    (sound,) = entries([claim], QUICK)
    assert not sound.broken
    for name, wrong in (
        ("grokfast_setting", lambda lamb, beta: Setting(-lamb * beta / (1 - beta), beta, 0)),
        ("mars_setting", lambda gamma, beta: Setting(gamma / (1 - beta), 0, beta)),
        ("ema_nesterov_setting", lambda gamma, B: Setting(-B * gamma / (1 - gamma), gamma, 0)),
    ):
        monkeypatch.setattr(family.family, name, wrong)
    (broken,) = entries([claim], QUICK)
    assert broken.verdict is not sound.verdict
    assert broken.verdict not in {Verdict.PROVED, Verdict.KERNEL}
