"""E under other names: Grokfast, MARS and EMA-Nesterov as settings of E, and back.

Grokfast-EMA (Lee et al. 2024, arXiv:2405.20233) hands any base g_k + lamb mu_k, mu_k = beta mu_{k-1} + (1-beta) g_k. It
is (1 + lamb) u_k with beta1 = beta and c = lamb beta / (1 + lamb), if mu and h begin alike. MARS (Yuan et al. 2025,
arXiv:2411.10438) without a second gradient per step is beta1 = 0, alpha = gamma beta / (1 - beta); its clip is then
the base's. EMA-Nesterov (Yau et al. 2026, arXiv:2605.25395) with SGD inside and a constant lookahead B reads its
gradients where E(SGD) with beta1 = gamma + (1 - gamma) B, c = B beta1 and the learning rate eta / (1 - B) reads them.

The maps use +, -, * and / alone: numbers, exact fractions and symbols go through.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from theory.method.setting import Setting

ROUNDING = 1e-12
"""Two weights this close are equal: -c / (1 - beta1) and back changes the last digits."""

RANGES = {
    "grokfast": (("lambda", "beta"), ((0.0, inf), (0.0, 1.0))),
    "mars": (("gamma", "beta"), ((0.0, inf), (0.0, 1.0))),
    "ema_nesterov": (("gamma", "B"), ((0.0, 1.0), (0.0, 1.0))),
}
"""The two numbers of each method, and where they may lie."""


@dataclass(frozen=True)
class Same:
    """The member of a family that is E at a setting, or why there is none.

    Attributes:
        family: "Grokfast", "MARS" or "EMA-Nesterov".
        setting: its numbers by name; empty if there is none.
        lr: its learning rate with SGD inside (for MARS: its own); None if there is none.
        remark: what differs all the same, or why there is none.
    """

    family: str
    setting: Mapping[str, float]
    lr: float | None
    remark: str


def grokfast_setting(lamb: Any, beta: Any, beta2: Any = 0.9) -> Setting:
    """E's setting for Grokfast with amplification ``lamb`` and decay ``beta``; ``beta2`` is the base's momentum."""
    return Setting(-lamb * beta / ((1 + lamb) * (1 - beta)), beta, beta2)


def mars_setting(gamma: Any, beta: Any) -> Setting:
    """E's setting for MARS with correction ``gamma`` and momentum ``beta``."""
    return Setting(gamma * beta / (1 - beta), 0 * beta, beta)


def ema_nesterov_setting(gamma: Any, B: Any) -> Setting:
    """E's setting for EMA-Nesterov over SGD with decay ``gamma`` and lookahead ``B`` < 1."""
    beta1 = gamma + (1 - gamma) * B
    return Setting(-B * beta1 / (1 - beta1), beta1, 0 * beta1)


def named(method: str, first: float, second: float, lr: float, beta2: float = 0.9) -> tuple[Setting, float]:
    """E's setting for another method's numbers, and ESGD's learning rate for the method's own over SGD.

    Args:
        method: "grokfast", "mars" or "ema_nesterov".
        first: lambda, gamma, or gamma.
        second: beta, beta, or B.
        lr: the method's learning rate.
        beta2: the momentum of Grokfast's base.

    Returns:
        The setting and the learning rate.

    Raises:
        ValueError: a number lies outside the method's range, which is named.
    """
    names, allowed = RANGES[method]
    for name, value, (low, high) in zip(names, (first, second), allowed, strict=True):
        if not low <= value < high:
            raise ValueError(f"{method.replace('_', '-')}: {name} = {value}: allowed is {low:g} <= {name} < {high:g}")
    if method == "grokfast":
        return grokfast_setting(first, second, beta2), lr * (1 + first)
    if method == "mars":
        return mars_setting(first, second), lr
    return ema_nesterov_setting(first, second), lr / (1 - second)


def amplification(F: Setting) -> Any:
    """Grokfast's lamb at a setting with 0 <= c < beta1: c / (beta1 - c)."""
    return F.c / (F.beta1 - F.c)


def correction(F: Setting) -> Any:
    """MARS's gamma at a setting with beta1 = 0 and beta2 > 0: alpha (1 - beta2) / beta2."""
    return F.alpha * (1 - F.beta2) / F.beta2


def lookahead(F: Setting) -> tuple[Any, Any]:
    """EMA-Nesterov's (gamma, B) at a setting with beta2 = 0, 0 < c <= beta1^2: B = c / beta1."""
    B = F.c / F.beta1
    return (F.beta1 - B) / (1 - B), B


def same(lr: float, F: Setting) -> tuple[Same, ...]:
    """What E at a setting is called elsewhere: one entry per family, with a reason where there is none.

    Args:
        lr: ESGD's learning rate.
        F: the setting.

    Returns:
        Grokfast, MARS, EMA-Nesterov.
    """
    return _grokfast(lr, F), _mars(lr, F), _ema_nesterov(lr, F)


def _grokfast(lr: float, F: Setting) -> Same:
    if F.c <= ROUNDING:
        needs = "at alpha = 0 E is its base" if abs(F.c) <= ROUNDING else "alpha > 0 needs a negative amplification"
    elif abs(F.c - F.beta1) <= ROUNDING:
        needs = "c = beta1: u is h alone, which Grokfast nears as lambda grows without limit"
    elif F.c > F.beta1:
        needs = f"c = {F.c:.4g} > beta1 = {F.beta1:.4g}: the weight of g in u is negative if u is written with h_k"
    else:
        lamb = amplification(F)
        remark = (
            "start='first' in E. Scale-free bases (Adam, LAMB) keep their own lr, up to their eps and an L2 penalty"
        )
        return Same("Grokfast", {"lambda": lamb, "beta": F.beta1}, lr / (1 + lamb), remark)
    return Same("Grokfast", {}, None, f"none: {needs}")


def _mars(lr: float, F: Setting) -> Same:
    if F.alpha <= 0:
        return Same("MARS", {}, None, "none: gamma > 0 needs alpha > 0")
    if F.beta2 == 0:
        return Same("MARS", {}, None, "none: without momentum (beta2 = 0) MARS corrects nothing")
    gamma = correction(F)
    if F.beta1 > 0:
        remark = f"none: it needs beta1 = 0, here {F.beta1:.4g}; at beta1 = 0 it is gamma = {gamma:.4g}"
        return Same("MARS", {}, None, remark)
    return Same("MARS", {"gamma": gamma, "beta": F.beta2}, lr, "around an Adam that clips what it gets")


def _ema_nesterov(lr: float, F: Setting) -> Same:
    if F.beta2 > 0:
        needs = f"it needs SGD without momentum inside, beta2 = 0, here {F.beta2:.4g}"
    elif F.c <= ROUNDING:
        needs = "at alpha = 0 E is its base" if abs(F.c) <= ROUNDING else "B > 0 needs alpha < 0"
    elif F.c > F.beta1**2 + ROUNDING:
        needs = f"gamma >= 0 needs c <= beta1^2 = {F.beta1**2:.4g}, here {F.c:.4g}"
    else:
        gamma, B = lookahead(F)
        remark = "the points at which it reads gradients; with a preconditioned base it is another method"
        return Same("EMA-Nesterov", {"gamma": max(gamma, 0.0), "B": B}, lr * (1 - B), remark)
    return Same("EMA-Nesterov", {}, None, f"none: {needs}")
