"""A setting of E with momentum and its numbers that need no weights: a light :class:`theory.method.filters.Filter`.

Advice has to answer at once, and scipy.signal, which computes the weights, takes over a second to import.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """alpha, and the decay rates of the slow average (beta1) and of the momentum (beta2)."""

    alpha: float
    beta1: float
    beta2: float

    @property
    def c(self) -> float:
        """The weight of the slow average in u: -alpha (1 - beta1)."""
        return -self.alpha * (1 - self.beta1)

    @property
    def mean_age(self) -> float:
        """The mean age of the gradients in m, in steps: beta2 / (1 - beta2) - alpha. Negative is extrapolation."""
        return self.beta2 / (1 - self.beta2) - self.alpha

    @property
    def alpha_star(self) -> float:
        """The alpha at which m is EMA_beta1(g) alone: 1 / (1 - beta2) - 1 / (1 - beta1)."""
        return 1 / (1 - self.beta2) - 1 / (1 - self.beta1)

    @property
    def noise_gain(self) -> float:
        """Var u / Var g for white noise: (1 - c)^2 + c^2 (1 - beta1) / (1 + beta1)."""
        return (1 - self.c) ** 2 + self.c**2 * (1 - self.beta1) / (1 + self.beta1)
