"""An optimizer class under test: which of the paper's algorithms it claims to be, and how it is called.

Its arguments are recognised by name: ``alpha`` or ``alp``, ``beta1`` or ``beta``, ``betas`` of two or three,
``momentum``, ``eps`` of one or three. An adaptor is a class whose first argument is a base optimizer.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Real
from typing import Any

import torch

from theory.conform.case import Case
from theory.method import algorithms
from theory.rates import user_code

REFERENCES = {
    "E": "Algorithm 5 over SGD with and without momentum and over AdamW",
    "ESGD": "Algorithm 3",
    "EAdam": "Algorithm 4",
    "EAdamW": "Algorithm 5 over AdamW",
    "ALTO": "Algorithm 2",
    "LAMB": "Algorithm 2 at alpha = 0",
}
"""What each kind of optimizer is compared with."""

NEEDED = {
    "E": set(),
    "ESGD": {"lr", "momentum"},
    "EAdam": {"lr", "betas"},
    "EAdamW": {"lr", "betas"},
    "ALTO": {"lr", "betas", "eps", "weight_decay"},
    "LAMB": {"lr", "betas", "eps", "weight_decay"},
}
"""The constructor's arguments without which a kind cannot be set up, besides alpha."""

ADAPTOR_ARGUMENTS = ("base", "base_optimizer", "optimizer")
NO_ALPHA = (
    "{!r} has no argument alpha (or alp): it is no optimizer of this family; to test it as any torch optimizer, "
    "add --contract (in Python: theory.conform.contract)"
)
SWITCHES = ("bias_correction", "layerwise", "maximize")
NUMBERS = {"alpha": "alpha", "alp": "alpha", "beta1": "beta1", "beta": "beta1", "momentum": "beta2", "lr": "lr",
           "weight_decay": "weight_decay"}  # fmt: skip
"""The arguments that the reference has too, and what they are called there."""
RATES = (1e-8, 1e3)
"""Learning rates at which a departure is seen: a smaller step is lost in the rounding of the parameters."""


@dataclass(frozen=True)
class Subject:
    """A class under test and how to call it.

    Args:
        cls: the class.
        reference: one of :data:`REFERENCES`.
        kwargs: constructor arguments that hold in every case. Those that the reference knows go to it as well.
        name: what messages call the class.
    """

    cls: Callable[..., Any]
    reference: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    name: str = "the optimizer"

    @cached_property
    def names(self) -> dict[str, inspect.Parameter]:
        """Its constructor's parameters."""
        return dict(inspect.signature(self.cls).parameters)

    @property
    def is_adaptor(self) -> bool:
        """Whether it wraps a base optimizer."""
        return self.reference == "E"

    @property
    def layerwise(self) -> bool:
        """Whether its step is scaled to the norm of each layer."""
        return self.reference in {"ALTO", "LAMB"} and self.fixed.get("layerwise", True)

    @property
    def has_three_eps(self) -> bool:
        """Whether its ``eps`` is the paper's triple."""
        return "eps" in self.names and isinstance(self.names["eps"].default, tuple)

    @property
    def has_three_betas(self) -> bool:
        """Whether its ``betas`` hold beta1 as well."""
        default = self.names["betas"].default if "betas" in self.names else ()
        return isinstance(default, (tuple, list)) and len(default) == 3

    @cached_property
    def fixed(self) -> dict[str, Any]:
        """What the caller's arguments say about a case, in the reference's names.

        Raises:
            ValueError: an argument has the wrong type or length.
        """
        found: dict[str, Any] = {"alpha": 0.0, "beta1": 0.0} if self.reference == "LAMB" else {}
        for name, value in self.kwargs.items():
            if name in NUMBERS:
                found[NUMBERS[name]] = _number(name, value)
            elif name in SWITCHES and isinstance(value, bool):
                found[name] = value
            elif name == "betas":
                keys = ("beta1", "beta2", "beta3")[-3 if self.has_three_betas else -2 :]
                if not isinstance(value, (list, tuple)) or len(value) != len(keys):
                    raise ValueError(f"betas = {value!r} must be {len(keys)} numbers: {', '.join(keys)}")
                found |= {key: _number("betas", one) for key, one in zip(keys, value, strict=True)}
            elif name == "eps":
                values = value if isinstance(value, (list, tuple)) else (value, 1e-6, 1e-10)
                found["eps"] = tuple(_number("eps", one) for one in values)
        low, high = RATES
        if not low <= found.get("lr", low) <= high:
            raise ValueError(f"lr = {found['lr']} must be in [{low:g}, {high:g}]: beyond, float64 shows no difference")
        if found.get("weight_decay") and self.reference in {"ESGD", "EAdam"}:
            raise ValueError(f"weight_decay = {found['weight_decay']!r}: {REFERENCES[self.reference]} has no decay")
        return found

    @property
    def plain(self) -> Case:
        """A usual case, with what the caller's arguments fix."""
        return replace(Case(), **{key: value for key, value in self.fixed.items() if key not in SWITCHES})

    def seen(self, case: Case) -> Case:
        """The case as this optimizer can be set to it: with one eps, the reference's other two are 0."""
        return case if self.has_three_eps else replace(case, eps=(case.eps[0], 0.0, 0.0))

    def build(self, params: Any, case: Case) -> Any:
        """The optimizer in a case, for parameters or parameter groups.

        Raises:
            UserCodeError: it raised.
        """
        own = self._arguments(case)
        if self.is_adaptor:
            params = _base(params, case)
        with user_code.of(self.name):
            return self.cls(params, **own)

    def _arguments(self, case: Case) -> dict[str, Any]:
        own: dict[str, Any] = {}
        if self.reference != "LAMB":
            own["alp" if "alp" in self.names else "alpha"] = case.alpha
        if self.is_adaptor:
            own["beta1" if "beta1" in self.names else "beta"] = case.beta1
            return own | {name: value for name, value in self.kwargs.items() if name not in NUMBERS}
        own["lr"] = case.lr
        three = self.has_three_betas
        if self.reference == "ESGD":
            own["momentum"] = case.beta2
        else:
            own["betas"] = (case.beta1, case.beta2, case.beta3) if three else (case.beta2, case.beta3)
            own["eps"] = case.eps if self.has_three_eps else case.eps[0]
        if self.reference != "LAMB" and not three:
            own["beta1" if "beta1" in self.names or "beta" not in self.names else "beta"] = case.beta1
        if self.reference not in {"ESGD", "EAdam"}:
            own["weight_decay"] = case.weight_decay
        return own | {name: value for name, value in self.kwargs.items() if name not in {*NUMBERS, "betas", "eps"}}

    def literal(self, case: Case, *, layerwise: bool | None = None, factor_one: bool = True) -> Any:
        """The paper's algorithm in a case."""
        case = self.seen(case)
        eps1, eps2, eps3 = case.eps
        if self.reference == "ESGD" or (self.is_adaptor and case.base == "SGD"):
            return algorithms.ESGD(case.alpha, case.beta1, case.beta2)
        if self.reference == "EAdam":
            return algorithms.EAdam(case.alpha, case.beta1, case.beta2, case.beta3, eps1)
        return algorithms.ALTO(
            case.alpha, case.beta1, case.beta2, case.beta3, eps1, eps2, eps3,
            case.weight_decay, bias_correction=self.fixed.get("bias_correction", True),
            layerwise=self.layerwise if layerwise is None else layerwise, zero_norm_factor_one=factor_one,
        )  # fmt: skip


def _base(params: Any, case: Case) -> torch.optim.Optimizer:
    if case.base == "SGD":
        return torch.optim.SGD(params, lr=case.lr, momentum=case.beta2)
    return torch.optim.AdamW(
        params, lr=case.lr, betas=(case.beta2, case.beta3), eps=case.eps[0], weight_decay=case.weight_decay
    )


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError(f"{name} = {value!r} must be a number")
    return float(value)


def recognise(
    cls: Any, kwargs: Mapping[str, Any] | None = None, *, reference: str | None = None, name: str | None = None
) -> Subject:
    """The subject that a class is; it is built once.

    Args:
        cls: an optimizer class, or a function that returns an optimizer.
        kwargs: arguments of the constructor that hold in every case.
        reference: one of :data:`REFERENCES`. By default the name of the class decides, then its arguments.
        name: what messages call it.

    Returns:
        The subject.

    Raises:
        ValueError: it is of no known kind, or does not take these arguments.
        UserCodeError: its constructor raised.
    """
    name = name or str(getattr(cls, "__name__", repr(cls)))
    kwargs = dict(kwargs or {})
    if not callable(cls):
        raise ValueError(f"{name!r} is no optimizer: it is a {type(cls).__name__}, and cannot be called")
    try:
        names = dict(inspect.signature(cls).parameters)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name!r} is no optimizer: {error}") from error
    takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in names.values())
    if reference is None:
        reference = _kind(cls, names, name)
    elif reference not in REFERENCES:
        raise ValueError(f"reference = {reference!r} must be one of {', '.join(REFERENCES)}")
    if reference != "LAMB" and not {"alpha", "alp"} & set(names) and not takes_any:
        raise ValueError(NO_ALPHA.format(name))
    missing = NEEDED[reference] - set(names)
    if reference != "LAMB" and not {"beta1", "beta"} & set(names) and not Subject(cls, reference).has_three_betas:
        missing.add("beta1")
    if missing and not takes_any:
        raise ValueError(
            f"{name!r} has no argument {', '.join(sorted(missing))}, which a comparison with {reference} sets; "
            f"give another reference: {', '.join(REFERENCES)}"
        )
    free = sorted(set(names) - {*ADAPTOR_ARGUMENTS, "params", *_variadic(names)})
    if (unknown := set(kwargs) - set(free)) and not takes_any:
        raise ValueError(
            f"kwargs has {', '.join(sorted(unknown))}, which {name!r} does not take; allowed: {', '.join(free)}"
        )
    subject = Subject(cls, reference, kwargs, name)
    built = subject.build([torch.zeros(2, dtype=torch.float64, requires_grad=True)], subject.plain)
    if not callable(getattr(built, "step", None)) or not isinstance(getattr(built, "param_groups", None), list):
        raise ValueError(f"{name!r} makes a {type(built).__name__}, which has no step() or no param_groups")
    return subject


def _variadic(names: Mapping[str, inspect.Parameter]) -> set[str]:
    return {key for key, one in names.items() if one.kind in {one.VAR_KEYWORD, one.VAR_POSITIONAL}}


def _kind(cls: Any, names: Mapping[str, inspect.Parameter], name: str) -> str:
    """The kind by the class's name, then by its arguments."""
    if next(iter(names), None) in ADAPTOR_ARGUMENTS:
        return "E"
    by_name = {key.lower(): key for key in REFERENCES if key != "E"}
    if known := by_name.get(getattr(cls, "__name__", "").lower()):
        return known
    if {"alpha", "alp"} & set(names):
        return "ESGD" if "momentum" in names and "betas" not in names else "ALTO"
    raise ValueError(NO_ALPHA.format(name))
