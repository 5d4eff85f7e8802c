"""Online convex streams: losses drawn again and again from a finite pool, so that the best point in hindsight is known.

A loss is link(a . theta, y): linear a . theta, quadratic (a . theta - y)^2 / 2, or logistic log(1 + exp(-y a . theta)).
The iterates stay in a box.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LINKS = ("linear", "quadratic", "logistic")


@dataclass(frozen=True)
class Stream:
    """A pool of convex losses and a rule that picks one per step.

    Attributes:
        name: how messages call it.
        link: one of ``LINKS``.
        a: shape (J, d); y: shape (J,), unused by the linear link.
        box: (low, high), the same for every coordinate.
        pick: (generator, first step counted from 1, shape (..., steps)) -> indices into the pool.
        random: whether ``pick`` uses the generator.
    """

    name: str
    link: str
    a: np.ndarray
    y: np.ndarray
    box: tuple[float, float]
    pick: Callable[[np.random.Generator, int, tuple[int, ...]], np.ndarray]
    random: bool = True

    @property
    def dimension(self) -> int:
        """The number of coordinates, d."""
        return self.a.shape[1]

    @property
    def reach(self) -> np.ndarray:
        """The largest |a . theta| in the box, a loss of the pool; shape (J,)."""
        return np.abs(self.a).sum(1) * max(abs(self.box[0]), abs(self.box[1]))

    @property
    def G(self) -> float:
        """A bound of every gradient's sup norm in the box."""
        steepest = {
            "linear": np.ones(len(self.a)),
            "quadratic": self.reach + np.abs(self.y),
            "logistic": np.abs(self.y),
        }[self.link]
        return float((steepest * np.abs(self.a).max(1)).max())

    def loss(self, index: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Losses: index of shape (R,), theta of shape (R, d) -> (R,)."""
        product, y = (self.a[index] * theta).sum(-1), self.y[index]
        if self.link == "linear":
            return product
        return (product - y) ** 2 / 2 if self.link == "quadratic" else np.logaddexp(0, -y * product)

    def gradient(self, index: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Their gradients, shape (R, d)."""
        a, y = self.a[index], self.y[index]
        return self._slope((a * theta).sum(-1), y)[..., None] * a

    def _slope(self, product: np.ndarray, y: np.ndarray) -> np.ndarray:
        if self.link == "linear":
            return np.ones_like(product)
        return product - y if self.link == "quadratic" else -y / (1 + np.exp(y * product))

    def total(self, counts: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """sum_j counts_j loss_j(theta): counts of shape (R, J), theta of shape (R, d) -> (R,)."""
        product = theta @ self.a.T
        if self.link == "linear":
            return (counts * product).sum(-1)
        losses = (product - self.y) ** 2 / 2 if self.link == "quadratic" else np.logaddexp(0, -self.y * product)
        return (counts * losses).sum(-1)

    def best(self, counts: np.ndarray, *, iterations: int = 2000) -> np.ndarray:
        """The point of the box with the least :meth:`total`, by accelerated projected gradients; (R, J) -> (R, d).

        The linear link has a closed form. Otherwise the steps have length 1 / L for the loss averaged with the counts
        as weights, and momentum restarts where the loss rises.
        """
        if self.link == "linear":
            return np.where(counts @ self.a > 0, self.box[0], self.box[1])
        weights = counts / counts.sum(-1, keepdims=True)
        bend = 1.0 if self.link == "quadratic" else float((self.y**2).max()) / 4
        L = bend * np.linalg.eigvalsh(np.einsum("rj,ji,jk->rik", weights, self.a, self.a))[:, -1:]
        theta = np.zeros((len(counts), self.dimension))
        ahead, speed = theta, np.ones((len(counts), 1))
        for _ in range(iterations):
            gradient = (weights * self._slope(ahead @ self.a.T, self.y)) @ self.a
            new = np.clip(ahead - gradient / L, *self.box)
            rises = ((ahead - new) * (new - theta)).sum(-1, keepdims=True) > 0
            faster = np.where(rises, 1.0, (1 + np.sqrt(1 + 4 * speed**2)) / 2)
            ahead = new + np.where(rises, 0.0, (speed - 1) / faster) * (new - theta)
            theta, speed = new, faster
        return theta


def evenly(generator: np.random.Generator, size: int, shape: tuple[int, ...]) -> np.ndarray:
    """Independent picks, each of ``size`` losses equally likely."""
    return generator.integers(size, size=shape)
