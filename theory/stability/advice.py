"""What a setting of E does, in numbers that a user can act on: the largest stable step, lag, noise, near relatives."""

from dataclasses import asdict, dataclass
from math import inf, isfinite
from typing import Any, Literal

from theory.method.setting import Setting
from theory.stability import linear
from theory.stability.equivalents import Equivalent, equivalents
from theory.stability.family import Same, same

Binding = Literal["flip", "oscillation", "none"]

NEAR_CLIFF = 1.02
"""A setting is close to the cliff if c larger by 2 % halves the largest stable step; ours."""

ROUNDING = 1e-12
"""|c| this close to 1 is 1: -20 (1 - .95) is 1.0000000000000009 in floating point. alto's bound has the same margin."""

_LARGEST = 1e100
"""Of lr x sharpness: the powers of it that the roots need still fit into float64."""


@dataclass(frozen=True)
class Advice:
    """What follows from (lr, alpha, beta1, beta2) alone. Momentum is unnormalised, as in ESGD and torch.optim.SGD.

    Attributes:
        lr, alpha, beta1, beta2, sharpness: the arguments; sharpness is a Hessian eigenvalue, or None.
        c: -alpha (1 - beta1), the weight of the slow average in u.
        largest_stable_lr_times_sharpness: ESGD converges on a quadratic iff lr x (each eigenvalue) is below this.
        largest_stable_preconditioned: the same for a normalised momentum and the preconditioned Hessian (EAdam): the
            former over 1 - beta2.
        binding: which root leaves the unit circle there: "flip" through -1, "oscillation" as a complex pair. "none" is
            not reached by any finite setting.
        flip_threshold, oscillation_threshold: lr x sharpness at which each happens; inf where it never does.
        largest_stable_sharpness: at this lr.
        stable: the verdict for the given sharpness; spectral_radius: the factor per step there. None without one.
        mean_age_of_u: mean age of u in steps, -alpha; negative is extrapolation.
        noise_gain: Var u / Var g for white noise.
        slow_weight: w in m = (1 - w) EMA_beta2(g) + w EMA_beta1(g). At beta1 = beta2 there is no such mixture (w grows
            without limit as the betas meet): None, or 0 at alpha = 0; then m = (1 - c/beta) EMA + (c/beta) EMA of EMA.
        alpha_star: the alpha at which m is EMA_beta1(g) alone.
        inside_paper_region: whether |alpha| < 1/(1 - beta1).
        mean_age: mean age of the gradients in m, in steps: beta2 / (1 - beta2) - alpha.
        equivalents: the nearest filter in each of four other families, nearest first, where its lr is positive.
        other_names: what E at this setting is called elsewhere (Grokfast, MARS, EMA-Nesterov), or why it is none.
        warnings: what a user should know, in sentences.
    """

    lr: float
    alpha: float
    beta1: float
    beta2: float
    sharpness: float | None
    c: float
    largest_stable_lr_times_sharpness: float
    largest_stable_preconditioned: float
    binding: Binding
    flip_threshold: float
    oscillation_threshold: float
    largest_stable_sharpness: float
    stable: bool | None
    spectral_radius: float | None
    mean_age_of_u: float
    noise_gain: float
    slow_weight: float | None
    alpha_star: float
    inside_paper_region: bool
    mean_age: float
    equivalents: tuple[Equivalent, ...]
    other_names: tuple[Same, ...]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON: null stands for an infinite threshold (never reached) and for None."""
        lists = {"equivalents", "other_names", "warnings"}
        plain = asdict(self).items()
        return {key: list(value) if key in lists else None if value == inf else value for key, value in plain}


def advise(
    *, lr: float, alpha: float = -5.0, beta1: float = 0.99, beta2: float = 0.9, sharpness: float | None = None
) -> Advice:
    """Say what a setting of E does near a minimum and to noise.

    Exact for a quadratic (theory.stability.linear: Jury's conditions); near a minimum it is the linearisation.

    Args:
        lr: learning rate, > 0.
        alpha: exploration strength; the default is the paper's for large batches.
        beta1: decay rate of the slow average, in [0, 1).
        beta2: decay rate of the momentum, in [0, 1).
        sharpness: a Hessian eigenvalue to judge, > 0, or None; :func:`theory.sharpness` measures a network's largest.

    Returns:
        The advice.

    Raises:
        ValueError: an argument lies outside its range.

    Example:
        >>> advice = advise(lr=0.1, alpha=-0.5, beta1=0.01, beta2=0.9, sharpness=10.0)
        >>> round(advice.largest_stable_lr_times_sharpness, 4), advice.binding, advice.stable
        (0.2004, 'oscillation', False)
        >>> round(advise(lr=0.1).largest_stable_sharpness, 2)
        40.01
    """
    _check(lr, alpha, beta1, beta2, sharpness)
    F = Setting(alpha, beta1, beta2)
    flip = linear.flip_threshold(F.c, beta1, beta2)
    oscillation = linear.oscillation_threshold(F.c, beta1, beta2)
    largest = min(flip, oscillation)
    if largest != inf and largest / lr == inf:  # null would say that no sharpness is too large
        raise ValueError(f"lr = {lr}: the largest stable sharpness, {largest:g} / lr, is beyond float64: allowed is a "
                         "larger lr")  # fmt: skip
    if sharpness is not None and lr * sharpness > _LARGEST:
        raise ValueError(f"lr x sharpness = {lr:g} x {sharpness:g}: allowed is a product of at most {_LARGEST:g}")
    radius = None if sharpness is None else float(linear.spectral_radius(lr * sharpness, F.c, beta1, beta2))
    return Advice(
        lr=lr, alpha=alpha, beta1=beta1, beta2=beta2, sharpness=sharpness, c=F.c,
        largest_stable_lr_times_sharpness=largest,
        largest_stable_preconditioned=largest / (1 - beta2),
        binding="none" if largest == inf else "flip" if flip <= oscillation else "oscillation",
        flip_threshold=flip,
        oscillation_threshold=oscillation,
        largest_stable_sharpness=largest / lr,
        stable=None if sharpness is None else lr * sharpness < largest,
        spectral_radius=radius,
        mean_age_of_u=-alpha,
        noise_gain=F.noise_gain,
        slow_weight=_slow_weight(F),
        alpha_star=F.alpha_star,
        inside_paper_region=abs(F.c) < 1 - ROUNDING,
        mean_age=F.mean_age,
        equivalents=equivalents(lr, F),
        other_names=same(lr, F),
        warnings=tuple(_warnings(F, lr, sharpness, largest)),
    )  # fmt: skip


def _check(lr: float, alpha: float, beta1: float, beta2: float, sharpness: float | None) -> None:
    if not (isfinite(lr) and lr > 0):
        raise ValueError(f"lr = {lr}: allowed is a finite lr > 0")
    if not isfinite(alpha):
        raise ValueError(f"alpha = {alpha}: allowed is any finite alpha")
    for name, value in (("beta1", beta1), ("beta2", beta2)):
        if not 0 <= value < 1:
            raise ValueError(f"{name} = {value}: allowed is 0 <= {name} < 1")
    if sharpness is not None and not (isfinite(sharpness) and sharpness > 0):
        raise ValueError(f"sharpness = {sharpness}: allowed is a finite sharpness > 0, or none")


def _slow_weight(F: Setting) -> float | None:
    if F.beta1 == F.beta2:
        return 0.0 if F.c == 0 else None
    return F.c * (1 - F.beta2) / (F.beta1 - F.beta2)


def _warnings(F: Setting, lr: float, sharpness: float | None, largest: float) -> list[str]:
    """In order of weight: what diverges first, what only surprises last."""
    found = []
    plain = linear.largest_stable(0.0, F.beta1, F.beta2)
    if sharpness is not None and lr * sharpness >= largest:
        found.append(
            f"unstable: lr x sharpness = {lr * sharpness:.4g} is not below {largest:.4g}; "
            f"take lr < {largest / sharpness:.4g}"
        )
    if largest < plain and linear.oscillation_threshold(F.c, F.beta1, F.beta2) == largest:
        found.append(
            f"over the cliff: slow oscillation sets in at lr x sharpness = {largest:.4g}, {plain / largest:.3g} times "
            f"below {plain:.4g} at alpha = 0; alpha >= {_cliff(F):.4g} is no less stable than alpha = 0"
        )
    elif linear.largest_stable(NEAR_CLIFF * F.c, F.beta1, F.beta2) < largest / 2:
        found.append(
            f"on the edge of the cliff: an alpha lower by 2 % more than halves the largest stable lr; below "
            f"alpha = {_cliff(F):.4g} it is less than at alpha = 0"
        )
    if F.c > 1 + ROUNDING:
        found.append("the first step goes uphill: u_1 = (1 - c) g_1 with c > 1")
    elif F.c > 1 - ROUNDING:
        found.append("the first step is zero: u_1 = (1 - c) g_1 with c = 1")
    if abs(F.c) >= 1 - ROUNDING:
        found.append(
            f"outside the paper's region |alpha| < {1 / (1 - F.beta1):.4g}; that region is neither necessary nor "
            "sufficient for stability"
        )
    if F.alpha != 0 and abs(F.alpha - F.alpha_star) <= 1e-9 * max(1, abs(F.alpha_star)):
        found.append(
            "alpha is alpha*: E only replaces the momentum's decay rate beta2 by beta1; compare with that before "
            "crediting E"
        )
    if F.beta1 == F.beta2 and F.c != 0:
        found.append("beta1 = beta2: no mixture of two averages, so slow_weight is undefined")
    return found


def _cliff(F: Setting) -> float:
    """The alpha < 0 whose oscillation threshold is the largest stable step at alpha = 0; down to it alpha costs none.

    c > 0 raises the flip threshold, and the oscillation threshold falls with c from infinity at its onset.
    """
    beta1, beta2 = F.beta1, F.beta2
    room = (1 - beta1 * beta2) * (1 - beta1) * (1 - beta2) / linear.largest_stable(0.0, beta1, beta2)
    return -(room + beta1 * (1 - beta2)) / (1 - beta1 * beta2) / (1 - beta1)
