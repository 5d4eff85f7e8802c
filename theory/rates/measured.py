"""A measured rate: the curve over T with its intervals, its exponent, and what a theorem predicts."""

import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger import files
from theory.rates import fit
from theory.rates.records import Prediction, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMES = {
    "grad2": "mean over the run of |grad f|^2",
    "gap": "mean over the run of f - f*",
    "last": "f - f* after T steps",
}
"""The quantities that can be measured."""
LABELS = {
    "grad2": r"mean over the run of $\|\nabla f\|^2$",
    "gap": r"mean over the run of $f - f^*$",
    "last": r"$f - f^*$ after $T$ steps",
}
"""The same on an axis."""


@dataclass(frozen=True)
class Hypothesis:
    """One hypothesis of a theorem: whether the run checked it, or it is assumed."""

    text: str
    checked: bool


@dataclass(frozen=True)
class Theory:
    """What a theorem says of this run.

    Attributes:
        of: "exponent" (in T) or "factor" (per step): the number that is predicted.
        prediction: the number, with its relation, theorem and tolerance.
        hypotheses: those of the theorem.
        bound: the theorem's bound at every T, shape (P,); None if it has none.
    """

    of: str
    prediction: Prediction
    hypotheses: tuple[Hypothesis, ...]
    bound: np.ndarray | None = None

    @property
    def checked(self) -> bool:
        """Whether every hypothesis was checked."""
        return all(one.checked for one in self.hypotheses)


@dataclass(frozen=True)
class Rates:
    """The result of :func:`theory.rates.measure`; P numbers of steps, R seeds.

    Attributes:
        T: numbers of steps, shape (P,).
        per_seed: the quantity after each of them, shape (R, P).
        quantity: a key of ``NAMES``.
        used: every setting of the run in words and numbers, in the order to print.
        window: smallest and largest T of the fits.
        theory: what a theorem says; None where none applies.
        why_not: why none applies, else "".
        notes: how numbers were found.
        provenance: see :func:`theory.ledger.provenance.record`.
        seconds: wall time of the run.
    """

    T: np.ndarray
    per_seed: np.ndarray
    quantity: str
    used: Mapping[str, Any]
    window: tuple[float, float]
    theory: Theory | None
    why_not: str
    notes: tuple[str, ...]
    provenance: Mapping[str, Any]
    seconds: float

    @property
    def mean(self) -> np.ndarray:
        """The mean over seeds, shape (P,)."""
        return self.per_seed.mean(0)

    @cached_property
    def _band(self) -> tuple[np.ndarray, np.ndarray]:
        mean, low, high = fit.band(self.per_seed)
        return (mean, mean) if low is None or high is None else (low, high)

    @property
    def low(self) -> np.ndarray:
        """The lower end of the mean's 95 % bootstrap interval, shape (P,); the mean itself for one seed."""
        return self._band[0]

    @property
    def high(self) -> np.ndarray:
        """The upper end of that interval, shape (P,)."""
        return self._band[1]

    @cached_property
    def exponent(self) -> fit.Estimate:
        """The p of mean ~ T^p in the window, with its 95 % bootstrap interval; one seed has low = high = value.

        Raises:
            ValueError: the mean is not positive in the window.
        """
        self._positive()
        return fit.exponent(self.T.astype(float), self.per_seed, self.window)

    @cached_property
    def factor(self) -> fit.Estimate:
        """The r of mean ~ r^T in the window: the factor per step of a linear rate; interval as for the exponent.

        Raises:
            ValueError: the mean is not positive in the window.
        """
        inside = self._positive()
        steps, curves = self.T[inside].astype(float), self.per_seed[:, inside]
        value = fit.geometric_rate(steps, curves.mean(0))
        if len(curves) == 1:
            return fit.Estimate(value, value, value)
        draws = fit.resampled_means(curves)
        rates = np.array([fit.geometric_rate(steps, one) for one in draws[(draws > 0).all(1)]])
        low, high = np.quantile(rates, [(1 - fit.LEVEL) / 2, (1 + fit.LEVEL) / 2])
        return fit.Estimate(value, float(low), float(high))

    @property
    def misfit(self) -> tuple[float, float]:
        """The root mean square departure of log(mean) from T^p and from r^T in the window; 0 is a perfect fit."""
        inside = self._positive()
        y = np.log(self.mean[inside])

        def left(x: np.ndarray) -> float:
            return float(np.sqrt(np.mean((y - np.polyval(np.polyfit(x, y, 1), x)) ** 2)))

        return left(np.log(self.T[inside])), left(self.T[inside].astype(float))

    @property
    def prediction(self) -> Prediction | None:
        """What a theorem predicts; None where none applies."""
        return self.theory.prediction if self.theory else None

    @property
    def bound_over_measured(self) -> float | None:
        """The smallest bound / mean over all T; None without a bound."""
        if self.theory is None or self.theory.bound is None:
            return None
        return float((self.theory.bound / self.mean).min())

    @property
    def verdict(self) -> str:
        """What the comparison says; "no theorem, no verdict" where none applies.

        An interval that leaves out the prediction by more than its tolerance never "agrees". The bound counts as
        violated only if every hypothesis was checked.
        """
        if self.theory is None:
            return "no theorem, no verdict"
        ratio = self.bound_over_measured
        if ratio is not None and ratio < 1 and self.theory.checked:
            return str(Verdict.VIOLATED)
        return str(self.theory.prediction.verdict(getattr(self, self.theory.of)))

    def lines(self) -> list[str]:
        """The result as lines of text: every number used, the fits, and the verdict with its hypotheses."""
        shape = [f"  {key:<14}{_text(value)}" for key, value in self.used.items()]
        shape.append(f"  {'window':<14}T from {self.window[0]:g} to {self.window[1]:g}, {self._inside.sum()} points")
        shape.append(f"  {'interval':<14}{fit.LEVEL:.0%}, bootstrap over seeds, {fit.DRAWS} draws"
                     if len(self.per_seed) > 1 else f"  {'interval':<14}none: one seed")  # fmt: skip
        table = [f"  {'T':>10}  {NAMES[self.quantity]}"]
        ends = zip(self.T, self.mean, self.low, self.high, strict=True)
        table += [f"  {T:>10}  {_number(mean, low, high)}" for T, mean, low, high in ends]
        power, linear = self.misfit
        found = [
            f"  as T^p: p = {_estimate(self.exponent, 4)}   (rms misfit of the logarithm {power:.2g})",
            f"  as r^T: r = {_estimate(self.factor, 7)}   (rms misfit of the logarithm {linear:.2g})",
        ]
        return [*shape, "", *table, "", *found, *self._verdict_lines(), *(f"  note: {note}" for note in self.notes)]

    def _verdict_lines(self) -> list[str]:
        if self.theory is None:
            return [f"  no theorem, no verdict: {self.why_not}"]
        p = self.theory.prediction
        lines = [f"  predicted {self.theory.of} {p.relation} {p.value:.7g} ({p.theorem}), tolerance {p.tolerance:g}: "
                 f"{self.verdict}"]  # fmt: skip
        ratio = self.bound_over_measured
        if ratio is not None:
            lines.append(f"  smallest bound / measured: {ratio:.4g}")
            if ratio >= 1 and self.verdict == Verdict.DIFFERS:
                lines.append("  the bound itself holds at every T: a slower exponent below it contradicts no theorem")
        return lines + [f"  {'checked' if one.checked else 'assumed'}: {one.text}" for one in self.theory.hypotheses]

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the mean with its interval, the fit in the window, and the theorem's bound.

        Args:
            ax: where; by default on a new figure (``.plot().figure``).

        Returns:
            The axes.
        """
        from theory.plotting import style

        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(4.5, 3.2), layout="constrained").add_subplot()
        who, what = (
            str(self.used[name]).rpartition("/")[2] for name in ("optimizer", "objective")
        )  # files without folders
        label = textwrap.fill(f"{who} on {what}", 40)
        (line,) = ax.plot(self.T, self.mean, "o", markersize=4, label=label)
        ax.fill_between(self.T, self.low, self.high, color=line.get_color(), alpha=0.25, linewidth=0)
        T = self.T[self._inside].astype(float)
        y = np.log(self.mean[self._inside])
        power, linear = self.misfit
        x, name = (
            (T, f"${self.factor.value:.6g}^T$") if linear < power else (np.log(T), f"$T^{{{self.exponent.value:.3f}}}$")
        )
        ax.plot(
            T, np.exp(np.polyval(np.polyfit(x, y, 1), x)), color=line.get_color(), linewidth=1.2, label=f"fit {name}"
        )
        if self.theory is not None and self.theory.bound is not None:
            ax.plot(self.T, self.theory.bound, "--", color=style.BLACK, linewidth=0.9, label="bound of the theorem")
        ax.set(xscale="log", yscale="log", xlabel="number of steps T", ylabel=LABELS[self.quantity])
        ax.legend(frameon=False, fontsize=8).set_in_layout(False)  # a long name must not squeeze the axes
        return ax

    def columns(self) -> dict[str, list[float]]:
        """One list per column: T, mean, low, high, seed_0, seed_1, ..., and bound where there is one."""
        found = {"T": self.T, "mean": self.mean, "low": self.low, "high": self.high}
        found |= {f"seed_{r}": one for r, one in enumerate(self.per_seed)}
        if self.theory is not None and self.theory.bound is not None:
            found["bound"] = self.theory.bound
        return {name: values.tolist() for name, values in found.items()}

    def to_frame(self) -> Any:
        """:meth:`columns` as a pandas DataFrame, or as it is where pandas is not installed."""
        try:
            import pandas as pd
        except ImportError:
            return self.columns()
        return pd.DataFrame(self.columns())

    def save(self, path: str | Path) -> None:
        """Write everything, with its provenance, as JSON; the file is whole or absent."""
        theory = self.theory
        record = {
            "used": {key: value if isinstance(value, int | str) or (isinstance(value, float) and isfinite(value))
                     else _text(value) for key, value in self.used.items()},
            "quantity": self.quantity,
            "window": list(self.window),
            "exponent": vars(self.exponent),
            "factor": vars(self.factor),
            "prediction": None if theory is None else {"of": theory.of, **vars(theory.prediction)},
            "hypotheses": [vars(one) for one in theory.hypotheses] if theory else [],
            "bound_over_measured": self.bound_over_measured,
            "verdict": self.verdict,
            "notes": list(self.notes),
            "columns": self.columns(),
            "wall_s": round(self.seconds, 2),
            "provenance": dict(self.provenance),
        }  # fmt: skip
        files.write(Path(path), json.dumps(record, indent=1, default=str, allow_nan=False) + "\n")

    @property
    def _inside(self) -> np.ndarray:
        low, high = self.window[0] * (1 - 1e-12), self.window[1] * (1 + 1e-12)  # as in fit.exponent
        return (low <= self.T) & (high >= self.T)

    def _positive(self) -> np.ndarray:
        inside = self._inside
        if (self.mean[inside] <= 0).any():
            raise ValueError(
                f"quantity = {self.quantity!r} is not positive at T = {self.T[inside & (self.mean <= 0)].tolist()}: it "
                "reached rounding, or infimum is too high; choose smaller T or a lower infimum"
            )
        return inside


def _text(value: Any) -> str:
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _estimate(found: fit.Estimate, digits: int) -> str:
    interval = f" [{found.low:.{digits}f}, {found.high:.{digits}f}]" if found.low != found.high else ""
    return f"{found.value:.{digits}f}{interval}"


def _number(mean: float, low: float, high: float) -> str:
    return f"{mean:.5g}" + (f" [{low:.5g}, {high:.5g}]" if low != high else "")
