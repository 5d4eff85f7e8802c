"""Label noise on a fitted network: E(SGD) moves on along the interpolating set, towards a smaller trace of the Hessian.

Three phases: gradient descent until the network fits its targets; E(SGD) with fresh Gaussian noise on the targets at
each step; gradient descent without noise, so that what is measured at the end is a fitted network again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from theory.simulate import network
from theory.simulate.rule import Rule


@dataclass(frozen=True)
class Flattening:
    """What the runs did.

    Attributes:
        steps: at which steps of the noisy phase the trace was taken; shape (points + 1,), from 0.
        trace: trace of the Gauss-Newton matrix there; shape (rules, seeds, points + 1).
        final_trace: after the last phase; shape (rules, seeds).
        final_top: its top eigenvalue there; shape (rules, seeds).
        final_loss: the loss without noise there; shape (rules, seeds).
    """

    steps: np.ndarray
    trace: np.ndarray
    final_trace: np.ndarray
    final_top: np.ndarray
    final_loss: np.ndarray


def _descend(weights: network.Parameters, x: torch.Tensor, y: torch.Tensor, eta: float, steps: int) -> None:
    for _ in range(steps):
        for w, g in zip(weights, network.gradient(weights, x, y), strict=True):
            w.sub_(g, alpha=eta)


def flatten(
    rules: Sequence[Rule],
    *,
    eta: float = 0.15,
    noise: float = 0.5,
    steps: int = 6000,
    fit_steps: int = 6000,
    settle_steps: int = 2000,
    points: int = 60,
    seeds: int = 2,
    seed: int = 0,
) -> Flattening:
    """Run the three phases from one fitted network, all rules and seeds side by side.

    Args:
        rules: settings of ESGD without momentum (beta2 = 0).
        eta: learning rate of the noisy phase; the other two use 0.1.
        noise: standard deviation of the noise on the targets.
        steps: length of the noisy phase, a multiple of ``points``.
        fit_steps: length of the first phase.
        settle_steps: length of the last phase.
        points: how often to take the trace.
        seeds: number of noise sequences; the start is one and the same.
        seed: what they are derived from; sequence i is the same for every rule.

    Returns:
        Traces along the noisy phase and the fitted network at the end.

    Raises:
        ValueError: a rule has momentum or is EAdam, or ``steps`` is no multiple of ``points``.
    """
    if any(rule.beta2 or rule.beta3 is not None for rule in rules):
        raise ValueError("rules: allowed are ESGD settings with beta2 = 0")
    if points < 1 or steps % points:
        raise ValueError(f"steps = {steps}: allowed are multiples of points = {points}")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # tensors this small cost more to share out than to compute
    try:
        return _flatten(rules, eta, noise, steps, fit_steps, settle_steps, points, seeds, seed)
    finally:
        torch.set_num_threads(threads)


def _flatten(
    rules: Sequence[Rule],
    eta: float,
    noise: float,
    steps: int,
    fit_steps: int,
    settle_steps: int,
    points: int,
    seeds: int,
    seed: int,
) -> Flattening:
    x, y, start = network.problem(torch.Generator().manual_seed(0))
    start = network.copies(start, 1)
    _descend(start, x, y, 0.1, fit_steps)
    count, shape = len(rules) * seeds, (len(rules), seeds)
    weights = [w.repeat(count, 1, 1) for w in start]
    slow = [torch.zeros_like(w) for w in weights]
    c, beta1 = (
        torch.tensor([[getattr(rule, name)] for rule in rules], dtype=torch.float64)
        .expand(shape).reshape(count, 1, 1) for name in ("c", "beta1")
    )  # fmt: skip
    generators = [torch.Generator().manual_seed(1000 * seed + i + 1) for i in range(seeds)]
    traces = [network.curvature(weights, x)[0]]
    for k in range(1, steps + 1):
        fresh = torch.stack([torch.randn(y.shape, generator=g, dtype=torch.float64) for g in generators])
        noisy = y + noise * fresh.repeat(len(rules), 1, 1)
        for w, h, g in zip(weights, slow, network.gradient(weights, x, noisy), strict=True):
            w.sub_(eta * ((1 - c) * g + c * h))
            h.mul_(beta1).add_((1 - beta1) * g)
        if k % (steps // points) == 0:
            traces.append(network.curvature(weights, x)[0])
    _descend(weights, x, y, 0.1, settle_steps)
    trace, top = network.curvature(weights, x)
    return Flattening(
        steps=np.arange(points + 1) * (steps // points),
        trace=torch.stack(traces, -1).reshape(*shape, points + 1).numpy(),
        final_trace=trace.reshape(shape).numpy(),
        final_top=top.reshape(shape).numpy(),
        final_loss=network.loss(weights, x, y).reshape(shape).numpy(),
    )
