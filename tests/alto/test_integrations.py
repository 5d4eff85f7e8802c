"""The tools that hold an optimizer: scalers, checkpoints, compilers."""

import copy
import warnings

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict, set_optimizer_state_dict

from alto import ALTO, EAdamW
from alto._rule import Rule, Tensors
from alto.engines import foreach, single
from tests.alto.zoo import BASES, OURS, around, equal, gradients, matrices, run


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))


@pytest.mark.parametrize("name", OURS)
def test_grad_scaler_skips_a_step_without_a_trace(name):
    params = matrices()
    optimizer = OURS[name](params)
    run(optimizer, params, 2)
    before = copy.deepcopy(optimizer.state_dict())["state"]
    values = [p.detach().clone() for p in params]
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    scaler.scale(torch.ones(()))  # the scaler creates its scale here
    for p, g in zip(params, gradients(params, 2), strict=True):
        p.grad = 4 * g
    params[0].grad[0, 0] = float("inf")
    scaler.step(optimizer)
    scaler.update()
    assert scaler.get_scale() == 2.0
    assert equal(values, params)
    after = optimizer.state_dict()["state"]
    for index, state in before.items():
        assert all(torch.equal(after[index][key], value) for key, value in state.items())

    twins = [nn.Parameter(v) for v in values]
    twin = OURS[name](twins)
    twin.load_state_dict({**copy.deepcopy(optimizer.state_dict())})
    for p, q, g in zip(params, twins, gradients(params, 3), strict=True):
        p.grad, q.grad = 2 * g, g.clone()
    scaler.step(optimizer)
    twin.step()
    assert equal(params, twins)


@pytest.mark.parametrize("name", OURS)
def test_distributed_checkpoint_keeps_everything(name, tmp_path):
    def trained(model, optimizer, steps):
        return run(optimizer, list(model.parameters()), steps)

    model = network()
    optimizer = OURS[name](model.parameters())
    trained(model, optimizer, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch: no process group, so one process is assumed
        dcp.save({"optimizer": get_optimizer_state_dict(model, optimizer)}, checkpoint_id=tmp_path)
        resumed = copy.deepcopy(model)
        other = OURS[name](resumed.parameters())
        state = {"optimizer": get_optimizer_state_dict(resumed, other)}
        dcp.load(state, checkpoint_id=tmp_path)
        set_optimizer_state_dict(resumed, other, state["optimizer"])
    assert equal(trained(model, optimizer, range(3, 6)), trained(resumed, other, range(3, 6)))


@pytest.mark.parametrize("name", ["ESGD", "EAdam", "EAdamW", "EAdamW-fused"])
def test_the_zero_step_of_distributed_checkpoint_leaves_the_average_at_zero(name):
    params = matrices()
    optimizer = OURS[name](params, lr=0.0)
    for p in params:
        p.grad = torch.zeros_like(p)
    optimizer.step()
    for p in params:
        assert optimizer.state[p]["explore_slow_avg"].count_nonzero() == 0


@pytest.mark.parametrize("engine", [single, foreach], ids=["single", "foreach"])
@pytest.mark.parametrize("capturable", [False, True], ids=["", "capturable"])
def test_the_rule_compiles_into_one_graph(engine, capturable):
    rule = Rule(-5.0, 0.9, 0.9, 0.99, 1e-6, 1e-6, 1e-10, 1e-4, bias_correction=True, layerwise=True, maximize=False)

    def stepped(function):
        params = matrices()
        lists = [[torch.zeros_like(p) for p in params] for _ in range(3)]
        tensors = Tensors(
            [p.detach() for p in params], gradients(params, 0), *lists, [torch.tensor(1.0) for _ in params], [0, 1]
        )
        function(tensors, rule, 0.1, lambda norms: norms, capturable=capturable)
        return [*tensors.params, *tensors.slow_avgs]

    fullgraph = (
        capturable  # reading the step counter (a CPU number) is the one graph break otherwise, as in torch.optim
    )
    compiled = torch.compile(engine.alto_step_, backend="aot_eager", fullgraph=fullgraph)
    for a, b in zip(stepped(engine.alto_step_), stepped(compiled), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("engine", [single, foreach], ids=["single", "foreach"])
def test_the_adaptor_compiles_into_one_graph(engine):
    grads, averages = [torch.randn(5)], [torch.randn(5)]
    expected = engine.explore_(grads, [h.clone() for h in averages], alpha=-5.0, beta1=0.9)
    compiled = torch.compile(engine.explore_, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(grads, averages, alpha=-5.0, beta1=0.9)[0], expected[0])


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")  # torch compiling its own Adam
def test_a_compiled_step_is_the_eager_one():
    eager, compiled = matrices(), matrices()
    a, b = EAdamW(eager), EAdamW(compiled)
    run(a, eager, 3)
    step = torch.compile(b.step, backend="aot_eager")
    for k in range(3):
        for p, g in zip(compiled, gradients(compiled, k), strict=True):
            p.grad = g
        step()
    for p, q in zip(eager, compiled, strict=True):
        torch.testing.assert_close(p, q)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("make", [ALTO, EAdamW, torch.optim.AdamW], ids=["ALTO", "E", "AdamW as control"])
def test_a_compiled_step_is_compiled_once(make):
    """With new gradient tensors in each step, as zero_grad leaves them."""
    torch._dynamo.reset()
    counts = torch._dynamo.utils.counters["stats"]
    counts.clear()
    params = matrices()
    optimizer = make(params)
    step = torch.compile(optimizer.step, backend="eager")
    graphs = []
    for k in range(6):
        optimizer.zero_grad()
        for p, g in zip(params, gradients(params, k), strict=True):
            p.grad = g
        step()
        graphs.append(counts["unique_graphs"])
    torch._dynamo.reset()
    assert graphs[0] >= 1
    assert graphs[1:] == graphs[1:2] * 5  # the second step meets a state that the first has begun


# Adafactor and ASGD read numbers from tensors, so they cannot be planned without E either.
@pytest.mark.parametrize("name", [*OURS, *(f"E({base})" for base in BASES if base not in {"Adafactor", "ASGD"})])
def test_memory_can_be_planned_with_fake_tensors(name):
    """FakeTensorMode: tensors with shapes and no numbers. State and shapes are those of a real run."""
    make = OURS.get(name) or around(name[2:-1])
    real = matrices()
    optimizer = make(real)
    run(optimizer, real, 2)
    expected = [{k: getattr(v, "shape", None) for k, v in optimizer.state[p].items()} for p in real]
    with FakeTensorMode(), warnings.catch_warnings():
        warnings.simplefilter("error")
        params = [nn.Parameter(torch.empty(p.shape)) for p in real]
        optimizer = make(params)
        for _ in range(2):
            for p in params:
                p.grad = torch.empty_like(p)
            optimizer.step()
        assert [{k: getattr(v, "shape", None) for k, v in optimizer.state[p].items()} for p in params] == expected


def test_alto_records_a_step_for_autograd():
    """d theta_2 / d lr through ALTO(differentiable=True), against a difference quotient."""
    start = torch.tensor([1.0, 2.0], dtype=torch.float64)

    def after_two_steps(lr):
        param = start.clone().requires_grad_(True).clone()
        optimizer = ALTO([param], lr=lr, differentiable=True)
        for k in range(2):
            param.grad = torch.tensor([0.3, -0.2], dtype=torch.float64) * (k + 1) + 0.1 * param
            optimizer.step()
        return param

    lr = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    after_two_steps(lr).sum().backward()
    with torch.no_grad():
        quotient = (after_two_steps(torch.tensor(0.1 + 1e-6, dtype=torch.float64)).sum()
                    - after_two_steps(torch.tensor(0.1 - 1e-6, dtype=torch.float64)).sum()) / 2e-6  # fmt: skip
    torch.testing.assert_close(lr.grad, quotient, rtol=1e-6, atol=1e-8)
