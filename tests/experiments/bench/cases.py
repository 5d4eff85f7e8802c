"""What the tests of the benchmarks share: a tiny case, and a wish for a report of it."""

import torch

from experiments.bench import contestants
from experiments.bench.record import Wish
from experiments.bench.shapes import Case

CPU = torch.device("cpu")
TINY = Case("tiny", "Tiny", ((30, 20), (20,), ()))


def wish(bench="step", only=(), rounds=2, cases=(TINY,)):
    chosen = contestants.choose(only, references=rounds > 0)
    return Wish(bench, "--model", cases, chosen, rounds, threads=1, device="cpu", seed=3)
