"""A NaN or an infinity in a gradient is in what is measured, and no theorem is claimed of such a run."""

import math

import pytest
import torch

import theory


@pytest.mark.parametrize("at", [3, 5], ids=["in between", "last"])
@pytest.mark.parametrize("value", [math.nan, math.inf], ids=["nan", "inf"])
def test_a_gradient_that_is_not_finite_is_not_left_out(value, at):
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    root = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: 1 / math.sqrt(k + 1))  # as Theorem C has it
    run = theory.watch(optimizer, every=1, variance=0.0)
    for step in range(1, 6):
        optimizer.zero_grad()
        weight.square().sum().backward()
        run.note_loss(1.0)
        if step == at:
            weight.grad[0] = value
        optimizer.step()
        root.step()
    report = run.report()
    assert not math.isfinite(report.G)
    assert math.isnan(report.G) or not math.isnan(value)
    assert math.isfinite(report.D) == (at == 5)
    assert "Theorem N" in report.not_claimed
    assert f"the gradients are finite (step {at})" in report.not_claimed["Theorem C"]
