"""The Triton kernel's random rounding against ``single``'s, under Triton's interpreter."""

from unittest import mock

import numpy as np
import pytest
import torch

from alto import ALTO
from tests.alto.kernels import PAPER, clone, identity, in_a_process_of_its_own, tensors
from tests.alto.zoo import matrices, run

pytest.importorskip("triton")

SIZES = [0, 1, 2047, 2049, 5000]


def test_under_the_interpreter():
    in_a_process_of_its_own(__file__, "interpreted_*", {"TRITON_INTERPRET": "1"})


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=["fp64", "fp32", "bf16"])
@pytest.mark.parametrize("capturable", [False, True])
def interpreted_rounding_with_the_same_bits(dtype, capturable):
    """Float64 averages agree to 1e-15, so all are rounded alike; float32 ones may differ by an ulp."""
    from alto.engines import gpu, single

    start = tensors(SIZES, dtype, steps=[1, 70_000], slow=torch.bfloat16)
    ours, theirs = clone(start), clone(start)
    single.alto_step_(theirs, PAPER, 0.1, identity, capturable=capturable)
    with mock.patch.object(gpu.foreach, "alto_step_", side_effect=AssertionError("left to foreach")):
        gpu.alto_step_(ours, PAPER, 0.1, identity, capturable=capturable)
    for x, y, before in zip(ours.slow_avgs, theirs.slow_avgs, start.slow_avgs, strict=True):
        assert x.dtype is torch.bfloat16
        assert not x.numel() or not torch.equal(x, before)
        assert (x != y).sum() <= (0 if dtype is torch.float64 else 1e-3 * x.numel())
        torch.testing.assert_close(x, y, rtol=2**-7, atol=0)
    tolerance = 1e-12 if dtype is torch.float64 else 1e-5 if dtype is torch.float32 else 2**-7
    torch.testing.assert_close(ours.params, theirs.params, rtol=tolerance, atol=tolerance)


def interpreted_nan_and_infinity_stay():
    from alto.engines import gpu

    x = tensors([8], torch.float32, steps=[3], slow=torch.bfloat16)
    x.slow_avgs[0].zero_()[0] = torch.nan
    x.grads[0][:3] = torch.tensor([0.0, torch.inf, -torch.inf])
    with np.errstate(invalid="ignore"):
        gpu.alto_step_(x, PAPER, 0.1, identity)
    assert x.slow_avgs[0][0].isnan()
    assert x.slow_avgs[0][1:3].tolist() == [torch.inf, -torch.inf]
    assert x.slow_avgs[0][3:].isfinite().all()


def interpreted_inside_the_optimizer():
    from alto.engines import gpu, single

    results = []
    for engine in (gpu, single):
        with mock.patch("alto.engines.choose", return_value=engine):
            params = matrices(dtype=torch.float64)
            optimizer = ALTO(params, slow_avg_dtype=torch.bfloat16)
            run(optimizer, params, 4)
            results.append([*params, *(optimizer.state[p]["slow_avg"] for p in params)])
    torch.testing.assert_close(*results, rtol=1e-12, atol=1e-12)


def interpreted_operators_keep_their_promises():
    from alto.engines import gpu

    x = tensors([2049, 3], torch.float32, steps=[2], slow=torch.bfloat16)
    table = torch.ones(3, 2, dtype=torch.float64)
    torch.library.opcheck(
        gpu._average_op,
        (x.params, x.grads, x.exp_avgs, x.exp_avg_sqs, x.slow_avgs, x.positions, table, [0.1] * 6, True, False),
        test_utils=("test_schema", "test_faketensor"),
    )
