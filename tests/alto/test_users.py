"""What users do with an optimizer beside plain steps: each way ends as the plain one does."""

import copy
import threading

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, get_ema_multi_avg_fn

from alto import E
from tests.alto.zoo import OURS, equal, gradients, matrices, run

# Without random bits, which follow from a parameter's place in the optimizer, and without torch's fused base, which
# takes wrong steps where a parameter and its gradient are ordered differently.
ALL = {name: make for name, make in OURS.items() if name not in ("ALTO-bfloat16", "EAdamW-fused")}
ALL["E-AdamW-foreach"] = lambda params, **kw: E(torch.optim.AdamW(params, foreach=True, **kw), foreach=True)


@pytest.fixture(params=ALL, ids=str)
def make(request):
    return ALL[request.param]


def plain(make, steps=3):
    params = matrices()
    return run(make(params), params, steps)


def close(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.detach(), other, rtol=2e-6, atol=2e-7)


LAYOUTS = {
    "transposed": lambda p: p.t().contiguous().t(),
    "every second column": lambda p: torch.stack([p, p], dim=2).view(4, -1)[:, ::2],
    "pieces of one buffer": lambda p: torch.cat([torch.zeros(5), p.flatten()])[5:].view(p.shape),
}


def values(params, how):
    """Parameters with the same values, laid out in memory in another way."""
    return [nn.Parameter(LAYOUTS[how](p.detach())) for p in params]


@pytest.mark.parametrize("how", LAYOUTS)
def test_the_layout_of_parameters_changes_nothing(make, how):
    params = values(matrices(), how)
    close(run(make(params), params, 3), plain(make))


@pytest.mark.parametrize("how", LAYOUTS)
def test_the_layout_of_gradients_changes_nothing(make, how):
    params = matrices()
    optimizer = make(params)
    for step in range(3):
        for p, g in zip(params, values(gradients(params, step), how), strict=True):
            p.grad = g.detach()
        optimizer.step()
    close(params, plain(make))


def test_gradients_may_be_views_of_one_bucket(make):
    """As DDP keeps them."""
    params = matrices()
    optimizer = make(params)
    bucket = torch.zeros(sum(p.numel() for p in params))
    for p, part in zip(params, bucket.split([p.numel() for p in params]), strict=True):
        p.grad = part.view(p.shape)
    for step in range(3):
        for p, g in zip(params, gradients(params, step), strict=True):
            p.grad.copy_(g)
        optimizer.step()
        assert bucket.equal(torch.cat([g.flatten() for g in gradients(params, step)]))
    close(params, plain(make))


def test_one_optimizer_a_parameter_stepped_in_the_backward_pass(make):
    params = matrices()
    optimizers = {p: make([p]) for p in params}

    def step(p):
        optimizers[p].step()
        optimizers[p].zero_grad()

    for p in params:
        p.register_post_accumulate_grad_hook(step)
    for k in range(3):
        sum((p * g).sum() for p, g in zip(params, gradients(params, k), strict=True)).backward()
    assert all(p.grad is None for p in params)
    close(params, plain(make))


def test_gradients_that_have_a_graph_leave_none_in_the_state(make):
    params = matrices()
    optimizer = make(params)
    for k in range(2):
        losses = [(p * g).sum() for p, g in zip(params, gradients(params, k), strict=True)]
        for p, g in zip(
            params, torch.autograd.grad([(loss * loss) for loss in losses], params, create_graph=True), strict=True
        ):
            p.grad = g
        optimizer.step()
    kept = [v for state in optimizer.state.values() for v in state.values() if isinstance(v, torch.Tensor)]
    assert kept
    assert not any(v.requires_grad for v in kept)
    assert all(p.is_leaf and p.requires_grad for p in params)


def test_two_threads_with_an_optimizer_each(make):
    both = [matrices(), matrices()]
    threads = [threading.Thread(target=run, args=(make(params), params, 3)) for params in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert equal(both[0], plain(make))
    assert equal(both[1], both[0])


def test_values_that_are_replaced_between_steps(make):
    """As when an average of weights is swapped in for an evaluation, and out again."""
    params = matrices()
    optimizer = make(params)
    for k in range(3):
        run(optimizer, params, range(k, k + 1))
        kept = [p.data for p in params]
        for p in params:
            p.data = torch.zeros_like(p)
        for p, value in zip(params, kept, strict=True):
            p.data = value
    close(params, plain(make))


REARRANGE = {
    "removed": lambda groups: groups.pop(0),
    "reversed": lambda groups: groups.reverse(),
    "emptied of its layer": lambda groups: groups[0]["params"].pop(0),
}


@pytest.mark.parametrize("how", REARRANGE)
def test_groups_may_be_rearranged_by_hand(make, how):
    """A vector in the place of a removed layer is no flat buffer."""
    matrix, *vectors = params = [nn.Parameter(torch.ones(shape)) for shape in ((3, 3), (3,), (3,))]
    optimizer = make([{"params": params[:2]}, {"params": params[2:]}])
    for k in range(3):
        for p in params:
            p.grad = torch.full_like(p, k + 1.0)
        if k == 1:
            REARRANGE[how](optimizer.param_groups)
        before = [p.detach().clone() for p in params]
        optimizer.step()
    listed = {p for group in optimizer.param_groups for p in group["params"]}
    assert [not p.equal(b) for p, b in zip(params, before, strict=True)] == [p in listed for p in params]
    assert (matrix in listed) is (how == "reversed")
    assert vectors[1] in listed


def test_state_made_in_inference_mode_is_refused_outside_before_anything_moves(make):
    params = matrices()
    optimizer = make(params)
    with torch.inference_mode():
        run(optimizer, params, 1)
    for p, g in zip(params, gradients(params, 1), strict=True):
        p.grad = g
    before = [p.detach().clone() for p in params]
    kept = {k: {n: v.clone() for n, v in s.items() if n != "step"} for k, s in optimizer.state.items()}
    steps = [float(s["step"]) for s in optimizer.state.values() if "step" in s]
    with pytest.raises(RuntimeError, match=r"inference"):
        optimizer.step()
    assert equal(params, before)
    assert all(equal(s.values(), [optimizer.state[k][n] for n in s]) for k, s in kept.items())
    assert steps == [float(s["step"]) for s in optimizer.state.values() if "step" in s]
    with torch.inference_mode():
        optimizer.step()
    assert not equal(params, before)


def test_a_frozen_parameter_goes_on_where_it_was(make):
    params = matrices()
    optimizer = make(params)
    run(optimizer, params, 2)
    optimizer.zero_grad()
    state = copy.deepcopy({k: v for k, v in optimizer.state[params[0]].items() if k != "step"})
    params[0].requires_grad_(False)
    value = params[0].detach().clone()
    params[1].grad = torch.ones_like(params[1])
    optimizer.step()
    assert torch.equal(params[0], value)
    assert all(torch.equal(v, optimizer.state[params[0]][k]) for k, v in state.items())
    params[0].requires_grad_(True)
    run(optimizer, params, 1)
    assert not torch.equal(params[0], value)


def test_averages_of_weights_and_their_schedule(make):
    torch.manual_seed(0)
    model = nn.Linear(3, 2, bias=False)
    optimizer = make(model.parameters(), lr=0.01)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.5))
    schedule = SWALR(optimizer, swa_lr=0.125, anneal_epochs=2)
    expected = model.weight.detach().clone()
    for k in range(3):
        model.weight.grad = gradients([model.weight], k)[0]
        optimizer.step()
        average.update_parameters(model)
        schedule.step()
        expected = model.weight.detach().clone() if k == 0 else expected.lerp(model.weight.detach(), 0.5)
    torch.testing.assert_close(average.module.weight.detach(), expected)
    assert optimizer.param_groups[0]["lr"] == 0.125
