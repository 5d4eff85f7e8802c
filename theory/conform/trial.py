"""An optimizer on a drawn problem: what the parts of the contract run.

The loss of step k is sum |p - t_k|^2 / 2 with drawn targets t_k, so its gradient depends on the parameters.
"""

import inspect
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from theory.conform.search import NotOfferedError

Make = Callable[[Any], Any]
"""From parameters, or parameter groups, to an optimizer."""

SHAPES = ((3,), (2, 3), (1,), (), (4, 2))
CLOSE = 1e-4
"""Largest relative difference of float32 results that are summed in another order."""

LATE = 12
"""Steps after which every optimizer should have moved: some begin with steps that only collect gradients."""


@dataclass(frozen=True)
class Trial:
    """A drawn problem: the shapes of the parameters, how many steps, and the seed of all numbers."""

    shapes: tuple[tuple[int, ...], ...] = ((3,), (2, 3))
    steps: int = 4
    seed: int = 0

    def __str__(self) -> str:
        return f"{self.steps} steps, parameters of shape {' and '.join(map(str, self.shapes))}, seed {self.seed}"


Part = Callable[[Make, Trial], None]
"""A part of the contract: raises where it is broken."""


def require(condition: bool, message: str) -> None:
    """Raise an AssertionError with this message if the condition does not hold."""
    if not condition:
        raise AssertionError(message)


def trials(dims: Sequence[int] | None = None) -> "st.SearchStrategy[Trial]":
    """Problems whose parameters have one of these numbers of dimensions; simplest first."""
    shapes = [shape for shape in (*SHAPES, (2, 2, 2)) if len(shape) in (dims or (0, 1, 2))]
    if not shapes:
        raise ValueError(f"dims = {dims!r} must hold some of 0, 1, 2, 3")
    several = st.lists(st.sampled_from(shapes), min_size=1, max_size=3).map(tuple)
    return st.builds(Trial, several, st.integers(2, 8), st.integers(0, 1000))


def numbers(shape: Sequence[int], *key: int) -> Tensor:
    """Normal numbers in float64 that depend on the key alone."""
    seed = zlib.crc32(repr(key).encode())
    return torch.randn(tuple(shape), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def seed(k: int) -> None:
    """Seed what an optimizer draws on the CPU; ``torch.manual_seed``, for all devices, was two thirds of all time."""
    torch.default_generator.manual_seed(k)


class Run:
    """An optimizer with its parameters.

    Args:
        make: builds the optimizer.
        trial: the problem.
        params: parameters to begin with; drawn by default.
        dtype: of drawn parameters.
        split: whether each parameter has a group of its own.
    """

    def __init__(
        self,
        make: Make,
        trial: Trial,
        *,
        params: Sequence[Tensor] | None = None,
        dtype: torch.dtype = torch.float32,
        split: bool = False,
    ) -> None:
        if params is None:
            params = [numbers(shape, trial.seed, -1, i).to(dtype) for i, shape in enumerate(trial.shapes)]
        self.trial = trial
        self.params = [torch.nn.Parameter(p.detach().clone()) for p in params]
        self.optimizer = make([{"params": [p]} for p in self.params] if split else self.params)
        self.train()

    def train(self) -> None:
        """Put an optimizer that has two modes (schedule-free ones) into the one for steps."""
        if callable(getattr(self.optimizer, "train", None)):
            self.optimizer.train()

    @property
    def needs_closure(self) -> bool:
        """Whether ``step()`` has an argument without a default."""
        arguments = list(inspect.signature(type(self.optimizer).step).parameters.values())[1:]
        return any(one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD for one in arguments)

    @property
    def has_rate(self) -> bool:
        """Whether every group has a learning rate that is a number."""
        return all(isinstance(group.get("lr"), (int, float, Tensor)) for group in self.optimizer.param_groups)

    def loss(self, k: int) -> Tensor:
        """The loss of step ``k``."""
        targets = [numbers(p.shape, self.trial.seed, k, i).to(p.dtype) for i, p in enumerate(self.params)]
        return torch.stack([((p - t) ** 2).sum() / 2 for p, t in zip(self.params, targets, strict=True)]).sum()

    def closure(self, k: int, factor: float = 1.0) -> Callable[[], Tensor]:
        """A function that sets the gradients of step ``k`` and returns its loss."""

        def evaluate() -> Tensor:
            for p in self.params:
                p.grad = None
            loss = factor * self.loss(k)
            loss.backward()
            return loss

        return evaluate

    def step(self, k: int, *, by_closure: bool = False, factor: float = 1.0) -> Any:
        """Take step ``k``; random numbers that the optimizer draws depend on k alone."""
        evaluate = self.closure(k, factor)
        seed(k)
        if by_closure or self.needs_closure:
            return self.optimizer.step(evaluate)
        evaluate()
        seed(k)
        return self.optimizer.step()

    def steps(self, first: int, last: int, **how: Any) -> "Run":
        """Take the steps ``first`` to ``last - 1``."""
        for k in range(first, last):
            self.step(k, **how)
        return self

    def apply(self, gradients: Sequence[Tensor | None], k: int = 0) -> None:
        """One step with gradients that are given.

        Raises:
            NotOfferedError: the step needs a closure.
        """
        if self.needs_closure:
            raise NotOfferedError("its step needs a closure")
        for p, g in zip(self.params, gradients, strict=True):
            p.grad = None if g is None else g.to(p.dtype)
        seed(k)
        self.optimizer.step()

    def values(self) -> list[Tensor]:
        """Copies of the parameters."""
        return [p.detach().clone() for p in self.params]


def same(left: Sequence[Tensor], right: Sequence[Tensor]) -> bool:
    """Whether tensors have the same dtypes and numbers; a NaN is the same as another NaN, and as nothing else."""
    return len(left) == len(right) and all(
        x.dtype == y.dtype and x.shape == y.shape and bool(((x == y) | (x.isnan() & y.isnan())).all())
        for x, y in zip(left, right, strict=True)
    )


def apart(left: Sequence[Tensor], right: Sequence[Tensor], start: Sequence[Tensor] | None = None) -> float:
    """The largest difference, relative to the largest number, or to the largest movement from ``start``."""
    whole = [torch.cat([x.detach().double().reshape(-1) for x in xs]) for xs in (left, right)]
    base = torch.cat([x.detach().double().reshape(-1) for x in start]) if start else 0.0
    size = float((whole[0] - base).abs().max())
    away = float((whole[0] - whole[1]).abs().nan_to_num(nan=torch.inf).max())
    return away / size if size > 0 else away


def state_tensors(optimizer: Any) -> list[Tensor]:
    """Every tensor in an optimizer's state dict, in a fixed order."""
    found: list[Tensor] = []

    def walk(value: Any) -> None:
        if isinstance(value, Tensor):
            found.append(value.detach().clone())
        elif isinstance(value, dict):
            for key in sorted(value, key=str):
                walk(value[key])
        elif isinstance(value, (list, tuple)):
            for item in value:
                walk(item)

    walk(optimizer.state_dict()["state"])
    return found
