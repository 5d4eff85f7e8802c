"""The Triton engine under Triton's interpreter, as optimizers, ``torch.compile`` and autograd call it."""

from unittest import mock

import pytest
import torch

from alto import ALTO, EAdamW
from alto._rule import Tensors
from tests.alto.kernels import LISTS, PAPER, clone, identity, in_a_process_of_its_own, tensors
from tests.alto.zoo import gradients, matrices, run

pytest.importorskip("triton")


def test_under_the_interpreter():
    in_a_process_of_its_own(__file__, "interpreted_*", {"TRITON_INTERPRET": "1"})


@pytest.mark.parametrize("make", [ALTO, lambda p: ALTO(p, alpha=0.0, capturable=True), EAdamW], ids=["ALTO", "0", "E"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=["real", "complex"])
def interpreted_inside_the_optimizers(make, dtype):
    from alto.engines import gpu, single

    results = []
    for engine in (gpu, single):
        with mock.patch("alto.engines.choose", return_value=engine):
            params = matrices(dtype=dtype)
            results.append(run(make(params), params, 4))
    torch.testing.assert_close(*results, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("capturable", [False, True])
def interpreted_under_torch_compile(capturable):
    """Compiled, the launches are operators whose effects the compiler knows; eager, they are called directly."""
    from alto.engines import gpu

    def steps(x):
        us = gpu.explore_(x.grads, x.slow_avgs, alpha=-5.0, beta1=0.99)
        gpu.alto_step_(x, PAPER, 0.1, identity, capturable=capturable)
        return us

    start = tensors([2049, 3], torch.float64, steps=[2])
    eager, compiled = clone(start), clone(start)
    torch.testing.assert_close(
        torch.compile(steps, backend="aot_eager", fullgraph=capturable)(compiled), steps(eager), rtol=0, atol=0
    )
    for name in LISTS:
        torch.testing.assert_close(getattr(compiled, name), getattr(eager, name), rtol=1e-14, atol=1e-14)


def interpreted_operators_keep_their_promises():
    from alto.engines import gpu

    x = tensors([2049, 3], torch.float32, steps=[2])
    corrections = torch.ones(3, 2, dtype=torch.float64)
    promises = ("test_schema", "test_faketensor")
    averages = (x.exp_avgs, x.exp_avg_sqs)
    us = [torch.empty_like(g) for g in x.grads]
    for layerwise in (True, False):
        torch.library.opcheck(
            gpu._average_op,
            (x.params, x.grads, *averages, x.slow_avgs, x.positions, corrections, [0.1] * 6, layerwise, False),
            test_utils=promises,
        )
    torch.library.opcheck(gpu._apply_op, (x.params, *averages, corrections, corrections[0], 0.1), test_utils=promises)
    torch.library.opcheck(gpu._explore_op, (x.grads, x.slow_avgs, us, [0.05, 0.01]), test_utils=promises)


@pytest.mark.filterwarnings("ignore:Dynamo detected a call to a `functools.lru_cache`")
def interpreted_optimizer_under_torch_compile():
    """``torch.compile(optimizer.step)`` with ``fused = True``: the graph holds the launches, and moves the same way."""
    from alto import engines

    targets = set()

    def backend(module, _):
        targets.update(str(node.target) for node in module.graph.nodes)
        return module.forward

    eager, compiled = matrices(), matrices()
    with mock.patch.dict(engines._FUSED, {"cpu": engines._TRITON}):
        engines._fused.cache_clear()
        ours, theirs = (ALTO(params, fused=True, capturable=True) for params in (eager, compiled))
        step = torch.compile(theirs.step, backend=backend)
        for k in range(3):
            for p, q, g in zip(eager, compiled, gradients(eager, k), strict=True):
                p.grad, q.grad = g, g.clone()
            ours.step()
            step()
    engines._fused.cache_clear()
    assert {"alto.average_.default", "alto.apply_.default"} <= targets
    for p, q in zip(eager, compiled, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-7)


def interpreted_stale_graph_is_refused():
    """A kernel that writes by address must say so, or this backward would use new weights with an old graph."""
    from alto.engines import gpu

    first, second = (torch.ones(8, 8, requires_grad=True) for _ in range(2))
    loss = (first @ second).square().sum()
    x = tensors([64, 64], torch.float32, steps=[2])
    x.params[:] = first, second
    x = Tensors(*(([y.reshape(8, 8) for y in getattr(x, name)]) for name in LISTS), x.steps, x.positions)
    with torch.no_grad():
        gpu.alto_step_(x, PAPER, 0.1, identity)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
