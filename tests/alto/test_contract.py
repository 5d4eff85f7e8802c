"""torch.optim's contract, for every optimizer of ours in every engine."""

import copy
import io
import math
import pickle

import pytest
import torch
from torch import nn
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from tests.alto.zoo import BASES, OURS, around, equal, gradients, matrices, run

WRAPPED = {f"E({name})": around(name) for name in BASES}
ALL = OURS | WRAPPED


@pytest.fixture(params=ALL, ids=str)
def make(request):
    return ALL[request.param]


@pytest.fixture(params=OURS, ids=str)
def make_ours(request):
    return OURS[request.param]


def test_is_an_optimizer(make):
    assert isinstance(make(matrices()), torch.optim.Optimizer)


def test_moves_every_parameter_and_leaves_gradients_alone(make):
    params = matrices()
    optimizer = make(params)
    before = [p.detach().clone() for p in params]
    for step in range(2):
        grads = gradients(params, step)
        copies = [g.clone() for g in grads]
        for p, g in zip(params, grads, strict=True):
            p.grad = g
        optimizer.step()
        for p, g, c in zip(params, grads, copies, strict=True):
            assert p.grad is g
            assert torch.equal(g, c)
    assert all(not torch.equal(a, p) for a, p in zip(before, params, strict=True))


def test_closure_is_called_once_first_with_gradients_and_its_value_returned(make):
    params = matrices()
    optimizer = make(params)
    calls = []

    def closure():
        calls.append(torch.is_grad_enabled())
        optimizer.zero_grad()
        loss = sum(p.square().sum() for p in params)
        loss.backward()
        return loss

    with torch.no_grad():
        loss = optimizer.step(closure)
    assert calls == [True]
    assert loss.item() > sum(p.square().sum() for p in params).item()


def test_closure_gives_the_same_step_as_backward_before_it(make):
    by_hand, by_closure = matrices(), matrices()
    a, b = make(by_hand), make(by_closure)
    for _ in range(3):
        a.zero_grad()
        sum(p.square().sum() for p in by_hand).backward()
        a.step()

        def closure():
            b.zero_grad()
            loss = sum(p.square().sum() for p in by_closure)
            loss.backward()
            return loss

        b.step(closure)
    assert equal(by_hand, by_closure)


def test_state_dict_resumes_bit_for_bit_through_a_weights_only_file(make):
    params = matrices()
    unbroken = run(make(params), params, 6)
    params = matrices()
    optimizer = make(params)
    run(optimizer, params, 3)
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    resumed = [nn.Parameter(p.detach().clone()) for p in params]
    other = make(resumed)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert equal(unbroken, run(other, resumed, range(3, 6)))


def test_state_dict_has_torchs_two_keys_and_integer_ids(make):
    params = matrices()
    optimizer = make(params)
    run(optimizer, params, 1)
    state_dict = optimizer.state_dict()
    assert set(state_dict) == {"state", "param_groups"}
    assert set(state_dict["state"]) <= {0, 1}


def test_deepcopy_and_pickle_go_on_alike(make):
    params = matrices()
    optimizer = make(params)
    run(optimizer, params, 3)
    for clone in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        cloned = [p for group in clone.param_groups for p in group["params"]]
        assert all(a is not b for a, b in zip(cloned, params, strict=True))
        run(clone, cloned, range(3, 5))
        assert not equal(cloned, params)
    run(optimizer, params, range(3, 5))
    assert equal(cloned, params)


def test_a_missing_gradient_is_skipped_and_leaves_no_state(make):
    params = matrices()
    optimizer = make(params)
    before = params[1].detach().clone()
    fresh = dict(optimizer.state.get(params[1], {}))  # Adagrad has state from the start
    params[0].grad = gradients(params, 0)[0]
    optimizer.step()
    assert torch.equal(params[1], before)
    assert optimizer.state.get(params[1], {}).keys() == fresh.keys()
    assert not torch.equal(params[0], matrices()[0])


def test_no_gradient_at_all_is_no_step(make):
    params = matrices()
    optimizer = make(params)
    optimizer.step()
    assert equal(params, matrices())


def test_frozen_parameters_stay(make):
    params = matrices()
    params[1].requires_grad_(False)
    optimizer = make(params)
    for _ in range(2):
        optimizer.zero_grad()
        (params[0].square().sum() + params[1].sum()).backward()
        optimizer.step()
    assert torch.equal(params[1], matrices()[1])


def test_add_param_group_midway(make):
    first, second = matrices()
    optimizer = make([first])
    run(optimizer, [first], 2)
    optimizer.add_param_group({"params": [second], "lr": 0.02})
    run(optimizer, [first, second], range(2, 4))
    alone = matrices()[1]
    assert not torch.equal(second, alone)
    assert optimizer.param_groups[1]["lr"] == 0.02


def test_learning_rates_per_group(make):
    params = matrices()
    optimizer = make([{"params": [params[0]]}, {"params": [params[1]], "lr": 0.0}], lr=0.01)
    run(optimizer, params, 1)
    assert not torch.equal(params[0], matrices()[0])
    if "Rprop" not in repr(optimizer):  # its lr is only the first step size, clamped from below
        assert torch.equal(params[1], matrices()[1])


def test_zero_grad_sets_to_none_or_to_zero(make):
    params = matrices()
    optimizer = make(params)
    run(optimizer, params, 1)
    optimizer.zero_grad(set_to_none=False)
    assert all(p.grad.abs().sum() == 0 for p in params)
    optimizer.zero_grad()
    assert all(p.grad is None for p in params)


def test_step_hooks_fire_once_and_see_the_optimizer(make):
    params = matrices()
    optimizer = make(params)
    seen = []
    handles = [
        register_optimizer_step_pre_hook(lambda o, *_: seen.append(("all-pre", o))),
        register_optimizer_step_post_hook(lambda o, *_: seen.append(("all-post", o))),
        optimizer.register_step_pre_hook(lambda o, *_: seen.append(("pre", o))),
        optimizer.register_step_post_hook(lambda o, *_: seen.append(("post", o))),
    ]
    try:
        run(optimizer, params, 2)
    finally:
        for handle in handles:
            handle.remove()
    assert [name for name, _ in seen] == ["all-pre", "pre", "post", "all-post"] * 2
    assert all(o is optimizer for _, o in seen)


def test_state_dict_hooks(make):
    params = matrices()
    optimizer = make(params)
    run(optimizer, params, 1)
    seen = []
    optimizer.register_state_dict_pre_hook(lambda _: seen.append("pre"))
    optimizer.register_state_dict_post_hook(lambda _, d: seen.append("post"))
    optimizer.register_load_state_dict_pre_hook(lambda _, d: seen.append("load-pre"))
    optimizer.register_load_state_dict_post_hook(lambda _: seen.append("load-post"))
    optimizer.load_state_dict(optimizer.state_dict())
    assert seen == ["pre", "post", "load-pre", "load-post"]


def test_a_load_hook_may_replace_the_state_dict(make):
    params = matrices()
    optimizer = make(params)
    run(optimizer, params, 2)
    saved = copy.deepcopy(optimizer.state_dict())
    other_params = [nn.Parameter(p.detach().clone()) for p in params]
    other = make(other_params)
    other.register_load_state_dict_pre_hook(lambda *_: saved)
    other.load_state_dict({"state": {}, "param_groups": copy.deepcopy(saved["param_groups"])})
    assert equal(run(optimizer, params, range(2, 4)), run(other, other_params, range(2, 4)))


def test_one_cycle_moves_the_momentum_and_not_beta1(make_ours):
    params = matrices()
    optimizer = make_ours(params)
    key = "explore_beta1" if "explore_beta1" in optimizer.param_groups[0] else "beta1"
    beta1 = optimizer.param_groups[0][key]
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=8)
    for step in range(7):
        run(optimizer, params, range(step, step + 1))
        scheduler.step()
    group = optimizer.param_groups[0]
    assert group[key] == beta1
    momentum = group["betas"][0] if "betas" in group else group["momentum"]
    assert momentum != 0.9


def test_a_scheduler_changes_the_step(make):
    params = matrices()
    optimizer = make(params, lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    run(optimizer, params, 1)
    scheduler.step()
    assert math.isclose(optimizer.param_groups[0]["lr"], 0.05)


@pytest.mark.parametrize("name", [n for n in OURS if n != "LAMB"])
def test_maximize_is_descent_on_the_negative(name):
    up, down = matrices(), matrices()
    kw = {} if name.startswith("ALTO") else {"momentum": 0.9} if name == "ESGD" else {}
    a, b = OURS[name](up, maximize=True, **kw), OURS[name](down, **kw)
    for step in range(4):
        for p, q, g in zip(up, down, gradients(up, step), strict=True):
            p.grad, q.grad = g, -g
        a.step()
        b.step()
    for p, q in zip(up, down, strict=True):
        torch.testing.assert_close(p, q)


@pytest.mark.parametrize("name", ["ALTO-foreach", "ALTO-single", "ALTO-capturable", "LAMB"])
def test_tensor_learning_rate_is_not_changed_and_equals_a_number(name):
    lr = torch.tensor(0.01)
    with_tensor, with_number = matrices(), matrices()
    run(OURS[name](with_tensor, lr=lr), with_tensor, 4)
    run(OURS[name](with_number, lr=0.01), with_number, 4)
    assert lr.item() == torch.tensor(0.01).item()
    for a, b in zip(with_tensor, with_number, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("name", OURS)
def test_complex_parameters_are_pairs_of_real_ones(name):
    pair = torch.randn(4, 3, 2)
    as_complex = [nn.Parameter(torch.view_as_complex(pair.clone()))]
    as_pair = [nn.Parameter(pair.clone())]
    a, b = OURS[name](as_complex), OURS[name](as_pair)
    refused = {"EAdamW-fused": "requires all the params to be floating point", "ALTO-bfloat16": "no complex numbers"}
    if name in refused:  # the first is torch's own restriction, said by torch
        as_complex[0].grad = torch.view_as_complex(gradients(as_pair, 0)[0])
        with pytest.raises(RuntimeError, match=refused[name]):
            a.step()
        return
    for step in range(4):
        (grad,) = gradients(as_pair, step)
        as_pair[0].grad = grad
        as_complex[0].grad = torch.view_as_complex(grad.clone())
        a.step()
        b.step()
    torch.testing.assert_close(torch.view_as_real(as_complex[0].detach()), as_pair[0].detach())


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 0, 3)], ids=str)
def test_odd_shapes(name, shape):
    params = [nn.Parameter(torch.ones(shape)), nn.Parameter(torch.ones(3))]
    for p in run(OURS[name](params), params, 3):
        assert torch.isfinite(p).all()
    assert (params[0] != 1).all()


@pytest.mark.parametrize("name", OURS)
def test_a_nan_gradient_stays_where_it_is(name):
    params = matrices()
    optimizer = OURS[name](params)
    run(optimizer, params, 1)
    alone = [copy.deepcopy(optimizer)]
    clean = [p for group in alone[0].param_groups for p in group["params"]]
    good = gradients(params, 7)
    for p, q, g in zip(params, clean, good, strict=True):
        p.grad, q.grad = g.clone(), g.clone()
    params[0].grad[0, 0] = float("nan")
    optimizer.step()
    alone[0].step()
    assert params[0].isnan().any()
    assert torch.equal(params[1], clean[1])


@pytest.mark.parametrize("name", OURS)
def test_sparse_gradients_are_refused_before_anything_moves(name):
    params = matrices()
    optimizer = OURS[name](params)
    params[0].grad = gradients(params, 0)[0]
    params[1].grad = gradients(params, 0)[1].to_sparse()
    with pytest.raises(RuntimeError, match="sparse"):
        optimizer.step()
    assert equal(params, matrices())


def test_tied_parameters_move_once(make_ours):
    model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    model[1].weight = model[0].weight
    single = nn.Parameter(model[0].weight.detach().clone())
    a, b = make_ours(model.parameters()), make_ours([single])
    for step in range(3):
        (grad,) = gradients([single], step)
        model[0].weight.grad, single.grad = grad, grad.clone()
        a.step()
        b.step()
    assert torch.equal(model[0].weight, single)


def test_a_lazily_conjugated_gradient_is_used_as_it_stands():
    """A conjugate of PyTorch is a flag on the same memory, which a pair of real numbers cannot show."""
    moved = []
    for resolve in (False, True):
        param = nn.Parameter(torch.ones(3, dtype=torch.complex64))
        gradient = torch.full((3,), 1 + 2j).conj()
        assert gradient.is_conj()
        param.grad = gradient.resolve_conj() if resolve else gradient
        OURS["ALTO-foreach"]([param]).step()
        moved.append(param.detach())
    assert torch.equal(*moved)
