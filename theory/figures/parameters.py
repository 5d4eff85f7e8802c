"""What can be set in each figure: from the reader's parameters to the constants of the studies that it draws.

A study's constants are its defaults. With other parameters a figure is computed and drawn by a copy of the study's
module in which the constants have the reader's values (:mod:`theory.figures.own`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from itertools import product
from typing import Any

Values = Mapping[str, tuple[float, ...]]
"""Parameter -> its values."""
Constants = dict[str, dict[str, Any]]
"""Study -> the constants that are not its own."""


@dataclass(frozen=True)
class Parameters:
    """The parameters of a figure.

    Attributes:
        studies: the studies that have them.
        names: parameter -> the study's constant: a tuple, or one number.
        pairs: the study has a list CASES of (alpha, beta1) in place of two constants.
        counts: parameters that take exactly so many values, for as many panels or colours.
        marks: the reader's settings can be marked in the picture.
    """

    studies: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    pairs: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)
    marks: bool = False

    def all(self) -> list[str]:
        """The parameters' names."""
        rest = ("alpha", "beta1") if self.pairs else ("alpha", "beta1", "beta2") if self.marks else ()
        return sorted({*rest, *self.names})

    def defaults(self) -> dict[str, tuple[float, ...]]:
        """Each parameter with the values of the stored study."""
        if not self.studies:
            return {}
        study = import_module(home(self.studies[0]))
        found = {name: _tuple(getattr(study, constant)) for name, constant in self.names.items()}
        if self.pairs:
            found |= {"alpha": tuple(alpha for alpha, beta1 in study.CASES if beta1 == 0.99), "beta1": (0.99,)}
        if self.marks:  # the map: "alpha" is the largest abs(alpha) on its axis
            beta1, beta2, _ = zip(*study.PAIRS, strict=True)
            found |= {"alpha": (), "beta1": (beta1[0],), "beta2": tuple(sorted(set(beta2)))}
        return found

    def constants(self, given: Values, figure: str) -> Constants:
        """The constants of the studies.

        Args:
            given: what the reader set.
            figure: its name, for errors.

        Returns:
            By study; empty if nothing was set.

        Raises:
            ValueError: there is no such parameter, or a value is out of range.
        """
        defaults = self.defaults()
        for name, values in given.items():
            if name not in defaults:
                has = (
                    f"it has {', '.join(defaults)}" if defaults else "it has none: it draws stored results as they are"
                )
                raise ValueError(f"{figure} has no parameter {name!r}; {has}")
            self._check(name, values, figure)
        if not given:
            return {}
        values = defaults | dict(given)
        widest = 1 / (1 - max(values["beta1"])) if values.get("beta1") else math.inf
        if "alpha" not in given and "alpha" in values:  # the usual ones, where they are allowed
            values["alpha"] = tuple(a for a in values["alpha"] if abs(a) < widest)
        elif not self.marks and any(abs(a) >= widest for a in values.get("alpha", ())):
            raise ValueError(f"{figure}: alpha = {_list(values['alpha'])} with beta1 = {_list(values['beta1'])}: "
                             f"|alpha| must be below 1/(1 - beta1) = {widest:.4g}")  # fmt: skip
        study = import_module(home(self.studies[0]))
        found: dict[str, Any] = {
            constant: values[name] if isinstance(getattr(study, constant), tuple) else values[name][0]
            for name, constant in self.names.items() if name in given or name == "alpha"
        }  # fmt: skip
        if self.pairs:
            found["CASES"] = tuple(product(values["alpha"], values["beta1"]))
        if self.marks:
            found["PAIRS"] = tuple(
                (beta1, beta2, *(values["alpha"] or (1.2 / (1 - beta1),)))
                for beta1, beta2 in product(values["beta1"], values["beta2"])
            )
        has = {name: import_module(home(name)) for name in self.studies}
        return {name: {key: value for key, value in found.items() if hasattr(module, key)}
                for name, module in has.items()}  # fmt: skip

    def _check(self, name: str, values: tuple[float, ...], figure: str) -> None:
        one = name in self.names and not isinstance(
            getattr(import_module(home(self.studies[0])), self.names[name]), tuple
        )
        count = 1 if one or (self.marks and name == "alpha") else self.counts.get(name)
        if not values or (count and len(values) != count):
            raise ValueError(f"{figure}: {name} = {_list(values)}: {count or 'one or more'} values are needed")
        if self.marks and len(values) > 12:
            raise ValueError(f"{figure}: {name} has {len(values)} values: at most 12 panels are drawn")
        ranges = {"eta": ("above 0", lambda v: v > 0), "alpha": ("finite", lambda _: True)}
        text, allowed = ranges.get(name, ("in [0, 1)", lambda v: 0 <= v < 1))
        if not all(math.isfinite(value) and allowed(value) for value in values):
            raise ValueError(f"{figure}: {name} = {_list(values)}: every value must be {text}")


def home(study: str) -> str:
    """The module of a study."""
    return f"theory.studies.{study.replace('-', '_')}"


def _tuple(value: Any) -> tuple[float, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,)


def _list(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)


_LINES = {"alpha": "ALPHAS", "beta1": "BETA1", "beta2": "BETA2"}
TABLE: dict[str, Parameters] = {
    "stability-map": Parameters(("stability-map",), marks=True),
    "edge-of-stability": Parameters(("edge-of-stability",), {"eta": "ETA"}, pairs=True),
    "divergence": Parameters(("divergence",), {**_LINES, "eta": "ETA"}),
    "frequency-response": Parameters(("frequency-response",), _LINES),
    "impulse-response": Parameters(("impulse-response",), _LINES),
    "stationary-variance": Parameters(("stationary-variance",), {**_LINES, "beta2": "BETA2S"}, counts={"beta2": 2}),
    "mean-square": Parameters(("mean-square",), {"beta2": "BETA2S"}, pairs=True, counts={"beta2": 2}),
    "valley-drift": Parameters(("valley-drift", "label-noise"), {"beta2": "BETA2S"}, pairs=True, counts={"beta2": 2}),
    "dips": Parameters(("dips",), {"alpha": "ALPHAS"}),
    "double-well": Parameters(("double-well",), {"alpha": "ALPHAS"}),
    "sign-of-a": Parameters(("sign-of-a",), {"beta1": "BETA1S"}, counts={"beta1": 3}),
    "figure-5": Parameters(("figure-5",), {"beta1": "BETA1S", "beta2": "BETA2", "eta": "ETA"}, counts={"beta1": 3}),
}
"""The parameters by figure. The others repeat the paper's own settings, or draw stored results of other commands."""
