"""What watching costs: CPU time per step of a training with and without a watch, side by side."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy import stats
from torch import nn

from theory.monitor.watch import watch


@dataclass(frozen=True)
class Cost:
    """One network's cost.

    Attributes:
        network: what trained.
        parameters: how many numbers it has.
        milliseconds: CPU time per step without a watch, the median over the pairs.
        share: CPU time with a watch over that without, minus 1: the mean over the pairs.
        half: half the width of its 95 % interval (Student's t over the pairs).
    """

    network: str
    parameters: int
    milliseconds: float
    share: float
    half: float


def mlp() -> tuple[nn.Module, Callable[[], torch.Tensor]]:
    """A multilayer perceptron 64-256-256-10 on 64 points, and its loss."""
    model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    x, y = torch.randn(64, 64), torch.randint(0, 10, (64,))
    return model, lambda: nn.functional.cross_entropy(model(x), y)


def transformer() -> tuple[nn.Module, Callable[[], torch.Tensor]]:
    """A transformer of 2 layers and width 64 on 8 sequences of 64 tokens, and its loss."""
    layer = nn.TransformerEncoderLayer(64, 2, 256, dropout=0.0, batch_first=True)
    model = nn.Sequential(nn.Embedding(64, 64), nn.TransformerEncoder(layer, 2), nn.Linear(64, 64))
    tokens = torch.randint(0, 64, (8, 64))
    return model, lambda: nn.functional.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten())


NETWORKS = {"MLP 64-256-256-10": mlp, "transformer, 2 layers of width 64": transformer}


def measure(name: str, every: int = 10, steps: int = 100, pairs: int = 12) -> Cost:
    """Train with AdamW, one thread, with and without ``watch(optimizer, every=every)``.

    Args:
        name: of :data:`NETWORKS`.
        every: as in :func:`theory.watch`.
        steps: per training, a multiple of ``every``.
        pairs: trainings with a watch, each beside one without: they take ``every`` steps in turn, so that what else the
            machine does slows both.

    Returns:
        The cost.
    """
    threads, found, plain = torch.get_num_threads(), [], []
    torch.set_num_threads(1)
    try:
        for pair in range(-1, pairs):  # the first warms up
            trainings = [_training(name, 0), _training(name, every)]
            spent = [0.0, 0.0]
            for turn in range(steps // every):
                for which in (0, 1) if (pair + turn) % 2 else (1, 0):
                    spent[which] += trainings[which](every)
            if pair >= 0:
                found.append(spent[1] / spent[0] - 1)
                plain.append(1000 * spent[0] / steps)
    finally:
        torch.set_num_threads(threads)
    half = float(stats.t.ppf(0.975, pairs - 1)) * statistics.stdev(found) / pairs**0.5
    count = sum(p.numel() for p in NETWORKS[name]()[0].parameters())
    return Cost(name, count, statistics.median(plain), statistics.mean(found), half)


def _training(name: str, every: int) -> Callable[[int], float]:
    """A training that takes a number of steps and returns their CPU time in seconds; ``every=0``: without a watch."""
    torch.manual_seed(0)
    model, loss = NETWORKS[name]()
    optimizer = torch.optim.AdamW(model.parameters())
    seen = watch(optimizer, every=every) if every else None

    def take(steps: int) -> float:
        begin = time.process_time()
        for _ in range(steps):
            optimizer.zero_grad()
            value = loss()
            value.backward()
            if seen:
                seen.note_loss(value)
            optimizer.step()
        return time.process_time() - begin

    return take
