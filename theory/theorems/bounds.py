"""The right-hand sides of the theorems, with explicit constants, as functions.

Theorem C bounds the regret R(T) of online convex optimization, Theorem N a mean squared gradient of a smooth function.
Both hold for the literal algorithms and depend on (alpha, beta1, beta2) through a :class:`theory.method.filters.Filter`
alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from theory.method.filters import Filter


def ratio_bound(F: Filter, beta3: float, eps1: float, G: float) -> float:
    """The zeta with |m_k| <= zeta (sqrt(v_k) + eps1) coordinatewise: by eps1, or by Lemma 10 where that is smaller."""
    by_eps1 = F.kappa_m * G / eps1
    if F.beta2**2 >= beta3:
        return by_eps1
    return min(by_eps1, (1 - F.beta2) / sqrt((1 - beta3) * (1 - F.beta2**2 / beta3)))


# --------------------------------------------------------------------------------------------------- Theorem C, convex


@dataclass(frozen=True)
class Online:
    """What Theorem C's constants are made of.

    Attributes:
        filter: alpha, beta1, beta2; for varying alpha_k their ``theory.theorems.varying_alpha.Envelope``.
        beta3, eps1, eps2, eps3: the algorithm's.
        eta, decay: eta_k = eta / sqrt(k) and gamma_k <= decay / sqrt(k).
        layers: sizes d_i; layerwise: whether the layer factor is on.
        G: sup |g_k|_inf; D: sup |theta_k|_2; width: sup |theta_k - theta*|_inf; comparator: |theta*|_2.
        variation: sum |alpha_k - alpha_{k+1}|; 0 for constant alpha.
        varying: whether alpha varies, which needs the cruder age kappa b + max |alpha_k|.
        corrected: whether m and v are bias-corrected (Algorithm 2).
    """

    filter: Filter
    beta3: float
    eps1: float
    eps2: float
    eps3: float
    eta: float
    decay: float
    layers: Sequence[int]
    layerwise: bool
    G: float
    D: float
    width: float
    comparator: float
    variation: float = 0.0
    varying: bool = False
    corrected: bool = False

    @property
    def d(self) -> int:
        """The number of coordinates."""
        return sum(self.layers)

    @property
    def age(self) -> float:
        """K, or its crude form if alpha varies."""
        F = self.filter
        return F.kappa * F.b + abs(F.alpha) if self.varying else F.K

    @property
    def Wmax(self) -> float:
        """A bound of sqrt(v_k) + eps1: kappa G + eps1."""
        return self.filter.kappa * self.G + self.eps1

    @property
    def rho(self) -> float:
        """A bound zeta of |m_k| / W_k. Only a constant filter without bias correction may use kappa_m < kappa."""
        return ratio_bound(self.filter, self.beta3, self.eps1, self.G * self._gain)

    @property
    def _gain(self) -> float:
        return self.filter.kappa / self.filter.kappa_m if self.varying or self.corrected else 1.0

    @property
    def direction(self) -> float:
        """A bound of |r_k|: sqrt(d) zeta + gamma D."""
        return sqrt(self.d) * self.rho + self.decay * self.D

    @property
    def reach(self) -> float:
        """A bound of |theta_{k+1} - theta_k| / eta_k: (sum_i phi_i^2)^(1/2) with the layer factor, |r| without."""
        return self.D + sqrt(len(self.layers)) * self.eps3 if self.layerwise else self.direction

    def inverse_factor(self, size: int) -> float:
        """A bound of 1/s for a layer of this size (Lemma 9); 1 without the layer factor."""
        if not self.layerwise:
            return 1.0
        return (sqrt(size) * self.rho + (self.decay + self.eps2) * self.eps3) / self.eps3

    # The four terms of A, each the a-priori bound of one sum in the chain.

    @property
    def distance_term(self) -> float:
        """Half of sum_j D_j^2 H_{T,j} over sqrt(T)."""
        return self.width**2 * self.Wmax * sum(n * self.inverse_factor(n) for n in self.layers) / (2 * self.eta)

    @property
    def step_term(self) -> float:
        """Half of sum_k |M_k|^2 in H_k^{-1}, over sqrt(T)."""
        return self.eta * self.Wmax * self.reach * self.direction

    @property
    def decay_term(self) -> float:
        """Sum_k (gamma_k / 4) |theta*|^2 in W_k, over sqrt(T)."""
        return self.decay / 2 * self.Wmax * self.comparator**2

    @property
    def age_term(self) -> float:
        """K G sum_k |theta_k - theta_{k+1}|_1 over sqrt(T)."""
        return 2 * self.age * self.G * sqrt(self.d) * self.eta * self.reach

    @property
    def variation_term(self) -> float:
        """A bound of |sum_k (alpha_k - alpha_{k+1}) <h_k, x_k>|."""
        return self.variation * self.G * self.d * self.width

    @property
    def boundary_term(self) -> float:
        """A bound of |<T_T, x_T>|."""
        return self.age * self.G * self.d * self.width


def regret(online: Online, T: int) -> float:
    """Theorem C: R(T) <= A sqrt(T) + B if H_k does not decrease (its total decrease adds to it otherwise)."""
    A = online.distance_term + online.step_term + online.decay_term + online.age_term
    return A * sqrt(T) + online.boundary_term + online.variation_term


# ---------------------------------------------------------------------------------------------- Theorem N, non-convex


@dataclass(frozen=True)
class Tracking:
    """Lemma E: sum E|m_k - D_k|^2 <= drift sum E|D_{k-1} - D_k|^2 + initial |D_1|^2 + noise T sigma^2 / n."""

    drift: float
    initial: float
    noise: float


def tracking_by_filter(F: Filter) -> Tracking:
    """The triple (2 K^2, 2 tau2, 2 omega2)."""
    return Tracking(2 * F.K**2, 2 * F.tau2, 2 * F.omega2)


def tracking_by_recursion(F: Filter) -> Tracking:
    """The triple from the recursions of m_k - D_k and h_k - D_k; tighter where alpha = 0."""
    if F.alpha == 0:
        return Tracking(F.b**2, F.b, 1 - F.beta2)
    return Tracking(
        2 * F.alpha**2 * F.beta1**2 + 2 * (F.b + F.c) ** 2,
        F.b + 2 * F.c**2 / (1 - F.beta1),
        2 * F.c**2 * (1 - F.beta1) + (1 - F.beta2) * (1 - F.c) ** 2,
    )


@dataclass(frozen=True)
class Preconditioner:
    """Almost sure bounds of the diagonal Q_k = s_k / W_k; chi is their ratio."""

    smallest: float
    largest: float

    @property
    def chi(self) -> float:
        """The price of preconditioning."""
        return self.largest / self.smallest


def esgd() -> Preconditioner:
    """Q = 1."""
    return Preconditioner(1.0, 1.0)


def eadam(F: Filter, eps1: float, G: float, *, corrected: bool = False) -> Preconditioner:
    """EAdam: W lies in [eps1, kappa G + eps1]; bias correction of m raises Q by at most 1 / (1 - beta2)."""
    return Preconditioner(1 / (F.kappa * G + eps1), 1 / eps1 / (1 - F.beta2 if corrected else 1))


def alto(
    F: Filter, beta3: float, eps: tuple[float, float, float], G: float, largest_layer: int, decay: float = 0.0,
    *, corrected: bool = False,
) -> Preconditioner:  # fmt: skip
    """ALTO: in addition 1/s <= (sqrt(d_max) zeta + (gamma + eps2) eps3) / eps3 and s <= 1 / eps2."""
    eps1, eps2, eps3 = eps
    rho = ratio_bound(F, beta3, eps1, G * F.kappa / F.kappa_m if corrected else G)
    inverse_factor = (sqrt(largest_layer) * rho + (decay + eps2) * eps3) / eps3
    adam = eadam(F, eps1, G, corrected=corrected)
    return Preconditioner(adam.smallest / inverse_factor, adam.largest / eps2)


def largest_step(tracking: Tracking, Q: Preconditioner, L: float) -> float:
    """The largest eta with eta q_max L <= 1/2 and drift (eta q_max L)^2 <= 1/2."""
    return min(1 / 2, 1 / sqrt(2 * tracking.drift) if tracking.drift > 0 else 1 / 2) / (L * Q.largest)


def mean_square_gradient(
    tracking: Tracking, Q: Preconditioner, *, eta: float, T: int, gap: float, first: float, variance: float
) -> float:
    """Theorem N: a bound of (1/T) sum_k E|grad f(theta_k)|^2 for eta <= :func:`largest_step`.

    Args:
        tracking: Lemma E's triple.
        Q: the preconditioner's bounds.
        eta: learning rate.
        T: steps.
        gap: f(theta_1) - inf f.
        first: |grad f(theta_1)|^2.
        variance: sigma^2 / n, with batches of n samples.

    Returns:
        2 gap / (eta q_min T) + chi (noise variance + initial first / T).
    """
    return 2 * gap / (eta * Q.smallest * T) + Q.chi * (tracking.noise * variance + tracking.initial * first / T)


def largest_step_small_batch(F: Filter, L: float) -> float:
    """The largest eta of :func:`mean_square_gradient_small_batch`: min(1 / 4L, 1 / (2 sqrt(2) K L))."""
    return min(1 / 4, 1 / (2 * sqrt(2) * F.K) if F.K > 0 else 1 / 4) / L


def mean_square_gradient_small_batch(F: Filter, *, L: float, eta: float, T: int, gap: float, variance: float) -> float:
    """ESGD with any batch: 4 gap / (eta T) + 2 L eta variance (1 + 2 L eta tau2); the noise term falls with eta."""
    return 4 * gap / (eta * T) + 2 * L * eta * variance * (1 + 2 * L * eta * F.tau2)


def sufficient(
    F: Filter, Q: Preconditioner, *, L: float, gap: float, sigma2: float, target: float
) -> tuple[float, float]:
    """(T, batch) that make Theorem N's bound at most target^2, for alpha <= 0 and eta = 1 / (2 L q_max max(1, K))."""
    T = 16 * Q.chi * L * gap * max(1, F.K) / target**2
    return T, 4 * Q.chi * F.omega2 * sigma2 / target**2
