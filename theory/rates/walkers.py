"""Optimizers that take R replicas one step: ours by name, or any torch optimizer class."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from theory.method import algorithms
from theory.rates import user_code
from theory.rates.settings import METHODS, Setting

DEFAULTS = {"alpha": -5.0, "beta1": 0.99, "beta2": 0.9, "beta3": 0.99, "eps": (1e-6, 1e-6, 1e-10)}
"""Of our methods: the paper's large-batch preset, and the eps of ``alto.ALTO``."""

ELEMENTWISE = frozenset({
    torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.NAdam, torch.optim.RAdam, torch.optim.Adamax,
    torch.optim.Adagrad, torch.optim.Adadelta, torch.optim.RMSprop, torch.optim.Rprop, torch.optim.ASGD,
})  # fmt: skip
"""Torch optimizers whose step treats each coordinate by itself: all seeds fit into one parameter."""


class Walker(Protocol):
    """R replicas of one optimizer."""

    @property
    def theta(self) -> np.ndarray:
        """The points, shape (R, d)."""
        ...

    def step(self, gradient: np.ndarray, lr: float) -> None:
        """One step with this gradient, shape (R, d), and learning rate."""
        ...


@dataclass(frozen=True)
class Method:
    """An optimizer with its arguments.

    Attributes:
        name: what it is called.
        lr: the learning rate, as the algorithm or the class writes it.
        arguments: all others that were used, defaults too.
        engine: how the seeds are run.
        setting: what the theorems see; None if none of them is about this method.
    """

    name: str
    lr: float
    arguments: Mapping[str, Any]
    engine: str
    setting: Setting | None
    cls: type[torch.optim.Optimizer] | None = None
    given: Mapping[str, Any] | None = None
    stacked: bool = True

    def at(self, start: np.ndarray, seeds: int) -> Walker:
        """All replicas at the start."""
        theta = np.tile(start, (seeds, 1))
        if self.cls is None:
            assert self.setting is not None
            return _Literal(self.setting, theta)
        with user_code.of(f"the optimizer {self.name}"):
            return _Torch(self.cls, {**(self.given or {}), "lr": self.lr}, theta, self.stacked)


def make(method: str | type, lr: float, hyper: Mapping[str, Any], stacked: bool | None = None) -> Method:
    """A method from its name or class; ``stacked`` overrides whether the seeds share one parameter.

    Raises:
        ValueError: an unknown name or argument, or one out of range.
    """
    if isinstance(lr, bool) or not isinstance(lr, int | float) or not (np.isfinite(lr) and lr > 0):
        raise ValueError(f"lr = {lr!r} must be a positive number")
    if isinstance(method, str):
        return _ours(method, float(lr), hyper)
    if not (isinstance(method, type) and issubclass(method, torch.optim.Optimizer)):
        raise ValueError(f"method = {method!r} must be one of {', '.join(METHODS)}, or a torch.optim.Optimizer class")
    known = inspect.signature(method).parameters
    anything = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known.values())
    if not anything and (unknown := set(hyper) - set(known)):
        named = ", ".join(sorted(unknown))
        raise ValueError(f"{method.__name__} has no argument {named}; it has {', '.join(list(known)[1:])}")
    stacked = method in ELEMENTWISE if stacked is None else stacked
    engine = "one parameter holds all seeds (elementwise)" if stacked else "a loop: one optimizer per seed"
    chosen = {name: one.default for name, one in known.items() if one.default is not inspect.Parameter.empty}
    chosen = {name: value for name, value in chosen.items() if name != "lr"} | dict(hyper)
    return Method(f"{method.__module__.partition('.')[0]}:{method.__name__}", float(lr), chosen, engine,
                  _as_esgd(method, float(lr), chosen), method, dict(hyper), stacked)  # fmt: skip


def _ours(name: str, lr: float, hyper: Mapping[str, Any]) -> Method:
    if name not in METHODS:
        raise ValueError(f"method = {name!r} must be one of {', '.join(METHODS)}, or a torch.optim.Optimizer class")
    if unknown := set(hyper) - set(DEFAULTS):
        raise ValueError(f"{name} has no argument {', '.join(sorted(unknown))}; it has {', '.join(DEFAULTS)}")
    chosen = {**DEFAULTS, **hyper}
    for key in ("beta1", "beta2", "beta3"):
        if not 0 <= chosen[key] < 1:
            raise ValueError(f"{key} = {chosen[key]} must lie in [0, 1)")
    eps = chosen["eps"]
    chosen["eps"] = tuple(eps) if isinstance(eps, tuple | list) else (float(eps), *DEFAULTS["eps"][1:])
    if len(chosen["eps"]) != 3 or min(chosen["eps"]) < 0:
        raise ValueError(f"eps = {eps} must be one number, or three (eps1, eps2, eps3), of at least 0")
    # the settings have the step of normalised momentum; lr is what the algorithm itself multiplies by
    eta = lr / (1 - chosen["beta2"]) if name == "ESGD" else lr
    setting = Setting(name, eta=eta, **chosen)
    if name == "ESGD":
        chosen = {key: chosen[key] for key in ("alpha", "beta1", "beta2")}
    return Method(name, lr, chosen, "all seeds at once, float64", setting)


def _as_esgd(cls: type, lr: float, chosen: Mapping[str, Any]) -> Setting | None:
    """Torch's SGD with heavy-ball momentum is ESGD at alpha = 0."""
    other = any(chosen.get(key) for key in ("dampening", "weight_decay", "nesterov", "maximize"))
    if cls is not torch.optim.SGD or other:
        return None
    beta2 = float(chosen["momentum"])
    return Setting("ESGD", 0.0, 0.99, beta2, eta=lr / (1 - beta2)) if 0 <= beta2 < 1 else None


class _Literal:
    """The paper's algorithm, vectorised over replicas."""

    def __init__(self, setting: Setting, theta: np.ndarray) -> None:
        s = setting
        self._algorithm: Any = (
            algorithms.ESGD(s.alpha, s.beta1, s.beta2)
            if s.method == "ESGD"
            else algorithms.ALTO(s.alpha, s.beta1, s.beta2, s.beta3, *s.eps, 0.0, bias_correction=s.corrected,
                                 layerwise=s.layerwise)
        )  # fmt: skip
        self._theta = self._algorithm.init([theta])

    @property
    def theta(self) -> np.ndarray:
        return self._theta[0]

    def step(self, gradient: np.ndarray, lr: float) -> None:
        self._theta = self._algorithm.step(self._theta, [gradient], lr)


class _Torch:
    """A torch optimizer on one parameter of shape (R, d), or R of them on parameters of shape (d,)."""

    def __init__(self, cls: Any, arguments: Mapping[str, Any], theta: np.ndarray, stacked: bool) -> None:
        points = torch.from_numpy(theta.copy())
        self._points = [torch.nn.Parameter(one.clone()) for one in ([points] if stacked else points)]
        self._optimizers = [cls([one], **arguments) for one in self._points]
        self._name = cls.__name__

    @property
    def theta(self) -> np.ndarray:
        return np.stack([one.detach().numpy() for one in self._points]).reshape(-1, self._points[0].shape[-1])

    def step(self, gradient: np.ndarray, lr: float) -> None:
        rows = torch.from_numpy(gradient)
        parts = [rows] if len(self._points) == 1 and self._points[0].ndim == 2 else rows
        with user_code.of(f"the optimizer {self._name}"):
            for point, optimizer, part in zip(self._points, self._optimizers, parts, strict=True):
                point.grad = part.clone()
                for group in optimizer.param_groups:
                    group["lr"] = lr
                optimizer.step()
