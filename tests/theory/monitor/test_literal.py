"""The monitor reports what happened, and sees an optimizer that is not the algorithm."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console

import alto
from theory import __main__ as command
from theory.commands.tables import report_table
from theory.monitor.demo import watched_training
from theory.monitor.literal import Monitor, follow, minibatch_variance
from theory.monitor.sharpness import sharpness


def train(optimizer, weights, loss, steps, monitor):
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        monitor.note_loss(value)
        optimizer.step()
    return weights


def quadratic(dtype=torch.float64):
    weights = [
        torch.tensor([1.0, -2.0], dtype=dtype, requires_grad=True),
        torch.tensor([[0.5]], dtype=dtype, requires_grad=True),
    ]
    return weights, lambda: 3 * (weights[0] ** 2).sum() / 2 + 2 * (weights[1] ** 2).sum() / 2


def test_known_constants_of_a_quadratic():
    weights, loss = quadratic()
    optimizer = alto.ALTO(weights, lr=0.05, eps=(0.1, 0.1, 0.1), beta1=0.9, weight_decay=0.1)
    monitor = follow(optimizer)
    train(optimizer, weights, loss, 40, monitor)
    (report,) = monitor.report()
    assert report.steps == 40
    assert report.coordinates == 3
    assert 2 <= report.L <= 3 + 1e-9
    assert pytest.approx(6.0) == report.G
    assert pytest.approx(np.sqrt(5.25)) == report.D
    assert report.departure < 1e-12
    assert 0 <= report.monotone < 1
    assert report.downward > 0
    assert report.regret <= report.regret_bound
    assert sharpness(loss, weights) == pytest.approx(3.0, rel=1e-3)


def rendered(report):
    console = Console(width=250)
    with console.capture() as capture:
        console.print(report_table(report, sharpness=3.0))
    return capture.get()


def bounded_run(steps=40, lr=0.02, **arguments):
    """ALTO at large epsilons on the quadratic, where Theorem N's step is allowed, and the quadratic's report."""
    weights, loss = quadratic()
    options = {
        "lr": lr,
        "eps": (100.0, 1.0, 1.0),
        "beta1": 0.9,
        "alpha": -1.0,
        "betas": (0.0, 0.9),
        "weight_decay": 0.0,
    }
    bounds = {name: arguments.pop(name) for name in ("variance", "lower_bound") if name in arguments}
    optimizer = alto.ALTO(weights, **{**options, **arguments})
    monitor = follow(optimizer, **bounds)
    train(optimizer, weights, loss, steps, monitor)
    (report,) = monitor.report()
    return report, loss().item()


def test_a_run_without_weight_decay_has_its_bound():
    report, _ = bounded_run()
    assert report.step_allowed
    assert report.claimed
    assert report.not_claimed == ""
    assert report.gradient <= report.gradient_bound


def test_constant_weight_decay_is_not_claimed():
    """From near the minimum at 1 the decay pulls to 0: the gradient grows, and the right-hand side falls as 1/T."""
    weight = torch.tensor([0.99], dtype=torch.float64, requires_grad=True)
    optimizer = alto.ALTO([weight], lr=0.1, eps=(1.0, 1.0, 1.0), alpha=0.0, betas=(0.0, 0.9), weight_decay=0.5)
    monitor = follow(optimizer)
    train(optimizer, [weight], lambda: ((weight - 1) ** 2).sum() / 2, 200, monitor)
    (report,) = monitor.report()
    assert report.step_allowed
    assert report.gradient > 10 * report.gradient_bound
    assert not report.claimed
    assert "weight decay" in report.not_claimed
    assert f"not claimed: {report.not_claimed}" in rendered(report)


def test_the_gap_is_to_the_lower_bound_and_not_to_the_best_loss():
    """After two steps the best loss is near the first one, and the infimum, 0, far below."""
    (near, last), (far, _) = bounded_run(steps=2), bounded_run(steps=2, lower_bound=-10.0)
    first = quadratic()[1]().item()
    assert last > 0.9 * first
    difference = far.gradient_bound - near.gradient_bound  # proportional to the 10 that the gap has grown by
    assert near.gradient_bound >= difference * first / 10 > 0


def test_a_loss_below_the_lower_bound_is_not_claimed():
    report, _ = bounded_run(lower_bound=1e6)
    assert "below lower_bound" in report.not_claimed
    with pytest.raises(ValueError, match="lower_bound is -inf: allowed are finite numbers"):
        bounded_run(lower_bound=-np.inf)


def test_other_runs_outside_the_theorem_are_not_claimed():
    weights, loss = quadratic()
    optimizer = alto.ALTO(weights, lr=1e-4, weight_decay=0.0)
    late, scheduled = follow(optimizer), follow(optimizer)
    for k in range(3):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        if k > 1:
            late.note_loss(value)
    assert "too late" in late.report()[0].not_claimed
    assert "no loss" in scheduled.report()[0].not_claimed
    optimizer.param_groups[0]["lr"] = 5e-5
    train(optimizer, weights, loss, 1, scheduled)
    assert "learning rate changed" in scheduled.report()[0].not_claimed
    assert "eta is above its limit" in bounded_run(lr=1e6)[0].not_claimed
    two = alto.ALTO(
        [{"params": weights[:1]}, {"params": weights[1:]}], lr=1e-4, weight_decay=0.0, eps=(100.0, 1.0, 1.0)
    )
    monitor = follow(two)
    train(two, weights, loss, 3, monitor)
    assert all("2 parameter groups" in report.not_claimed for report in monitor.report())


def test_a_foreign_update_is_seen():
    weights, loss = quadratic()
    optimizer = alto.ALTO(weights, lr=0.05, beta1=0.9)
    monitor = follow(optimizer)
    for _ in range(5):
        train(optimizer, weights, loss, 1, monitor)
        with torch.no_grad():
            weights[0].mul_(1.01)
    (report,) = monitor.report()
    assert report.departure > 1e-3


def test_detached_watch_sees_nothing_more():
    weights, loss = quadratic()
    optimizer = alto.ALTO(weights, lr=0.05, beta1=0.9)
    monitor = follow(optimizer)
    train(optimizer, weights, loss, 3, monitor)
    monitor.detach()
    train(optimizer, weights, loss, 3, monitor)
    assert monitor.report()[0].steps == 3


def test_lemma_m_case_is_monotone():
    """No layer factor, eta / sqrt(k), beta3 >= 1 - 1/T: H never decreases (Lemma M), so the share is 1."""
    from theory.method.algorithms import ALTO

    literal = ALTO(-2.0, 0.5, 0.5, 0.98, 1e-2, 1.0, 1.0, 0.0, bias_correction=False, layerwise=False)
    monitor, rng = Monitor(literal, [3]), np.random.default_rng(0)
    for k in range(1, 51):
        monitor.observe(rng.normal(size=3), rng.normal(size=3) * rng.choice([0, 1]), 0.1 / np.sqrt(k))
    report = monitor.report()
    assert report.monotone == 1
    assert report.downward == 0


def test_too_early_and_wrong_optimizer():
    weights, _ = quadratic()
    with pytest.raises(ValueError, match="at least two observed steps"):
        follow(alto.ALTO(weights)).report()
    with pytest.raises(ValueError, match="has no alpha"):
        follow(torch.optim.SGD(weights, lr=0.1))
    with pytest.raises(ValueError, match="maximize"):
        follow(alto.ALTO(weights, maximize=True))
    with pytest.raises(ValueError, match="is an E"):
        follow(alto.E(alto.LAMB(weights), alpha=-5.0, beta1=0.99))


def test_minibatch_variance_is_unbiased_on_all_pairs():
    values = np.array([[0.0], [1.0], [5.0]])
    pairs = [minibatch_variance([a, b]) for a in values for b in values]
    assert np.mean(pairs) == pytest.approx(values.var())


def test_demonstration():
    report, curvature = watched_training(steps=60)
    assert report.departure < 1e-12
    assert report.regret <= report.regret_bound
    assert curvature > 0


@pytest.mark.parametrize("steps", ["0", "1", "-3", "many"])
def test_the_command_names_the_allowed_steps(steps, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["watch", f"--steps={steps}"])
    assert stop.value.code == 2
    assert f"{steps}: allowed are whole numbers from 2 on" in capsys.readouterr().err


def test_steps_that_move_nothing_are_not_counted():
    """A schedule that ends at 0, as cosine annealing does, leaves every measured number as it was."""
    reports = []
    for idle in (0, 3):
        weights, loss = quadratic()
        optimizer = alto.ALTO(weights, lr=0.05, eps=(0.1, 0.1, 0.1), beta1=0.9)
        monitor = follow(optimizer)
        train(optimizer, weights, loss, 20, monitor)
        optimizer.param_groups[0]["lr"] = 0.0
        train(optimizer, weights, loss, idle, monitor)
        reports += monitor.report()
    first, second = (replace(report, gradient_bound=None) for report in reports)  # it uses the last loss noted
    assert first == second
    assert reports[1].steps == 20
    assert np.isfinite(reports[1].regret_bound)
