"""Loss and metrics of a network on one split."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.batches import prepare
from experiments.data import Dataset, Split
from experiments.data.conll import f1
from experiments.data.dataset import IGNORED

CHUNK = 1024  # examples at once; part of the bitwise result, so it is no option


@dataclass(frozen=True)
class Scores:
    """Of one network on one split.

    Attributes:
        loss: Mean cross-entropy over counted positions, in nats; None where it is not finite (JSON has no NaN).
        accuracy: Share of counted positions that are right, in [0, 1]; None where nothing is classified.
        f1: Of entities, in [0, 1]; None for data without tags.
        reward: Mean return of an episode, not discounted; None where nothing is simulated.
    """

    loss: float | None
    accuracy: float | None
    f1: float | None = None
    reward: float | None = None


def cross_entropy_sum(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Summed cross-entropy and the number of positions that count.

    Args:
        logits: (..., classes).
        targets: (...) int64, `IGNORED` where a position does not count.

    Returns:
        Two scalars on the logits' device, float32 and int64.
    """
    flat = logits.flatten(0, -2).float()
    total = F.cross_entropy(flat, targets.flatten(), ignore_index=IGNORED, reduction="sum")
    return total, (targets != IGNORED).sum()


def finite(value: float) -> float | None:
    """The value, or None where it is infinite or NaN."""
    return value if math.isfinite(value) else None


@torch.no_grad()
def evaluate(model: nn.Module, data: Dataset, split: Split) -> Scores:
    """Evaluate a network; its mode and the random state are left as they were.

    Args:
        model: The network, on the split's device.
        data: Says how inputs are prepared.
        split: The examples.

    Returns:
        The scores.
    """
    was_training = model.training
    model.eval()
    loss, right, count, answers = 0.0, 0, 0, []
    for start in range(0, len(split), CHUNK):
        inputs, targets = split.inputs[start : start + CHUNK], split.targets[start : start + CHUNK]
        logits = model(prepare(data, inputs))
        total, counted = cross_entropy_sum(logits, targets)
        loss += total.double().item()
        count += int(counted)
        answers.append(logits.argmax(-1))
        right += int((answers[-1] == targets).sum())  # an ignored target is never a class
    model.train(was_training)
    entities = f1(torch.cat(answers), split.targets, data.labels) if data.kind == "tags" else None
    return Scores(finite(loss / count), right / count, entities)
