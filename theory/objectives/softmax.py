"""Softmax regression on scikit-learn's breast-cancer and digits data, regularised so that there is one minimiser.

scikit-learn and its data are loaded when one of them is made.
"""

from functools import cache

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from theory.objectives.base import FiniteSum, Objective, largest_eigenvalue
from theory.objectives.by_name import objective


@objective("breast-cancer")
@cache
def breast_cancer(decay: float = 1e-2) -> Objective:
    """Two classes, 30 standardised features and a constant: d = 62."""
    from sklearn.datasets import load_breast_cancer

    features, labels = map(np.asarray, load_breast_cancer(return_X_y=True))
    return _regression("breast-cancer", features, labels, decay)


@objective("digits")
@cache
def digits(decay: float = 1e-2, samples: int = 200) -> Objective:
    """Ten classes of 8 x 8 images, the first ``samples`` of them, standardised, and a constant: d = 650."""
    from sklearn.datasets import load_digits

    features, labels = map(np.asarray, load_digits(return_X_y=True))
    return _regression("digits", features[:samples], labels[:samples], decay)


def _regression(name: str, features: np.ndarray, labels: np.ndarray, decay: float) -> Objective:
    """Mean cross-entropy plus decay |theta|^2 / 2; theta holds the weights class by class.

    A softmax has a Hessian of at most 1/2, so L <= half the largest eigenvalue of X^T X / n, plus decay. The minimiser
    is L-BFGS's; the tests bound its gradient.
    """
    spread = features.std(0)
    X = np.column_stack([(features - features.mean(0)) / np.where(spread > 0, spread, 1), np.ones(len(features))])
    n, width, classes = len(X), X.shape[1], int(labels.max()) + 1
    targets = np.eye(classes)[labels]

    def scores(theta: np.ndarray) -> np.ndarray:
        """Shape (R, n, classes)."""
        return np.einsum("nf,...cf->...nc", X, theta.reshape(*theta.shape[:-1], classes, width))

    def value(theta: np.ndarray) -> np.ndarray:
        fit = -(targets * log_softmax(scores(theta), axis=-1)).sum(-1).mean(-1)
        return fit + decay / 2 * (theta**2).sum(-1)

    def gradient(theta: np.ndarray) -> np.ndarray:
        error = softmax(scores(theta), axis=-1) - targets
        return np.einsum("...nc,nf->...cf", error, X).reshape(theta.shape) / n + decay * theta

    def parts(theta: np.ndarray) -> np.ndarray:
        error = softmax(scores(theta), axis=-1) - targets
        each = np.einsum("...nc,nf->...ncf", error, X)
        return each.reshape(*each.shape[:-2], classes * width) + decay * theta[..., None, :]

    def hessian(theta: np.ndarray) -> np.ndarray:
        p = softmax(scores(theta), axis=-1)
        blocks = np.empty((len(theta), classes, width, classes, width))
        for i in range(classes):
            for j in range(classes):
                weight = p[..., i] * (float(i == j) - p[..., j]) / n
                blocks[:, i, :, j, :] = np.einsum("rn,nf,ng->rfg", weight, X, X, optimize=True)
        d = classes * width
        return blocks.reshape(len(theta), d, d) + decay * np.eye(d)

    start, high = np.zeros(classes * width), 1.0
    best = minimize(
        lambda theta: (float(value(theta)), gradient(theta)), start, jac=True, method="L-BFGS-B",
        options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9},
    ).x  # fmt: skip
    return Objective(
        name=name,
        start=start,
        value=value,
        gradient=gradient,
        hessian=hessian,
        domain=(-high, high),
        infimum=float(value(best)),
        minimisers=best[None],
        L=largest_eigenvalue(X.T @ X / n) / 2 + decay,
        slope=float(np.abs(X).mean(0).max()) + decay * high,
        pl=decay,
        convex=True,
        parts=FiniteSum(n, parts),
    )
