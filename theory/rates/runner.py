"""Runs of many settings and seeds at once: the same noise for every setting, state kept at checkpoints."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from theory.objectives import Objective, Stream, gradient_dominated, quadratics
from theory.objectives import huber as huber_family
from theory.objectives import waves as waves_family
from theory.objectives.noise import Gaussian, Sign, Skewed
from theory.objectives.online import LINKS
from theory.rates import kernels
from theory.rates.settings import Setting

BLOCK = 1 << 19
"""Most numbers of noise to hold at a time."""

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

Advance = Callable[[int], None]
"""Gets, after each block, how many coordinate updates it did."""


@dataclass(frozen=True)
class Field:
    """An objective that the kernels know: the same function twice, compiled and as registered.

    Attributes:
        code: the kernels' code.
        parameters: a and b of every coordinate, shape (2, d).
        objective: the registered form with its constants.
    """

    code: int
    parameters: np.ndarray
    objective: Objective


def _field(code: int, a: Sequence[float], b: float, objective: Objective) -> Field:
    return Field(code, np.array([a, [b] * len(a)], dtype=np.float64), objective)


def quadratic(spectrum: Sequence[float], centre: float = 0.0) -> Field:
    """See :func:`theory.objectives.quadratics.quadratic`."""
    return _field(kernels.QUADRATIC, spectrum, centre, quadratics.quadratic(spectrum, centre))


def huber(widths: Sequence[float]) -> Field:
    """See :func:`theory.objectives.huber.huber`."""
    return _field(kernels.HUBER, widths, 0.0, huber_family.huber(widths))


def pseudo_huber(scale: float, dimension: int) -> Field:
    """See :func:`theory.objectives.huber.pseudo_huber`."""
    return _field(kernels.PSEUDO_HUBER, [scale] * dimension, 0.0, huber_family.pseudo_huber(scale, dimension))


def waves(amplitude: float, dimension: int) -> Field:
    """See :func:`theory.objectives.waves.waves`."""
    return _field(kernels.WAVES, [amplitude] * dimension, 0.0, waves_family.waves(amplitude, dimension))


def pl_sine(dimension: int) -> Field:
    """See :func:`theory.objectives.gradient_dominated.pl_sine`."""
    return _field(kernels.PL_SINE, [0.0] * dimension, 0.0, gradient_dominated.pl_sine(dimension))


@dataclass(frozen=True)
class Descent:
    """What :func:`descend` saw after each checkpoint's number of steps; S settings, R seeds, P checkpoints.

    Attributes:
        steps: shape (P,).
        theta, h, m: the state then, shape (P, S, R, d); m is normalised for ESGD as well.
        gradient: mean over the steps so far of |grad f(theta_k)|^2, shape (P, S, R).
        gap: mean of f(theta_k) - f*, shape (P, S, R).
        largest: maximum of |g_k|_inf, shape (P, S, R).
        mean, square: mean of theta_k and of theta_k^2, shape (P, S, R, d).
    """

    steps: np.ndarray
    theta: np.ndarray
    h: np.ndarray
    m: np.ndarray
    gradient: np.ndarray
    gap: np.ndarray
    largest: np.ndarray
    mean: np.ndarray
    square: np.ndarray


@dataclass(frozen=True)
class Play:
    """What :func:`play` saw; S settings, R seeds, P checkpoints.

    Attributes:
        rounds: shape (P,).
        loss: the sum of f_k(theta_k) so far, shape (P, S, R).
        fall: the total decrease of H so far, shape (P, S, R).
        counts: how often each loss of the pool was played, shape (P, S, R, J).
    """

    rounds: np.ndarray
    loss: np.ndarray
    fall: np.ndarray
    counts: np.ndarray


def log_spaced(first: int, last: int, count: int) -> np.ndarray:
    """At most ``count`` different integers from first to last, evenly spaced in the logarithm."""
    return np.unique(np.round(np.geomspace(first, last, count)).astype(np.int64))


def _blocks(checkpoints: np.ndarray, width: int) -> list[tuple[int, int]]:
    """(steps taken, steps to take) so that blocks stop at checkpoints and hold at most ``BLOCK`` numbers."""
    longest, blocks, taken = max(1, BLOCK // width), [], 0
    for stop in checkpoints.tolist():
        while taken < stop:
            blocks.append((taken, min(longest, stop - taken)))
            taken += blocks[-1][1]
    return blocks


def descend(
    field: Field,
    settings: Sequence[Setting],
    *,
    checkpoints: np.ndarray,
    seeds: Sequence[int] = (),
    noise: Gaussian | Sign | Skewed | None = None,
    batch: int = 1,
    layers: Sequence[int] = (),
    start: np.ndarray | None = None,
    done: Advance = lambda _: None,
) -> Descent:
    """Run every setting from the same start with constant learning rates.

    Args:
        field: the objective.
        settings: S of them.
        checkpoints: increasing numbers of steps to report after, shape (P,).
        seeds: one per replica; none for a run without noise (one replica).
        noise: the gradient noise, the same for every setting.
        batch: samples per step.
        layers: sizes that sum to d; one layer by default.
        start: theta_1, shape (d,); the objective's by default.
        done: gets the number of coordinate updates of each block.

    Returns:
        The record.

    Raises:
        ValueError: noise without seeds, or seeds without noise.
    """
    if (noise is None) != (len(seeds) == 0):
        raise ValueError(f"noise = {noise} and seeds = {list(seeds)} must be given together")
    S, R, d = len(settings), max(1, len(seeds)), field.objective.dimension
    bounds = np.concatenate([[0], np.cumsum(layers or [d])]).astype(np.int64)
    theta = np.broadcast_to(field.objective.start if start is None else start, (S, R, d)).copy()
    h, m, v = np.zeros((3, S, R, d))
    sums, moments = np.zeros((S, R, 3)), np.zeros((S, 2, R, d))
    generators = [np.random.default_rng(seed) for seed in seeds]
    kept: list[tuple[np.ndarray, ...]] = []
    with ThreadPoolExecutor(CORES) as pool:
        for taken, steps in _blocks(checkpoints, R * d):
            block = np.empty((0, R, d))
            if noise is not None:
                block = np.stack([noise.block(rng, (steps, d), batch) for rng in generators], 1)

            def one(s: int, taken: int = taken, steps: int = steps, block: np.ndarray = block) -> None:
                setting = settings[s]
                kernels.descend(
                    setting.kind, setting.numbers, setting.literal_eta, taken, steps, field.code, field.parameters,
                    field.objective.infimum, block, bounds, theta[s], h[s], m[s], v[s], sums[s], moments[s],
                )  # fmt: skip

            list(pool.map(one, range(S)))
            done(steps * S * R * d)
            if taken + steps in checkpoints:
                kept.append(tuple(array.copy() for array in (theta, h, m, sums, moments)))
    thetas, hs, ms, totals, moment = (np.stack(arrays) for arrays in zip(*kept, strict=True))
    scale = np.array([1 - s.beta2 if s.method == "ESGD" else 1.0 for s in settings])[:, None, None]
    n = checkpoints[:, None, None]
    return Descent(
        checkpoints, thetas, hs, ms * scale, totals[..., kernels.GRADIENT] / n, totals[..., kernels.GAP] / n,
        totals[..., kernels.LARGEST], moment[:, :, 0] / n[..., None], moment[:, :, 1] / n[..., None],
    )  # fmt: skip


def play(
    stream: Stream,
    settings: Sequence[Setting],
    *,
    checkpoints: np.ndarray,
    seeds: Sequence[int] = (),
    layers: Sequence[int] = (),
    apart: bool = False,
    done: Advance = lambda _: None,
) -> Play:
    """Play every setting on the same stream with eta_k = eta / sqrt(k), clipped to the stream's box, from its middle.

    Args:
        stream: the losses.
        settings: S of them.
        checkpoints: increasing numbers of rounds to report after, shape (P,).
        seeds: one per replica; none for a stream that is not random.
        layers: sizes that sum to d; one layer by default.
        apart: every setting gets picks of its own, drawn from its place in ``settings`` and the seed; else all get
            the same.
        done: gets the number of coordinate updates of each block.

    Returns:
        The record.

    Raises:
        ValueError: a random stream without seeds, or seeds for one that is not random.
    """
    if stream.random != (len(seeds) > 0):
        raise ValueError(f"seeds = {list(seeds)}: the stream {stream.name} is {'' if stream.random else 'not '}random")
    S, R, d = len(settings), max(1, len(seeds)), stream.dimension
    bounds = np.concatenate([[0], np.cumsum(layers or [d])]).astype(np.int64)
    theta = np.full((S, R, d), sum(stream.box) / 2)
    h, m, v, H = np.zeros((4, S, R, d))
    sums, counts = np.zeros((S, R, 2)), np.zeros((S, R, len(stream.a)))
    draws = range(S) if apart else (0,)
    generators = [[np.random.default_rng((seed, s) if apart else seed) for seed in seeds or (0,)] for s in draws]
    box, kept = np.array(stream.box), []
    with ThreadPoolExecutor(CORES) as pool:
        for taken, rounds in _blocks(checkpoints, R * d):

            def picks(s: int, taken: int = taken, rounds: int = rounds) -> tuple[np.ndarray, np.ndarray]:
                index = np.stack([stream.pick(rng, taken + 1, (rounds,)) for rng in generators[s]], 1)
                return index, np.stack([np.bincount(index[:, r], minlength=len(stream.a)) for r in range(R)])

            shared = None if apart else picks(0)

            def one(s: int, taken: int = taken, shared: tuple | None = shared, picks: Callable = picks) -> None:
                setting = settings[s]
                index, met = shared or picks(s)
                counts[s] += met
                kernels.play(
                    setting.kind, setting.numbers, setting.literal_eta, taken, setting.monotone,
                    LINKS.index(stream.link), stream.a, stream.y, index, box, bounds,
                    theta[s], h[s], m[s], v[s], H[s], sums[s],
                )  # fmt: skip

            list(pool.map(one, range(S)))
            done(rounds * S * R * d)
            if taken + rounds in checkpoints:
                kept.append((sums.copy(), counts.copy()))
    totals, met = (np.stack(arrays) for arrays in zip(*kept, strict=True))
    return Play(checkpoints, totals[..., kernels.LOSS], totals[..., kernels.FALL], met)
