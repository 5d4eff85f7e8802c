"""E with momentum as a linear filter of the gradients, and the few numbers through which alpha and the betas matter.

m_k = sum_j w_j g_{k-j} and T_k = sum_i t_i g_{k-i} with t_i = sum_{j>i} w_j: the weights sum to 1, and t measures how
stale they are. The theorems depend on (alpha, beta1, beta2) through kappa, kappa_m, K, omega2 and tau2 alone.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.signal import lfilter


@dataclass(frozen=True)
class Filter:
    """The adaptor E followed by the normalised momentum m_k = beta2 m_{k-1} + (1 - beta2) u_k.

    Args:
        alpha: exploration strength; beta1: decay rate of the slow average; beta2: decay rate of the momentum.
    """

    alpha: float
    beta1: float
    beta2: float

    @property
    def c(self) -> float:
        """The weight of the slow average in u: -alpha (1 - beta1)."""
        return -self.alpha * (1 - self.beta1)

    @property
    def b(self) -> float:
        """The mean age of the momentum alone: beta2 / (1 - beta2)."""
        return self.beta2 / (1 - self.beta2)

    @property
    def kappa(self) -> float:
        """|1 - c| + |c|: the gain of u in the sup norm; 1 for c in [0, 1], below 3 for |c| < 1."""
        return abs(1 - self.c) + abs(self.c)

    @property
    def alpha_star(self) -> float:
        """The alpha at which E leaves m = EMA_beta1(g): 1 / (1 - beta2) - 1 / (1 - beta1)."""
        return 1 / (1 - self.beta2) - 1 / (1 - self.beta1)

    @property
    def noise_gain(self) -> float:
        """Var u / Var g for white noise: (1 - c)^2 + c^2 (1 - beta1) / (1 + beta1)."""
        return (1 - self.c) ** 2 + self.c**2 * (1 - self.beta1) / (1 + self.beta1)

    @cached_property
    def w(self) -> np.ndarray:
        """The weights w_0, w_1, ..., cut where what is left is below rounding; shape (n,)."""
        slowest = max(self.beta1, self.beta2, 0.5)
        impulse = np.zeros(int(np.ceil(50 / -np.log(slowest))) + 2)
        impulse[0] = 1
        u = lfilter([1 - self.c, self.c - self.beta1], [1, -self.beta1], impulse)
        return np.asarray(lfilter([1 - self.beta2], [1, -self.beta2], u))

    @cached_property
    def t(self) -> np.ndarray:
        """The transport weights t_i = b w_i - alpha (1 - beta1) beta1^i; shape (n,)."""
        return self.b * self.w + self.c * self.beta1 ** np.arange(len(self.w))

    @cached_property
    def kappa_m(self) -> float:
        """The gain of m in the sup norm: sum |w_j| <= kappa."""
        return float(np.abs(self.w).sum())

    @cached_property
    def K(self) -> float:
        """The total age: sum |t_i|, which is b - alpha for alpha <= 0."""
        return float(np.abs(self.t).sum())

    @cached_property
    def omega2(self) -> float:
        """The variance that m keeps of white noise: sum w_j^2."""
        return float((self.w**2).sum())

    @cached_property
    def tau2(self) -> float:
        """The variance that T keeps of white noise: sum t_i^2."""
        return float((self.t**2).sum())
