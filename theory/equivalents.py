"""Which heavy ball, Nesterov, QHM and Adam a setting of E is, or is nearest to, as filters of the gradients.

E with momentum has unit gain after normalisation and mean age b - alpha. Each family's member with the same age is
taken, and its departure is measured: the root of sum (w_j - w'_j)^2 over sum w_j^2, with w and w' the weights of the
two on past gradients. A departure of 0 is the same optimizer. The exact points are those of the identities: beta2 = 0
is QHM(beta1, c/beta1); alpha = 0 and alpha* are heavy balls; beta2 = 0, c = beta1^2 and beta1 = 0, alpha = beta2 are
Nesterov's method.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import solve_discrete_lyapunov
from scipy.optimize import minimize_scalar

from theory.filters import Filter

Transfer = tuple[np.ndarray, np.ndarray]
"""Numerator and denominator in powers of 1/z, highest power last."""

ROUNDING = 1e-7
"""A departure below this is rounding: the exact points come out at 1e-9 and less for betas up to .999."""


@dataclass(frozen=True)
class Equivalent:
    """A member of a family of optimizers beside E.

    Attributes:
        name: "heavy ball", "Nesterov", "QHM" or "Adam".
        lr: its learning rate: theta -= lr m with m = beta m + g for heavy ball and Nesterov (torch.optim.SGD's), with
            unit-gain averages for QHM and Adam. Adam's is for gradients that are mostly noise, where E changes v by
            the noise gain.
        beta: its retention (Adam's beta1); nu: QHM's share of the average, None for the others.
        departure: relative distance of its weights from E's (for Adam, of the first moment's); 0 is the same filter.
    """

    name: str
    lr: float
    beta: float
    nu: float | None
    departure: float


def equivalents(lr: float, F: Filter) -> tuple[Equivalent, ...]:
    """The members of each family with E's mean age, nearest first; heavy ball, Nesterov and Adam need an age >= 0.

    Args:
        lr: ESGD's learning rate (EAdam's, for Adam).
        F: the setting.

    Returns:
        Up to four: heavy ball, Adam and Nesterov unless the age is negative, QHM unless there is nothing to mix.
    """
    age, gain = F.b - F.alpha, lr / (1 - F.beta2)
    found: list[Equivalent] = []
    if age >= 0:
        beta = age / (1 + age)
        off = departure(F, _average(beta))
        found.append(Equivalent("heavy ball", gain * (1 - beta), beta, None, off))
        found.append(Equivalent("Adam", lr / F.noise_gain**0.5, beta, None, off))
        beta = (np.sqrt(age * age + 4 * age) - age) / 2
        found.append(Equivalent("Nesterov", gain * (1 - beta), float(beta), None, departure(F, _nesterov(beta))))
    if age or F.beta1 or F.beta2:
        found.append(_nearest_quasi(F, age, gain))
    return tuple(sorted(found, key=lambda one: one.departure))


def _nearest_quasi(F: Filter, age: float, gain: float) -> Equivalent:
    """QHM with this age has one retention left to choose: the best of a search and of the points that can be exact."""

    def nu(beta: float) -> float:
        return age * (1 - beta) / beta

    def off(beta: float) -> float:
        return departure(F, _quasi(beta, nu(beta)))

    search: Any = minimize_scalar(lambda slow: off(1 - 10**slow), bounds=(-5, -1e-3), method="bounded")
    # in this order, since min keeps the first of equals: a point that is exact wins over the search that nears it
    candidates = [F.beta1, F.beta2, age / (1 + age) if age > 0 else 0.0, 1 - 10 ** float(search.x)]
    best = min(filter(None, candidates), key=off)
    return Equivalent("QHM", gain, best, nu(best), off(best))


def departure(F: Filter, other: Transfer) -> float:
    """The relative distance between the weights of E's normalised momentum and another filter's."""
    mine = explored(F)
    both = np.convolve(mine[1], other[1])
    left, right = np.convolve(mine[0], other[1]), np.convolve(other[0], mine[1])
    size = len(both)
    difference = np.pad(left, (0, size - len(left))) - np.pad(right, (0, size - len(right)))
    distance = _norm((difference, both)) / _norm(mine)
    return distance if distance > ROUNDING else 0.0


def explored(F: Filter) -> Transfer:
    """The transfer function from gradients to E's normalised momentum."""
    return (1 - F.beta2) * np.array([1 - F.c, F.c - F.beta1]), np.convolve([1, -F.beta1], [1, -F.beta2])


def _average(beta: float) -> Transfer:
    return np.array([1 - beta]), np.array([1, -beta])


def _nesterov(beta: float) -> Transfer:
    return (1 - beta) * np.array([1 + beta, -beta]), np.array([1, -beta])


def _quasi(beta: float, nu: float) -> Transfer:
    return np.array([1 - nu * beta, -(1 - nu) * beta]), np.array([1, -beta])


def _norm(transfer: Transfer) -> float:
    """The root of the sum of squares of the filter's weights, from the Gramian of its companion form."""
    numerator, denominator = transfer
    numerator = np.pad(numerator, (0, len(denominator) - len(numerator)))
    order = len(denominator) - 1
    A = np.eye(order, k=-1)
    A[0] = -denominator[1:]
    B = np.eye(order, 1)
    first, rest = numerator[0], numerator[1:] - numerator[0] * denominator[1:]
    gramian = solve_discrete_lyapunov(A, B @ B.T)
    return float(np.sqrt(max(rest @ gramian @ rest + first**2, 0.0)))
