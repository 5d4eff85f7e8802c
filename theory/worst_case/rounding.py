"""From a solver's multipliers to a rational certificate: round, repair the equalities exactly, check exactly."""

from collections.abc import Mapping
from fractions import Fraction

from theory.worst_case import dual
from theory.worst_case.certificate import STAR, Certificate, Pair, balance
from theory.worst_case.method import Method
from theory.worst_case.settled import ALLOWANCE, Setting, bracket

DENOMINATOR = 10**13
"""Rounding to thirteen decimals is finer than the solver's accuracy and keeps files small."""


def repaired(method: Method, multipliers: Mapping[Pair, float]) -> dict[Pair, Fraction]:
    """Rounded multipliers >= 0 whose values cancel exactly: what is missing flows to or from the minimiser.

    Each point's imbalance is mended by the two multipliers that tie it to the minimiser, which no other point shares.
    """
    exact = {pair: Fraction(round(max(w, 0.0) * DENOMINATOR), DENOMINATOR) for pair, w in multipliers.items()}
    for point in range(method.N + 1):
        missing = (point == method.N) - balance(exact, point)
        exact[(STAR, point) if missing > 0 else (point, STAR)] += abs(missing)
    return exact


def certify(setting: Setting) -> Certificate:
    """A certificate within ALLOWANCE of the optimum, accepted by exact arithmetic.

    The optimum is the attained lower bound where the setting has one in closed form, else the solver's.

    Raises:
        ArithmeticError: the solver found no interior multipliers, or exact arithmetic refused the rounded ones.
    """
    method, mu = setting.method, setting.mu
    if mu == 0 and method.beta2 == 0:
        tau = bracket(setting)[1]
    else:
        # to seven digits, which keeps the file readable; half the allowance covers solver and rounding
        tau = Fraction(round(dual.optimum(method, float(mu)) * 10**7), 10**7) + ALLOWANCE / 2
    found = Certificate(method, mu, tau, repaired(method, dual.interior(method, float(mu), float(tau))))
    if reason := found.reject():
        raise ArithmeticError(f"{setting.name}, tau = {tau}: {reason}")
    return found
