"""Theorem N along a run: the chain N-a ... N-e that turns smoothness into a bound of the mean squared gradient.

Over all sign paths of the noise the expectations in the last stages are exact. Weight decay makes the objective
f_k = f + (gamma_k / 2) |theta|^2 in the weights W_k; then D_k is its gradient and M_k takes the place of m_k.
"""

import numpy as np

from theory.method.trajectory import Trajectory
from theory.theorems.bounds import Preconditioner, Tracking, mean_square_gradient
from theory.theorems.noise_paths import Problem
from theory.theorems.stage import Stage


def stages(run: Trajectory, problem: Problem, Q: Preconditioner, tracking: Tracking, *, Wmax: float) -> list[Stage]:
    """The chain for a run over all sign paths of ``problem`` with constant eta.

    Args:
        run: replicas are equally likely noise paths; vanilla (no bias correction).
        problem: the function and its constants.
        Q: the almost sure bounds of s_k / W_k.
        tracking: Lemma E's triple.
        Wmax: a bound of W.

    Returns:
        Stages N-a to N-e, in order.
    """
    eta, T = float(run.eta[0]), len(run.g)
    theta, after = run.theta[:-1], run.theta[1:]
    decay = run.weight_decay[:, None, None]
    q = 1 / (eta * run.H)
    gradient = problem.gradient(run.theta)
    D = gradient[:-1] + decay * run.W * theta
    e = run.M - D
    L = problem.L + float(run.weight_decay.max()) * Wmax
    x = L * eta * Q.largest

    def norm2(vector: np.ndarray, weights: np.ndarray | float = 1.0) -> np.ndarray:
        return (weights * vector**2).sum(-1)

    def regularised(point: np.ndarray) -> np.ndarray:
        """f_k at a point of step k."""
        return problem.value(point) + norm2(point, decay * run.W) / 2

    delta = np.concatenate([gradient[:1], gradient[:-1]])[:-1] - gradient[:-1]
    first = float(norm2(gradient[0]).mean())
    gap = float(problem.value(run.theta[0]).mean()) - problem.floor
    gap += float(run.weight_decay[0]) / 2 * Wmax * float(norm2(run.theta[0]).max())
    values = np.abs(regularised(theta)) + np.abs(regularised(after))
    kept = decay * run.W
    square_error, square_gradient = norm2(e).mean(-1), norm2(D).mean(-1)
    return [
        Stage("theta - M/H is the algorithm's own update", run.literal, after, equal=True, scale=np.abs(theta)),
        Stage("Q is within its bounds", np.maximum(Q.smallest / q, q / Q.largest), 1.0),
        Stage(
            "N-a descent",
            regularised(after),
            regularised(theta) - eta / 2 * (norm2(D, q) + (1 - x) * norm2(run.M, q) - norm2(e, q)),
            scale=values,
        ),
        Stage("N-a' the regulariser does not grow", kept[1:], kept[:-1]),
        Stage("N-b error in Q", norm2(e, q), Q.largest * norm2(e)),
        Stage("N-b drift", norm2(delta)[1:], (problem.L * eta) ** 2 * Q.largest * norm2(run.M, q)[:-1]),
        Stage(
            "N-c tracking",
            square_error.sum(),
            tracking.drift * norm2(delta).mean(-1).sum()
            + tracking.initial * first
            + tracking.noise * T * problem.sigma**2,
        ),
        Stage("N-d closure", tracking.drift * x**2, 1 - x),
        Stage(
            "N-e bound",
            square_gradient.mean(),
            mean_square_gradient(tracking, Q, eta=eta, T=T, gap=gap, first=first, variance=problem.sigma**2),
        ),
    ]
