"""Which heavy ball, Nesterov, QHM and Adam a setting of E is nearest to, as filters of the gradients.

The distance is that of the weights on past gradients, in the root of the sum of squares: the root of
sum (w_j - s w'_j)^2 over that of sum w_j^2, with E's normalised weights w and the unit-gain weights w' of the other.
It is minimised over all numbers of the other: its decay rate, QHM's share nu, and the factor s of its learning rate. So
a distance of 0 is the same optimizer, and one of 1 is no better than not moving. For white noise the distance is also
the relative error in the standard deviation of the step. The nearest filter need not have the same mean age.

The exact points are those of the identities: beta2 = 0 is QHM(beta1, c/beta1); alpha = 0 and alpha* are heavy balls;
beta2 = 0, c = beta1^2 and beta1 = 0, alpha = beta2 are Nesterov's method. A negative mean age has relatives as well:
gradients extrapolated ahead are nearest to little momentum, or to Nesterov's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.method.setting import Setting

Transfer = tuple[np.ndarray, np.ndarray]
"""Numerator and denominator in powers of 1/z, highest power last."""

ROUNDING = 1e-7
"""A distance below this is rounding: the exact points have 1e-9 and less for betas up to .999."""

SEARCHED = 1 - np.geomspace(1, 1e-5, 121)
"""Decay rates tried before the best of them is refined."""


@dataclass(frozen=True)
class Equivalent:
    """A member of a family of optimizers beside E.

    Attributes:
        name: "heavy ball", "Nesterov", "QHM" or "Adam".
        lr: its learning rate: theta -= lr m with m = beta m + g for heavy ball and Nesterov (torch.optim.SGD's), with
            unit-gain averages for QHM and Adam. Adam's is for gradients that are mostly noise, where E changes v by
            the noise gain.
        beta: its decay rate (Adam's beta1); nu: QHM's share of the average, None for the others.
        distance: relative distance of its weights from E's (for Adam, of the first moment's); 0 is the same filter.
        mean_age: mean age of the gradients in its momentum, in steps.
    """

    name: str
    lr: float
    beta: float
    nu: float | None
    distance: float
    mean_age: float


def equivalents(lr: float, F: Setting) -> tuple[Equivalent, ...]:
    """The nearest member of each family, nearest first; a family whose nearest member goes uphill is left out.

    Args:
        lr: ESGD's learning rate (EAdam's, for Adam).
        F: the setting.

    Returns:
        Up to four: heavy ball, Adam, Nesterov, QHM.
    """
    gain = lr / (1 - F.beta2)
    exact = [F.beta1, F.beta2]
    beta, scale, off = _nearest(F, _average, exact)
    found = [
        Equivalent("heavy ball", scale * gain * (1 - beta), beta, None, off, beta / (1 - beta)),
        Equivalent("Adam", scale * lr / F.noise_gain**0.5, beta, None, off, beta / (1 - beta)),
    ]
    beta, scale, off = _nearest(F, _nesterov, exact)
    found.append(Equivalent("Nesterov", scale * gain * (1 - beta), beta, None, off, beta**2 / (1 - beta)))
    downhill = [one for one in (*found, _nearest_quasi(F, gain, exact)) if one.lr > 0]
    return tuple(sorted(downhill, key=lambda one: one.distance))


def _nearest(F: Setting, family: Callable[[float], Transfer], exact: Sequence[float]) -> tuple[float, float, float]:
    """The decay rate of a family whose best multiple is nearest, that multiple, and its distance."""
    mine = explored(F)
    size = inner(mine, mine)

    def fit(beta: float) -> tuple[float, float]:
        other = family(beta)
        cross, own = inner(mine, other), inner(other, other)
        return cross / own, 1 - cross**2 / (own * size)

    beta = _search(lambda beta: fit(beta)[1], exact)
    scale = fit(beta)[0]
    return beta, scale, distance(F, _scaled(family(beta), scale))


def _nearest_quasi(F: Setting, gain: float, exact: Sequence[float]) -> Equivalent:
    """QHM mixes g and its average: for each decay rate both amounts follow from least squares."""
    mine, now = explored(F), (np.array([1.0]), np.array([1.0]))

    def amounts(beta: float) -> np.ndarray:
        slow = _average(beta)
        gram = np.array([[1.0, 1 - beta], [1 - beta, inner(slow, slow)]])
        return np.linalg.lstsq(gram, np.array([inner(mine, now), inner(mine, slow)]), rcond=None)[0]

    def left(beta: float) -> float:
        fresh, averaged = amounts(beta)
        return -fresh * inner(mine, now) - averaged * inner(mine, _average(beta))

    beta = _search(left, exact)
    fresh, averaged = amounts(beta) if beta else (amounts(0.0).sum(), 0.0)
    total = fresh + averaged
    nu = float(averaged / total)
    off = distance(F, _scaled(_quasi(beta, nu), float(total)))
    return Equivalent("QHM", float(gain * total), beta, nu, off, nu * beta / (1 - beta))


def _search(cost: Callable[[float], float], exact: Sequence[float]) -> float:
    """The decay rate of the least cost: on a grid, refined there, unless a point that can be exact is as good."""
    from scipy.optimize import minimize_scalar  # half a second to import

    at = min(range(len(SEARCHED)), key=lambda i: cost(float(SEARCHED[i])))
    ends = SEARCHED[max(at - 1, 0)], SEARCHED[min(at + 1, len(SEARCHED) - 1)]
    refined: Any = minimize_scalar(cost, bounds=ends, method="bounded", options={"xatol": 1e-12})
    # in this order, since min keeps the first of equals: a point that is exact wins over the search that nears it
    return float(min([*exact, float(SEARCHED[at]), float(refined.x)], key=lambda beta: round(cost(beta), 12)))


def distance(F: Setting, other: Transfer) -> float:
    """The relative distance between the weights of E's normalised momentum and another filter's."""
    mine = explored(F)
    both = np.convolve(mine[1], other[1])
    left, right = np.convolve(mine[0], other[1]), np.convolve(other[0], mine[1])
    size = len(both)
    difference = np.pad(left, (0, size - len(left))) - np.pad(right, (0, size - len(right)))
    found = _norm((difference, both)) / _norm(mine)
    return found if found > ROUNDING else 0.0


def explored(F: Setting) -> Transfer:
    """The transfer function from gradients to E's normalised momentum."""
    return (1 - F.beta2) * np.array([1 - F.c, F.c - F.beta1]), np.convolve([1, -F.beta1], [1, -F.beta2])


def _average(beta: float) -> Transfer:
    return np.array([1 - beta]), np.array([1, -beta])


def _nesterov(beta: float) -> Transfer:
    return (1 - beta) * np.array([1 + beta, -beta]), np.array([1, -beta])


def _quasi(beta: float, nu: float) -> Transfer:
    return np.array([1 - nu * beta, -(1 - nu) * beta]), np.array([1, -beta])


def _scaled(transfer: Transfer, scale: float) -> Transfer:
    return scale * transfer[0], transfer[1]


def inner(one: Transfer, other: Transfer) -> float:
    """The sum of the products of two filters' weights."""
    (left, A), (right, B) = _states(one), _states(other)
    # the weights of a state form are n_0, n A^(j-1) e: their products sum to the solution of a Sylvester-type equation
    gramian = _gramian(A, B)
    return float(left[0] * right[0] + left[1:] @ gramian @ right[1:])


def _states(transfer: Transfer) -> tuple[np.ndarray, np.ndarray]:
    """The weight on the newest gradient followed by the companion form's output, and its matrix."""
    numerator, denominator = transfer
    order = max(len(denominator), len(numerator), 2) - 1
    numerator = np.pad(numerator, (0, order + 1 - len(numerator)))
    denominator = np.pad(denominator, (0, order + 1 - len(denominator)))
    A = np.eye(order, k=-1)
    A[0] = -denominator[1:]
    return np.concatenate([numerator[:1], numerator[1:] - numerator[0] * denominator[1:]]), A


def _gramian(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """sum_j A^j e e^T (B^j)^T with the first unit vectors e."""
    start = np.outer(np.eye(len(A))[0], np.eye(len(B))[0])
    return np.linalg.solve(np.eye(start.size) - np.kron(A, B), start.reshape(-1)).reshape(start.shape)


def _norm(transfer: Transfer) -> float:
    return max(inner(transfer, transfer), 0.0) ** 0.5
