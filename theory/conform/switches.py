"""Which of LAMB's switches an implementation has, found by running it beside every combination.

LAMB's implementations share a name and differ in: clipping of gradients inside the step, bias correction, the place of
epsilon, weight decay inside or outside the trust ratio, the ratio where there is no decay or no norm, tensors of one
dimension, and a cap on the parameter's norm.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import torch

from theory.rates import user_code

LR, BETAS, EPS, DECAY = 0.01, (0.6, 0.8), 1e-2, 0.3
"""An eps that large tells its places apart."""
CLOSE = 1e-5
BIAS = ("standard", "none", "in place", "of m alone, in the step size")
EPSILON = ("after the root", "before bias correction", "inside the root")
DECAYS = (
    "inside the trust ratio",
    "decoupled, before the ratio",
    "in the gradient (L2)",
    "decoupled, beside the ratio",
)


@dataclass(frozen=True)
class Switch:
    """A switch, this implementation's setting, and that of ``alto.LAMB``."""

    switch: str
    found: str
    ours: str


@dataclass(frozen=True)
class Rule:
    """A LAMB with every switch set."""

    bias: str = "standard"
    eps: str = "after the root"
    decay: str = "inside the trust ratio"
    averaging: bool = True
    ratio_eps: bool = False
    ratio: bool = True
    cap: float = np.inf
    weight_decay: float = DECAY

    def run(self, start: np.ndarray, gradients: Sequence[np.ndarray]) -> np.ndarray:
        """The parameters after all steps, in float64."""
        theta, m, v = start.copy(), np.zeros_like(start), np.zeros_like(start)
        beta2, beta3 = BETAS
        for k, g in enumerate(gradients, 1):
            seen = g + self.weight_decay * theta if self.decay == DECAYS[2] else g
            m = beta2 * m + (1 - beta2 if self.averaging else 1.0) * seen
            v = beta3 * v + (1 - beta3) * seen**2
            first, second = (1.0, 1.0) if self.bias in {"none", BIAS[3]} else (1 - beta2**k, 1 - beta3**k)
            lr = LR / (1 - beta2**k) if self.bias == BIAS[3] else LR
            if self.bias == "in place":
                m, v, first, second = m / first, v / second, 1.0, 1.0
            if self.eps == "after the root":
                r = m / first / (np.sqrt(v / second) + EPS)
            elif self.eps == "inside the root":
                r = m / first / np.sqrt(v / second + EPS)
            else:
                r = m / (np.sqrt(v) + EPS) * np.sqrt(second) / first
            if self.decay == DECAYS[0]:
                r += self.weight_decay * theta
            if self.decay == DECAYS[1]:
                theta = theta * (1 - LR * self.weight_decay)
            norm, length = min(float(np.linalg.norm(theta)), self.cap), float(np.linalg.norm(r)) + EPS * self.ratio_eps
            factor = norm / length if self.ratio and norm > 0 and length > 0 else 1.0
            shrink = LR * self.weight_decay if self.decay == DECAYS[3] else 0.0
            theta = theta - lr * factor * r - shrink * theta
        return theta


Play = Callable[..., np.ndarray]


def find(cls: Any, kwargs: Mapping[str, Any] | None = None, *, name: str | None = None) -> list[Switch]:
    """The switches of a LAMB.

    Args:
        cls: its class, with the arguments lr, betas, eps and weight_decay.
        kwargs: more arguments.
        name: what messages call it.

    Returns:
        One row per switch; "not found" where no combination of the known settings reproduces its steps.

    Raises:
        ValueError: it is no optimizer with these arguments.
        UserCodeError: it raised.
    """
    name = name or str(getattr(cls, "__name__", repr(cls)))
    try:
        arguments = inspect.signature(cls).parameters
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name!r} is no optimizer: {error}") from error
    takes_any = any(one.kind is one.VAR_KEYWORD for one in arguments.values())
    if (missing := {"lr", "betas", "eps", "weight_decay"} - set(arguments)) and not takes_any:
        raise ValueError(
            f"{name!r} has no argument {', '.join(sorted(missing))}: a LAMB has lr, betas, eps, weight_decay"
        )
    eps = (EPS, 0.0, 0.0) if "eps" in arguments and isinstance(arguments["eps"].default, tuple) else EPS
    given = {"lr": LR, "betas": BETAS, "eps": eps, **(kwargs or {})}

    def play(start: np.ndarray, gradients: Sequence[np.ndarray], weight_decay: float = DECAY) -> np.ndarray:
        p = torch.nn.Parameter(torch.tensor(start))
        with user_code.of(name):
            optimizer = cls([p], weight_decay=weight_decay, **given)
            for g in gradients:
                p.grad = torch.tensor(g)
                optimizer.step()
        return p.detach().numpy()

    default = arguments["betas"].default if "betas" in arguments else inspect.Parameter.empty
    rows = [Switch(row.switch, row.found, ours) for row, ours in zip(_found(play), _OURS, strict=True)]
    return [
        *rows,
        Switch("default betas", "none" if default is inspect.Parameter.empty else str(default), "(0.9, 0.99)"),
    ]


_OURS = (
    "standard", "after the root", "inside the trust ratio", "yes", "no", "none", "kept", "kept", "1", "none",
)  # fmt: skip
"""``alto.LAMB``'s settings, in the order of :func:`_found`; a test runs it."""
NAMES = (
    "bias correction", "place of eps", "weight decay", "first moment averages, (1 - beta) g",
    "eps in the trust ratio's denominator", "clipping of gradients in the step", "trust ratio without weight decay",
    "trust ratio of 1-D tensors", "trust ratio of a tensor at 0", "cap on the parameter's norm",
)  # fmt: skip


def _found(play: Play) -> list[Switch]:
    rng = np.random.default_rng(0)
    start = rng.normal(size=(3, 2))
    gradients = [0.02 * rng.normal(size=(3, 2)) for _ in range(5)]
    seen = play(start, gradients)
    fits = [
        rule for rule in (Rule(*some) for some in product(BIAS, EPSILON, DECAYS, (True, False), (False, True)))
        if _near(rule.run(start, gradients), seen)
    ]  # fmt: skip
    if not fits:
        return [Switch(name, "not found", "") for name in NAMES]
    rule = fits[0]
    place = EPSILON[0] if rule.bias in {"none", BIAS[3]} and rule.eps == EPSILON[1] else rule.eps  # the same there
    averaging, ratio_eps = ("yes" if one else "no" for one in (rule.averaging, rule.ratio_eps))
    found = [rule.bias, place, rule.decay, averaging, ratio_eps, _clipping(play, start, gradients)]
    plain = replace(rule, weight_decay=0.0)
    found.append(_ratio(play(start, gradients, 0.0), plain, start, gradients))
    flat, flat_gradients = start.reshape(-1), [g.reshape(-1) for g in gradients]
    one = play(flat, flat_gradients)
    found.append(_ratio(one, rule, flat, flat_gradients))
    if found[-1] == "not found" and _near(one, replace(plain, ratio=False).run(flat, flat_gradients)):
        found[-1] = "dropped, and weight decay"
    zero = play(np.zeros((3, 2)), gradients[:1], 0.0)
    expected = replace(plain, ratio=False).run(np.zeros((3, 2)), gradients[:1])
    found.append("1" if _near(zero, expected) else "nearly 0" if np.abs(zero).max() < 1e-3 * LR else "not found")
    large = play(100 * start, gradients)
    capped = replace(rule, cap=10.0).run(100 * start, gradients)
    uncapped = rule.run(100 * start, gradients)
    found.append("none" if _near(large, uncapped) else "10" if _near(large, capped) else "not found")
    return [Switch(name, value, "") for name, value in zip(NAMES, found, strict=True)]


def _near(left: np.ndarray, right: np.ndarray) -> bool:
    return bool(np.abs(left - right).max() <= CLOSE * max(1.0, float(np.abs(right).max())))


def _clipping(play: Play, start: np.ndarray, gradients: Sequence[np.ndarray]) -> str:
    """Whether gradients of norm above 100 and above 1,000 count alike."""
    once, more = (play(start, [factor * gradients[0], *gradients[1:]]) for factor in (1e4, 1e5))
    return "by the global norm" if np.abs(once - more).max() < 1e-6 * LR else "none"


def _ratio(seen: np.ndarray, rule: Rule, start: np.ndarray, gradients: Sequence[np.ndarray]) -> str:
    if _near(seen, rule.run(start, gradients)):
        return "kept"
    return "dropped" if _near(seen, replace(rule, ratio=False).run(start, gradients)) else "not found"
