"""Tensors that are listed twice or share memory: refused by name, in every engine, before anything has moved."""

import pytest
import torch
from torch import nn

from alto import ALTO, ESGD, LAMB, E, EAdamW
from alto._memory import _overlap
from tests.alto.zoo import OURS, equal, gradients, matrices, run

MAKE = {**OURS, "E(AdamW)": lambda params: E(torch.optim.AdamW(params))}


@pytest.fixture(params=MAKE, ids=str)
def make(request):
    return MAKE[request.param]


def steps(optimizer, params):
    for p in params:
        p.grad = torch.ones_like(p)
    optimizer.step()


@pytest.mark.filterwarnings("ignore:optimizer contains a parameter group with duplicate parameters:UserWarning")
def test_a_parameter_listed_twice_is_refused(make):
    one, other = matrices()
    with pytest.raises(ValueError, match=r"parameter 0 of group 0, .* is listed again as parameter 2 of group 0"):
        make([one, other, one])
    optimizer = make([one])
    with pytest.raises(ValueError, match="is listed again as"):
        optimizer.add_param_group({"params": [other, other]})
    assert len(optimizer.param_groups) == 1
    with pytest.raises(ValueError, match="more than one parameter group"):
        optimizer.add_param_group({"params": [one]})


@pytest.mark.parametrize("group", [0, 1])
def test_a_parameter_that_is_put_into_a_group_by_hand_a_second_time_is_refused(make, group):
    params = matrices()
    optimizer = make([{"params": params[:1]}, {"params": params[1:]}])
    steps(optimizer, params)
    before = [p.detach().clone() for p in params]
    optimizer.param_groups[group]["params"].append(params[0])
    with pytest.raises(ValueError, match=r"is listed again as|of parameter 0 .* share memory"):
        steps(optimizer, params)
    assert equal(params, before)


def test_a_named_parameter_is_seen_when_listed_twice(make):
    one, other = matrices()
    optimizer = make([("one", one)])
    with pytest.raises(ValueError, match=r"parameter . \('a'\) of group .* is listed again as parameter . \('b'\)"):
        optimizer.add_param_group({"params": [("a", other), ("b", other)]})


@pytest.mark.filterwarnings("ignore:optimizer contains a parameter group with duplicate parameters:UserWarning")
@pytest.mark.parametrize("make", [ALTO, LAMB, ESGD], ids=lambda m: m.__name__)
def test_a_refusal_says_the_name(make):
    w = nn.Parameter(torch.ones(2))
    with pytest.raises(ValueError, match=r"parameter 0 \('body\.weight'\) of group 0"):
        make([("body.weight", w), ("head.weight", w)])


def test_views_of_one_buffer_that_overlap_are_refused_before_anything_moves(make):
    flat = torch.randn(30)
    params = [nn.Parameter(torch.ones(3)), nn.Parameter(flat[:20].view(4, 5)), nn.Parameter(flat[19:].view(1, 11))]
    optimizer = make(params)
    before = flat.clone()
    with pytest.raises(ValueError, match=r"values of parameter 1 of group 0.* parameter 2 of group 0.* share memory"):
        steps(optimizer, params)
    assert torch.equal(flat, before)
    assert torch.equal(params[0], torch.ones(3))
    assert not any(optimizer.state.values())


def test_views_of_one_buffer_side_by_side_step(make):
    """Also interleaved ones, whose address ranges overlap while their elements do not."""
    flat = torch.ones(24)
    rows, columns, pairs = flat.view(2, 4, 3), flat.view(4, 6), flat.view(4, 3, 2)
    kinds = [rows.unbind(), columns.split(3, dim=1), pairs.unbind(-1)]
    for views in kinds[:1] if make is OURS["EAdamW-fused"] else kinds:  # torch's own is wrong for strided memory
        flat.fill_(1)
        params, others = [nn.Parameter(view) for view in views], [nn.Parameter(torch.ones(4, 3)) for _ in views]
        run(make(params), params, 2)
        run(make(others), others, 2)
        for p, q in zip(params, others, strict=True):
            torch.testing.assert_close(p, q)


@pytest.mark.parametrize("name", [name for name in OURS if "bfloat16" not in name and name.startswith("ALTO")])
@pytest.mark.parametrize(
    "keys", [("exp_avg", "exp_avg"), ("exp_avg", "exp_avg_sq"), ("slow_avg", "exp_avg"), ("step", "step")]
)
def test_averages_that_are_shared_by_hand_are_refused(name, keys):
    params = [nn.Parameter(torch.ones(4, 3)), nn.Parameter(torch.ones(4, 3))]
    optimizer = OURS[name](params)
    steps(optimizer, params)
    mine, others = keys
    optimizer.state[params[0]][mine] = optimizer.state[params[1]][others]
    before = [p.detach().clone() for p in params]
    with pytest.raises(ValueError, match=rf"state '({mine}|{others})' of parameter . of group 0.* share memory"):
        steps(optimizer, params)
    assert equal(params, before)


def test_a_parameter_that_takes_another_ones_place_by_hand_is_listed_twice(make):
    params = [nn.Parameter(torch.ones(3)) for _ in range(3)]
    optimizer = make(params)
    steps(optimizer, params)
    optimizer.param_groups[0]["params"][2] = params[1]
    before = [p.detach().clone() for p in params]
    with pytest.raises(ValueError, match=r"parameter 1 of group 0, .* is listed again as parameter 2 of group 0"):
        steps(optimizer, params)
    assert equal(params, before)


def test_a_view_that_begins_where_it_did_and_now_reaches_into_another_is_refused(make):
    flat = torch.randn(8)
    params = [nn.Parameter(flat[:4]), nn.Parameter(flat[4:])]
    optimizer = make(params)
    steps(optimizer, params)
    params[0].data = flat.as_strided((4,), (2,))
    before = flat.clone()
    with pytest.raises(ValueError, match=r"parameter 0 of group 0.* parameter 1 of group 0.* share memory"):
        steps(optimizer, params)
    assert torch.equal(flat, before)


def test_a_slow_average_that_is_shared_is_refused_by_e():
    params = [nn.Parameter(torch.ones(4, 3)), nn.Parameter(torch.ones(4, 3))]
    optimizer = EAdamW(params)
    steps(optimizer, params)
    kept = optimizer.state[params[0]]["explore_slow_avg"] = optimizer.state[params[1]]["explore_slow_avg"]
    before, grads = kept.clone(), gradients(params, 1)
    for p, g in zip(params, grads, strict=True):
        p.grad = g
    with pytest.raises(ValueError, match=r"'explore_slow_avg' of parameter . of group 0.* share memory"):
        optimizer.step()
    assert torch.equal(kept, before)
    assert all(p.grad is g for p, g in zip(params, grads, strict=True))


def test_a_parameter_whose_elements_share_memory_is_refused(make):
    param = nn.Parameter(torch.ones(3, 1).expand(3, 4))
    optimizer = make([param])
    with pytest.raises(ValueError, match="uses one number for several of its elements"):
        steps(optimizer, [param])
    assert param.untyped_storage().nbytes() == 12
    assert (param == 1).all()


def test_memory_that_comes_to_overlap_later_is_noticed(make):
    params = matrices(2)
    params[1].data = params[1].data[:, :3].contiguous()
    optimizer = make(params)
    steps(optimizer, params)
    params[1].data = params[0].data
    with pytest.raises(ValueError, match="share memory"):
        steps(optimizer, params)


@pytest.mark.parametrize("step", [1, 2], ids=["first", "later"])
@pytest.mark.parametrize("of", ["another", "average"])
def test_a_gradient_in_memory_that_a_step_writes_is_refused(make, of, step):
    params = matrices(3)
    optimizer = make(params)
    for _ in range(step):
        steps(optimizer, params)
    state = optimizer.state[params[0]]
    average = next((state[key] for key in ("explore_slow_avg", "exp_avg") if key in state), None)
    params[0].grad = params[1].detach().view(-1)[:12].view(4, 3) if of == "another" else average
    before = [p.detach().clone() for p in params]
    with pytest.raises(ValueError, match=r"gradient of parameter 0.* share memory"):
        optimizer.step()
    assert equal(params, before)
    params[0].grad = params[0].detach()  # read before it is written
    params[1].grad = torch.ones(1).expand_as(params[1])
    params[2].grad = params[1].grad[:, :1].expand_as(params[2])
    optimizer.step()


def test_overlap_of_views_is_exact():
    base = torch.zeros(100)
    generator = torch.Generator().manual_seed(0)
    for _ in range(300):
        starts, rows, columns, gap = (torch.randint(1, n, (2,), generator=generator).tolist() for n in (20, 5, 4, 5))
        one, other = (
            base.as_strided((r, c), (c + s, 1), o) for o, r, c, s in zip(starts, rows, columns, gap, strict=True)
        )
        base.zero_()
        one.fill_(1)
        assert _overlap(one, other) == bool(other.any())
