r"""ALTO by its normalised step (ours): a bound without 1 / (eps2 eps3), at batch 1, for LAMB (alpha = 0) as well.

With the layer factor, layer i moves by eta phi_i rho_i r_i / |r_i|, where r_i = M_i / W_i, M = m + gamma W theta,
phi_i = |theta_i| + eps3 and rho_i = |r_i| / (|r_i| + eps2 phi_i) <= 1: the length is known, and only the direction must
be good. Under bias correction W stands for (1 - beta2^k)(sqrt(vhat) + eps1), with which r is the same. Where the
library has the factor 1, at theta_i = 0, phi_i stands for |r_i| and eps2 for 0. Let D be the gradient, e = m - D,
and a_i <= W <= b_i within layer i.

    alignment   (W - a)(b - W) r^2 >= 0, summed: (a + b) <M, r> >= |M|^2 + a b |r|^2 >= 2 sqrt(a b) |M| |r|, so that
                <M, r> >= psi |M| |r| with psi = 2 sqrt(a b) / (a + b) = 2 sqrt(chi) / (1 + chi), chi = b / a
    direction   <D, r> = <M, r> - <M - D, r> >= |r| (psi |D| - (1 + psi)(|e| + gamma |W theta|))
    eps2        the bracket q = psi |D| - (1 + psi)(...) is at most psi |M| <= psi b |r|, so that phi in the
                place of phi rho costs phi (1 - rho) q <= psi eps2 phi^2 b
    descent     f(theta+) <= f + <D, theta+ - theta> + L/2 |theta+ - theta|^2, |theta+ - theta|^2 <= eta^2 sum phi_i^2

Together, on every path,

    f(theta+) <= f - eta sum_i phi_i [psi_i |D_i| - (1 + psi_i)(|e_i| + gamma |W_i theta_i|)
                                      - psi_i eps2 phi_i b_i] + L eta^2 / 2 sum_i phi_i^2.

Let Phi bound (sum phi_i^2)^(1/2). The drift of the gradient is at most L eta Phi, surely, so that the tracking bound
(ours-tracking-error) with its constants C_d, C_0, C_s needs no step condition:

    1/T sum_k E sum_i phi_i psi_i |D_i| <= Delta / (eta T) + 2 Phi (sqrt(C_d) L eta Phi + sqrt(C_0 / T) |D_1|
        + sqrt(C_s / n) sigma) + L eta Phi^2 / 2 + Phi^2 eps2 W_max + 2 Phi gamma W_max D.

With eta = eta_1 T^(-3/4) and 1 - beta2 = T^(-1/2), the orders of Cutkosky & Mehta (2020) for SGD with a normalised
step, all but the last two terms are O(T^(-1/4)) with batch n = 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from theory.method.algorithms import ALTO
from theory.method.filters import Filter
from theory.method.trajectory import Trajectory
from theory.theorems.stage import Stage

if TYPE_CHECKING:
    from theory.theorems.bounds import Tracking


@dataclass(frozen=True)
class Layers:
    """The terms of the theorem by layer; each of shape (T, R, layers).

    Attributes:
        phi: |theta_i| + eps3, or |r_i| where theta_i = 0 and the factor is 1.
        psi: 2 sqrt(chi_i) / (1 + chi_i).
        gradient: |D_i|.
        error: |m_i - D_i|.
        decay: gamma |W_i theta_i|.
        shortened: psi_i eps2 phi_i max W_i.
        aligned: <M_i, r_i> / (|M_i| |r_i|); 1 where either is 0.
        downhill: <D_i, r_i> / |r_i|; 0 where r_i is 0.
    """

    phi: np.ndarray
    psi: np.ndarray
    gradient: np.ndarray
    error: np.ndarray
    decay: np.ndarray
    shortened: np.ndarray
    aligned: np.ndarray
    downhill: np.ndarray

    @property
    def floor(self) -> np.ndarray:
        """Psi |D| - (1 + psi)(|e| + gamma |W theta|): at most :attr:`downhill`, and at most 0 where r is 0."""
        return self.psi * self.gradient - (1 + self.psi) * (self.error + self.decay)

    @property
    def weighted(self) -> np.ndarray:
        """sum_i phi_i psi_i |D_i|, which the theorem bounds; shape (T, R)."""
        return (self.phi * self.psi * self.gradient).sum(-1)

    @property
    def reach(self) -> np.ndarray:
        """(sum_i phi_i^2)^(1/2); shape (T, R)."""
        return np.sqrt((self.phi**2).sum(-1))

    def fall(self, eta: float, L: float) -> np.ndarray:
        """The bound of f(theta+) - f(theta); shape (T, R)."""
        return (-eta * self.phi * (self.floor - self.shortened) + L * eta**2 / 2 * self.phi**2).sum(-1)

    def right_side(self, eta: float, L: float, gap: np.ndarray | float) -> np.ndarray:
        """The pathwise bound of the mean of :attr:`weighted` over the first T steps, T = 1, 2, ...; shape (T, R).

        ``gap`` is f(theta_1) less a lower bound of f(theta_{T+1}).
        """
        cost = self.fall(eta, L) / eta + self.weighted
        return (gap / eta + np.cumsum(cost, axis=0)) / np.arange(1, len(cost) + 1)[:, None]


def total(x: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Sums over the layers: (..., d) -> (..., layers)."""
    return np.add.reduceat(x, np.cumsum((0, *sizes[:-1])), axis=-1)


def layers(
    theta: np.ndarray, m: np.ndarray, W: np.ndarray, gradient: np.ndarray, *, decay: float, eps2: float,
    eps3: float, sizes: Sequence[int], factor_one: bool = False,
) -> Layers:  # fmt: skip
    """The terms of the theorem from the state of each step.

    Args:
        theta: theta_k, shape (T, R, d).
        m: the momentum after the step's gradient, before bias correction, same shape.
        W: sqrt(v) + eps1, or under bias correction (1 - beta2^k)(sqrt(vhat) + eps1), same shape.
        gradient: D_k, the gradient of f at theta_k, same shape.
        decay: gamma.
        eps2: in the layer factor.
        eps3: in the layer factor.
        sizes: the sizes of the layers; they sum to d.
        factor_one: whether the layer factor is 1 where theta_i = 0, as in the library.

    Returns:
        The terms.
    """
    first = np.cumsum((0, *sizes[:-1]))

    def norm(x: np.ndarray) -> np.ndarray:
        return np.sqrt(total(x**2, sizes))

    M = m + decay * W * theta
    r = M / W
    narrowest, widest = (f.reduceat(W, first, axis=-1) for f in (np.minimum, np.maximum))
    size, direction, at = norm(M), norm(r), norm(theta)
    zero = factor_one & (at == 0)
    phi = np.where(zero, direction, at + eps3)
    psi = 2 * np.sqrt(narrowest * widest) / (narrowest + widest)
    moving = (size > 0) & (direction > 0)
    return Layers(
        phi=phi,
        psi=psi,
        gradient=norm(gradient),
        error=norm(m - gradient),
        decay=norm(decay * W * theta),
        shortened=np.where(zero, 0.0, psi * eps2 * phi * widest),
        aligned=np.divide(total(M * r, sizes), size * direction, out=np.ones_like(size), where=moving),
        downhill=np.divide(total(gradient * r, sizes), direction, out=np.zeros_like(size), where=moving),
    )


def of_run(run: Trajectory, alto: ALTO, gradient: np.ndarray) -> Layers:
    """:func:`layers` of a recorded run of ``alto``; ``gradient`` has shape (T, R, d)."""
    return layers(
        run.theta[:-1], run.m, run.H * run.eta[:, None, None] * run.s, gradient, decay=alto.weight_decay,
        eps2=alto.eps2, eps3=alto.eps3, sizes=run.layers, factor_one=alto.zero_norm_factor_one,
    )  # fmt: skip


def stages(
    found: Layers, theta: np.ndarray, value: Callable[[np.ndarray], np.ndarray], *, sizes: Sequence[int], eta: float,
    L: float,
) -> list[Stage]:  # fmt: skip
    """The pathwise chain along a run with constant eta: alignment, direction, length, descent.

    Args:
        found: the terms of each step.
        theta: theta_1 ... theta_{T+1}, shape (T+1, R, d).
        value: f, (..., d) -> (...).
        sizes: the sizes of the layers.
        eta: learning rate.
        L: Lipschitz constant of the gradient.

    Returns:
        The stages.
    """
    moved = np.sqrt(total(np.diff(theta, axis=0) ** 2, sizes))
    before, after = value(theta[:-1]), value(theta[1:])
    terms = found.phi * (found.gradient + found.error + found.decay + found.shortened)
    return [
        Stage("alignment", found.psi, found.aligned),
        Stage("direction", found.floor, found.downhill, scale=found.gradient + found.error + found.decay),
        Stage("length", moved, eta * found.phi, scale=found.phi),
        Stage("descent", after, before + found.fall(eta, L), scale=np.abs(before) + eta * terms.sum(-1)),
    ]


def alignment(F: Filter, eps1: float, G: float) -> float:
    """The least psi for gradients of at most G in the sup norm: chi is at most (kappa G + eps1) / eps1."""
    chi = (F.kappa * G + eps1) / eps1
    return 2 * sqrt(chi) / (1 + chi)


def mean_weighted_gradient(
    tracking: "Tracking", *, eta: float, T: int, gap: float, first: float, variance: float, L: float, reach: float,
    eps2: float = 0.0, decay: float = 0.0, widest: float = 0.0, D: float = 0.0,
) -> float:  # fmt: skip
    """The bound of (1/T) sum_k E sum_i phi_i psi_i |D_i|, for every eta.

    Args:
        tracking: the triple of ours-tracking-error.
        eta: learning rate.
        T: steps.
        gap: f(theta_1) - inf f.
        first: |grad f(theta_1)|^2.
        variance: sigma^2 / n, with batches of n samples.
        L: Lipschitz constant of the gradient.
        reach: Phi, a bound of (sum_i phi_i^2)^(1/2), such as sup |theta| + sqrt(layers) eps3.
        eps2: in the layer factor.
        decay: gamma.
        widest: W_max; only the terms of eps2 and decay need it.
        D: sup |theta|; only the term of the decay needs it.

    Returns:
        The bound.
    """
    error = (
        sqrt(tracking.drift) * L * eta * reach + sqrt(tracking.initial * first / T) + sqrt(tracking.noise * variance)
    )
    lost = reach**2 * eps2 * widest + 2 * reach * decay * widest * D
    return gap / (eta * T) + 2 * reach * error + L * eta * reach**2 / 2 + lost


def schedule(T: int, eta: float) -> tuple[float, float]:
    """(eta T^(-3/4), 1 - T^(-1/2)): the learning rate and beta2 for T steps."""
    return eta * T**-0.75, 1 - T**-0.5


def rate_constant(
    F: Filter, *, eta: float, T: int, gap: float, first: float, variance: float, L: float, reach: float
) -> float:
    """A bound of T^(1/4) times :func:`mean_weighted_gradient` at :func:`schedule`, without eps2 and decay.

    It falls to a limit as T grows: K <= kappa sqrt(T) + |alpha|, tau2 <= kappa K and omega2 <= kappa^2 / sqrt(T). The
    arguments are those of :func:`mean_weighted_gradient`; ``eta`` is that of :func:`schedule`.
    """
    age = F.kappa + abs(F.alpha) / sqrt(T)
    error = sqrt(2) * (age * L * eta * reach + sqrt(F.kappa * age * first) + F.kappa * sqrt(variance))
    return gap / eta + 2 * reach * error + L * eta * reach**2 / 2 / sqrt(T)
