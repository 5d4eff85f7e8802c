"""Many runs of ESGD, EAdam and one-layer ALTO at once, each with its own alpha, betas and learning rate.

The one-buffer form, u = (1 - c) g + c h, of the literal algorithms; a test ties the two together. Differently from
``theory.method.algorithms`` the hyper-parameters are arrays, one per run, so that a whole figure is one batch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Method:
    """One optimizer with its settings.

    Attributes:
        label: its name in a figure.
        rule: "sgd" (Algorithm 3), "adam" (Algorithm 4) or "alto" (Algorithm 2 with one layer and no decay).
        alpha, beta1: the adaptor's; alpha = 0 is the base optimizer.
        beta2, beta3, eps: the base optimizer's; eps after the root.
        eta: learning rate.
    """

    label: str
    rule: str
    alpha: float
    beta1: float
    beta2: float
    eta: float
    beta3: float = 0.99
    eps: float = 1e-8

    def __post_init__(self) -> None:
        if self.rule not in {"sgd", "adam", "alto"}:
            raise ValueError(f"rule = {self.rule!r}: must be sgd, adam or alto")


Gradient = Callable[[np.ndarray], np.ndarray]
"""theta of shape (methods, runs, d) -> its gradient, the same shape; it may add noise."""


def simulate(
    methods: Sequence[Method], gradient: Gradient, start: np.ndarray, *, steps: int, keep: int = 1, bound: float = 1e12
) -> np.ndarray:
    """Run every method from every start.

    Args:
        methods: M of them, all with the same rule or not.
        gradient: the stochastic gradient.
        start: theta_1, shape (runs, d), the same for all methods, or (M, runs, d).
        steps: T.
        keep: every ``keep``-th iterate is kept, beside the first.
        bound: a run that leaves the box of this half-width has diverged; its iterates are NaN from there on.

    Returns:
        The iterates, shape (1 + T // keep, M, runs, d).
    """
    theta = np.array(np.broadcast_to(start, (len(methods), *np.shape(start)[-2:])), dtype=np.float64)
    alpha, beta1, beta2, beta3, eta, eps = (
        np.array([getattr(method, name) for method in methods])[:, None, None]
        for name in ("alpha", "beta1", "beta2", "beta3", "eta", "eps")
    )
    rule = np.array([method.rule for method in methods])[:, None, None]
    sgd, layerwise = rule == "sgd", rule == "alto"
    c, share = -alpha * (1 - beta1), np.where(sgd, 1.0, 1 - beta2)  # Algorithm 3's momentum has no factor 1 - beta2
    h, m, v = np.zeros_like(theta), np.zeros_like(theta), np.zeros_like(theta)
    kept = [theta.copy()]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for k in range(1, steps + 1):
            g = gradient(theta)
            u = (1 - c) * g + c * h
            h = beta1 * h + (1 - beta1) * g
            m = beta2 * m + share * u
            if sgd.all():
                theta = theta - eta * m
            else:
                v = beta3 * v + (1 - beta3) * u**2
                adam = m / (1 - beta2**k) / (np.sqrt(v / (1 - beta3**k)) + eps)
                r = np.where(sgd, m, adam)
                norms = np.linalg.norm(theta, axis=-1, keepdims=True), np.linalg.norm(r, axis=-1, keepdims=True)
                factor = np.where(layerwise & (norms[1] > 0), norms[0] / norms[1], 1.0)
                theta = theta - eta * factor * r
            theta = np.where(np.abs(theta) < bound, theta, np.nan)
            if k % keep == 0:
                kept.append(theta.copy())
    return np.stack(kept)
