"""A small network, watched while it trains: what ``python -m theory watch`` and ``bound`` measure."""

from collections.abc import Callable

import torch

from alto import ALTO
from theory.monitor.literal import Report, follow
from theory.monitor.report import Report as Watched
from theory.monitor.sharpness import sharpness
from theory.monitor.watch import watch


def network() -> tuple[list[torch.Tensor], Callable[[], torch.Tensor]]:
    """The weights of a tanh network 8-16-1 in float64, and its full-batch loss on 128 points."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(128, 8, generator=generator, dtype=torch.float64)
    y = torch.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:3] / 2
    weights = [
        (torch.randn(shape, generator=generator, dtype=torch.float64) / shape[0] ** 0.5).requires_grad_()
        for shape in ((8, 16), (16, 1))
    ]
    return weights, lambda: ((torch.tanh(x @ weights[0]) @ weights[1] - y) ** 2).mean() / 2


def _train(optimizer: torch.optim.Optimizer, loss: Callable[[], torch.Tensor], note: Callable, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        note(value)
        optimizer.step()


def watched_training(steps: int = 300) -> tuple[Report, float]:
    """Train the network with ALTO beside the literal algorithm; return the report and the sharpness at the end.

    The epsilons are large (0.1), so that Theorem N's constants stay readable; at the default ones they are correct and
    very large.
    """
    weights, loss = network()
    optimizer = ALTO(weights, lr=0.01, alpha=-5.0, beta1=0.99, eps=(0.1, 0.1, 0.1), weight_decay=0.0)
    monitor = follow(optimizer)
    _train(optimizer, loss, monitor.note_loss, steps)
    (report,) = monitor.report()
    return report, sharpness(loss, weights)


def watched(make: Callable[[list[torch.Tensor]], torch.optim.Optimizer], steps: int, every: int = 1) -> Watched:
    """Train the network with any optimizer under :func:`theory.watch`, full batches, and return the report."""
    weights, loss = network()
    optimizer = make(weights)
    run = watch(optimizer, every=every, variance=0.0, loss=loss, curvature_every=every * max(1, steps // (10 * every)))
    _train(optimizer, loss, run.note_loss, steps)
    run.detach()
    return run.report()
