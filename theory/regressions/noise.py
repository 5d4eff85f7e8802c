"""K8 ... K11, K25: stationary variance, mean-square stability, one sample a step."""

from collections.abc import Iterator

import numpy as np
from scipy.linalg import solve_discrete_lyapunov

from theory.regressions.check import Check, Quantity, setting
from theory.stability import linear, mean_square_batch_one

VARIANCES = (
    # x, c, beta1, beta2, V
    (0.3, 0.05, 0.99, 0, 0.16643053), (0.3, 0.05, 0.99, 0.9, 1.54818335), (0.3, -0.495, 0.01, 0.9, 0.82767280),
    (0.5, 0.3, 0.7, 0.2, 0.31713937), (1, 0.5, 0.99, 0, 0.3378), (1, 0.8, 0.99, 0.9, 1.730),
)  # fmt: skip


def _variances() -> Iterator[Quantity]:
    for x, c, beta1, beta2, reference in VARIANCES:
        yield f"V at x={x:g}, c={c:g}, {beta1:g}, {beta2:g}", linear.variance(x, c, beta1, beta2), reference


def _lyapunov() -> list[Quantity]:
    rng, largest = np.random.default_rng(0), 0.0
    for _ in range(200):
        beta1, beta2, c = rng.uniform(0, 0.9), rng.uniform(0, 0.9), rng.uniform(-0.9, 0.9)
        x = min(linear.largest_stable(c, beta1, beta2), 4.0) * rng.uniform(0.1, 0.9)
        A, B = linear.system(x, c, beta1, beta2)
        solved = solve_discrete_lyapunov(A, np.outer(B, B))[0, 0]
        largest = max(largest, abs(solved / linear.variance(x, c, beta1, beta2) - 1))
    return [("V beside a Lyapunov solver, 200 settings, relative", largest, 0)]


def _mean_square() -> list[Quantity]:
    wrong, compared = linear.mean_square_mismatches(2000, 1)
    return [(f"mismatches with the operator in {compared} points", wrong, 0)]


RHOS = (0.1, 0.5, 1, 2, 5, 10)
MEAN_SQUARE = (
    # alpha, beta1, beta2, thresholds at the six rho
    (0, 0.99, 0, (1.980, 1.600, 1.000, 0.4000, 0.07692, 0.01980)),
    (-5, 0.99, 0, (2.085, 1.685, 1.053, 0.4207, 0.08052, 0.02048)),
    (-50, 0.99, 0, (3.980, 3.212, 2.000, 0.7880, 0.1374, 0.02800)),
    (-80, 0.99, 0, (10.10, 8.121, 4.996, 1.873, 0.2243, 0.02756)),
    (50, 0.99, 0, (1.318, 1.065, 0.6667, 0.2680, 0.05311, 0.01471)),
    (0.5, 0.01, 0, (1.003, 0.8675, 0.6218, 0.3072, 0.07182, 0.01943)),
    (0, 0.99, 0.9, (3.193, 0.6609, 0.1900, 0.04935, 0.007983, 0.001999)),
    (-5, 0.99, 0.9, (3.360, 0.6929, 0.1990, 0.05165, 0.008315, 0.002059)),
    (0.5, 0.01, 0.9, (1.884, 1.228, 0.3867, 0.06118, 0.008258, 0.002016)),
)  # fmt: skip


def _mean_square_thresholds() -> Iterator[Quantity]:
    for alpha, beta1, beta2, references in MEAN_SQUARE:
        for rho, reference in zip(RHOS, references, strict=True):
            found = linear.mean_square_threshold(rho, -alpha * (1 - beta1), beta1, beta2)
            yield f"x at rho={rho:g}, {setting(alpha, beta1, beta2)}", found, reference


ONE_SAMPLE = (
    (0, 0.99, 0, 0.4890), (-5, 0.99, 0, 0.5142), (0.5, 0.01, 0, 0.3813),
    (0, 0.99, 0.9, 0.06271), (-5, 0.99, 0.9, 0.06563), (0.5, 0.01, 0.9, 0.07575), (-0.5, 0.01, 0.9, 0.05156),
)  # fmt: skip


def _one_sample() -> Iterator[Quantity]:
    features = mean_square_batch_one.features()
    for alpha, beta1, beta2, reference in ONE_SAMPLE:
        found = mean_square_batch_one.largest_stable_rate(features, alpha, beta1, beta2)
        yield f"largest eta at {setting(alpha, beta1, beta2)}", found, reference


def _variance_sign() -> list[Quantity]:
    wrong, compared = linear.variance_sign_mismatches(20_000, 1)
    return [(f"mismatches in {compared} points", wrong, 0), ("at least 1e4 points", float(compared >= 10_000), 1)]


CHECKS = (
    Check("K8", "stationary variance, printed values", lambda: list(_variances()),
          mended="V at (.5, .3, .7, .2) was printed as .31713917; it is .31713937"),
    Check("K8", "stationary variance, closed form", _lyapunov, 1e-9, absolute=True),
    Check("K9", "mean-square criterion", _mean_square, 0.0),
    Check("K10", "mean-square thresholds", lambda: list(_mean_square_thresholds())),
    Check("K11", "linear regression, one sample a step", lambda: list(_one_sample())),
    Check("K25", "sign of the effect on the variance, beta2 = 0", _variance_sign, 0.0),
)  # fmt: skip
