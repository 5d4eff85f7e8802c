"""What can be set in each figure: from the reader's parameters to the constants of the studies that it draws.

A study's constants are its defaults. With other parameters a figure is computed and drawn by a copy of the study's
module in which the constants have the reader's values (:mod:`theory.figures.own`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
        settings: the study has a list NAMED of (alpha, beta1, beta2).
        map: the stability map, whose panels are a list PAIRS.
        paths: the methods of the paper's figure 1, by alpha and beta1.
        why_none: of a figure without parameters, why it has none.
    """

    studies: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    pairs: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)
    settings: bool = False
    map: bool = False
    paths: bool = False
    why_none: str = ""

    def all(self) -> list[str]:
        """The parameters' names."""
        two, three = self.pairs or self.paths, self.map or self.settings
        return sorted({*(("alpha", "beta1", "beta2") if three else ("alpha", "beta1") if two else ()), *self.names})

    def defaults(self) -> dict[str, tuple[float, ...]]:
        """Each parameter with the values of the stored study."""
        if not self.studies:
            return {}
        study = import_module(home(self.studies[0]))
        found = {name: _tuple(getattr(study, constant)) for name, constant in self.names.items()}
        if self.pairs:
            found |= {"alpha": tuple(alpha for alpha, beta1 in study.CASES if beta1 == 0.99), "beta1": (0.99,)}
        if self.paths:
            found |= {"alpha": tuple(m.alpha for m in study.ADAM if m.label in _PATHS), "beta1": (0.99,)}
        if self.settings:
            found |= {"alpha": (-5.0,), "beta1": (0.99,), "beta2": (0.9,)}
        if self.map:  # "alpha" is the largest abs(alpha) on its axis
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
                has = f"it has {', '.join(defaults)}" if defaults else f"it has none: {self.why_none}"
                raise ValueError(f"{figure} has no parameter {name!r}; {has}")
            self._check(name, values, figure)
        if not given:
            return {}
        values = defaults | dict(given)
        widest = 1 / (1 - max(values["beta1"])) if values.get("beta1") else math.inf
        if "alpha" not in given and "alpha" in values:  # the usual ones, where they are allowed
            values["alpha"] = tuple(a for a in values["alpha"] if abs(a) < widest)
        elif not self.map and any(abs(a) >= widest for a in values.get("alpha", ())):
            raise ValueError(f"{figure}: alpha = {_list(values['alpha'])} with beta1 = {_list(values['beta1'])}: "
                             f"|alpha| must be below 1/(1 - beta1) = {widest:.4g}")  # fmt: skip
        if "alpha" in defaults and not (values["alpha"] or self.map):
            raise ValueError(f"{figure}: give alpha, below 1/(1 - beta1) = {widest:.4g}: none of its own is")
        study = import_module(home(self.studies[0]))
        found: dict[str, Any] = {
            constant: tuple(values[name]) if isinstance(default := getattr(study, constant), tuple)
            else type(default)(values[name][0])
            for name, constant in self.names.items() if name in given or name == "alpha"
        }  # fmt: skip
        if "alpha" in self.names and given.keys() & {"alpha", "beta1"}:
            found["ALPHA"] = max(values["alpha"], key=abs)
        if self.pairs and given.keys() & {"alpha", "beta1"}:
            alpha, beta1 = values["alpha"][0], values["beta1"][0]
            found["CASES"] = tuple(product(values["alpha"], values["beta1"]))
            found |= {"ALPHA": alpha, "BETA1": beta1, "REACH": (-0.95 / (1 - beta1), 0.5 / (1 - beta1))}
        if self.settings and given.keys() & {"alpha", "beta1", "beta2"}:
            found["NAMED"] = tuple(product(values["alpha"], values["beta1"], values["beta2"]))
        if self.map:
            found["PAIRS"] = tuple(
                (beta1, beta2, *(values["alpha"] or (1.2 / (1 - beta1),)))
                for beta1, beta2 in product(values["beta1"], values["beta2"])
            )
        if self.paths and given.keys() & {"alpha", "beta1"}:
            found |= _paths(values["alpha"], values["beta1"][0])
        has = {name: import_module(home(name)) for name in (*self.studies, *([figure] if self.paths else []))}
        return {name: {key: value for key, value in found.items() if hasattr(module, key)}
                for name, module in has.items() if any(hasattr(module, key) for key in found)}  # fmt: skip

    def _check(self, name: str, values: tuple[float, ...], figure: str) -> None:
        one = name in self.names and not isinstance(
            getattr(import_module(home(self.studies[0])), self.names[name]), tuple
        )
        count = 1 if one or (self.map and name == "alpha") else self.counts.get(name)
        if not values or (count and len(values) != count):
            raise ValueError(f"{figure}: {name} = {_list(values)}: {count or 'one or more'} values are needed")
        if self.map and len(values) > 12:
            raise ValueError(f"{figure}: {name} has {len(values)} values: at most 12 panels are drawn")
        text, allowed = _RANGES.get(name, ("in [0, 1)", lambda v: 0 <= v < 1))
        if not all(math.isfinite(value) and allowed(value) for value in values):
            raise ValueError(f"{figure}: {name} = {_list(values)}: every value must be {text}")


def home(study: str) -> str:
    """The module of a study."""
    return f"theory.studies.{study.replace('-', '_')}"


def _tuple(value: Any) -> tuple[float, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,)


def _list(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)


_PATHS = ("EAdam(-5)", "EAdam(-50)", "EAdam(-90)")


def _paths(alphas: tuple[float, ...], beta1: float) -> dict[str, Any]:
    """Figure 1's methods: the controls as they are, and E with these alphas."""
    from theory.plotting import style

    cardioid, rosenbrock, drawing = (import_module(home(name)) for name in ("cardioid", "rosenbrock", "figure-1"))

    def methods(old: list[Any], name: str) -> list[Any]:
        ours = [replace(old[0], label=f"{name}({alpha:+g})", alpha=alpha, beta1=beta1) for alpha in alphas]
        return [old[0], *ours, *(method for method in old[1:] if method.alpha == 0)]

    def looks(old: dict[str, Any], name: str) -> dict[str, Any]:
        first, *others = ((label, look) for label, look in old.items() if not label.startswith(name))
        return dict([first, *((f"{name}({alpha:+g})", (style.colour(alpha), "-")) for alpha in alphas), *others])

    families = rosenbrock.FAMILIES
    return {
        "ADAM": methods(cardioid.ADAM, "EAdam"), "SGD": methods(cardioid.SGD, "ESGD"),
        "FAMILIES": {"sgd": methods(families["sgd"], "ESGD"), "adam": methods(families["adam"], "EAdam")},
        "PATHS": looks(drawing.PATHS, "EAdam"), "RUNS": looks(drawing.RUNS, "ESGD"),
    }  # fmt: skip


def _whole(least: int) -> tuple[str, Callable[[float], bool]]:
    return f"a whole number from {least} on", lambda v: v >= least and v == int(v)


_POSITIVE = ("above 0", lambda v: v > 0)
_RANGES: dict[str, tuple[str, Callable[[float], bool]]] = {
    "alpha": ("finite", lambda _: True), "origin": ("finite", lambda _: True),
    "eta": _POSITIVE, "sigma": _POSITIVE, "age": _POSITIVE, "step": ("in (0, 0.1]", lambda v: 0 < v <= 0.1),
    "seed": _whole(0), "restarts": _whole(0), "chains": _whole(2), "starts": _whole(2), "T": _whole(20),
}  # fmt: skip
"""What is allowed of each parameter; the others are decay rates."""
_LINES = {"alpha": "ALPHAS", "beta1": "BETA1", "beta2": "BETA2"}
_KEPT = "it draws stored {}, and python -m theory {} computes others"
TABLE: dict[str, Parameters] = {
    "stability-map": Parameters(("stability-map",), map=True),
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
    "figure-1": Parameters(
        ("cardioid", "rosenbrock"), {"seed": "SEED", "starts": "STARTS"}, counts={"beta1": 1}, paths=True
    ),
    "figure-2": Parameters(("crossing",), {"step": "STEP"}),
    "figure-8": Parameters(
        ("figure-8",),
        {"alpha": "ALPHAS", "beta1": "BETA1", "eta": "SHOWN_ETA", "origin": "ORIGIN", "T": "STEPS"},
    ),
    "normalised-step": Parameters(
        ("normalised-step",),
        {"beta2": "BETA2", "beta3": "BETA3", "eta": "ETA", "sigma": "SIGMA", "seed": "SEED"}, pairs=True,
    ),
    "primal-averaging": Parameters(("primal-averaging",), {"beta2": "BETA2S"}, pairs=True, counts={"beta2": 2}),
    "high-probability": Parameters(
        ("high-probability",), {"beta2": "BETA2", "eta": "ETA", "T": "STEPS"}, pairs=True
    ),
    "batch-floor": Parameters(
        ("batch-floor",), {"beta3": "BETA3S", "eta": "ETA", "seed": "SEED", "chains": "CHAINS"}, counts={"beta3": 3}
    ),
    "log-epsilon": Parameters(("log-epsilon",), {"beta2": "BETA2", "seed": "SEED", "chains": "CHAINS"}, pairs=True),
    "alto-minimiser": Parameters(
        ("alto-minimiser",), {"beta2": "BETA2", "beta3": "BETA3", "eta": "ETAS"}, pairs=True, counts={"eta": 4}
    ),
    "rate-and-condition": Parameters(
        ("rate-and-condition",), {"seed": "SEED", "starts": "STARTS", "restarts": "RESTARTS"}, pairs=True
    ),
    "age-and-variance": Parameters(("age-and-variance",), {"age": "AGES", "seed": "SEED"}, settings=True),
    "worst-case": Parameters(why_none=_KEPT.format("solved worst cases", "worst-case")),
    **dict.fromkeys(
        ("regret", "gradient-norm", "looseness"), Parameters(why_none=_KEPT.format("measured rates", "rates"))
    ),
}  # fmt: skip
"""The parameters by figure."""
