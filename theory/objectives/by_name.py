"""The list of objectives and streams by name. A module of this package adds to it by decorating a function."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from theory.objectives.base import Objective
from theory.objectives.noise import Gaussian, Minibatch
from theory.objectives.online import Stream

Make = TypeVar("Make", bound=Callable[..., Objective | Stream])

_OBJECTIVES: dict[str, Callable[..., Objective]] = {}
_STREAMS: dict[str, Callable[..., Stream]] = {}


def objective(name: str) -> Callable[[Make], Make]:
    """Register a function that builds an objective; its parameters must have defaults."""
    return _register(name, _OBJECTIVES)


def stream(name: str) -> Callable[[Make], Make]:
    """Register a function that builds an online stream; its parameters must have defaults."""
    return _register(name, _STREAMS)


def _register(name: str, table: dict) -> Callable[[Make], Make]:
    def add(build: Make) -> Make:
        if name in table:
            raise ValueError(f"the name {name!r} is taken by {table[name].__module__}")
        table[name] = build
        return build

    return add


def names() -> tuple[str, ...]:
    """The names of all objectives, sorted."""
    return tuple(sorted(_OBJECTIVES))


def stream_names() -> tuple[str, ...]:
    """The names of all online streams, sorted."""
    return tuple(sorted(_STREAMS))


def make(name: str, **parameters: object) -> Objective:
    """Build an objective, with a noise model.

    Args:
        name: one of :func:`names`.
        **parameters: of the function that builds it.

    Returns:
        The objective.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in _OBJECTIVES:
        raise ValueError(f"name = {name!r} is no objective; known: {', '.join(names())}")
    f = _OBJECTIVES[name](**parameters)
    return f if f.noise else replace(f, noise=Minibatch(f.parts) if f.parts else Gaussian(1.0))


def make_stream(name: str, **parameters: object) -> Stream:
    """Build an online stream; as :func:`make`.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in _STREAMS:
        raise ValueError(f"name = {name!r} is no stream; known: {', '.join(stream_names())}")
    return _STREAMS[name](**parameters)
