"""The settings of the studies: four methods, the paper's two choices of (alpha, beta1), alpha = 0 and a grid."""

from dataclasses import dataclass, replace

import numpy as np

from theory.method.filters import Filter
from theory.theorems.bounds import Online, Preconditioner, alto, eadam, esgd

METHODS = ("ESGD", "EAdam", "ALTO vanilla", "ALTO")
"""Algorithms 3, 4, 1 and 2; the position is the kernels' code."""

PAPER = ((0.5, 0.01), (-5.0, 0.99))
"""(alpha, beta1) for small and for large batches."""

TWIN = (0.0, 0.99)
"""Without E; beta1 then has no effect."""

QUICK = (*PAPER, TWIN)
GRID = (*PAPER, TWIN, (-50.0, 0.99), (-20.0, 0.99), (5.0, 0.99), (20.0, 0.99))

EPS = (1.0, 1.0, 1.0)
"""eps1, eps2, eps3 where a theorem's constant is to mean something: those of the paper make the bounds astronomical."""


@dataclass(frozen=True)
class Setting:
    """One method with its numbers.

    Attributes:
        method: one of ``METHODS``.
        alpha, beta1, beta2, beta3: decay rates as in the paper's algorithms; beta2, beta3 default to the paper's.
        eps: eps1, eps2, eps3.
        eta: learning rate for normalised momentum; ESGD's literal one is (1 - beta2) eta.
        monotone: H_k enforced not to decrease; for :func:`theory.rates.runner.play`.
    """

    method: str
    alpha: float
    beta1: float
    beta2: float = 0.9
    beta3: float = 0.99
    eps: tuple[float, float, float] = EPS
    eta: float = 1.0
    monotone: bool = False

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method = {self.method!r} must be one of {', '.join(METHODS)}")
        if self.eta <= 0:
            raise ValueError(f"eta = {self.eta} must be positive")

    @property
    def filter(self) -> Filter:
        """What the theorems see of alpha, beta1 and beta2."""
        return Filter(self.alpha, self.beta1, self.beta2)

    @property
    def kind(self) -> int:
        """The kernels' code."""
        return METHODS.index(self.method)

    @property
    def layerwise(self) -> bool:
        """Whether the layer factor is on."""
        return self.method.startswith("ALTO")

    @property
    def corrected(self) -> bool:
        """Whether m and v are bias-corrected."""
        return self.method in {"EAdam", "ALTO"}

    @property
    def theorem_n(self) -> str:
        """The claim that bounds the mean squared gradient of this method."""
        if self.corrected:
            return "remark-3.4-bias-correction"
        return "ours-theorem-n-sgd" if self.method == "ESGD" else "ours-theorem-n-alto"

    @property
    def theorem_c(self) -> str:
        """The claim that bounds its regret, with H enforced or free."""
        if self.method == "ESGD":
            return "ours-theorem-c"
        if not self.monotone:
            return "ours-theorem-c-no-monotonicity"
        return "remark-3.4-bias-correction" if self.corrected else "ours-theorem-c"

    @property
    def literal_eta(self) -> float:
        """What multiplies the algorithm's own direction."""
        return self.eta * (1 - self.beta2) if self.method == "ESGD" else self.eta

    @property
    def numbers(self) -> np.ndarray:
        """The kernels' parameter vector."""
        return np.array([self.alpha, self.beta1, self.beta2, self.beta3, *self.eps])

    def at(self, eta: float) -> "Setting":
        """The same with another learning rate."""
        return replace(self, eta=eta)

    def preconditioner(self, G: float, largest_layer: int) -> Preconditioner:
        """The bounds of Q in Theorem N for gradients below ``G`` in the sup norm."""
        if self.method == "ESGD":
            return esgd()
        if self.method == "EAdam":
            return eadam(self.filter, self.eps[0], G, corrected=True)
        return alto(self.filter, self.beta3, self.eps, G, largest_layer, corrected=self.corrected)

    def online(self, layers: tuple[int, ...], *, G: float, D: float, width: float, comparator: float) -> Online:
        """The constants of Theorem C, eta_k = eta / sqrt(k); not for ESGD."""
        return Online(
            self.filter, self.beta3, *self.eps, self.eta, 0.0, layers, self.layerwise, G=G, D=D, width=width,
            comparator=comparator, corrected=self.corrected,
        )  # fmt: skip
