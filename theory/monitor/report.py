"""What a watched training showed, as numbers and as a page."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from theory.method.filters import Filter
from theory.monitor.assumptions import Check
from theory.theorems.bounds import Preconditioner


@dataclass(frozen=True)
class Report:
    """What was measured. ``print(report)`` shows it as a page.

    Attributes:
        steps, measured: steps taken, and pairs of consecutive steps that were compared.
        L: largest secant |g_{k+1} - g_k| / |theta_{k+1} - theta_k|, noise of minibatches included.
        G: sup |g|_inf; D: sup |theta|_2, at the measured steps.
        gradient: mean |g|^2 over the measured steps.
        variance: E|g - grad f|^2, given or measured; None if neither.
        age, total_age: mean age of the momentum in steps, and Theorem N's K; None if the update is not known.
        noise_gain: the share of the variance of white noise that the momentum keeps.
        threshold: the exact largest stable x of a quadratic; None if the update is not known.
        secant_x, hessian_x: x along the last measured step, and from Hessian-vector products; nan if not measured.
        monotone: share of coordinates in which H = 1/Q did not decrease (Assumption 3.5 with eps1).
        checks: each assumption, with the share of steps at which it held and the first that broke it.
        not_claimed: from the name of a theorem to the reason why it says nothing about this run.
        bound: Theorem N's bound of the mean squared gradient with the measured constants; None where not claimed.
        filter: E and the momentum; None if the update is not known.
        Q: measured bounds of the diagonal step matrix, the learning rate included; None if the update is not known.
        first_loss, first_gradient: f(theta_1), nan if it was not noted, and |g_1|^2.
        unknown: why momentum and Q are not known; empty where they are.
        no_variance: why the variance is not known, and what to do; empty where it is.
        seconds, share: time in the hooks, and over the time of the rest. On an accelerator it includes waiting for it.
    """

    steps: int
    measured: int
    L: float
    G: float
    D: float
    gradient: float
    variance: float | None
    age: float | None
    total_age: float | None
    noise_gain: float | None
    threshold: float | None
    secant_x: float
    hessian_x: float
    monotone: float
    checks: tuple[Check, ...]
    not_claimed: Mapping[str, str]
    bound: float | None
    filter: Filter | None
    Q: Preconditioner | None
    first_loss: float
    first_gradient: float
    unknown: str
    no_variance: str
    seconds: float
    share: float

    def __str__(self) -> str:
        """The page."""
        lines = [f"{self.steps} steps, {self.measured} compared with the step after them", "", "Constants"]
        lines += [f"  {name:<46}{value}" for name, value in self._constants()]
        lines += ["", "Edge of stability (x = eta times sharpness; with Q for Adam-like updates)"]
        lines += [f"  {name:<46}{value}" for name, value in self._edge()]
        lines += ["", "Assumptions: share of the checked steps at which each held, and the first that broke it"]
        for check in self.checks:
            broke = "" if check.first_broken is None else f"   first broken at step {check.first_broken}"
            lines.append(f"  {check.theorem:<11}{100 * check.share:5.1f} %  {check.assumption}{broke}")
        lines += ["", "Theorems"]
        lines += [f"  {name}: not claimed: {why}" for name, why in self.not_claimed.items()]
        if self.bound is not None:
            lines.append(f"  Theorem N: mean |grad f|^2 at most {self.bound:.4g}; measured {self.gradient:.4g}")
            lines.append("    assumed, not checked: unbiased noise; L and Q's bounds between the measured steps")
        if "Theorem C" not in self.not_claimed:
            lines.append("  Theorem C: no checked assumption was broken; convexity and bounded sets are assumed")
        lines += ["", f"Cost: {self.seconds:.3g} s in the hooks, {100 * self.share:.1f} % of the time of the rest"]
        return "\n".join(lines)

    def _constants(self) -> list[tuple[str, str]]:
        unknown = f"not known: {self.unknown}"
        return [
            ("L, largest secant of the gradient", f"{self.L:.4g}"),
            ("G = sup |g|_inf", f"{self.G:.4g}"),
            ("D = sup |theta|", f"{self.D:.4g}"),
            ("mean |g|^2", f"{self.gradient:.4g}"),
            ("variance of the step's gradient", _shown(self.variance, f"not measured: {self.no_variance}")),
            ("mean age of the momentum, steps", _shown(self.age, unknown)),
            ("K, total age of the momentum, steps", _shown(self.total_age, unknown)),
            ("share of white noise's variance that it keeps", _shown(self.noise_gain, unknown)),
            ("coordinates in which H did not decrease", _shown(100 * self.monotone, "not measured", " %")),
        ]

    def _edge(self) -> list[tuple[str, str]]:
        rows = [("threshold", _shown(self.threshold, f"not known: {self.unknown}"))]
        for name, x in (
            ("along the last measured step", self.secant_x),
            ("from Hessian-vector products", self.hessian_x),
        ):
            value = _shown(x, "not measured")
            if self.threshold and math.isfinite(x):
                value += f" = {100 * x / self.threshold:.1f} % of the threshold"
            rows.append((f"x {name}", value))
        return rows


def _shown(value: float | None, otherwise: str, unit: str = "") -> str:
    return otherwise if value is None or math.isnan(value) else f"{value:.4g}{unit}"
