"""What only a GPU can show: the Triton engine's numbers there, and steps that a CUDA graph replays."""

import pytest
import torch

from alto import ALTO, LAMB, EAdamW
from tests.alto.zoo import gradients, matrices

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

MAKE = {
    "ALTO": lambda params, **kw: ALTO(params, lr=0.05, **kw),
    "LAMB": lambda params, **kw: LAMB(params, lr=0.05, **kw),
    "EAdamW": lambda params, **kw: EAdamW(params, lr=0.01, alpha=-5.0, beta1=0.99, **kw),
}
STEPS = 20


def on(device: str, dtype: torch.dtype = torch.float32, seed: int = 0) -> list[torch.nn.Parameter]:
    """Small matrices, and one tensor of several blocks of a kernel."""
    large = torch.randn(3, 5001, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    params = [*matrices(5, torch.float64, seed), torch.nn.Parameter(large)]
    return [torch.nn.Parameter(p.detach().to(device, dtype)) for p in params]


def feed(params: list[torch.nn.Parameter], step: int) -> None:
    for param, grad in zip(params, gradients([p.cpu() for p in params], step), strict=True):
        param.grad = grad.to(param.device)


def trained(make, device: str, dtype: torch.dtype = torch.float32, **options) -> list[torch.Tensor]:
    params = on(device, dtype)
    optimizer = make(params, **options)
    for step in range(STEPS):
        feed(params, step)
        optimizer.step()
    return [p.detach().cpu().double() for p in params]


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("engine", [{"fused": True}, {"foreach": True}], ids=["fused", "foreach"])
def test_every_engine_follows_the_plain_one_in_double_precision(name, engine):
    plain = trained(MAKE[name], "cpu", torch.float64, foreach=False)
    for ours, exact in zip(trained(MAKE[name], "cuda", **engine), plain, strict=True):
        torch.testing.assert_close(ours, exact, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("engine", [{"fused": True}, {"foreach": True}], ids=["fused", "foreach"])
def test_a_graph_replays_the_step(name, engine):
    plain = trained(MAKE[name], "cuda", **engine, capturable=True)
    params = on("cuda")
    optimizer = MAKE[name](params, **engine, capturable=True)
    for param in params:
        param.grad = torch.zeros_like(param)
    fixed = [param.grad for param in params]

    def refill(step: int) -> None:
        for place, grad in zip(fixed, gradients([p.cpu() for p in params], step), strict=True):
            place.copy_(grad)

    # Outside the graph first: a step allocates its state, compiles its kernels, and warms up on a stream of its own.
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        refill(0)
        optimizer.step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):  # records the step and takes none
        optimizer.step()
    for step in range(1, STEPS):
        refill(step)
        graph.replay()
    torch.cuda.synchronize()
    for ours, eager in zip(params, plain, strict=True):
        torch.testing.assert_close(ours.detach().cpu().double(), eager, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", MAKE)
def test_a_fused_step_allocates_nothing_and_waits_for_nothing(name):
    params = on("cuda")
    optimizer = MAKE[name](params, fused=True)
    for step in range(3):
        feed(params, step)
        optimizer.step()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    torch.cuda.set_sync_debug_mode("error")
    try:
        optimizer.step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    state = sum(p.numel() * 4 for p in params)
    assert torch.cuda.memory_allocated() == before
    assert torch.cuda.max_memory_allocated() - before < 0.05 * state
