"""Theorem C along a run: the chain S1 ... S6 that turns convexity into a regret bound, every stage on its own.

Online problems are vectorised over replicas: each has its own stream of losses on the box [-1, 1]^d.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from theory.method.trajectory import Trajectory
from theory.theorems.bounds import Online, regret
from theory.theorems.stage import Stage

BOX = (-1.0, 1.0)


@dataclass(frozen=True)
class Stream:
    """Convex losses f_k, one stream per replica.

    Attributes:
        loss: (k, theta of shape (R, d)) -> (R,); gradient: the same -> (R, d).
        comparator: theta*, shape (R, d), in the box.
    """

    loss: Callable[[int, np.ndarray], np.ndarray]
    gradient: Callable[[int, np.ndarray], np.ndarray]
    comparator: np.ndarray


def draw_stream(rng: np.random.Generator, *, steps: int, replicas: int, dimension: int) -> Stream:
    """Linear, quadratic or logistic losses of random data, against the best of many points in hindsight."""
    a = rng.normal(size=(steps, replicas, dimension)) * rng.choice([0.3, 1.0, 3.0], size=(steps, 1, 1))
    y = rng.normal(size=(steps, replicas))
    kind = rng.choice(["linear", "quadratic", "logistic"])

    def product(k: int, theta: np.ndarray) -> np.ndarray:
        return (a[k - 1] * theta).sum(-1)

    loss: Callable[[int, np.ndarray], np.ndarray]
    slope: Callable[[int, np.ndarray], np.ndarray]
    if kind == "linear":
        loss, slope = product, lambda _, theta: np.ones(len(theta))
    elif kind == "quadratic":
        loss = lambda k, theta: (product(k, theta) - y[k - 1]) ** 2 / 2  # noqa: E731
        slope = lambda k, theta: product(k, theta) - y[k - 1]  # noqa: E731
    else:
        loss = lambda k, theta: np.logaddexp(0, -y[k - 1] * product(k, theta))  # noqa: E731
        slope = lambda k, theta: -y[k - 1] / (1 + np.exp(y[k - 1] * product(k, theta)))  # noqa: E731
    candidates = np.concatenate([rng.uniform(*BOX, size=(20, replicas, dimension)), -np.sign(a.sum(0))[None]])
    totals = sum(np.stack([loss(k, theta) for theta in candidates]) for k in range(1, steps + 1))
    best = candidates[np.argmin(totals, axis=0), np.arange(replicas)]
    return Stream(loss, lambda k, theta: slope(k, theta)[:, None] * a[k - 1], best)


def stages(run: Trajectory, stream: Stream, constants: Callable[[dict[str, float]], Online]) -> list[Stage]:
    """The chain for a run with eta_k = eta / sqrt(k), clipped to the box.

    Args:
        run: the trajectory.
        stream: its losses.
        constants: makes the theorem's constants from the measured ones: G, D, width, comparator, variation.

    Returns:
        Stages S1 to S6, in order; arrays have one entry per replica.
    """
    T, star = len(run.g), stream.comparator
    theta, x = run.theta[:-1], run.theta - star
    now, after = x[:-1], x[1:]
    drift = now[:-1] - now[1:]
    alpha = run.alpha[:, None, None]
    online = constants({
        "G": float(np.abs(run.g).max()),
        "D": float(np.linalg.norm(run.theta, axis=2).max()),
        "width": float(np.abs(x).max()),
        "comparator": float(np.linalg.norm(star, axis=1).max()),
        "variation": float(np.abs(np.diff(run.alpha)).sum()),
    })  # fmt: skip

    def total(terms: np.ndarray) -> np.ndarray:
        return terms.sum(axis=(0, 2))

    losses = sum(stream.loss(k, theta[k - 1]) - stream.loss(k, star) for k in range(1, T + 1))
    linear, by_m = total(run.g * now), total(run.m * now)
    lag = online.filter.b * run.m[:-1] - alpha[1:] * run.h[:-1]
    last_lag = online.filter.b * run.m[-1] - alpha[-1] * run.h[-1]
    boundary, transported = (last_lag * now[-1]).sum(-1), total(lag * drift)
    varied = -total((alpha[:-1] - alpha[1:]) * run.h[:-1] * now[:-1])
    size = total(np.abs(run.g * now)) + total(np.abs(lag * drift))

    distance = total(run.H * now**2 - run.H * after**2) / 2
    decay = run.weight_decay[:, None, None] * run.W
    pull = -total(decay * theta * now)
    steps = total(run.M**2 / run.H) / 2
    rises, falls = np.maximum(np.diff(run.H, axis=0), 0), np.maximum(-np.diff(run.H, axis=0), 0)
    D2 = (now**2).max(0)
    telescoped = (D2 * (run.H[0] + rises.sum(0))).sum(-1) / 2
    fallen = (D2 * falls.sum(0)).sum(-1) / 2
    quarter = total(decay * star**2) / 4
    path, edge = np.abs(drift).sum(axis=(0, 2)), np.abs(now[-1]).sum(-1)
    root = np.sqrt(T)
    return [
        Stage("S1 convexity", losses, linear, scale=size),
        Stage("S2 transport", linear, by_m + boundary + transported + varied, equal=True, scale=size),
        Stage("S3 age", np.abs(transported), online.age * online.G * path),
        Stage("S3 boundary", np.abs(boundary), online.age * online.G * edge),
        Stage("S3 variation of alpha", np.abs(varied), online.variation_term),
        Stage("S4 three points", by_m, distance + pull + steps, scale=total(np.abs(run.H * now**2)) + size),
        Stage("S5 distance", distance, telescoped, scale=total(np.abs(run.H * now**2))),
        Stage("S5 decay", pull, quarter),
        Stage("S6 distance", telescoped, online.distance_term * root + fallen),
        Stage("S6 steps", steps, online.step_term * root),
        Stage("S6 decay", quarter, online.decay_term * root),
        Stage("S6 age", online.age * online.G * path, online.age_term * root),
        Stage("S6 boundary", online.age * online.G * edge, online.boundary_term),
        Stage("S6 regret", losses, regret(online, T) + fallen),
    ]


def monotone_share(run: Trajectory) -> float:
    """The share of (step, coordinate) pairs at which H_k did not decrease: 1 if assumption 3.5 (with eps1) held."""
    return float((np.diff(run.H, axis=0) >= -1e-12 * run.H[1:]).mean())
