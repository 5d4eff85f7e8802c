"""What PyTorch's own tests expect of every torch optimizer's state, copies and hooks, in our words."""

import copy
import io
import pickle
from functools import partial

import pytest
import torch
from torch import nn
from torch.optim import SGD
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from alto import E
from tests.alto.zoo import ALL, equal, matrices, run


@pytest.fixture(params=ALL, ids=str)
def make(request):
    return ALL[request.param]


def same(one, other):
    """Whether two trees of dictionaries and lists are equal, tensors bit for bit."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and one.device == other.device and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def named(params, names):
    return [(f"name{i}", p) for i, p in enumerate(params)] if names else params


@pytest.mark.parametrize("saved", [False, True], ids=["saved-bare", "saved-named"])
@pytest.mark.parametrize("loaded", [False, True], ids=["loaded-bare", "loaded-named"])
def test_names_survive_a_load_if_either_side_has_them(make, saved, loaded):
    params = matrices()
    optimizer = make(named(params, saved))
    run(optimizer, params, 2)
    copies = [nn.Parameter(p.detach().clone()) for p in params]
    other = make(named(copies, loaded))
    state = copy.deepcopy(optimizer.state_dict())
    given = copy.deepcopy(state)
    other.load_state_dict(given)
    assert same(given, state)  # a load changes nothing of what it was given
    assert equal(run(optimizer, params, range(2, 4)), run(other, copies, range(2, 4)))
    assert other.param_groups[0].get("param_names") == (["name0", "name1"] if saved or loaded else None)
    ours, theirs = optimizer.state_dict(), other.state_dict()
    for state in (ours, theirs):
        state["param_groups"][0].pop("param_names", None)
    assert same(ours, theirs)


def test_a_saved_file_is_the_state_dict(make):
    params = matrices()
    optimizer = make(params)
    run(optimizer, params, 3)
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    for weights_only in (False, True):
        file.seek(0)
        assert same(torch.load(file, weights_only=weights_only), optimizer.state_dict())


def test_a_group_that_stands_twice_is_saved_alike(make):
    optimizer = make(matrices())
    before = optimizer.state_dict()["param_groups"][0]
    optimizer.param_groups.extend(optimizer.param_groups)
    assert optimizer.state_dict()["param_groups"] == [before, before]


def test_state_that_belongs_to_no_parameter_is_kept(make):
    """As hooks of trainers put it there."""
    params = matrices()
    optimizer = make(params)
    run(optimizer, params, 1)
    optimizer.state["seen"] = 7
    run(optimizer, params, range(1, 2))
    saved = copy.deepcopy(optimizer.state_dict())
    assert saved["state"]["seen"] == 7
    other = make(matrices())
    other.load_state_dict(saved)
    assert other.state["seen"] == 7
    assert len(other.state) == 1 + len(params)


def test_hooks_of_a_load_are_called_in_order_and_may_replace(make):
    calls = []

    def before(name, optimizer, state_dict, replace=False):
        calls.append(name)
        replaced = copy.deepcopy(state_dict) if replace else state_dict
        replaced["param_groups"][0]["lr"] = {"one": 0.002, "two": 0.003}[name]
        return replaced if replace else None

    optimizer = make(matrices())
    saved = optimizer.state_dict()
    optimizer.register_load_state_dict_pre_hook(partial(before, "one"))
    optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["lr"] == 0.002
    optimizer.register_load_state_dict_pre_hook(partial(before, "two", replace=True), prepend=True)
    optimizer.register_load_state_dict_post_hook(lambda o: o.state.update(found=o.param_groups[0]["lr"]))
    optimizer.load_state_dict(saved)
    assert calls == ["one", "two", "one"]
    assert optimizer.state["found"] == 0.002


def test_hooks_of_a_step_are_called_from_outside_in(make):
    params = [torch.ones(2, 2)]
    calls = []
    optimizer, other = make(params), SGD(params)

    def hook(name, *_):
        calls.append(name)

    handles = [
        register_optimizer_step_pre_hook(partial(hook, "all before")),
        register_optimizer_step_post_hook(partial(hook, "all after")),
    ]
    for each in (optimizer, other):
        handles += [
            each.register_step_pre_hook(partial(hook, "before")),
            each.register_step_post_hook(partial(hook, "after")),
        ]
    once = ["all before", "before", "after", "all after"]
    for each in (optimizer, other, optimizer):
        each.step()
    assert calls == once * 3
    for handle in handles:
        handle.remove()
    optimizer.step()
    assert calls == once * 3


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))], ids=["deepcopy", "pickle"])
def test_a_clone_has_all_public_attributes(make, clone):
    params = matrices()
    optimizer = make(params)
    run(optimizer, params, 2)
    public = {name for name in vars(optimizer) if not name.startswith("_")}
    cloned = clone(optimizer)
    assert public == {name for name in vars(cloned) if not name.startswith("_")}
    assert public or isinstance(optimizer, E)
    copies = [p for group in cloned.param_groups for p in group["params"]]
    assert equal(run(optimizer, params, range(2, 4)), run(cloned, copies, range(2, 4)))


def test_a_step_leaves_no_state_empty(make):
    params = matrices()
    optimizer = make(params)
    run(optimizer, params, 1)
    assert len(optimizer.state) == len(params)
    assert all(len(state) > 0 for state in optimizer.state.values())
