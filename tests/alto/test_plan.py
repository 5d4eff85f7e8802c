"""A step that finds all as it was skips the checks; after a change it is that of an optimizer that skips none."""

import gc
import weakref
from unittest import mock

import pytest
import torch
from torch import nn

from alto import ALTO, LAMB, E
from alto._mixing import Mixing
from tests.alto.zoo import equal, gradients, matrices, run


def first_steps(optimizer):
    """Counts the steps that gather and check everything."""
    return mock.patch.object(optimizer, "_first_calls", side_effect=optimizer._first_calls)


def set_state(key, change):
    def act(optimizer, params):
        optimizer.state[params[0]][key] = change(optimizer.state[params[0]][key])

    return act


def of_group(**options):
    def act(optimizer, params):
        optimizer.param_groups[0].update(options)

    return act


def new_memory(optimizer, params):
    params[0].data = params[0].data.clone()


def transposed_in_place(optimizer, params):
    for x in (params[0], *(optimizer.state[params[0]][key] for key in ("exp_avg", "exp_avg_sq", "slow_avg"))):
        x.data = x.data.t()


def swapped_averages(optimizer, params):
    state = optimizer.state[params[0]]
    state["exp_avg"], state["exp_avg_sq"] = state["exp_avg_sq"].square(), state["exp_avg"].square()


def new_state(optimizer, params):
    optimizer.state[params[0]] = {key: value.clone() for key, value in optimizer.state[params[0]].items()}


def forgotten(optimizer, params):
    del optimizer.state[params[1]]


def loaded(optimizer, params):
    optimizer.load_state_dict(optimizer.state_dict())


def other_dictionaries(optimizer, params):
    optimizer.param_groups = [{**group, "lr": 0.3} for group in optimizer.param_groups]


def one_more_group(optimizer, params):
    params.append(nn.Parameter(torch.ones(4, 9)))
    optimizer.add_param_group({"params": params[-1:], "lr": 0.3})


def one_less(optimizer, params):
    optimizer.param_groups[0]["params"] = params[1:]


def another_in_its_place(optimizer, params):
    params[1] = nn.Parameter(params[1].detach().clone())
    optimizer.param_groups[0]["params"][1] = params[1]


def half_state(optimizer, params):
    for param in params:
        optimizer.state[param]["exp_avg"] = optimizer.state[param]["exp_avg"].double()


def counted_anew(optimizer, params):
    optimizer.state[params[0]]["step"] = torch.tensor(7.0, dtype=torch.float64)


CHANGES = {
    "average": set_state("exp_avg", torch.Tensor.neg),
    "memory of an average": set_state("slow_avg", torch.Tensor.clone),
    "alpha": of_group(alpha=0.5),
    "no alpha": of_group(alpha=0.0),
    "maximize": of_group(maximize=True),
    "betas": of_group(betas=[0.5, 0.6]),
    "not layerwise": of_group(layerwise=False),
    "engine": of_group(fused=False),
}
CHANGES |= {
    act.__name__: act
    for act in (
        new_memory, transposed_in_place, swapped_averages, new_state, forgotten, loaded, other_dictionaries,
        one_more_group, one_less, another_in_its_place, half_state, counted_anew,
    )
}  # fmt: skip


def fed(optimizer, params, step):
    for param, grad in zip(params, gradients(params, step), strict=True):
        param.grad = grad.as_strided(param.shape, param.stride())  # laid out as the parameter is
    optimizer.step()


@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_a_step_is_that_of_an_optimizer_without_a_plan(change):
    outcomes = []
    for planned in (True, False):
        params = matrices(3)
        optimizer = ALTO(params)
        for step in range(4):
            if step == 2:
                CHANGES[change](optimizer, params)
            optimizer._kept = optimizer._kept if planned else None
            with first_steps(optimizer) as full:
                fed(optimizer, params, step)
            assert full.call_count == (not planned or step in {0, 2})
        outcomes.append([*params, *(x for s in optimizer.state.values() for x in s.values())])
    assert len(outcomes[0]) == len(outcomes[1])
    assert all(torch.equal(x, y) for x, y in zip(*outcomes, strict=True))


@pytest.mark.parametrize("make", [ALTO, LAMB])
@pytest.mark.parametrize("lr", [0.05, torch.tensor(0.05)], ids=["number", "tensor"])
def test_a_scheduled_rate_keeps_the_plan_and_is_checked(make, lr):
    params, others = matrices(3), matrices(3)
    optimizer, plain = make(params, lr), make(others, lr)
    with first_steps(optimizer) as full:
        for step in range(4):
            for each in (optimizer, plain):
                each.param_groups[0]["lr"] = lr * (step + 1)
            plain._kept = None
            fed(optimizer, params, step)
            fed(plain, others, step)
    assert full.call_count == 1
    assert equal(params, others)
    optimizer.param_groups[0]["lr"] = -lr
    with pytest.raises(ValueError, match="lr = -"):
        optimizer.step()


def test_groups_with_equal_rates_part_when_these_do():
    params, others = matrices(3), matrices(3)
    optimizer, plain = (ALTO([{"params": [p]} for p in each]) for each in (params, others))
    for step in range(4):
        for each in (optimizer, plain):
            each.param_groups[1]["lr"] = 0.01 if step < 2 else 0.5
        plain._kept = None
        fed(optimizer, params, step)
        fed(plain, others, step)
    assert equal(params, others)


@pytest.mark.parametrize("kept", [True, False], ids=["as before", "set to None"])
def test_gradients_that_come_and_go(kept):
    params, others = matrices(3), matrices(3)
    optimizer, plain = ALTO(params), ALTO(others)
    for step, missing in enumerate([(), (), (1,), (1,), (0, 2), ()]):
        for each, of in ((optimizer, params), (plain, others)):
            for i, (param, grad) in enumerate(zip(of, gradients(of, step), strict=True)):
                if i in missing:
                    param.grad = None
                elif kept and param.grad is not None:
                    param.grad.copy_(grad)
                else:
                    param.grad = grad
            each._kept = each._kept if each is optimizer else None
            each.step()
    assert equal(params, others)


@pytest.mark.parametrize("key", ["exp_avg", "exp_avg_sq", "slow_avg", "step"])
def test_a_gradient_that_moves_onto_an_average_is_refused(key):
    params = matrices(2)
    optimizer = ALTO(params)
    run(optimizer, params, 2)
    state = optimizer.state[params[1]][key]
    params[0].grad.data = state.expand(4, 3) if key == "step" else state.view(-1)[:12].view(4, 3)
    with pytest.raises(ValueError, match=f"the state '{key}' of parameter 1 .* share memory"):
        optimizer.step()


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16], ids=str)
def test_a_gradient_of_another_dtype_is_no_longer_walked_by_address(kind):
    params, others = matrices(2), matrices(2)
    optimizer, plain = ALTO(params), ALTO(others)
    for step in range(3):
        for each, of in ((optimizer, params), (plain, others)):
            for param, grad in zip(of, gradients(of, step), strict=True):
                param.grad_dtype = None  # any
                param.grad = grad.to(kind) if step == 2 else grad
            each._kept = each._kept if each is optimizer else None
            each.step()
    assert equal(params, others)


@pytest.mark.parametrize("foreach", [None, True], ids=["default", "plain torch"])
def test_gradients_of_two_dtypes_in_one_step(foreach):
    generator = torch.Generator().manual_seed(0)
    params = [nn.Parameter(torch.randn(3, 3000, generator=generator)) for _ in range(2)]  # too large to be joined
    others = [nn.Parameter(param.detach().clone()) for param in params]
    together, alone = ALTO(params, foreach=foreach), [ALTO([other], foreach=foreach) for other in others]
    for _ in range(3):
        for param, other, kind in zip(params, others, (torch.float32, torch.bfloat16), strict=True):
            grad = torch.randn(3, 3000, generator=generator).to(kind)
            for each in (param, other):
                each.grad_dtype = None  # any
                each.grad = grad.clone()
        for each in (together, *alone):
            each.step()
    assert equal(params, others)


def test_a_negative_view_as_a_gradient_after_plain_ones():
    params, others = matrices(2), matrices(2)
    optimizer, plain = ALTO(params), ALTO(others)
    for step in range(3):
        for each, of in ((optimizer, params), (plain, others)):
            for param, grad in zip(of, gradients(of, step), strict=True):
                param.grad = torch._neg_view(grad) if step == 2 and each is optimizer else -grad if step == 2 else grad
            each.step()
    for p, q in zip(params, others, strict=True):  # another engine's rounding: the sign would be seen
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)


def test_gradients_are_not_kept():
    params = matrices(2)
    optimizer = ALTO(params)
    run(optimizer, params, 3)
    seen = [weakref.ref(param.grad) for param in params]
    optimizer.zero_grad()
    gc.collect()
    assert [ref() for ref in seen] == [None, None]


def test_a_failed_step_leaves_no_plan_that_a_later_one_trusts():
    """Both groups change; the second one's check fails, and is then taken back: the first one's change stays."""
    params, others = matrices(2), matrices(2)
    optimizer, plain = (
        ALTO([{"params": [p], "lr": 0.01 * (i + 1)} for i, p in enumerate(ps)]) for ps in (params, others)
    )
    run(optimizer, params, 2)
    run(plain, others, 2)
    for each in (optimizer, plain):
        each.param_groups[0]["alpha"] = 0.5
    optimizer.param_groups[1]["alpha"] = 1e6
    with pytest.raises(ValueError, match="alpha"):
        optimizer.step()
    optimizer.param_groups[1]["alpha"] = -5.0
    assert equal(run(optimizer, params, range(2, 4)), run(plain, others, range(2, 4)))


def of_e(optimizer):
    return optimizer.param_groups[0]


E_CHANGES = {
    "alpha": (lambda o, ps: of_e(o).update(explore_alpha=0.5), True),
    "alpha of one group": (lambda o, ps: o.param_groups[1].update(explore_alpha=0.5), True),
    "no alpha": (lambda o, ps: [group.update(explore_alpha=0.0) for group in o.param_groups], False),
    "rate": (lambda o, ps: of_e(o).update(lr=0.5), False),
    "memory of an average": (set_state("explore_slow_avg", torch.Tensor.clone), True),
    "average in place": (lambda o, ps: o.state[ps[0]]["explore_slow_avg"].neg_(), False),
    "moved average": (
        lambda o, ps: setattr(o.state[ps[0]]["explore_slow_avg"], "data", torch.ones_like(ps[0])), True,
    ),
    "turned average": (
        lambda o, ps: setattr(
            o.state[ps[0]]["explore_slow_avg"], "data", o.state[ps[0]]["explore_slow_avg"].t().contiguous().t()
        ),
        True,
    ),
    "average forgotten": (lambda o, ps: o.state[ps[0]].pop("explore_slow_avg"), True),
    "frozen": (lambda o, ps: ps[0].requires_grad_(False), True),
    "one weight": (lambda o, ps: o.state[ps[0]].update(explore_weight=0.5), True),
} | {
    act.__name__: (act, True) for act in (new_memory, new_state, forgotten, loaded, another_in_its_place)
}  # fmt: skip


@pytest.mark.parametrize("change", E_CHANGES)
@pytest.mark.parametrize("base", [torch.optim.SGD, torch.optim.AdamW])
def test_after_a_change_e_takes_the_step_of_one_without_a_plan(base, change):
    act, full = E_CHANGES[change]
    outcomes = []
    for planned in (True, False):
        params = matrices(3)
        optimizer = E(base([{"params": params[:2]}, {"params": params[2:]}], lr=0.1), beta1=0.9)
        counts = []
        for step in range(6):
            if step == 4:
                act(optimizer, params)
            optimizer._kept = optimizer._kept if planned else None
            with mock.patch.object(Mixing, "_first_calls", autospec=True, side_effect=Mixing._first_calls) as first:
                fed(optimizer, params, step)
            counts.append(first.call_count)
        if planned:
            assert counts[2:5] == [0, 0, int(full)]
        outcomes.append([*params, *(x for s in optimizer.state.values() for x in s.values() if torch.is_tensor(x))])
    assert len(outcomes[0]) == len(outcomes[1])
    assert equal(*outcomes)


def test_es_gradient_that_moves_onto_an_average_is_refused():
    params = matrices(2)
    optimizer = E(torch.optim.SGD(params, lr=0.1))
    run(optimizer, params, 3)
    assert optimizer._kept
    params[0].grad.data = optimizer.state[params[1]]["explore_slow_avg"].view(-1)[:12].view(4, 3)
    with pytest.raises(ValueError, match=r"the state 'explore_slow_avg' of parameter 1 .* share memory"):
        optimizer.step()


def test_a_failed_base_leaves_es_averages_and_no_plan():
    params, others = matrices(2), matrices(2)
    optimizer, plain = E(torch.optim.AdamW(params), beta1=0.9), E(torch.optim.AdamW(others), beta1=0.9)
    run(optimizer, params, 3)
    run(plain, others, 3)
    before = [optimizer.state[p]["explore_slow_avg"].clone() for p in params]
    handle = optimizer.base.register_step_pre_hook(lambda *_: 1 / 0)
    own = [p.grad for p in params]
    with pytest.raises(ZeroDivisionError):
        optimizer.step()
    handle.remove()
    assert not optimizer._kept
    assert all(p.grad is g for p, g in zip(params, own, strict=True))
    for p, h in zip(params, before, strict=True):
        torch.testing.assert_close(optimizer.state[p]["explore_slow_avg"], h)


def test_a_group_that_begins_to_explore_after_steps_with_a_plan():
    outcomes = []
    for planned in (True, False):
        params = matrices(2)
        groups = [{"params": params[:1]}, {"params": params[1:], "explore_alpha": 0.0}]
        optimizer = E(torch.optim.SGD(groups, lr=0.1), beta1=0.9)
        for step in range(6):
            if step == 4:
                assert bool(optimizer._kept) == planned
                optimizer.param_groups[1]["explore_alpha"] = -5.0
            run(optimizer, params, range(step, step + 1))
            optimizer._kept = optimizer._kept if planned else None
        assert "explore_slow_avg" in optimizer.state[params[1]]
        outcomes.append(params)
    assert equal(*outcomes)
