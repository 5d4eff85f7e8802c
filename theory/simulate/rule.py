"""One setting of ESGD or EAdam in one coordinate, compiled: Algorithms 3 and 4 in the one-buffer form."""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

# numba's decorator has no useful type for a checker, and what it returns is called from compiled code alone
compiled: Any = numba.njit(cache=True, error_model="numpy")


@dataclass(frozen=True)
class Rule:
    """A setting of E over SGD with momentum, or over Adam.

    Args:
        alpha: exploration strength; beta1: decay rate of the slow average.
        beta2: decay rate of the momentum, unnormalised for ESGD (Algorithm 3), normalised for EAdam (Algorithm 4).
        beta3: decay rate of v for EAdam; None for ESGD.
        eps: added to sqrt(v); EAdam alone. Default 1e-8: Adam's own.

    Raises:
        ValueError: a beta lies outside [0, 1), or eps is negative.
    """

    alpha: float
    beta1: float = 0.99
    beta2: float = 0.0
    beta3: float | None = None
    eps: float = 1e-8

    def __post_init__(self) -> None:
        for name in ("beta1", "beta2", "beta3"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                raise ValueError(f"{name} = {value}: allowed is 0 <= {name} < 1")
        if self.eps < 0:
            raise ValueError(f"eps = {self.eps}: allowed is eps >= 0")

    @property
    def c(self) -> float:
        """The weight of the slow average in u."""
        return -self.alpha * (1 - self.beta1)

    def numbers(self) -> np.ndarray:
        """(c, beta1, beta2, beta3, eps) for compiled code, beta3 = -1 for ESGD; shape (5,)."""
        return np.array([self.c, self.beta1, self.beta2, -1.0 if self.beta3 is None else self.beta3, self.eps])


@compiled
def direction(g: float, state: np.ndarray, rule: np.ndarray, k: int) -> float:
    """What step k = 1, 2, ... multiplies by the learning rate; updates ``state`` = (h, m, v) in place.

    Args:
        g: the gradient of this coordinate.
        state: shape (3,), zeros before the first step.
        rule: :meth:`Rule.numbers`.
        k: the step, for Adam's bias correction.

    Returns:
        m for ESGD, mhat / (sqrt(vhat) + eps) for EAdam.
    """
    c, beta1, beta2, beta3, eps = rule
    u = (1 - c) * g + c * state[0]
    state[0] = beta1 * state[0] + (1 - beta1) * g
    if beta3 < 0:
        state[1] = beta2 * state[1] + u
        return state[1]
    state[1] = beta2 * state[1] + (1 - beta2) * u
    state[2] = beta3 * state[2] + (1 - beta3) * u * u
    return (state[1] / (1 - beta2**k)) / (np.sqrt(state[2] / (1 - beta3**k)) + eps)


def generators(seeds: int, seed: int) -> list[np.random.Generator]:
    """One independent generator per replica: replica i is the same for every rule.

    Raises:
        ValueError: fewer than one seed.
    """
    if seeds < 1:
        raise ValueError(f"seeds = {seeds}: allowed is seeds >= 1")
    return [np.random.default_rng((seed, i)) for i in range(seeds)]
