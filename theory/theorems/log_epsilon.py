r"""EAdam at batch 1 without the factor chi: its bound depends on eps1 through a logarithm alone (ours).

theta_{k+1} = theta_k - eta m_k / W_k with W = sqrt(v) + eps1, without bias correction and decay; |g_k| <= G in every
coordinate, U = kappa G. The proof is that of Defossez, Bottou, Bach & Usunier (2022) for Adam, with E's input: m_k =
sum_j w_j g_{k-j}, some w_j may be negative, and v sums squares of u, not of g. A coordinate, D_k = grad f(theta_k):

    weights     with v_k = A + delta^2, A fixed by the past of g_{k-j}, r^2 = E[delta^2 | that past] and V_{k,j} =
                sqrt(A + r^2) + eps1: |E[D g / W] - D^2 / V| <= D^2 / (4 V) + 4 r E[g^2 / W^2], with r^2 <=
                U^2 (1 - beta3^(j+1))
    negative    V_{k,j} >= beta3^(j/2) V_{k-j,0}: they take back a part of w_0 D^2 / V_{k,0} that :attr:`kept` leaves
    g by u      g_k = (u_k - c h_{k-1}) / (1 - c), h_k = rho h_{k-1} + (1 - beta1) / (1 - c) u_k, rho = (beta1 - c) /
                (1 - c): sum g^2 / W^2 <= R^2 sum u^2 / W^2 if |rho| < sqrt(beta3), as W_k >= beta3^(i/2) W_{k-i}
    logarithm   sum u^2 / W^2 <= (log(1 + U^2 / eps1^2) + T log(1 / beta3)) / (1 - beta3)

and D_k is near D_{k-j} by smoothness. With eta = T^(-1/2) and 1 - beta3 = 1 / T it is of order T^(-1/2) log(1 / eps1).
"""

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from scipy.signal import lfilter

from theory.method.filters import Filter

TERMS = 1_000_000
"""The largest number of weights that are summed."""


@dataclass(frozen=True)
class Constants:
    """What the bound reads of a filter and beta3.

    Attributes:
        kept: 3/4 w_0 - 5/4 sum |w_j| beta3^(-j/2) over negative w_j.
        R: from u to g; M: from u to m, (1 - beta2) / (1 - beta2 beta3^(-1/2)).
        drift: sum j |w_j| beta3^(-j/2).
        late: sum |w_j| (1 - beta3^(j+1))^(1/2) beta3^(-j).
    """

    kept: float
    R: float
    M: float
    drift: float
    late: float


def constants(F: Filter, beta3: float) -> Constants:
    """The bound's constants.

    Raises:
        ValueError: beta3 is not above beta1 and beta2 (or so close that the sums need more than a million terms), E's
            filter has no inverse that decays faster than sqrt(beta3)^k, or the negative weights outweigh w_0.
    """
    slowest, rho = max(F.beta1, F.beta2), (F.beta1 - F.c) / (1 - F.c)
    terms = int(np.ceil(50 / log(beta3 / slowest))) + 2 if 0 < slowest < beta3 < 1 else 2
    if not slowest < beta3 < 1 or terms > TERMS:
        raise ValueError(f"beta3 = {beta3} must lie in (max(beta1, beta2), 1) = ({slowest}, 1), not at its left end")
    if abs(rho) >= sqrt(beta3):
        raise ValueError(f"c = {F.c:.4g}: (beta1 - c) / (1 - c) = {rho:.4g} must be below sqrt(beta3) in size: E's "
                         "filter has no inverse that decays fast enough")  # fmt: skip
    j, root = np.arange(terms), sqrt(beta3)
    by_root, by_beta3 = _scaled(F, root, terms), _scaled(F, beta3, terms)
    kept = 0.75 * by_root[0] - 1.25 * np.abs(by_root[by_root < 0]).sum()
    if kept <= 0:
        raise ValueError(f"c = {F.c:.4g}, beta1 = {F.beta1}, beta3 = {beta3}: the weights of past gradients are too "
                         "negative")  # fmt: skip
    return Constants(
        kept=float(kept),
        R=(1 + abs(F.c) * (1 - F.beta1) / ((1 - F.c) * (root - abs(rho)))) / (1 - F.c),
        M=(1 - F.beta2) / (1 - F.beta2 / root),
        drift=float((j * np.abs(by_root)).sum()),
        late=float((np.abs(by_beta3) * np.sqrt(1 - beta3 ** (j + 1.0))).sum()),
    )


def _scaled(F: Filter, s: float, terms: int) -> np.ndarray:
    """w_j s^(-j)."""
    impulse = np.zeros(terms)
    impulse[0] = 1
    u = lfilter([1 - F.c, (F.c - F.beta1) / s], [1, -F.beta1 / s], impulse)
    return np.asarray(lfilter([1 - F.beta2], [1, -F.beta2 / s], u))


def mean_ratio(beta3: float, T: int, ratio: float) -> float:
    """A bound of the mean of u^2 / W^2 over T steps in a coordinate; ratio is kappa G / eps1."""
    return (log(1 + ratio**2) / T + log(1 / beta3)) / (1 - beta3)


def mean_square_gradient(
    F: Filter, beta3: float, eps1: float, *, L: float, eta: float, T: int, gap: float, d: int, G: float
) -> float:
    """A bound of the mean of E|grad f(theta_k)|^2 over T steps of EAdam at any batch.

    Args:
        F: the filter.
        beta3: the decay rate of v.
        eps1: what is added to its root.
        L: Lipschitz constant of the gradient.
        eta: any learning rate.
        T: steps.
        gap: f(theta_1) - inf f.
        d: dimension.
        G: a bound of every coordinate of every stochastic gradient.

    Returns:
        (U + eps1) / kept (gap / (eta T) + d ratio (L eta (M^2 / 2 + M R drift) + 4 R^2 U late)), U = kappa G, ratio
        from :func:`mean_ratio`.
    """
    found, U = constants(F, beta3), F.kappa * G
    cost = L * eta * (found.M**2 / 2 + found.M * found.R * found.drift) + 4 * found.R**2 * U * found.late
    return (U + eps1) / found.kept * (gap / (eta * T) + d * mean_ratio(beta3, T, U / eps1) * cost)
