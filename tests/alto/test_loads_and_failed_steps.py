"""A checkpoint is loaded whole or not at all, and a step either happens or leaves everything as it was."""

import copy
from itertools import product
from unittest import mock

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from alto import ALTO, ESGD, LAMB, E, EAdam, EAdamW
from tests.alto.zoo import BASES, OURS, equal, gradients, matrices, run

ALL = [ALTO, LAMB, ESGD, EAdam, EAdamW]


@pytest.fixture(params=ALL, ids=lambda m: m.__name__)
def make(request):
    return request.param


def trained(make, steps=2):
    params = matrices()
    optimizer = make(params)
    run(optimizer, params, steps)
    return optimizer, params


def picture(optimizer):
    """Everything that a load or a step might change, and the identity of what it might replace."""
    tensors = {
        (place, key): value.clone() if isinstance(value, torch.Tensor) else value
        for place, p in enumerate(q for group in optimizer.param_groups for q in group["params"])
        for key, value in {**optimizer.state.get(p, {}), "theta": p.detach()}.items()
    }
    groups = [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
    return tensors, copy.deepcopy(groups), id(optimizer.state), id(optimizer.param_groups)


def same(one, other):
    (tensors, *rest), (tensors2, *rest2) = one, other
    return rest == rest2 and tensors.keys() == tensors2.keys() and all(map(alike, tensors.values(), tensors2.values()))


def alike(one, other):
    if not isinstance(one, torch.Tensor):
        return one == other
    return (one.shape, one.device, one.dtype) == (other.shape, other.device, other.dtype) and (
        one.is_meta or torch.equal(one, other)
    )


FOREIGN = {
    "SGD": lambda p: torch.optim.SGD(p, 0.1),
    "RMSprop": lambda p: torch.optim.RMSprop(p, momentum=0.9),
    "AdamW": torch.optim.AdamW,
    "ESGD": ESGD,
    "Adagrad": torch.optim.Adagrad,
}


# E loads what its base loads.
OWN = {(ESGD, "SGD"), (ESGD, "ESGD"), (EAdam, "AdamW"), (EAdamW, "AdamW")}


@pytest.mark.parametrize(
    ("make", "foreign"),
    [pair for pair in product(ALL, FOREIGN) if pair not in OWN],
    ids=lambda x: x if isinstance(x, str) else x.__name__,
)
def test_another_optimizers_checkpoint_changes_nothing(make, foreign):
    optimizer, params = trained(make)
    other, _ = trained(FOREIGN[foreign])
    before = picture(optimizer)
    with pytest.raises(ValueError, match=rf"was not saved by {make.__name__}.*nothing is loaded$") as raised:
        optimizer.load_state_dict(other.state_dict())
    assert "\n" not in str(raised.value)
    assert same(picture(optimizer), before)
    run(optimizer, params, range(2, 4))


@pytest.mark.parametrize("foreign", [torch.optim.Adamax, LAMB], ids=lambda m: m.__name__)
@pytest.mark.parametrize("make", [EAdam, lambda p: E(torch.optim.AdamW(p))], ids=["EAdam", "E-AdamW"])
def test_e_loads_no_checkpoint_that_its_base_could_not_step_from(make, foreign):
    """Their groups lack nothing; but Adamax keeps no exp_avg_sq, and LAMB's eps is a tuple."""
    optimizer, params = trained(make)
    other, _ = trained(foreign)
    before = picture(optimizer)
    with pytest.raises(ValueError, match=r"^state_dict.*('exp_avg_sq'|1e-10|refuses the options).*nothing is loaded$"):
        optimizer.load_state_dict(other.state_dict())
    assert same(picture(optimizer), before)
    run(optimizer, params, range(2, 4))


@pytest.mark.parametrize(
    ("place", "how"),
    [
        ("group", lambda g: g.update(betas=(0.9, 1.5))),
        ("group", lambda g: g.update(eps="small")),
        ("group", lambda g: g.update(lr=float("nan"))),
        ("state", lambda s: s.pop("exp_avg")),
        ("state", lambda s: s.update(exp_avg=torch.ones(7))),
    ],
    ids=["betas", "eps", "lr", "missing", "shape"],
)
def test_what_the_base_keeps_is_checked_before_a_load(place, how):
    optimizer, _ = trained(EAdamW)
    before = picture(optimizer)
    with pytest.raises(ValueError, match=r"^state_dict.*nothing is loaded$"):
        optimizer.load_state_dict(damaged(optimizer.state_dict(), place, how))
    assert same(picture(optimizer), before)


@pytest.mark.parametrize("steps", [-5.0, float("nan"), float("inf"), None, "three", torch.ones(2)], ids=str)
@pytest.mark.parametrize("make", [ALTO, EAdam], ids=lambda m: m.__name__)
def test_a_counter_that_counts_no_steps_is_refused(make, steps):
    optimizer, _ = trained(make)
    saved = copy.deepcopy(optimizer.state_dict())
    saved["state"][1]["step"] = steps
    before = picture(optimizer)
    with pytest.raises(ValueError, match=r"^state_dict: .*nothing is loaded$"):
        optimizer.load_state_dict(saved)
    assert same(picture(optimizer), before)


@pytest.mark.parametrize("key", ["exp_avg", "explore_slow_avg"])
def test_a_sparse_average_is_refused(key):
    optimizer, _ = trained(EAdam)
    saved = copy.deepcopy(optimizer.state_dict())
    saved["state"][1][key] = saved["state"][1][key].to_sparse()
    with pytest.raises(ValueError, match=rf"{key!r} of .*sparse_coo, and not a dense tensor .*nothing is loaded$"):
        optimizer.load_state_dict(saved)


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature:UserWarning")
def test_options_load_before_a_lazy_module_has_its_shapes(make):
    lazy = nn.LazyLinear(3)
    optimizer = make(lazy.parameters())
    optimizer.load_state_dict(make(matrices(2), lr=0.125).state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.125


@pytest.mark.parametrize("make", [ALTO, EAdamW], ids=lambda m: m.__name__)
def test_a_load_under_fake_tensors(make):
    with FakeTensorMode():
        params = [nn.Parameter(torch.ones(3, 2))]
        optimizer = make(params)
        params[0].grad = torch.ones(3, 2)
        optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
        optimizer.step()
    assert len(optimizer.state[params[0]]) == 4


@pytest.mark.parametrize("when", ["pre", "post"])
def test_a_load_whose_hook_raises_changes_nothing(make, when):
    optimizer, _ = trained(make)
    other, _ = trained(make, steps=3)
    getattr(optimizer, f"register_load_state_dict_{when}_hook")(mock.Mock(side_effect=ZeroDivisionError))
    before = picture(optimizer)
    with pytest.raises(ZeroDivisionError):
        optimizer.load_state_dict(other.state_dict())
    assert same(picture(optimizer), before)


@pytest.mark.parametrize("name", BASES)
def test_what_a_base_has_saved_loads(name):
    saving, params = trained(BASES[name])
    copies = [nn.Parameter(p.detach().clone()) for p in params]
    optimizer = E(BASES[name](copies), alpha=0.0)
    optimizer.load_state_dict(copy.deepcopy(saving.state_dict()))
    assert equal(run(saving, params, range(2, 4)), run(optimizer, copies, range(2, 4)))


def damaged(saved, place, how):
    saved = copy.deepcopy(saved)
    if place in ("group", "state"):
        how((saved["param_groups"] if place == "group" else saved["state"])[1 if place == "state" else 0])
    else:
        how(saved)
    return saved


@pytest.mark.parametrize(
    ("place", "how"),
    [
        ("whole", lambda s: s.pop("state")),
        ("whole", lambda s: s.pop("param_groups")),
        ("whole", lambda s: s["param_groups"].append(s["param_groups"][0])),
        ("group", lambda g: g.pop("params")),
        ("group", lambda g: g.update(lr=float("nan"))),
        ("group", lambda g: g.pop("betas")),
        ("group", lambda g: g.update(betas=(0.9,))),
        ("state", lambda s: s.update(exp_avg=torch.ones(7))),
        ("state", lambda s: s.update(exp_avg_sq=None)),
        ("state", lambda s: s.update(step="three")),
        ("state", lambda s: s.pop("exp_avg")),
        ("state", lambda s: s.update(slow_avg=torch.ones(2, 2))),
    ],
)
def test_a_damaged_checkpoint_changes_nothing(place, how):
    optimizer, _ = trained(ALTO)
    before = picture(optimizer)
    with pytest.raises(ValueError, match=r"^state_dict.*nothing is loaded$"):
        optimizer.load_state_dict(damaged(optimizer.state_dict(), place, how))
    assert same(picture(optimizer), before)


@pytest.mark.parametrize("wrong", [None, [], {"weight": torch.ones(2)}, 3], ids=str)
def test_what_is_no_state_dict_is_named(make, wrong):
    optimizer, _ = trained(make)
    before = picture(optimizer)
    with pytest.raises(ValueError, match="must be what an optimizer's state_dict"):
        optimizer.load_state_dict(wrong)
    assert same(picture(optimizer), before)


@pytest.mark.parametrize("options", [{"explore_alpha": -500.0}, {"explore_beta1": 2.0}], ids=str)
def test_e_loads_no_option_outside_the_region(options):
    optimizer, _ = trained(EAdamW)
    saved = copy.deepcopy(optimizer.state_dict())
    saved["param_groups"][0].update(options)
    before = picture(optimizer)
    with pytest.raises(ValueError, match="explore_"):
        optimizer.load_state_dict(saved)
    assert same(picture(optimizer), before)


@pytest.mark.parametrize("counter", [float, int, lambda s: s.bfloat16(), lambda s: s.reshape(1), lambda s: s.long()])
def test_counters_of_older_checkpoints_load(counter):
    optimizer, params = trained(ALTO)
    saved = copy.deepcopy(optimizer.state_dict())
    for state in saved["state"].values():
        state["step"] = counter(state["step"])
    copies = [nn.Parameter(p.detach().clone()) for p in params]
    other = ALTO(copies)
    other.load_state_dict(saved)
    assert {s["step"].dtype for s in other.state.values()} == {torch.float32}
    assert equal(run(optimizer, params, range(2, 4)), run(other, copies, range(2, 4)))


@pytest.mark.parametrize("name", OURS)
def test_switches_that_an_older_checkpoint_lacks(name):
    params = matrices()
    optimizer = OURS[name](params)
    run(optimizer, params, 2)
    saved = copy.deepcopy(optimizer.state_dict())
    for group in saved["param_groups"]:
        for switch in ("maximize", "foreach", "fused", "capturable", "differentiable"):
            group.pop(switch, None)
    copies = [nn.Parameter(p.detach().clone()) for p in params]
    other = OURS[name](copies)
    other.load_state_dict(saved)
    for p, q in zip(run(optimizer, params, range(2, 4)), run(other, copies, range(2, 4)), strict=True):
        torch.testing.assert_close(p, q)


def test_a_counter_that_a_tool_has_cast_counts_on():
    """In bfloat16 it would stand still at 256."""
    optimizer, params = trained(ALTO)
    for state in optimizer.state.values():
        state["step"] = torch.tensor(300.0, dtype=torch.bfloat16)
    run(optimizer, params, 10)
    assert {s["step"].item() for s in optimizer.state.values()} == {310.0}


def test_two_optimizers_that_load_one_dict_count_apart():
    optimizer, _ = trained(ALTO)
    saved = optimizer.state_dict()
    others = [(ALTO(p), p) for p in (matrices(), matrices())]
    for other, _ in others:
        other.load_state_dict(saved)
    run(*others[0], 1)
    assert others[0][0].state[others[0][1][0]]["step"] == 3
    assert others[1][0].state[others[1][1][0]]["step"] == optimizer.state_dict()["state"][0]["step"] == 2


@pytest.mark.parametrize("default", [torch.float64, torch.float16])
@pytest.mark.parametrize("name", [name for name in OURS if name.startswith("ALTO") or name == "LAMB"])
def test_under_another_default_dtype(name, default):
    """As torch.optim does, the counters are in float64 where that is the default."""
    params, others = matrices(), matrices()
    expected = run(OURS[name](others), others, 3)
    torch.set_default_dtype(default)
    try:
        optimizer = OURS[name](params)
        assert equal(run(optimizer, params, 3), expected)
    finally:
        torch.set_default_dtype(torch.float32)
    counter = torch.float64 if default is torch.float64 else torch.float32
    assert {s["step"].dtype for s in optimizer.state.values()} == {counter}


BREAK = {
    "a gradient of another shape": lambda o, p: setattr(p, "data", torch.ones(5, 5)),
    "an average of another shape": lambda o, p: o.state[p].update(exp_avg=torch.ones(5, 5)),
    "an average on another device": lambda o, p: o.state[p].update(exp_avg_sq=torch.ones(4, 4, device="meta")),
    "a sparse gradient": lambda o, p: setattr(p, "grad", p.grad.to_sparse()),
    "an engine that is not there": lambda o, p: o.param_groups[1].update(fused=True, foreach=None),
}


@pytest.mark.parametrize(
    ("how", "begun"), [(how, begun) for how in BREAK for begun in (True, False) if begun or "average" not in how]
)
@pytest.mark.parametrize("options", [{}, {"foreach": True}, {"foreach": False}, {"capturable": True}], ids=str)
def test_a_step_that_is_impossible_leaves_everything(options, begun, how, monkeypatch):
    """The first parameter, in a group of its own, would have moved by the time that the second fails."""
    params = matrices()
    optimizer = ALTO([{"params": params[:1], "lr": 0.5}, {"params": params[1:]}], **options)
    if begun:
        run(optimizer, params, 2)
    for p, g in zip(params, gradients(params, 2), strict=True):
        p.grad = g
    monkeypatch.setattr("alto.engines._fused", lambda device: (None, "not here"))
    BREAK[how](optimizer, params[1])
    before = picture(optimizer)
    with pytest.raises((RuntimeError, NotImplementedError), match=r"shape|device|sparse|fused|on meta"):
        optimizer.step()
    assert same(picture(optimizer), before)


def test_only_the_usual_averages_are_replaced_as_3d_gaussians_are_densified():
    optimizer, params = trained(ALTO)
    old = params[0]
    new = optimizer.param_groups[0]["params"][0] = nn.Parameter(torch.cat((old.detach(), old.detach())))
    state = optimizer.state[new] = optimizer.state.pop(old)
    for key in ("exp_avg", "exp_avg_sq"):
        state[key] = torch.cat((state[key], state[key]))
    new.grad = torch.ones_like(new)
    params[1].grad = torch.ones_like(params[1])
    before = params[1].detach().clone()
    with pytest.raises(RuntimeError, match=r"slow_avg of parameter 0 .* change all of its averages together"):
        optimizer.step()
    assert [s["step"] for s in optimizer.state.values()] == [2, 2]
    assert torch.equal(params[1], before)
    state["slow_avg"] = torch.cat((state["slow_avg"], state["slow_avg"]))
    optimizer.step()
    assert [s["step"] for s in optimizer.state.values()] == [3, 3]


@pytest.mark.parametrize("make", [ALTO, LAMB, lambda p: E(torch.optim.SGD(p, 0.1))], ids=["ALTO", "LAMB", "E"])
@pytest.mark.parametrize("dtypes", [(torch.float32, torch.float64), (torch.float64, torch.float32)], ids=str)
def test_a_model_that_changes_its_dtype_resumes_bit_for_bit(make, dtypes):
    first, second = dtypes
    params = matrices(dtype=first)
    optimizer = make(params)
    run(optimizer, params, 3)
    for p in params:
        p.grad, p.data = None, p.data.to(second)
    copies = [nn.Parameter(p.detach().clone()) for p in params]
    other = make(copies)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert equal(run(optimizer, params, range(3, 6)), run(other, copies, range(3, 6)))
    assert {v.dtype for s in optimizer.state.values() for k, v in s.items() if k != "step"} == {second}
