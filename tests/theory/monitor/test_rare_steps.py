"""Steps at a learning rate of zero, skipped steps, and a state that was dropped are watched as what they are."""

import math

import pytest
import torch

import theory
from tests.theory.monitor.quadratic import check, quadratic, train


@pytest.mark.parametrize("size", [3, 300_000])
def test_q_of_groups_at_a_rate_of_zero_and_of_many_blocks(size):
    """At a rate of 0 1/Q is infinite and does not decrease; the others' x is that of the plain computation."""
    torch.manual_seed(0)
    frozen, weight = (torch.randn(size, requires_grad=True) for _ in range(2))
    optimizer = torch.optim.Adam([{"params": [frozen], "lr": 0.0}, {"params": [weight], "lr": 0.01}], betas=(0.0, 0.5))
    run = theory.watch(optimizer, every=1)
    for _ in range(3):
        optimizer.zero_grad()
        (frozen**2 + 2 * weight**2).sum().backward()
        optimizer.step()
    assert run.report().Q.smallest == 0
    assert 0.5 <= run.report().monotone <= 1
    assert run.rows[-1]["L"] == pytest.approx(4, rel=1e-4)


def test_h_is_infinite_at_a_rate_of_zero_and_does_not_decrease():
    frozen, weight = (torch.ones(2, requires_grad=True) for _ in range(2))
    optimizer = torch.optim.Adam([{"params": [frozen], "lr": 0.0}, {"params": [weight], "lr": 0.01}], betas=(0.0, 0.5))
    run = theory.watch(optimizer, every=1)
    for k in range(4):  # smaller and smaller gradients, so sqrt(v) falls in both
        train(optimizer, lambda k=k: ((frozen + weight) ** 2).sum() / 2**k, 1)
    assert run.report().monotone == 0.5


def test_steps_at_a_rate_of_zero_are_not_compared():
    weight, loss = quadratic()
    optimizer = torch.optim.SGD([weight], lr=0.0, momentum=0.5)
    run = theory.watch(optimizer, every=1)
    train(optimizer, loss, 3)
    with pytest.raises(ValueError, match="two consecutive measured steps, and 3 steps were taken"):
        run.report()


def test_a_fused_optimizer_that_skipped_its_first_step_is_watched():
    """As under a GradScaler. Growing gradients, so H rises wherever it is known: not at the skipped step."""
    weight, loss = quadratic()
    optimizer = torch.optim.Adam([weight], fused=True)
    run = theory.watch(optimizer, every=1)
    optimizer.found_inf, optimizer.grad_scale = torch.ones(()), None
    train(optimizer, loss, 1)
    optimizer.found_inf = torch.zeros(())
    for k in range(3):
        train(optimizer, lambda k=k: loss() * 2**k, 1)
    report = run.report()
    assert math.isfinite(report.secant_x)
    assert report.monotone == 1
    assert check(report, "H = 1/Q").steps == 2


def test_a_parameter_whose_state_was_dropped_is_watched():
    a, b = (torch.ones(2, requires_grad=True) for _ in range(2))
    optimizer = torch.optim.Adam([a, b])
    run = theory.watch(optimizer, every=2)
    train(optimizer, lambda: (a + b) @ (a + b), 1)
    optimizer.state.clear()  # to begin the moments again
    train(optimizer, lambda: a @ a, 1)  # b has none now
    train(optimizer, lambda: (a + b) @ (a + b), 2)
    assert run.report().measured == 1
