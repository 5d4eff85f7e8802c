"""Runs of the literal algorithms, recorded: every quantity that a theorem speaks of, at every step.

The update of all of them has the form theta_{k+1} = theta_k - M_k / H_k with a diagonal H_k:

    W_k = sqrt(v_k) + eps1        M_k = m_k + gamma_k W_k theta_k        H_k = W_k / (eta_k s_k)

where s_k is the layer factor (1 without it). For ESGD, W = s = 1 and m is the normalised average, so that eta means the
same for all. With bias correction, W holds v / (1 - beta3^k); gamma in M and the whole of H get a factor 1 - beta2^k.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from theory.method.algorithms import ALTO, ESGD

Gradient = Callable[[int, np.ndarray], np.ndarray]
"""(k, theta of shape (R, d)) -> the stochastic gradient g_k, shape (R, d)."""


@dataclass(frozen=True)
class Trajectory:
    """T steps of R replicas in d coordinates.

    Attributes:
        theta: theta_1 ... theta_{T+1}, shape (T+1, R, d).
        g, h, a, m, v, r, W, M, H: shape (T, R, d); h is the slow average of g.
        s: layer factor, spread over its coordinates, shape (T, R, d).
        literal: theta_{k+1} as the algorithm itself computed it, before clipping and enforcing, shape (T, R, d).
        eta, alpha, weight_decay: what each step used, shape (T,).
        layers: the sizes d_i.
    """

    theta: np.ndarray
    g: np.ndarray
    h: np.ndarray
    a: np.ndarray
    m: np.ndarray
    v: np.ndarray
    r: np.ndarray
    W: np.ndarray
    M: np.ndarray
    H: np.ndarray
    s: np.ndarray
    literal: np.ndarray
    eta: np.ndarray
    alpha: np.ndarray
    weight_decay: np.ndarray
    layers: tuple[int, ...]


def split(x: np.ndarray, layers: Sequence[int]) -> list[np.ndarray]:
    """A parameter vector (R, d) as its layers, each (R, d_i)."""
    return np.split(x, np.cumsum(layers)[:-1], axis=1)


def record(
    optimizer: ALTO | ESGD,
    gradient: Gradient,
    start: np.ndarray,
    *,
    steps: int,
    eta: Callable[[int], float],
    layers: Sequence[int] | None = None,
    vary: Callable[[int], dict[str, float]] = lambda _: {},
    box: tuple[float, float] | None = None,
    monotone: bool = False,
) -> Trajectory:
    """Run an algorithm and keep everything.

    Args:
        optimizer: ALTO (which is EAdam with ``layerwise=False``), or ESGD with its momentum normalised.
        gradient: the stochastic gradient.
        start: theta_1, shape (R, d).
        steps: T.
        eta: learning rate of step k = 1, 2, ...
        layers: sizes that sum to d; one layer by default.
        vary: attributes of the optimizer to set before step k, such as ``{"alpha": ..., "weight_decay": ...}``.
        box: clip every coordinate to this interval after each step.
        monotone: replace H_k by its running maximum, coordinate by coordinate.

    Returns:
        The trajectory.
    """
    layers = tuple(layers or (start.shape[1],))
    optimizer.init(split(start, layers))
    thetas, rows = [np.array(start, dtype=np.float64)], []
    h, H_running = np.zeros_like(thetas[0]), np.zeros_like(thetas[0])
    for k in range(1, steps + 1):
        for name, value in vary(k).items():
            setattr(optimizer, name, value)
        theta, rate = thetas[-1], eta(k)
        g = gradient(k, theta)
        h = optimizer.beta1 * h + (1 - optimizer.beta1) * g
        # Algorithm 3's m lacks the factor 1 - beta2
        literal_rate = rate * (1 - optimizer.beta2) if isinstance(optimizer, ESGD) else rate
        literal = np.concatenate(optimizer.step(split(theta, layers), split(g, layers), literal_rate), axis=1)
        m, v, r, W, M, s, scale = parts(optimizer, theta, layers)
        H = W * scale / (rate * s)
        if monotone:
            H_running = np.maximum(H_running, H)
            H = H_running
        new = theta - M / H
        thetas.append(new if box is None else np.clip(new, *box))
        decay = optimizer.weight_decay if isinstance(optimizer, ALTO) else 0.0
        a = np.concatenate(optimizer.a, axis=1)
        rows.append((g, h, a, m, v, r, W, M, H, s, literal, rate, optimizer.alpha, decay * scale))
    return Trajectory(np.stack(thetas), *map(np.stack, zip(*rows, strict=True)), layers=layers)


def parts(optimizer: ALTO | ESGD, theta: np.ndarray, layers: Sequence[int]) -> tuple:
    """(m, v, r, W, M, s, scale) of the step just taken; ``scale`` is 1 - beta2^k under bias correction."""
    m = np.concatenate(optimizer.m, axis=1)
    one = np.ones_like(theta)
    if isinstance(optimizer, ESGD):
        m = (1 - optimizer.beta2) * m
        return m, np.zeros_like(m), m, one, m, one, 1.0
    v, r = np.concatenate(optimizer.v, axis=1), np.concatenate(optimizer.r, axis=1)
    s = np.concatenate([np.broadcast_to(f, (len(theta), d)) for f, d in zip(optimizer.factor, layers, strict=True)], 1)
    corrected = optimizer.bias_correction
    scale = 1 - optimizer.beta2**optimizer.k if corrected else 1.0
    W = np.sqrt(v / (1 - optimizer.beta3**optimizer.k if corrected else 1.0)) + optimizer.eps1
    return m, v, r, W, m + scale * optimizer.weight_decay * W * theta, s, scale
