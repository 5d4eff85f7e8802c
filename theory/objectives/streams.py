"""The online streams: linear, quadratic and logistic losses of random data, and Reddi's."""

import numpy as np

from theory.objectives.by_name import stream
from theory.objectives.online import Stream, evenly

BOX = (-1.0, 1.0)


def _pool(dimension: int, size: int, seed: int) -> tuple[np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(size, dimension)), rng


@stream("linear")
def linear(dimension: int = 2) -> Stream:
    """Losses s . theta with fair signs s: every causal algorithm has expected regret E |s_1 + ... + s_T|_1."""
    signs = 1 - 2.0 * ((np.arange(2**dimension)[:, None] >> np.arange(dimension)) & 1)
    return Stream(
        "linear", "linear", signs, np.zeros(len(signs)), BOX, lambda rng, _, shape: evenly(rng, len(signs), shape)
    )


@stream("quadratic")
def quadratic(dimension: int = 4, size: int = 32, seed: int = 0) -> Stream:
    """Least squares: responses of a point inside the box, with noise."""
    a, rng = _pool(dimension, size, seed)
    y = a @ rng.uniform(-0.8, 0.8, dimension) + rng.normal(size=size)
    return Stream("quadratic", "quadratic", a, y, BOX, lambda rng, _, shape: evenly(rng, size, shape))


@stream("logistic")
def logistic(dimension: int = 4, size: int = 32, seed: int = 0) -> Stream:
    """Two classes labelled -1 and 1 at random, so that they overlap."""
    a, rng = _pool(dimension, size, seed)
    y = rng.choice([-1.0, 1.0], size=size)
    return Stream("logistic", "logistic", a, y, BOX, lambda rng, _, shape: evenly(rng, size, shape))


@stream("reddi")
def reddi(n: int = 3, C: float = 2.4) -> Stream:
    """C theta once every n steps and -theta otherwise (Reddi, Kale & Kumar 2018); the best point is -1 if C > n - 1.

    Raises:
        ValueError: C <= n - 1.
    """
    if n - 1 >= C:
        raise ValueError(f"C = {C} must be above n - 1 = {n - 1}: else -1 is not the best point")

    def pick(_: np.random.Generator, first: int, shape: tuple[int, ...]) -> np.ndarray:
        steps = np.arange(first, first + shape[-1])
        return np.broadcast_to(np.where(steps % n == 1, 0, 1), shape)

    return Stream("reddi", "linear", np.array([[C], [-1.0]]), np.zeros(2), BOX, pick, random=False)
