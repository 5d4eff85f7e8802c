"""The paper's two functions of one variable (figure 8), a double well, and a bowl with a narrow dip.

Where a constant has no short derivation it is the largest value on a grid of 200,001 points, plus 1 %.
"""

from collections.abc import Callable

import numpy as np

from theory.objectives.base import Objective
from theory.objectives.by_name import objective

Scalar = Callable[[np.ndarray], np.ndarray]


def _on_a_line(
    name: str,
    f: tuple[Scalar, Scalar, Scalar],
    *,
    start: float,
    domain: tuple[float, float],
    minimisers: np.ndarray,
    infimum: float | None = None,
) -> Objective:
    """An objective of one coordinate from f, f' and f''; L, the slope and (if not given) f* from a grid."""
    grid = np.linspace(*domain, 200_001)
    return Objective(
        name=name,
        start=np.array([start]),
        value=lambda x: f[0](x[..., 0]),
        gradient=f[1],
        hessian=lambda x: f[2](x)[..., None],
        domain=domain,
        infimum=float(f[0](minimisers).min()) if infimum is None else infimum,
        minimisers=minimisers[:, None],
        L=1.01 * float(np.abs(f[2](grid)).max()),
        slope=1.01 * float(np.abs(f[1](grid)).max()),
    )


def _polish(x: float, f1: Scalar, f2: Scalar) -> float:
    """A zero of f' near x, by Newton's method."""
    for _ in range(50):
        x -= float(f1(np.array(x)) / f2(np.array(x)))
    return x


@objective("ripples")
def ripples() -> Objective:
    """The paper's f1(x) = 1 / (0.05 x sin^2(2x) + ln(x + 1)) from 2.3: infinitely many, ever lower minima.

    On the domain [2, 30] the lowest is the last one inside.
    """

    def parts(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The denominator and its first two derivatives; sin^2(2x) = (1 - cos 4x) / 2."""
        q = 0.05 * x * np.sin(2 * x) ** 2 + np.log(x + 1)
        q1 = 0.05 * (np.sin(2 * x) ** 2 + 2 * x * np.sin(4 * x)) + 1 / (x + 1)
        q2 = 0.05 * (4 * np.sin(4 * x) + 8 * x * np.cos(4 * x)) - 1 / (x + 1) ** 2
        return q, q1, q2

    def value(x: np.ndarray) -> np.ndarray:
        return 1 / parts(x)[0]

    def first(x: np.ndarray) -> np.ndarray:
        q, q1, _ = parts(x)
        return -q1 / q**2

    def second(x: np.ndarray) -> np.ndarray:
        q, q1, q2 = parts(x)
        return 2 * q1**2 / q**3 - q2 / q**2

    domain = (2.0, 30.0)
    grid = np.linspace(*domain, 200_001)
    lowest = _polish(float(grid[np.argmin(value(grid))]), first, second)
    return _on_a_line("ripples", (value, first, second), start=2.3, domain=domain, minimisers=np.array([lowest]))


@objective("three-holes")
def three_holes() -> Objective:
    """The paper's f2(x) = 1 - exp(-900 (x-.6)^2) - exp(-900 (x+.6)^2) - exp(-25 x^2) from 0.95.

    Two holes are sharp, one is flat. The sharp ones are the lower: -1.234e-4 against 0.
    At the start the slope is 7.6e-9.
    """
    holes = ((900.0, 0.6), (900.0, -0.6), (25.0, 0.0))

    def value(x: np.ndarray) -> np.ndarray:
        return 1 - np.asarray(sum(np.exp(-a * (x - b) ** 2) for a, b in holes))

    def first(x: np.ndarray) -> np.ndarray:
        return np.asarray(sum(2 * a * (x - b) * np.exp(-a * (x - b) ** 2) for a, b in holes))

    def second(x: np.ndarray) -> np.ndarray:
        return np.asarray(sum((2 * a - (2 * a * (x - b)) ** 2) * np.exp(-a * (x - b) ** 2) for a, b in holes))

    sharp = _polish(0.6, first, second)
    return _on_a_line(
        "three-holes", (value, first, second), start=0.95, domain=(-1.0, 1.0), minimisers=np.array([sharp, -sharp])
    )


@objective("double-well")
def double_well(barrier: float = 0.03, left: float = 0.2, right: float = 2.0) -> Objective:
    """A sharp and a flat well: barrier (1 - (x / w)^2)^2 with w = ``left`` for x < 0 and ``right`` for x > 0.

    Both reach 0; the curvature at the bottom is 8 barrier / w^2. The second derivative jumps at 0.
    """

    def width(x: np.ndarray) -> np.ndarray:
        return np.where(x < 0, left, right)

    def value(x: np.ndarray) -> np.ndarray:
        return barrier * (1 - (x / width(x)) ** 2) ** 2

    def first(x: np.ndarray) -> np.ndarray:
        return -4 * barrier * x / width(x) ** 2 * (1 - (x / width(x)) ** 2)

    def second(x: np.ndarray) -> np.ndarray:
        return -4 * barrier / width(x) ** 2 * (1 - 3 * (x / width(x)) ** 2)

    return _on_a_line(
        "double-well", (value, first, second), start=-left, domain=(-1.5 * left, 1.5 * right),
        minimisers=np.array([-left, right]), infimum=0.0,
    )  # fmt: skip


@objective("dip")
def dip(depth: float = 0.1, width: float = 0.05) -> Objective:
    """x^2 / 2 - depth exp(-(x - 1)^2 / (2 width^2)) from 2: a bowl with a narrow dip on the way down."""

    def bump(x: np.ndarray) -> np.ndarray:
        return depth * np.exp(-(((x - 1) / width) ** 2) / 2)

    def value(x: np.ndarray) -> np.ndarray:
        return x**2 / 2 - bump(x)

    def first(x: np.ndarray) -> np.ndarray:
        return x + (x - 1) / width**2 * bump(x)

    def second(x: np.ndarray) -> np.ndarray:
        return 1 + (1 / width**2 - ((x - 1) / width**2) ** 2) * bump(x)

    domain = (-1.0, 3.0)
    grid = np.linspace(*domain, 200_001)
    lowest = _polish(float(grid[np.argmin(value(grid))]), first, second)
    return _on_a_line("dip", (value, first, second), start=2.0, domain=domain, minimisers=np.array([lowest]))
