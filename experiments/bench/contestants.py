"""What is compared: from a name to an object with a step, all with the same learning rate and weight decay.

There is one parameter group, all of it with weight decay, so that all do the same work. Each choice between
implementations is explicit (our E has no such choice: it takes the fastest engine there is); what cannot run here is
skipped, with its own error message.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from experiments.bench import traffic
from experiments.bench.traffic import Traffic
from experiments.io.errors import ConfigError

Parameters = list[nn.Parameter]

# Neither changes the time of a step; small, so that a thousand steps leave all values ordinary.
_RATES: dict[str, Any] = {"lr": 1e-4, "weight_decay": 1e-4}
_SLOW: dict[str, Any] = {"alpha": -5.0, "beta1": 0.99}  # the paper's for batches of 1K and more
_PACKAGES = {"ALTO": "e-optimizer-adaptor", "E": "e-optimizer-adaptor"}  # where the name differs from the module's


class Stepper(Protocol):
    """An optimizer, or a plain tensor operation that it is compared with."""

    def step(self) -> object:
        """Do the work that is timed."""


@dataclass(frozen=True)
class Contestant:
    """One row of the table.

    Attributes:
        name: Its name on the command line.
        title: Its name in tables and figures.
        traffic: The bytes that its method must move.
        holds: Bytes per parameter of its state and temporaries, at most; decides whether memory suffices.
        build: Makes it for these parameters.
    """

    name: str
    title: str
    traffic: Traffic
    holds: int
    build: Callable[[Parameters], Stepper]


class _Copy:
    """The plain tensor copy: the memory's speed as most people measure it."""

    def __init__(self, params: Parameters):
        self.source, self.target = (_flat(params) for _ in range(2))

    def step(self) -> None:
        self.target.copy_(self.source)


class _InPlace:
    """The plain in-place operation: the memory's speed for what is read, changed and written back."""

    def __init__(self, params: Parameters):
        self.tensor = _flat(params)

    def step(self) -> None:
        self.tensor.neg_()


def _flat(params: Parameters) -> Tensor:
    return torch.full((sum(param.numel() for param in params),), 0.01, device=params[0].device)


def _ours(kind: str, choice: dict[str, bool], params: Parameters) -> Stepper:
    import alto

    return getattr(alto, kind)(params, **choice, **(_SLOW if kind == "ALTO" else {}), **_RATES)


def _adamw(choice: str, params: Parameters) -> torch.optim.Optimizer:
    return torch.optim.AdamW(params, **{choice: True}, **_RATES)


def _e_adamw(choice: str, params: Parameters) -> Stepper:
    import alto

    return alto.E(_adamw(choice, params), **_SLOW)


def _peer(name: str, options: dict[str, Any], params: Parameters) -> Stepper:
    return getattr(importlib.import_module("pytorch_optimizer"), name)(params, **options, **_RATES)


def _official_alto(params: Parameters) -> Stepper:
    betas = (_SLOW["beta1"], 0.9, 0.99)
    return importlib.import_module("ALTO").ALTO(params, alp=_SLOW["alpha"], betas=betas, **_RATES)


def _official_e(params: Parameters) -> Stepper:
    return importlib.import_module("E").E(_adamw("foreach", params), alpha=_SLOW["alpha"], beta=_SLOW["beta1"])


_ALL = (
    Contestant("alto-single", "ALTO single", traffic.ALTO, 48, partial(_ours, "ALTO", {"foreach": False})),
    Contestant("alto-foreach", "ALTO foreach", traffic.ALTO, 24, partial(_ours, "ALTO", {"foreach": True})),
    Contestant("alto-fused", "ALTO fused", traffic.ALTO, 16, partial(_ours, "ALTO", {"fused": True})),
    Contestant("lamb-foreach", "LAMB foreach", traffic.LAMB, 20, partial(_ours, "LAMB", {"foreach": True})),
    Contestant("lamb-fused", "LAMB fused", traffic.LAMB, 12, partial(_ours, "LAMB", {"fused": True})),
    Contestant("e-adamw-foreach", "E(AdamW foreach)", traffic.E_ADAMW, 24, partial(_e_adamw, "foreach")),
    Contestant("e-adamw-fused", "E(AdamW fused)", traffic.E_ADAMW, 20, partial(_e_adamw, "fused")),
    Contestant("adamw-foreach", "AdamW foreach", traffic.ADAMW, 16, partial(_adamw, "foreach")),
    Contestant("adamw-fused", "AdamW fused", traffic.ADAMW, 12, partial(_adamw, "fused")),
    Contestant("po-lamb", "pytorch_optimizer Lamb", traffic.LAMB, 20, partial(_peer, "Lamb", {})),
    Contestant(
        "po-adan", "pytorch_optimizer Adan", traffic.ADAN, 28, partial(_peer, "Adan", {"weight_decouple": True})
    ),
    Contestant("official-alto", "official ALTO", traffic.ALTO, 44, _official_alto),
    Contestant("official-e-adamw", "official E(AdamW)", traffic.E_ADAMW, 32, _official_e),
    Contestant("copy", "copy", traffic.COPY, 8, _Copy),
    Contestant("in-place", "in place", traffic.IN_PLACE, 4, _InPlace),
)
CONTESTANTS = {contestant.name: contestant for contestant in _ALL}
YARDSTICK = "adamw-fused"
FLOORS = ("copy", "in-place")


def choose(only: tuple[str, ...], *, references: bool) -> list[Contestant]:
    """The contestants of these names, in the order of the table; all of them for none.

    Args:
        only: Names from `CONTESTANTS`.
        references: Whether to add what the others are divided by (fused AdamW and the plain operations); where not,
            the plain operations, which are no optimizers, stay away.

    Returns:
        The contestants.

    Raises:
        ConfigError: an unknown name, or a plain operation where there are no references.
    """
    offered = [name for name in CONTESTANTS if references or name not in FLOORS]
    for name in only:
        if name not in offered:
            raise ConfigError("--only", f"{name!r} is not allowed; it must be one of {', '.join(offered)}")
    always = {YARDSTICK, *FLOORS} if references else set()
    return [CONTESTANTS[name] for name in offered if not only or name in only or name in always]


def obstacle(contestant: Contestant, device: torch.device) -> str | None:
    """Why a contestant cannot run here, found by two steps on small tensors; they also load and compile what is lazy.

    Args:
        contestant: Whom to try.
        device: Where.

    Returns:
        The reason in one line, or None if it can run.
    """
    params = [nn.Parameter(torch.ones(shape, device=device)) for shape in ((4, 3), (5,))]
    for param in params:
        param.grad = torch.full_like(param, 0.01)
    try:
        stepper = contestant.build(params)
        for _ in range(2):
            stepper.step()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        return f"needs the package {_PACKAGES.get(missing, missing)}"
    except (ImportError, ValueError, RuntimeError, NotImplementedError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    return None
