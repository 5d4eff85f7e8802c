"""What Theorem C needs of E where alpha_k varies from step to step, and may change its sign."""

from collections.abc import Sequence
from dataclasses import dataclass

from theory.method.filters import Filter


@dataclass(frozen=True)
class Envelope:
    """The gains of all filters alpha_1, ..., alpha_T: takes a :class:`Filter`'s place in Theorem C's constants (ours).

    The largest gain of u is that of the smallest or of the largest alpha_k, and not always that of the largest
    |alpha_k|: at beta1 = 1/2, u may be 1.99 G after alpha_k = -1 and then 0.99, where alpha = -1 alone allows 1 G.

    Args:
        alphas: alpha_1, ..., alpha_T.
        beta1: decay rate of the slow average.
        beta2: decay rate of the momentum.
    """

    alphas: Sequence[float]
    beta1: float
    beta2: float

    @property
    def alpha(self) -> float:
        """The largest |alpha_k|."""
        return max(map(abs, self.alphas))

    @property
    def b(self) -> float:
        """The mean age of the momentum alone: beta2 / (1 - beta2)."""
        return self.beta2 / (1 - self.beta2)

    @property
    def kappa(self) -> float:
        """The largest gain |1 - c_k| + |c_k| of u in the sup norm: it is convex in c_k, so the ends decide."""
        return max(Filter(end, self.beta1, self.beta2).kappa for end in (min(self.alphas), max(self.alphas)))

    @property
    def kappa_m(self) -> float:
        """A bound of m's gain in the sup norm: m is an average of the u."""
        return self.kappa
