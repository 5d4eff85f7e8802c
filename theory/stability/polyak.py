"""Linear rates of E(SGD) on quadratics by condition number, and the point at which it is Polyak's heavy ball."""

from dataclasses import dataclass

import numpy as np

from theory.stability import linear


@dataclass(frozen=True)
class Polyak:
    """E(SGD) as the optimal heavy ball for curvatures in [1/kappa, 1]: c = beta1, no momentum in the base."""

    beta1: float
    alpha: float
    eta: float
    rate: float


def polyak(kappa: float) -> Polyak:
    """The point c = beta1 = ((sqrt k - 1)/(sqrt k + 1))^2, eta = sqrt k, and its rate (sqrt k - 1)/(sqrt k + 1).

    Raises:
        ValueError: kappa <= 1.
    """
    if kappa <= 1:
        raise ValueError(f"kappa = {kappa}: allowed is kappa > 1")
    root = np.sqrt(kappa)
    rate = (root - 1) / (root + 1)
    return Polyak(float(rate**2), float(-((root - 1) ** 2) / (4 * root)), float(root), float(rate))


def rate(kappa: float, eta: float, c: float, beta1: float, beta2: float = 0.0, *, points: int = 41) -> float:
    """The largest spectral radius over log-spaced curvatures in [1/kappa, 1]: the error shrinks by this a step.

    At c = 0 the root beta1 of the unused slow average counts as well, though it never shows in theta.
    """
    return float(linear.spectral_radius(eta * np.geomspace(1 / kappa, 1, points), c, beta1, beta2).max())
