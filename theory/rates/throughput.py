"""How fast the compiled runner is beside a loop of torch.optim-style optimizers over the seeds, in one run."""

import time
from typing import Any

import numpy as np
import torch

import alto
from theory.ledger import provenance
from theory.objectives.noise import Sign
from theory.rates import runner
from theory.rates.settings import METHODS, PAPER, Setting

SEEDS = range(64)
DIMENSION = 4
AMPLITUDE = 2.0
NOISE = Sign(1.0)
ETA = 1e-3


def compare(*, steps: int = 20_000, loop_steps: int = 30) -> dict[str, Any]:
    """Coordinate updates per second of both, for all four methods on waves with sign noise, d = 4, 64 seeds.

    The loop has one optimizer per seed. Its gradients are the closed form too, and its noise is drawn beforehand, so
    that neither autograd nor the generator is what is compared. Vanilla ALTO is ALTO without bias correction.

    Args:
        steps: of the runner.
        loop_steps: of the loop.

    Returns:
        Updates per second of each method by both, and their ratio, the smallest of which is ``at_least``.
    """
    field = runner.waves(AMPLITUDE, DIMENSION)
    methods, alpha, beta1 = {}, *PAPER[1]
    for method in METHODS:
        setting = Setting(method, alpha, beta1, eta=ETA)
        arguments = {"seeds": SEEDS, "noise": NOISE}
        runner.descend(field, [setting], checkpoints=np.array([2]), **arguments)  # compile
        begin = time.perf_counter()
        runner.descend(field, [setting], checkpoints=np.array([steps]), **arguments)
        fast = len(SEEDS) * DIMENSION * steps / (time.perf_counter() - begin)
        slow = _loop(method, field.objective.start, loop_steps)
        methods[method] = {"runner": round(fast), "loop": round(slow), "ratio": round(fast / slow, 1)}
    return {
        "unit": "coordinate updates a second",
        "objective": "waves",
        "dimension": DIMENSION,
        "seeds": len(SEEDS),
        "steps": {"runner": steps, "loop": loop_steps},
        "methods": methods,
        "at_least": min(entry["ratio"] for entry in methods.values()),
        "provenance": provenance.record(provenance.code("theory.rates.throughput"), ("numpy", "numba", "torch")),
    }


def _optimizer(method: str, parameter: torch.Tensor) -> torch.optim.Optimizer:
    alpha, beta1 = PAPER[1]
    if method == "ESGD":
        return alto.ESGD([parameter], lr=ETA, momentum=0.9, alpha=alpha, beta1=beta1)
    if method == "EAdam":
        return alto.EAdam([parameter], lr=ETA, betas=(0.9, 0.99), alpha=alpha, beta1=beta1)
    return alto.ALTO([parameter], lr=ETA, alpha=alpha, beta1=beta1, weight_decay=0.0, bias_correction=method == "ALTO")


def _loop(method: str, start: np.ndarray, steps: int) -> float:
    """Updates per second of one optimizer per seed, each stepped in turn."""
    parameters = [torch.nn.Parameter(torch.from_numpy(start.copy())) for _ in SEEDS]
    optimizers = [_optimizer(method, parameter) for parameter in parameters]
    noise = [torch.from_numpy(NOISE.block(np.random.default_rng(seed), (steps + 1, DIMENSION))) for seed in SEEDS]

    def step(k: int) -> None:
        for parameter, optimizer, xi in zip(parameters, optimizers, noise, strict=True):
            x = parameter.data
            parameter.grad = x / torch.sqrt(1 + x * x) - AMPLITUDE * torch.sin(x) + xi[k]
            optimizer.step()

    step(0)  # the first step allocates the state
    begin = time.perf_counter()
    for k in range(1, steps + 1):
        step(k)
    return len(SEEDS) * DIMENSION * steps / (time.perf_counter() - begin)
