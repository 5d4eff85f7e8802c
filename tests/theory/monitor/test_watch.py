"""The monitor reports what happened, and sees an optimizer that is not the algorithm."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import alto
from theory import __main__ as command
from theory.monitor.demo import watched_training
from theory.monitor.watch import Monitor, minibatch_variance, sharpness, watch


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
    monitor = watch(optimizer)
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
    assert report.gradient_bound is not None
    assert report.gradient <= report.gradient_bound
    assert sharpness(loss, weights) == pytest.approx(3.0, rel=1e-3)


def test_a_foreign_update_is_seen():
    weights, loss = quadratic()
    optimizer = alto.ALTO(weights, lr=0.05, beta1=0.9)
    monitor = watch(optimizer)
    for _ in range(5):
        train(optimizer, weights, loss, 1, monitor)
        with torch.no_grad():
            weights[0].mul_(1.01)
    (report,) = monitor.report()
    assert report.departure > 1e-3


def test_detached_watch_sees_nothing_more():
    weights, loss = quadratic()
    optimizer = alto.ALTO(weights, lr=0.05, beta1=0.9)
    monitor = watch(optimizer)
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
        watch(alto.ALTO(weights)).report()
    with pytest.raises(ValueError, match="has no alpha"):
        watch(torch.optim.SGD(weights, lr=0.1))


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
        command.main(["monitor", f"--steps={steps}"])
    assert stop.value.code == 2
    assert f"{steps}: allowed are whole numbers from 2 on" in capsys.readouterr().err


def test_steps_that_move_nothing_are_not_counted():
    """A schedule that ends at 0, as cosine annealing does, leaves every measured number as it was."""
    reports = []
    for idle in (0, 3):
        weights, loss = quadratic()
        optimizer = alto.ALTO(weights, lr=0.05, eps=(0.1, 0.1, 0.1), beta1=0.9)
        monitor = watch(optimizer)
        train(optimizer, weights, loss, 20, monitor)
        optimizer.param_groups[0]["lr"] = 0.0
        train(optimizer, weights, loss, idle, monitor)
        reports += monitor.report()
    first, second = (replace(report, gradient_bound=None) for report in reports)  # it uses the last loss noted
    assert first == second
    assert reports[1].steps == 20
    assert np.isfinite(reports[1].regret_bound)
