"""The optimizers under test, by readable id, and a small problem to run them on."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from unittest import mock

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from alto import ALTO, ESGD, LAMB, E, EAdam, EAdamW

# Every optimizer of ours, in each engine: id -> constructor from parameters (or groups).
OURS: dict[str, Callable[..., Optimizer]] = {
    "ALTO-foreach": lambda params, **kw: ALTO(params, foreach=True, **kw),
    "ALTO-fused": lambda params, **kw: ALTO(params, fused=True, **kw),
    "ALTO-single": lambda params, **kw: ALTO(params, foreach=False, **kw),
    "ALTO-vanilla": lambda params, **kw: ALTO(params, bias_correction=False, **kw),
    "ALTO-capturable": lambda params, **kw: ALTO(params, capturable=True, **kw),
    "ALTO-bfloat16": lambda params, **kw: ALTO(params, slow_avg_dtype=torch.bfloat16, **kw),
    "LAMB": LAMB,
    "ESGD": ESGD,
    "EAdam": EAdam,
    "EAdamW": EAdamW,
    "EAdamW-fused": lambda params, **kw: EAdamW(params, fused=True, **kw),
}

# Every torch base that E is meant for: id -> constructor from parameters.
BASES: dict[str, Callable[..., Optimizer]] = {
    "SGD": lambda params, lr=0.01: torch.optim.SGD(params, lr),
    "SGD-momentum-foreach": lambda params, lr=0.01: torch.optim.SGD(params, lr, momentum=0.9, foreach=True),
    "SGD-nesterov-fused": lambda params, lr=0.01: torch.optim.SGD(params, lr, momentum=0.9, nesterov=True, fused=True),
    "Adam": lambda params, lr=0.01: torch.optim.Adam(params, lr),
    "Adam-amsgrad-foreach": lambda params, lr=0.01: torch.optim.Adam(params, lr, amsgrad=True, foreach=True),
    "Adam-fused": lambda params, lr=0.01: torch.optim.Adam(params, lr, fused=True),
    "AdamW": lambda params, lr=0.01: torch.optim.AdamW(params, lr),
    "AdamW-fused": lambda params, lr=0.01: torch.optim.AdamW(params, lr, fused=True),
    "NAdam": lambda params, lr=0.01: torch.optim.NAdam(params, lr),
    "RMSprop": lambda params, lr=0.01: torch.optim.RMSprop(params, lr),
    "Adagrad": lambda params, lr=0.01: torch.optim.Adagrad(params, lr),
    "Adagrad-fused": lambda params, lr=0.01: torch.optim.Adagrad(params, lr, fused=True),
    "Adadelta": lambda params, lr=0.01: torch.optim.Adadelta(params, lr),
    "RAdam": lambda params, lr=0.01: torch.optim.RAdam(params, lr),
    "Adamax": lambda params, lr=0.01: torch.optim.Adamax(params, lr),
    "ASGD": lambda params, lr=0.01: torch.optim.ASGD(params, lr),
    "Rprop": lambda params, lr=0.01: torch.optim.Rprop(params, lr),
    "Adafactor": lambda params, lr=0.01: torch.optim.Adafactor(params, lr),
    "Muon": lambda params, lr=0.01: torch.optim.Muon(params, lr),
    "LAMB": LAMB,
}


def around(base: str, **exploration: float) -> Callable[..., E]:
    """E around the base with that id."""
    return lambda params, **kw: E(BASES[base](params, **kw), **exploration)


# Those, and more of their options and bases, for what holds of every torch optimizer.
ALL: dict[str, Callable[..., Optimizer]] = {
    **OURS,
    "LAMB-single": lambda params, **kw: LAMB(params, foreach=False, **kw),
    "ESGD-foreach": lambda params, **kw: ESGD(params, foreach=True, **kw),
    "EAdam-amsgrad": lambda params, **kw: EAdam(params, amsgrad=True, **kw),
    "E-AdamW-single": lambda params, **kw: E(torch.optim.AdamW(params, **kw), foreach=False),
    "E-NAdam-foreach": lambda params, **kw: E(torch.optim.NAdam(params, **kw), foreach=True),
    "E-Muon": around("Muon", start="corrected"),
}


def matrices(count: int = 2, dtype: torch.dtype = torch.float32, seed: int = 0) -> list[nn.Parameter]:
    """Parameters that every base takes (Muon takes matrices only), the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    return [
        nn.Parameter(torch.randn(4, 3 + i, generator=generator, dtype=torch.float64).to(dtype)) for i in range(count)
    ]


def gradients(params: list[nn.Parameter], step: int, scale: float = 1.0) -> list[Tensor]:
    """Gradients that depend on the step alone, so that two optimizers can be fed the same."""
    generator = torch.Generator().manual_seed(1000 + step)
    return [scale * torch.randn(p.shape, generator=generator, dtype=torch.float64).to(p.dtype) for p in params]


def run(optimizer: Optimizer, params: list[nn.Parameter], steps: range | int) -> list[Tensor]:
    """Feed the gradients of these steps; return the parameters' values."""
    for step in range(steps) if isinstance(steps, int) else steps:
        for param, grad in zip(params, gradients(params, step), strict=True):
            param.grad = grad
        optimizer.step()
    return [param.detach().clone() for param in params]


def forced(engine: str) -> AbstractContextManager:
    """Within this context every step is taken by the engine of that name, whatever the device."""
    return mock.patch("alto.engines.choose", return_value=import_module(f"alto.engines.{engine}"))


def equal(left: list[Tensor], right: list[Tensor]) -> bool:
    """Bit for bit."""
    return all(torch.equal(a, b) for a, b in zip(left, right, strict=True))
