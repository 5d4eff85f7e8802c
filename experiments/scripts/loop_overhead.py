"""What the training loop costs beside a loop written out in PyTorch: ``python -m experiments.scripts.loop_overhead``.

Both train the same network on the digits with the same batches, by fused AdamW, in turns, one thread. The bare loop
normalises all images once, and keeps neither loss nor gradient norm. The end compares the weights bit for bit.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional as F

from experiments.config.schema import DataConfig, ModelConfig, TrainingConfig
from experiments.io.environment import Environment
from experiments.io.errors import require
from experiments.runs.plan import Run
from experiments.training import batches
from experiments.training.supervised import SupervisedLoop

STEPS = 20  # per turn


def bare(loop: SupervisedLoop) -> Callable[[], None]:
    """A step of the bare loop, with the network, the optimizer and the data of a run that takes no step itself."""
    model, optimizer, train = loop.model, loop.optimizer, loop.train_split
    images, labels = batches.prepare(loop.data, train.inputs), train.targets
    waiting: list[torch.Tensor] = []
    epoch = 0

    def step() -> None:
        nonlocal epoch
        if not waiting:
            waiting.extend(reversed(batches.order(len(labels), loop.run.seed, epoch).split(loop.batch_size)))
            epoch += 1
        batch = waiting.pop()
        optimizer.zero_grad()
        F.cross_entropy(model(images[batch]), labels[batch]).backward()
        optimizer.step()

    return step


def compare(batch_size: int, widths: list[int], rounds: int) -> tuple[list[float], list[float], bool]:
    """Time both loops in turns.

    Args:
        batch_size: Examples per step.
        widths: Channels of the network's blocks.
        rounds: Turns of each.

    Returns:
        Milliseconds of CPU time per step, of each turn: the bare loop's, and ours; and whether the weights are equal.
    """
    training = TrainingConfig(epochs=10**6, batch_size=batch_size)
    network = ModelConfig("convnet", {"widths": widths})
    run = Run("final", "digits", "AdamW", "AdamW", {"fused": True}, 1e-3, 1, DataConfig(), network, training)
    with tempfile.TemporaryDirectory() as folder:
        place = Environment(Path(folder), device="cpu")
        ours, other = (SupervisedLoop(run, place, Path(folder)) for _ in range(2))
    steps = {"bare": bare(other), "ours": ours.advance}
    times: dict[str, list[float]] = {"bare": [], "ours": []}
    for turn in range(rounds + 1):
        for name in sorted(steps, reverse=bool(turn % 2)):
            begin = time.thread_time()
            for _ in range(STEPS):
                steps[name]()
            times[name].append(1e3 * (time.thread_time() - begin) / STEPS)
    equal = all(map(torch.equal, ours.model.state_dict().values(), other.model.state_dict().values()))
    return times["bare"][1:], times["ours"][1:], equal  # the first turn warms up


def main() -> int:
    """Print both times and their ratio, with the quartiles over the turns; 1 if the weights differ."""
    parser = argparse.ArgumentParser(prog="experiments.scripts.loop_overhead", description=__doc__)
    parser.add_argument("--batch-size", type=int, default=256, metavar="N", help="examples per step (256)")
    parser.add_argument("--widths", type=int, nargs="+", default=[32, 64], metavar="C", help="channels (32 64)")
    parser.add_argument("--rounds", type=int, default=30, metavar="N", help="turns of each loop (30)")
    options = parser.parse_args()
    require(2 <= options.rounds <= 10_000, "--rounds", options.rounds, "in [2, 10000]")
    bare_ms, ours_ms, equal = compare(options.batch_size, options.widths, options.rounds)
    low, middle, high = statistics.quantiles([y / x for x, y in zip(bare_ms, ours_ms, strict=True)], n=4)
    sys.stdout.write(
        f"bare loop {statistics.median(bare_ms):.2f} ms of CPU time per step, ours {statistics.median(ours_ms):.2f}\n"
        f"ratio {middle:.3f}, quartiles {low:.3f} to {high:.3f} over {options.rounds} turns of {STEPS} steps\n"
        f"the weights {'are the same bit for bit' if equal else 'DIFFER'}\n"
    )
    return int(not equal)


if __name__ == "__main__":
    raise SystemExit(main())
