"""Half precision, memory, norms: what a step costs and how exact it is."""

import copy
import tracemalloc
from importlib import import_module

import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from alto import ALTO, ESGD, LAMB, E
from alto._rule import Tensors
from alto.engines import _cpu_kernels
from alto.engines._maths import norm
from tests.alto.kernels import LISTS, PAPER, tensors
from tests.alto.zoo import equal, forced, gradients, matrices, run


def bytes_a_parameter(optimizer):
    tensors = [(p, v) for p, state in optimizer.state.items() for k, v in state.items() if k != "step"]
    return sum(v.nbytes for _, v in tensors) / sum(p.numel() for p in optimizer.state)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (ALTO, 12),
        (LAMB, 8),
        (lambda p: ALTO(p, alpha=0.0), 8),
        (lambda p: ALTO(p, slow_avg_dtype=torch.bfloat16), 10),
        (lambda p: E(torch.optim.SGD(p, 0.1)), 4),
        (lambda p: E(torch.optim.AdamW(p)), 12),
        (lambda p: E(torch.optim.AdamW(p), alpha=0.0), 8),
    ],
    ids=["ALTO", "LAMB", "ALTO-alpha=0", "ALTO-bf16", "E(SGD)", "E(AdamW)", "E(AdamW)-alpha=0"],
)
def test_bytes_of_state_a_parameter_in_float32(make, expected):
    params = matrices()
    optimizer = make(params)
    run(optimizer, params, 2)
    assert bytes_a_parameter(optimizer) == expected


@pytest.mark.parametrize(
    ("engine", "least", "most"), [("foreach", 1.0, 2.02), ("blocked", 0.01, 0.2), ("cpu", 0.0, 0.01)]
)
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("capturable", [False, True])
def test_temporaries_as_multiples_of_the_parameters_size(engine, least, most, maximize, capturable):
    """At most two copies for foreach, a few blocks on a CPU, none fused; the lower bounds show that they are seen."""
    with forced(engine):
        params = [nn.Parameter(torch.randn(1024, 1024)) for _ in range(4)]
        optimizer = ALTO(params, maximize=maximize, capturable=capturable)
        run(optimizer, params, 2)
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
            optimizer.step()
    held = peak = 0
    for event in recorded.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
    size = sum(p.nbytes for p in params)
    assert least * size <= peak < most * size


@pytest.mark.parametrize("count", [0, 1, 512, 1000, 16_384, 65_535, 65_536, 70_001, 5_000_000])
@pytest.mark.parametrize("spread", [0.0, 1.0], ids=["equal", "random"])
def test_norm_is_exact_to_1e_6_whatever_the_size(count, spread):
    """Equal elements are the worst case: the rounding of a running sum then errs to one side for long."""
    for mean in (0.99, 0.7, 0.3333):
        x = spread * torch.randn(count) + mean
        assert norm(x).item() == pytest.approx(x.double().norm().item(), rel=1e-6)


def test_norm_of_what_is_not_contiguous():
    x = torch.randn(500, 300).t()
    assert norm(x).item() == pytest.approx(x.double().norm().item(), rel=1e-6)


@pytest.mark.parametrize("engine", ["cpu", "blocked", "foreach"])
@pytest.mark.parametrize("count", [3, 70_001, 3_000_000])
@pytest.mark.parametrize("equal", [False, True], ids=["random", "equal"])
def test_norms_of_an_engine_are_exact_to_1e_6_whatever_the_size(engine, count, equal):
    """Those of theta and r, as the engine hands them to the reduction over shards (foreach rounds them to float32)."""
    seen = []
    x = tensors([count], torch.float32, steps=[5])
    x.params[0].add_(0.5)
    if equal:
        for name in LISTS:
            getattr(x, name)[0].fill_(0.7)
    exact = Tensors(*([t.double() for t in getattr(x, name)] for name in LISTS), [x.steps[0].clone()], x.positions)

    def look(norms):
        seen.append(norms.double().flatten())
        return norms

    for name, of in (("single", exact), (engine, x)):
        import_module(f"alto.engines.{name}").alto_step_(of, PAPER, 0.1, look)
    torch.testing.assert_close(seen[1], seen[0], rtol=1e-6, atol=0)


@pytest.mark.parametrize("count", [5, 10_000, 300_000])
@pytest.mark.parametrize("engine", ["cpu", "blocked", "foreach", "single"])
def test_norms_reach_as_far_as_float32(engine, count):
    """The squares of these elements are beyond float32 or vanish in it; the step is that of float64."""
    for size in (1e-38, 1e-30, 1e-22, 1e20, 1e33):
        for slope in (1e-25, 1.0, 1e20):
            found = []
            for dtype in (torch.float32, torch.float64):
                param = nn.Parameter(torch.full((count,), size, dtype=dtype))
                with forced(engine):
                    optimizer = ALTO([param], lr=0.1, eps=(1e-6, 0.0, 0.0))
                    for _ in range(2):
                        param.grad = torch.full_like(param, slope)
                        param.grad[::2] = 1.0
                        optimizer.step()
                found.append(param.detach().double())
            torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=0, msg=f"{size} {slope}")


@pytest.mark.parametrize("engine", ["cpu", "blocked", "foreach", "single"])
@pytest.mark.parametrize("size", [1e10, 3e38])
def test_a_factor_beyond_float32_is_cut(engine, size):
    found = []
    for dtype in (torch.float32, torch.float64):
        param = nn.Parameter(torch.full((20,), size, dtype=dtype))
        param.grad = torch.linspace(-1e-36, 1e-36, 20, dtype=dtype)
        with forced(engine):
            ALTO([param], lr=0.1, eps=(1e-6, 0.0, 0.0), weight_decay=0.0).step()
        found.append(param.detach().double())
    assert found[1].isfinite().all()
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=0)


@pytest.mark.parametrize("engine", ["cpu", "blocked", "foreach", "single"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["fp16", "bf16"])
def test_half_precision_parameters_have_float32_state(dtype, engine):
    """Each step is the float32 step on the same numbers, rounded once, to nearest."""
    params = matrices(dtype=dtype)
    optimizer = ALTO(params)
    full = [nn.Parameter(p.detach().float()) for p in params]
    reference = ALTO(full, foreach=False)
    for step in range(4):
        for p, q, g in zip(params, full, gradients(params, step), strict=True):
            p.grad, q.grad = g, g.float()
        with forced(engine):
            optimizer.step()
        reference.step()
        for p, q in zip(params, full, strict=True):
            assert {v.dtype for v in optimizer.state[p].values()} == {torch.float32}
            assert p.dtype is dtype
            torch.testing.assert_close(p.detach().float(), q.detach(), rtol=0.501 * torch.finfo(dtype).eps, atol=1e-7)
            with torch.no_grad():
                q.copy_(p.float())


def test_half_precision_resume_is_bit_for_bit():
    params = matrices(dtype=torch.bfloat16)
    optimizer = ALTO(params)
    run(optimizer, params, 3)
    resumed = [nn.Parameter(p.detach().clone()) for p in params]
    other = ALTO(resumed)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for p, q in zip(params, resumed, strict=True):
        for key in ("exp_avg", "exp_avg_sq", "slow_avg"):
            assert torch.equal(optimizer.state[p][key], other.state[q][key])
            assert other.state[q][key].dtype is torch.float32
    assert equal(run(optimizer, params, range(3, 6)), run(other, resumed, range(3, 6)))


@pytest.mark.parametrize("foreach", [True, False])
def test_mixed_dtypes_in_one_group(foreach):
    params = [*matrices(1, torch.bfloat16), *matrices(1, torch.float64), *matrices(1)]
    together = ALTO(params, foreach=foreach)
    alone = [nn.Parameter(p.detach().clone()) for p in params]
    each = [ALTO([p], foreach=foreach) for p in alone]
    for step in range(3):
        for p, q, g in zip(params, alone, gradients(params, step), strict=True):
            p.grad, q.grad = g, g.clone()
        together.step()
        for optimizer in each:
            optimizer.step()
    assert equal(params, alone)


def test_the_fused_engine_takes_no_memory_past_torch_either():
    """NumPy's arrays are in no profiler of torch's."""
    param = torch.ones(2_000_000)
    optimizer = ALTO([param], fused=True)
    wrapped = ESGD([param], lr=0.1)
    for stepper in (optimizer, wrapped):
        for _ in range(2):
            param.grad = torch.ones_like(param)
            stepper.step()
    tracemalloc.start()
    try:
        optimizer.step()
        wrapped.step()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 0.01 * param.nbytes


def test_a_step_never_reads_from_the_device():
    """On the meta device there is nothing to read: any .item() of a parameter's number raises."""
    for options in ({"foreach": True}, {"foreach": False}, {"capturable": True}, {"alpha": 0.0}):
        params = [nn.Parameter(torch.ones(3, 2, device="meta")), nn.Parameter(torch.ones(5, device="meta"))]
        optimizer = ALTO(params, **options)
        wrapped = E(torch.optim.SGD(params, 0.1))
        for p in params:
            p.grad = torch.ones_like(p)
        optimizer.step()
        wrapped.step()
        assert optimizer.state[params[0]]["step"].device.type == ("meta" if options.get("capturable") else "cpu")


@pytest.mark.parametrize("engine", ["cpu", "blocked"])
def test_bfloat16_parameters_keep_nan(engine):
    param = nn.Parameter(torch.tensor([1.0, float("nan")], dtype=torch.bfloat16))
    optimizer = ALTO([param], lr=0.1, layerwise=False)
    param.grad = torch.ones_like(param)
    with forced(engine):
        optimizer.step()
    assert param[0].item() == pytest.approx(0.9, abs=0.01)
    assert param[1].isnan()


def test_every_nan_of_float32_is_one_of_bfloat16():
    """Rounding its bits like a number's would make infinity of the first and zero of the second."""
    numbers = torch.tensor([0x7F800001, 0x7FFFFFFF, 0x3F808000, 0x3F818000], dtype=torch.int32).view(torch.float32)
    bits = torch.zeros(4, dtype=torch.int16)
    _cpu_kernels._narrow(numbers.numpy(), bits.numpy().view("uint16"))
    ours, torchs = bits.view(torch.bfloat16), numbers.bfloat16()
    assert ours[:2].isnan().all()
    assert torch.equal(ours[2:], torchs[2:])  # ties go to even
