"""EAdam with one sample per step: skewed noise drives it uphill at a small beta3, and not at a large one (ours).

The direction is r_k = u_k / (sqrt(v_k) + eps1), beta2 = 0, and the noise that of :mod:`theory.theorems.skewed_noise`.

    uphill      whatever slopes within [-s, s] the last n steps met, and whatever came before, E[r_k | F_{k-n}] is at
                most :func:`largest_drift`, which is below 0: the n draws are a tree, along which h and v stay in
                intervals with rational ends, and r grows with u at a given v_{k-1}. |r| <= 1 / sqrt(1 - beta3), so that
                x moves up by Azuma and Hoeffding's inequality on every n-th step
    downhill    without E, with v_{k-1} in [l, U^2]: v_k differs from it by at most (1 - beta3)(U^2 - l), and
                E[g_k / (sqrt(v_{k-1}) + eps1) | F_{k-1}] has the gradient's sign
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from math import log, sqrt

from flint import arb, ctx, fmpq

from theory.theorems.skewed_noise import BETA1, BETA3, DRAWS, EPS1, NOISE, PROBABILITY

DIGITS = 40
Interval = tuple[fmpq, fmpq]


@cache
def largest_drift(alpha: Fraction, slope: Fraction, draws: int = DRAWS) -> arb:
    """A ball with an upper bound of E[r_k | F_{k-n}] in it, for all slopes in [-slope, slope] and all that came before.

    Args:
        alpha: exploration strength, with c = -alpha (1 - beta1) in (-1, 1).
        slope: the largest abs(f').
        draws: n.

    Returns:
        The ball, to 40 digits.
    """
    with ctx.workdps(DIGITS):
        return sum((arb(chance) * r for chance, r in _paths(exact(alpha), exact(slope), draws)), arb(0))


def exact(x: float | Fraction) -> fmpq:
    """The number, of a float its decimal literal, for FLINT, whose rationals are ten times as fast as Python's."""
    q = Fraction(str(x))
    return fmpq(q.numerator, q.denominator)


def _paths(alpha: fmpq, slope: fmpq, draws: int) -> Iterator[tuple[fmpq, arb]]:
    """The probability of each path of draws, and the largest r at its end."""
    beta1, beta3, eps1 = map(exact, (BETA1, BETA3, EPS1))
    noise = [(exact(xi), exact(p)) for xi, p in zip(NOISE, PROBABILITY, strict=True)]
    c = -alpha * (1 - beta1)
    low, high = min(xi for xi, _ in noise) - slope, max(xi for xi, _ in noise) + slope
    extreme = max(-low, high) * (1 - c + abs(c))
    nodes: list[tuple[fmpq, Interval, Interval]] = [(fmpq(1), (low, high), (fmpq(0), extreme**2))]
    for k in range(draws):
        grown = []
        for chance, h, v in nodes:
            for xi, p in noise:
                g = (xi - slope, xi + slope)
                old = h if c >= 0 else h[::-1]
                u = ((1 - c) * g[0] + c * old[0], (1 - c) * g[1] + c * old[1])
                if k == draws - 1:
                    yield chance * p, _largest_direction(u[1], v, beta3, eps1)
                    continue
                ends = sorted(abs(end) for end in u)
                squares = (fmpq(0) if u[0] <= 0 <= u[1] else ends[0] ** 2, ends[1] ** 2)
                new_v = tuple(beta3 * a + (1 - beta3) * b for a, b in zip(v, squares, strict=True))
                new_h = tuple(beta1 * a + (1 - beta1) * b for a, b in zip(h, g, strict=True))
                grown.append((chance * p, new_h, new_v))
        nodes = grown


def _largest_direction(u: fmpq, v: Interval, beta3: fmpq, eps1: fmpq) -> arb:
    """The largest u / (sqrt(beta3 v' + (1 - beta3) u^2) + eps), v' in ``v``, 0 <= eps <= eps1; it grows with u."""
    if u > 0:
        return arb(u) / arb(beta3 * v[0] + (1 - beta3) * u**2).sqrt()
    return arb(u) / (arb(beta3 * v[1] + (1 - beta3) * u**2).sqrt() + arb(eps1))


def least_rise(drift: float, *, eta: float, blocks: int, draws: int = DRAWS, miss: float) -> float:
    """What x_{T+1} - x_1 exceeds with a probability of at least 1 - ``miss``, T = (blocks + 1) draws.

    Args:
        drift: a number d > 0 with E[r_k | F_{k-draws}] <= -d.
        eta: learning rate.
        blocks: N.
        draws: n.
        miss: the probability of the exception.

    Returns:
        eta n (N (d - t) - 1 / sqrt(1 - beta3)), with n exp(-(1 - beta3) N t^2 / 2) = miss.
    """
    t = sqrt(-2 * log(miss / draws) / ((1 - BETA3) * blocks))
    return eta * draws * (blocks * (drift - t) - 1 / sqrt(1 - BETA3))


def wrong_by(beta3: float, *, mean_size: float, smallest: float, largest: float) -> float:
    """A bound of |E[r_k | F_{k-1}] - f'(x_k) / (sqrt(v_{k-1}) + eps1)| for alpha = beta2 = 0 and every eps1 >= 0.

    Args:
        beta3: decay rate of v.
        mean_size: a bound of E[|g_k| | F_{k-1}].
        smallest: l > 0, a lower bound of g_k^2, and of v_1.
        largest: U^2, an upper bound of both.

    Returns:
        (1 - beta3) mean_size (U^2 - l) / (2 l^(3/2)).
    """
    return (1 - beta3) * mean_size * (largest - smallest) / (2 * smallest**1.5)
