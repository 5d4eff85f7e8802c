"""A small network, watched while it trains: what ``python -m theory monitor`` shows."""

import torch

from alto import ALTO
from theory.monitor.watch import Report, sharpness, watch


def watched_training(steps: int = 300) -> tuple[Report, float]:
    """Train a tanh network 8-16-1 on 128 points, full batch, float64, with ALTO; return the report and its sharpness.

    The epsilons are large (0.1), so that Theorem N's constants stay readable; at the default ones they are correct and
    very large.
    """
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(128, 8, generator=generator, dtype=torch.float64)
    y = torch.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:3] / 2
    weights = [
        (torch.randn(shape, generator=generator, dtype=torch.float64) / shape[0] ** 0.5).requires_grad_()
        for shape in ((8, 16), (16, 1))
    ]

    def loss() -> torch.Tensor:
        return ((torch.tanh(x @ weights[0]) @ weights[1] - y) ** 2).mean() / 2

    optimizer = ALTO(weights, lr=0.01, alpha=-5.0, beta1=0.99, eps=(0.1, 0.1, 0.1), weight_decay=0.0)
    monitor = watch(optimizer)
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        monitor.note_loss(value)
        optimizer.step()
    (report,) = monitor.report()
    return report, sharpness(loss, weights)
