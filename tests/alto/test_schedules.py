"""Alpha over the run."""

import copy
import pickle

import pytest
import torch
from torch.optim.lr_scheduler import ChainedScheduler, CosineAnnealingLR, ExponentialLR, SequentialLR

from alto import ALTO, E, EAdamW
from alto.schedules import AlphaScheduler, inverse_sqrt, switch_off, warm_up


def parameter():
    return torch.nn.Parameter(torch.tensor([1.0, -2.0]))


OPTIMIZERS = {
    "ALTO": (lambda w: ALTO([w], alpha=-6.0), "alpha"),
    "EAdamW": (lambda w: EAdamW([w], alpha=-6.0), "explore_alpha"),
    "E over RMSprop": (lambda w: E(torch.optim.RMSprop([w], alpha=0.5), alpha=-6.0), "explore_alpha"),
}


def train(w, optimizer, scheduler, steps):
    seen = []
    for _ in range(steps):
        seen.append(dict(optimizer.param_groups[0]))
        w.grad = w.detach().clone()
        optimizer.step()
        scheduler.step()
    return seen


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_theorem_2s_alpha(name):
    build, key = OPTIMIZERS[name]
    w = parameter()
    optimizer = build(w)
    seen = train(w, optimizer, AlphaScheduler(optimizer, inverse_sqrt), 4)
    assert [group[key] for group in seen] == pytest.approx([-6 / k**0.5 for k in range(1, 5)])
    assert {group["lr"] for group in seen} == {optimizer.param_groups[0]["lr"]}
    if "RMSprop" in name:
        assert optimizer.param_groups[0]["alpha"] == 0.5  # RMSprop's own


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_groups_may_be_added_and_removed(name):
    build, key = OPTIMIZERS[name]
    optimizer = build(parameter())
    scheduler = AlphaScheduler(optimizer, lambda step: 1 / (step + 1))
    optimizer.add_param_group({"params": [parameter()], key: -4.0})
    optimizer.step()
    scheduler.step()
    assert [group[key] for group in optimizer.param_groups] == [-3.0, -2.0]
    del optimizer.param_groups[0]
    scheduler.step()
    assert [group[key] for group in optimizer.param_groups] == pytest.approx([-4 / 3])


def test_it_goes_with_a_schedule_of_the_learning_rate():
    w = parameter()
    optimizer = ALTO([w], lr=0.1, alpha=-6.0)
    both = ChainedScheduler([ExponentialLR(optimizer, 0.5), AlphaScheduler(optimizer, warm_up(2), switch_off(3))])
    seen = train(w, optimizer, both, 4)
    assert [group["alpha"] for group in seen] == [-3.0, -6.0, -6.0, 0.0]
    assert [group["lr"] for group in seen] == pytest.approx([0.1, 0.05, 0.025, 0.0125])


def test_two_phases_in_torchs_sequence():
    w = parameter()
    optimizer = ALTO([w], lr=0.1, alpha=-6.0)
    parts = [AlphaScheduler(optimizer, inverse_sqrt), AlphaScheduler(optimizer, lambda _: 0.5)]
    seen = train(w, optimizer, SequentialLR(optimizer, parts, milestones=[2]), 4)
    assert [group["alpha"] for group in seen] == pytest.approx([-6, -6 / 2**0.5, -3, -3])


def test_each_group_keeps_its_own_alpha():
    w, v = parameter(), parameter()
    optimizer = ALTO([{"params": [w], "alpha": -4.0}, {"params": [v]}], alpha=-6.0)
    AlphaScheduler(optimizer, warm_up(2))
    assert [group["alpha"] for group in optimizer.param_groups] == [-2.0, -3.0]


def test_a_resumed_run_is_the_run():
    def begun():
        w = parameter()
        optimizer = ALTO([w], lr=0.1, alpha=-6.0)
        return w, optimizer, AlphaScheduler(optimizer, warm_up(5), inverse_sqrt)

    whole = begun()
    train(*whole, 6)
    first = begun()
    train(*first, 3)
    saved = pickle.loads(pickle.dumps((first[0].detach(), first[1].state_dict(), first[2].state_dict())))
    second = begun()
    second[0].data.copy_(saved[0])
    second[1].load_state_dict(saved[1])
    second[2].load_state_dict(copy.deepcopy(saved[2]))
    assert second[1].param_groups[0]["alpha"] == first[1].param_groups[0]["alpha"]
    train(*second, 3)
    assert torch.equal(second[0], whole[0])
    assert second[1].param_groups[0]["alpha"] == whole[1].param_groups[0]["alpha"]


def test_after_the_switch_the_base_runs_alone():
    ends = []
    for alpha in (-6.0, 0.0):
        w = parameter()
        optimizer = E(torch.optim.SGD([w], lr=0.1), alpha=alpha)
        if alpha:
            scheduler = AlphaScheduler(optimizer, switch_off(2))
            train(w, optimizer, scheduler, 2)
            w.data.copy_(torch.tensor([1.0, -2.0]))
            train(w, optimizer, scheduler, 3)
        else:
            train(w, optimizer, CosineAnnealingLR(optimizer, 10**9), 3)
        ends.append(w.detach())
    assert torch.allclose(*ends)


WRONG = {
    "no alpha": (lambda: AlphaScheduler(torch.optim.RMSprop([parameter()]), inverse_sqrt), TypeError, "RMSprop"),
    "no factor": (lambda: AlphaScheduler(ALTO([parameter()])), TypeError, "inverse_sqrt"),
    "no function": (lambda: AlphaScheduler(ALTO([parameter()]), 0.5), TypeError, "0.5"),
    "no steps": (lambda: warm_up(0), ValueError, "steps = 0"),
    "a share": (lambda: switch_off(0.8), ValueError, "after = 0.8"),
    "out of the region": (lambda: AlphaScheduler(ALTO([parameter()]), lambda _: 30), ValueError, "alpha=-150"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_refused(case):
    build, kind, message = WRONG[case]
    with pytest.raises(kind, match=message):
        build()
