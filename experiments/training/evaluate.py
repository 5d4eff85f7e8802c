"""Loss and metrics of a network on one split."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.data import Dataset, Split
from experiments.data.conll import f1
from experiments.data.dataset import IGNORED
from experiments.io import own
from experiments.runs.rows import Scores, finite
from experiments.training.batches import prepare

CHUNK = 1024  # examples at once; part of the bitwise result, so it is no option


def cross_entropy_sum(logits: Tensor, targets: Tensor) -> Tensor:
    """Summed cross-entropy over the positions that count.

    Args:
        logits: (..., classes).
        targets: (...) int64, `IGNORED` where a position does not count.

    Returns:
        A float32 scalar on the logits' device.
    """
    flat = logits.flatten(0, -2).float()
    return F.cross_entropy(flat, targets.flatten(), ignore_index=IGNORED, reduction="sum")


Loss = Callable[[Tensor, Tensor], Tensor]


def loss_of(name: str) -> Loss:
    """The summed loss: the cross-entropy, or the user's mean over the examples (`name`) times their number."""
    if not name:
        return cross_entropy_sum
    mean = own.load(name, "training.loss")
    return lambda outputs, targets: mean(outputs, targets) * len(targets)


@torch.no_grad()
def evaluate(model: nn.Module, data: Dataset, split: Split, loss_of: Loss = cross_entropy_sum) -> Scores:
    """Evaluate a network; its mode and the random state are left as they were.

    Args:
        model: The network, on the split's device.
        data: Says how inputs are prepared.
        split: The examples.
        loss_of: From outputs and targets to the summed loss.

    Returns:
        The scores; without accuracy where the loss is the user's own.
    """
    was_training = model.training
    model.eval()
    loss, right, count, answers = 0.0, 0, 0, []
    for start in range(0, len(split), CHUNK):
        inputs, targets = split.inputs[start : start + CHUNK], split.targets[start : start + CHUNK]
        logits = model(prepare(data, inputs))
        loss += loss_of(logits, targets).double().item()
        if loss_of is not cross_entropy_sum:
            count += len(targets)
            continue
        count += int((targets != IGNORED).sum())
        answers.append(logits.argmax(-1))
        right += int((answers[-1] == targets).sum())  # an ignored target is never a class
    model.train(was_training)
    entities = f1(torch.cat(answers), split.targets, data.labels) if data.kind == "tags" else None
    return Scores(finite(loss / count), right / count if answers else None, entities)
