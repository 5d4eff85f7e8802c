"""A quadratic of two coordinates, whose constants are known, and its training."""

import torch

CURVATURES = torch.tensor([3.0, 1.0], dtype=torch.float64)


def quadratic():
    weight = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    return weight, lambda: (CURVATURES * weight**2).sum() / 2


def train(optimizer, loss, steps, run=None):
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        if run:
            run.note_loss(value)
        optimizer.step()


def check(report, words):
    (found,) = [row for row in report.checks if words in row.assumption]
    return found
