"""E behaves as an Optimizer also where code goes past its methods, and its constructor's options are the ones used."""

import copy
import pickle
from collections import defaultdict

import pytest
import torch

from alto import ALTO, ESGD, LAMB, E, EAdam, EAdamW
from tests.alto.zoo import BASES, OURS, equal, matrices, run


@pytest.fixture(params=BASES, ids=str)
def base(request):
    return BASES[request.param]


def options(optimizer):
    return [(group["explore_alpha"], group["explore_beta1"]) for group in optimizer.param_groups]


def test_a_second_e_uses_its_own_options(base):
    inner = base(matrices())
    E(inner, alpha=-5.0)
    assert options(E(inner, alpha=0.5, beta1=0.01)) == [(0.5, 0.01)]


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("name", ["E", "ALTO", "EAdamW"])
def test_two_optimizers_of_the_same_dictionaries_have_options_of_their_own(name, kept):
    """As in a loop over settings."""
    make = {"E": lambda groups, **own: E(torch.optim.SGD(groups), **own), "ALTO": ALTO, "EAdamW": EAdamW}[name]
    key = "alpha" if name == "ALTO" else "explore_alpha"
    groups = [{"params": matrices(1)}, {"params": matrices(1), key: 0.25}]
    first = make(groups, alpha=-5.0, beta1=0.9)
    found = [[group[key] for group in first.param_groups]]
    if not kept:
        del first
    second = make(groups, alpha=0.5, beta1=0.01)
    assert [*found, [group[key] for group in second.param_groups]] == [[-5.0, 0.25], [0.5, 0.25]]
    if kept:
        assert [group[key] for group in first.param_groups] == [-5.0, 0.25]


def test_what_e_sets_is_not_written_into_the_users_dictionaries():
    groups = [{"params": matrices(1)}, {"params": matrices(1), "explore_alpha": 0.25}]
    optimizer = E(torch.optim.SGD(groups, 0.1), alpha=-5.0)
    optimizer.add_param_group(late := {"params": iter(matrices(1))})
    assert ["explore_alpha" in group for group in (*groups, late)] == [False, True, False]
    assert [len(group["params"]) for group in optimizer.param_groups] == [1, 1, 1]


def test_a_users_option_stays_in_a_dictionary_that_has_the_address_of_a_dead_one():
    w = torch.nn.Parameter(torch.ones(2))
    first = E(torch.optim.AdamW([w]), alpha=-5.0, beta1=0.9)
    address = id(first.param_groups[0])
    del first
    alive = []
    for _ in range(100_000):
        alive.append({"params": [w], "explore_alpha": 0.5})
        if id(alive[-1]) == address:
            break
    else:
        raise RuntimeError("no dictionary got the address")
    assert options(E(torch.optim.AdamW([alive[-1]]), alpha=-5.0, beta1=0.9)) == [(0.5, 0.9)]


def test_a_base_that_is_made_of_anothers_groups_takes_the_new_options():
    params = matrices(2)
    first = E(torch.optim.SGD([{"params": params[:1]}, {"params": params[1:], "explore_alpha": 0.25}], 0.1), alpha=-5.0)
    assert options(E(torch.optim.SGD(first.param_groups, 0.1), alpha=0.5)) == [(0.5, 0.99), (0.25, 0.99)]
    assert options(first) == [(-5.0, 0.99), (0.25, 0.99)]


def test_a_group_that_was_refused_leaves_nothing_behind():
    params = matrices(2)
    first = E(base := torch.optim.SGD(params[:1], 0.1), alpha=-5.0)
    with pytest.raises(ValueError, match="more than one parameter group"):
        first.add_param_group({"params": params[:1]})
    first.add_param_group({"params": params[1:], "explore_alpha": 0.5})
    assert options(E(base, alpha=-2.0)) == [(-2.0, 0.99), (0.5, 0.99)]


@pytest.mark.parametrize("stepped", [False, True])
def test_options_that_the_user_set_in_a_group_stay(stepped):
    params = matrices()
    groups = [{"params": params[:1], "explore_alpha": 0.0}, {"params": params[1:], "explore_beta1": 0.5}]
    inner = torch.optim.AdamW(groups)
    first = E(inner, alpha=-1.5, beta1=0.9)
    if stepped:
        run(first, params, 1)
    assert options(first) == [(0.0, 0.9), (-1.5, 0.5)]
    assert options(E(inner, alpha=0.5, beta1=0.01)) == [(0.0, 0.01), (0.5, 0.5)]
    assert options(E(inner, alpha=0.25, beta1=0.02)) == [(0.0, 0.02), (0.25, 0.5)]


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))], ids=["copy", "pickle"])
@pytest.mark.parametrize("stepped", [False, True], ids=["new", "stepped"])
def test_a_copy_of_a_base_that_was_wrapped_takes_the_new_options(clone, stepped):
    params = matrices()
    inner = torch.optim.AdamW([{"params": params[:1], "explore_alpha": 0.0}, {"params": params[1:]}])
    earlier = E(inner, alpha=-5.0)
    if stepped:
        run(earlier, params, 1)
    copied = clone(inner)
    assert options(E(copied, alpha=0.5, beta1=0.01)) == [(0.0, 0.01), (0.5, 0.01)]
    assert options(earlier) == [(0.0, 0.99), (-5.0, 0.99)]
    assert options(E(clone(copied), alpha=0.25)) == [(0.0, 0.99), (0.25, 0.99)]  # the user's own stays


def test_options_of_a_checkpoint_that_the_base_has_loaded_are_an_earlier_es():
    params = matrices()
    earlier = E(torch.optim.AdamW(params), alpha=-5.0)
    run(earlier, params, 2)
    inner = torch.optim.AdamW(matrices())
    inner.load_state_dict(copy.deepcopy(earlier.state_dict()))
    assert options(E(inner, alpha=0.5, beta1=0.01)) == [(0.5, 0.01)]


def test_a_load_brings_the_checkpoints_options():
    params = matrices()
    earlier = E(torch.optim.AdamW(params), alpha=-5.0)
    run(earlier, params, 2)
    later = E(torch.optim.AdamW(matrices()), alpha=0.5, beta1=0.01)
    later.load_state_dict(copy.deepcopy(earlier.state_dict()))
    assert options(later) == [(-5.0, 0.99)]


def test_a_fresh_start_by_setstate_leaves_no_state(base):
    params = matrices()
    optimizer = E(base(params))
    run(optimizer, params, 2)
    optimizer.__setstate__({"state": defaultdict(dict)})
    assert len(optimizer.state) == len(optimizer.base.state) == 0


def test_a_snapshot_by_getstate_has_torchs_three_keys_and_brings_them_back():
    params = matrices()
    optimizer = EAdamW(params)
    run(optimizer, params, 2)
    snapshot = optimizer.__getstate__()
    assert {"state", "param_groups", "defaults"} <= snapshot.keys()
    assert snapshot["state"] is optimizer.base.state
    optimizer.state = defaultdict(dict)
    optimizer.__setstate__(snapshot)
    assert set(optimizer.state[params[0]]) == {"step", "exp_avg", "exp_avg_sq", "explore_slow_avg"}


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))], ids=["copy", "pickle"])
def test_a_clone_shares_state_with_its_own_base_alone(clone):
    params = matrices()
    optimizer = EAdamW(params)
    run(optimizer, params, 2)
    other = clone(optimizer)
    assert other.state is other.base.state
    assert other.param_groups is other.base.param_groups
    assert other.state is not optimizer.state
    assert set(other.state) == set(other.param_groups[0]["params"])


def test_defaults_may_be_assigned_and_changed():
    for optimizer in (E(torch.optim.AdamW(matrices())), EAdamW(matrices())):
        optimizer.defaults["lr"] = 0.5
        assert optimizer.base.defaults["lr"] == 0.5
        optimizer.defaults = {**optimizer.defaults, "lr": 0.25}
        assert optimizer.base.defaults["lr"] == 0.25
        optimizer.add_param_group({"params": matrices(seed=1)})
        assert optimizer.param_groups[1]["lr"] == 0.25
        assert "alpha" not in optimizer.param_groups[1]


@pytest.mark.parametrize("name", [name for name in OURS if name != "ALTO-vanilla"])
def test_the_class_and_its_defaults_make_the_same_optimizer(name):
    ours, same = matrices(), matrices()
    exploration = {} if name == "LAMB" else {"alpha": -0.25, "beta1": 0.5}
    optimizer = OURS[name](ours, **exploration)
    other = type(optimizer)(same, **optimizer.defaults)
    assert dict(other.defaults) == dict(optimizer.defaults)
    assert equal(run(optimizer, ours, 3), run(other, same, 3))


@pytest.mark.parametrize("make", [ESGD, EAdam, EAdamW], ids=lambda m: m.__name__)
def test_defaults_of_a_variant_hold_for_later_groups(make):
    optimizer = make(matrices())
    optimizer.defaults["alpha"] = -2.0
    optimizer.defaults.update(lr=0.5, beta1=0.75)
    optimizer.add_param_group({"params": matrices(seed=1)})
    later = optimizer.param_groups[1]
    assert (later["explore_alpha"], later["explore_beta1"], later["lr"]) == (-2.0, 0.75, 0.5)
    assert not {"alpha", "beta1"} & later.keys()
    for copied in (copy.deepcopy(optimizer.defaults), optimizer.defaults.copy()):
        assert type(copied) is dict
        assert copied == dict(make(matrices(), **copied).defaults)


def test_parameters_may_be_swapped_as_a_module_is_converted():
    """torch.utils.swap_tensors refuses tensors to which there are weak references."""
    model = torch.nn.Linear(3, 2)
    optimizer = E(torch.optim.SGD(model.parameters(), 0.1))
    weight = model.weight
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        model.double()
    finally:
        torch.__future__.set_swap_module_params_on_conversion(False)
    assert model.weight is weight is optimizer.param_groups[0]["params"][0]
    assert weight.dtype is torch.float64


def test_a_base_whose_state_dict_is_another_optimizers_is_refused():
    """By its name, since the class needs a process group."""
    base = type("ZeroRedundancyOptimizer", (torch.optim.SGD,), {})(matrices(), 0.1)
    with pytest.raises(TypeError, match="put E there"):
        E(base)


def test_a_base_with_the_old_zero_grad():
    class Old(torch.optim.SGD):
        def zero_grad(self):
            super().zero_grad()

    params = matrices()
    optimizer = E(Old(params, 0.1))
    run(optimizer, params, 1)
    for call in (optimizer.zero_grad, lambda: optimizer.zero_grad(set_to_none=False)):
        params[0].grad = torch.ones_like(params[0])
        call()
        assert all(p.grad is None for p in params)


class Wrapper(torch.optim.Optimizer):
    """An optimizer around another, written without Optimizer.__init__, as many are."""

    def __init__(self, inner):
        self.inner = inner

    param_groups = property(lambda self: self.inner.param_groups)
    state = property(lambda self: self.inner.state)
    defaults = property(lambda self: self.inner.defaults)

    def state_dict(self):
        return self.inner.state_dict()

    def load_state_dict(self, state_dict):
        self.inner.load_state_dict(state_dict)

    def step(self, closure=None):
        return self.inner.step(closure)


def test_a_base_that_wraps_another():
    params, same = matrices(), matrices()
    optimizer, plain = E(Wrapper(torch.optim.AdamW(params))), E(torch.optim.AdamW(same))
    assert equal(run(optimizer, params, 2), run(plain, same, 2))
    saved = copy.deepcopy(optimizer.state_dict())
    optimizer.state.clear()
    optimizer.load_state_dict(saved)
    assert equal(run(optimizer, params, range(2, 4)), run(plain, same, range(2, 4)))


def test_attributes_of_the_base_are_written_to_the_base():
    class Moody(torch.optim.SGD):
        mood = "none"

    optimizer = E(Moody(matrices(), 0.1))
    optimizer.mood = "good"
    assert optimizer.base.mood == optimizer.mood == "good"
    optimizer.note = "mine"
    assert not hasattr(optimizer.base, "note")


@pytest.mark.parametrize("make", [ALTO, LAMB, ESGD, EAdam, EAdamW], ids=lambda m: m.__name__)
def test_a_class_that_is_derived_at_run_time(make):
    calls = []
    ours, plain = matrices(), matrices()
    optimizer = make(ours)

    def step(self, closure=None):
        calls.append(self)
        return super(derived, self).step(closure)

    derived = optimizer.__class__ = type("Derived", (make,), {"step": step})
    assert equal(run(optimizer, ours, 3), run(make(plain), plain, 3))
    assert calls == [optimizer] * 3


@pytest.mark.parametrize("make", [ALTO, LAMB, ESGD, EAdam, EAdamW], ids=lambda m: m.__name__)
def test_gradients_of_zero_move_nothing_without_decay(make):
    params = matrices()
    optimizer = make(params, weight_decay=0.0)
    for _ in range(2):
        for p in params:
            p.grad = torch.zeros_like(p)
        optimizer.step()
    assert equal(params, matrices())
