"""An online problem on which EAdam and ALTO have linear regret: Reddi's stream, with E in front.

On X = [-1, 1] the loss is C theta once every n steps and -theta in between, C > n - 1: the best point is -1. Its
gradient does not depend on theta, so the direction r_k tends to an n-periodic r*; if the layer-scaled sum over a
period is negative for every |theta|, theta is driven to +1 and the regret grows by 2 (C - (n - 1)) / n per step.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import arb, ctx, fmpq
from scipy.signal import lfilter

from theory.method.sequences import average, explored

CELLS = 256
"""How many pieces the range of phi is cut into for the interval certificate."""


@dataclass(frozen=True)
class Setting:
    """One instance: the stream (n, C) and the hyper-parameters, in exact numbers."""

    n: int
    C: Fraction
    alpha: Fraction
    beta1: Fraction
    beta2: Fraction
    beta3: Fraction
    eps1: Fraction = Fraction(1, 10**8)
    eps2: Fraction = Fraction(1, 10**3)
    eps3: Fraction = Fraction(1, 10**2)

    @property
    def slope(self) -> Fraction:
        """The regret per step once theta sits at +1."""
        return 2 * (self.C - (self.n - 1)) / self.n

    def gradient(self, k: int) -> Fraction:
        """g_k, for k = 1, 2, ..."""
        return self.C if k % self.n == 1 else Fraction(-1)


def periodic(xs: list[Fraction], beta: Fraction) -> list[Fraction]:
    """The n-periodic limit of the moving average of an n-periodic sequence, one period of each.

    After a period from y the average is e + beta^n y, where e is what it is from 0; so y = e / (1 - beta^n).
    """
    n = len(xs)
    before = average(xs, beta)[-1] / (1 - beta**n)
    return [y + beta ** (j + 1) * before for j, y in enumerate(average(xs, beta))]


def periodic_limits(setting: Setting) -> tuple[list[Fraction], list[Fraction]]:
    """One period of the limits of m_k and v_k, exactly."""
    gs = [setting.gradient(k) for k in range(1, setting.n + 1)]
    hs = periodic(gs, setting.beta1)
    c = -setting.alpha * (1 - setting.beta1)
    us = [(1 - c) * g + c * h for g, h in zip(gs, [hs[-1], *hs], strict=False)]
    return periodic(us, setting.beta2), periodic([u * u for u in us], setting.beta3)


def _ball(x: Fraction) -> arb:
    return arb(fmpq(x.numerator, x.denominator))


def drift(setting: Setting, *, layerwise: bool) -> tuple[bool, float]:
    """Whether sum_j F(r*_j, phi) < 0 for all phi in [eps3, 1 + eps3], certified in ball arithmetic, and its maximum.

    F(r, phi) = r without the layer factor; with it (a layer of one parameter) r / (|r| + eps2 phi), which has the sign
    of the step, as phi > 0.
    """
    ctx.dps = 40
    ms, vs = periodic_limits(setting)
    rs = [_ball(m) / (_ball(v).sqrt() + _ball(setting.eps1)) for m, v in zip(ms, vs, strict=True)]
    if not layerwise:
        total = sum(rs, arb(0))
        return bool(total < 0), float(total.upper())
    eps2, low = _ball(setting.eps2), _ball(setting.eps3)
    sizes = [abs(r) for r in rs]
    certain, largest = True, -np.inf
    for cell in range(CELLS):
        phi = low + (arb(2 * cell + 1) / (2 * CELLS)) + arb(0, 1 / (2 * CELLS))
        total = sum((r / (size + eps2 * phi) for r, size in zip(rs, sizes, strict=True)), arb(0))
        certain &= bool(total < 0)
        largest = max(largest, float(total.upper()))
    return certain, largest


@dataclass(frozen=True)
class Outcome:
    """Cumulative regret against -1 after T/2 and T steps."""

    half: float
    full: float
    steps: int


def play(setting: Setting, *, steps: int, eta: float, layerwise: bool, enforce: bool, start: float = 0.0) -> Outcome:
    """Run vanilla EAdam or ALTO (one layer of one parameter, eta / sqrt(k), clipped) on the stream.

    Args:
        setting: the instance.
        steps: T, even.
        eta: step size.
        layerwise: ALTO rather than EAdam.
        enforce: replace H_k by its running maximum.
        start: theta_1.

    Returns:
        The regret at T/2 and at T.
    """
    n, alpha = setting.n, float(setting.alpha)
    beta1, beta2, beta3 = (float(b) for b in (setting.beta1, setting.beta2, setting.beta3))
    eps1, eps2, eps3 = (float(e) for e in (setting.eps1, setting.eps2, setting.eps3))
    g = np.where(np.arange(1, steps + 1) % n == 1, float(setting.C), -1.0)
    u = g + alpha * np.asarray(lfilter([1 - beta1, -(1 - beta1)], [1, -beta1], g))
    m = np.asarray(lfilter([1 - beta2], [1, -beta2], u))
    W = np.sqrt(np.asarray(lfilter([1 - beta3], [1, -beta3], u**2))) + eps1
    r, rate = m / W, eta / np.sqrt(np.arange(1, steps + 1))
    theta, regret, half, H = start, 0.0, 0.0, 0.0
    for k, (gk, mk, rk, Wk, ek) in enumerate(zip(*(x.tolist() for x in (g, m, r, W, rate)), strict=True), start=1):
        regret += gk * (theta + 1)
        s = 1.0
        if layerwise:
            phi = abs(theta) + eps3
            s = phi / (abs(rk) + eps2 * phi)
        now = Wk / (ek * s)
        H = max(H, now) if enforce else now
        theta = min(1.0, max(-1.0, theta - mk / H))
        if k == steps // 2:
            half = regret
    return Outcome(half, regret, steps)


def literal_directions(setting: Setting, steps: int) -> list[float]:
    """r_k from the exact recursions, for a test of :func:`play`'s filters."""
    us = explored([setting.gradient(k) for k in range(1, steps + 1)], setting.alpha, setting.beta1)
    ms, vs = average(us, setting.beta2), average([u * u for u in us], setting.beta3)
    return [float(m) / (float(v) ** 0.5 + float(setting.eps1)) for m, v in zip(ms, vs, strict=True)]


HALF = Fraction(1, 2)
NINE = Fraction(9, 10)
SHORT = tuple(Setting(3, Fraction(12, 5), alpha, HALF, Fraction(0), HALF) for alpha in (-HALF, HALF))
LONG = tuple(Setting(50, Fraction(1029, 20), Fraction(alpha), NINE, NINE, Fraction(99, 100)) for alpha in (-5, 5))
