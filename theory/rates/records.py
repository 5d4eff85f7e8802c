"""Rows, curves and cells of the studies, as :mod:`theory.rates` describes them, and the verdict of a row."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from theory.rates.fit import Estimate, band
from theory.rates.settings import Setting


class Verdict(StrEnum):
    """What a comparison says."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNDECIDED = "undecided"
    VIOLATED = "bound violated"


@dataclass(frozen=True)
class Prediction:
    """What a row is compared with.

    Attributes:
        value: the number.
        relation: "=" should equal, "<=" should not exceed, "~" a heuristic that should be near.
        theorem: where it comes from.
        tolerance: allowed besides the interval.
    """

    value: float
    relation: str
    theorem: str
    tolerance: float

    def verdict(self, measured: Estimate) -> Verdict:
        """The interval, widened by the tolerance, holds the value; or for "<=" lies at or below it."""
        if measured.low > self.value + self.tolerance:
            return Verdict.DIFFERS
        if self.relation == "<=":
            return Verdict.AGREES if measured.high <= self.value + self.tolerance else Verdict.UNDECIDED
        return Verdict.AGREES if measured.high >= self.value - self.tolerance else Verdict.DIFFERS


@dataclass(frozen=True)
class Bound:
    """A theorem's bound along a curve.

    Attributes:
        ratio: the smallest bound / measured anywhere: below 1 the theorem is wrong.
        late: the smallest in the window alone: how loose the bound is where the exponent is read. At the start a bound
            that holds the gap of theta_1 is tight whatever the algorithm does.
        proved: whether the theorem is proved and its hypotheses were met.
    """

    ratio: float
    late: float
    proved: bool


def bound_over(
    bound: np.ndarray, measured: np.ndarray, *, late: np.ndarray | slice = slice(None), proved: bool = True
) -> Bound:
    """The smallest ratios where something positive was measured; the arrays broadcast, ``late`` picks along axis 0."""
    bound, measured = np.broadcast_arrays(bound, measured)
    return Bound(_least(bound, measured), _least(bound[late], measured[late]), proved)


def _least(bound: np.ndarray, measured: np.ndarray) -> float:
    positive = measured > 0
    return float((bound[positive] / measured[positive]).min()) if positive.any() else np.inf


@dataclass(frozen=True)
class Subject:
    """Whom a row or a curve is about."""

    study: str
    objective: str
    setting: Setting
    variant: str = ""

    @property
    def id(self) -> str:
        """Unique among one quantity's rows of a study."""
        s = self.setting
        parts = (self.study, self.objective, s.method, f"alpha={s.alpha:g}", f"beta1={s.beta1:g}", self.variant)
        return "/".join(part.replace(" ", "-") for part in parts if part)

    def labels(self) -> dict[str, Any]:
        """The columns that rows and curves share."""
        s = self.setting
        return {
            "objective": self.objective,
            "method": s.method,
            "alpha": s.alpha,
            "beta1": s.beta1,
            "beta2": s.beta2,
            "beta3": None if s.method == "ESGD" else s.beta3,
            "variant": self.variant,
        }


def row(
    subject: Subject,
    quantity: str,
    prediction: Prediction,
    measured: Estimate,
    *,
    window: tuple[float, float],
    window_of: str,
    n_seeds: int,
    bound: Bound | None = None,
    derived: bool = False,
) -> dict[str, Any]:
    """A row; see :mod:`theory.rates`."""
    verdict = prediction.verdict(measured)
    if bound and bound.proved and bound.ratio < 1:
        verdict = Verdict.VIOLATED
    return {
        "id": f"{subject.id}: {quantity}",
        "study": subject.study,
        **subject.labels(),
        "quantity": quantity,
        "theorem": prediction.theorem,
        "predicted": _short(prediction.value, 7),
        "relation": prediction.relation,
        "measured": _short(measured.value, 7),
        "low": _short(measured.low, 7),
        "high": _short(measured.high, 7),
        "tolerance": prediction.tolerance,
        "window": [_short(end, 7) for end in window],
        "window_of": window_of,
        "bound_over_measured": _short(bound.ratio, 7) if bound else None,
        "bound_over_measured_late": _short(bound.late, 7) if bound else None,
        "proved": bool(bound and bound.proved),
        "n_seeds": n_seeds,
        "derived": derived,
        "verdict": str(verdict),
    }


def curve(
    subject: Subject,
    of: dict[str, Any],
    axes: tuple[str, str],
    x: np.ndarray,
    curves: np.ndarray,
    *,
    bound: np.ndarray | None = None,
    predicted: np.ndarray | None = None,
) -> dict[str, Any]:
    """A curve of shape (R, P) over x of shape (P,), for the row ``of``; see :mod:`theory.rates`."""
    mean, low, high = band(curves)
    return {
        "id": f"{subject.id}: {axes[1]}",
        "row": of["id"],
        **subject.labels(),
        "x_name": axes[0],
        "x": _numbers(x),
        "y_name": axes[1],
        "measured": _numbers(mean),
        "low": _numbers(low),
        "high": _numbers(high),
        "bound": _numbers(bound),
        "predicted": _numbers(predicted),
    }


def _numbers(x: np.ndarray | None) -> list[float] | None:
    return None if x is None else [_short(value, 5) for value in np.asarray(x, dtype=float)]


def _short(value: float, digits: int) -> float:
    """So many significant digits: more would only swell the files."""
    return float(f"{value:.{digits}g}")


QUICK_SEEDS = range(32)
FULL_SEEDS = range(2000, 2064)
"""Of the full runs: no trial that windows or predictions were settled on used one of them."""

Outcome = tuple[list[dict[str, Any]], list[dict[str, Any]]]
"""Rows and curves."""


@dataclass(frozen=True)
class Cell:
    """A part of a study that runs, and is stored, on its own.

    Attributes:
        name: unique in the study.
        config: all that fixes it, plain data.
        seeds: the seeds it uses.
        run: calls its argument with the number of coordinate updates done; returns rows and curves.
        work: about how many those will be in all.
    """

    name: str
    config: dict[str, Any]
    seeds: Sequence[int]
    run: Callable[[Callable[[int], None]], Outcome]
    work: int = 0


def plain(settings: Sequence[Setting]) -> list[dict[str, Any]]:
    """Settings as plain data, for a cell's config."""
    return [asdict(setting) for setting in settings]
