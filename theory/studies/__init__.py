"""Simulations whose data figures and claims read: one file per study, which computes the data and draws them.

    python -m theory figures --fresh    computes all of them into runs/theory/studies
    results/theory/                     holds the committed copies

A study has ``compute(effort) -> plain data`` (:class:`Study`); it prints nothing. A picture of one or more studies has
what :class:`Drawing` lists. Most files have both. Another study is a file here with a function ``compute``, and its
name below; another figure has its line in :mod:`theory.figures`.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from theory.ledger.effort import Effort

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Compute = Callable[[Effort], dict[str, Any]]
"""How much to spend -> plain data, with at least ``config`` and ``seeds`` (empty where nothing is random)."""


class Study(Protocol):
    """The part of a module that computes."""

    @property
    def compute(self) -> Compute:
        """The data."""
        ...


class Drawing(Protocol):
    """The part of a module that draws."""

    @property
    def STUDIES(self) -> tuple[str, ...]:
        """The stored studies that it reads; with a folder, such as ``rates/regret``, the file of another command."""
        ...

    @property
    def TITLE(self) -> str:
        """A short heading."""
        ...

    @property
    def SEE(self) -> str:
        """One sentence: what the reader should see."""
        ...

    @property
    def draw(self) -> Callable[[Mapping[str, Any]], "Figure"]:
        """From the studies' data, by name, to the figure."""
        ...


Kind_co = TypeVar("Kind_co", covariant=True)


class Modules(Mapping[str, Kind_co]):
    """Modules by name, each imported when it is looked up."""

    def __init__(self, homes: Mapping[str, str]) -> None:
        self.homes = dict(homes)

    def __getitem__(self, name: str) -> Kind_co:
        return cast("Kind_co", import_module(self.homes[name]))

    def __iter__(self) -> Iterator[str]:
        return iter(self.homes)

    def __len__(self) -> int:
        return len(self.homes)

    def __contains__(self, name: object) -> bool:
        return name in self.homes


_NAMES = (
    "stability-map", "edge-of-stability", "divergence", "frequency-response", "impulse-response",
    "stationary-variance", "mean-square", "valley-drift", "label-noise", "dips", "double-well", "figure-8", "cardioid",
    "rosenbrock", "crossing", "sign-of-a", "figure-5", "rate-and-condition", "age-and-variance",
    "normalised-step", "primal-averaging", "high-probability", "batch-floor", "log-epsilon",
    "alto-minimiser",
)  # fmt: skip

ALL: Modules[Study] = Modules({name: f"theory.studies.{name.replace('-', '_')}" for name in _NAMES})
"""Every study by name."""
