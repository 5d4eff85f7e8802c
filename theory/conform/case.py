"""A drawn case of the comparison with the paper: hyper-parameters, parameters, gradients."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from theory.method.algorithms import Layers


@dataclass(frozen=True)
class Case:
    """One setting of an optimizer, and the numbers that it runs on.

    Attributes:
        alpha, beta1: E's. beta2, beta3: decay rates of the moments; beta2 is the momentum of SGD.
        lr, eps, weight_decay: the base's.
        base: what an adaptor wraps, "SGD" or "AdamW".
        shapes: of the parameters.
        steps: how many.
        scale: standard deviation of a coordinate of the gradient.
        seed: of the first parameters and the gradients, which are normal.
        zero: whether the parameters start at 0.
    """

    alpha: float = -5.0
    beta1: float = 0.9
    beta2: float = 0.8
    beta3: float = 0.95
    lr: float = 0.02
    eps: tuple[float, ...] = (1e-6, 1e-6, 1e-10)
    weight_decay: float = 0.01
    base: str = "SGD"
    shapes: tuple[tuple[int, ...], ...] = ((3,), (4,))
    steps: int = 12
    scale: float = 0.05
    seed: int = 0
    zero: bool = False

    def __str__(self) -> str:
        own = ("alpha", "beta1", "beta2", "beta3", "lr", "weight_decay")
        said = [f"{name} = {getattr(self, name):.6g}" for name in own]
        steps = f"{self.steps} step" + "s" * (self.steps > 1)
        sizes = " and ".join(map(str, self.shapes))
        said += [f"base {self.base}"] * (self.base != "SGD")
        return f"{', '.join(said)}, eps = {self.eps[0]:g}, {steps}, shape {sizes}, gradients of {self.scale:g}"

    def numbers(self, dtype: type = np.float64) -> tuple[Layers, list[Layers]]:
        """First parameters and the gradients of each step, as (1, n) float64 arrays that ``dtype`` holds exactly."""
        rng = np.random.default_rng(self.seed)
        sizes = [int(np.prod(shape)) for shape in self.shapes]

        def draw(scale: float) -> Layers:
            return [(scale * rng.normal(size=(1, n))).astype(dtype).astype(np.float64) for n in sizes]

        start = draw(0.0 if self.zero else 1.0)
        return start, [draw(self.scale) for _ in range(self.steps)]


SHAPES = st.lists(st.sampled_from(((1,), (3,), (2, 3), (4,))), min_size=1, max_size=3).map(tuple)


@st.composite
def cases(draw: st.DrawFn, *, fixed: Mapping[str, Any], adaptor: bool, **own: Any) -> Case:
    """Cases in the paper's region |alpha| (1 - beta1) < 1, simplest first.

    Args:
        draw: Hypothesis's.
        fixed: fields that the caller's arguments fix.
        adaptor: whether the base may be AdamW too.
        **own: fields that a check fixes, or strategies for them.
    """
    drawn = {name: draw(value) if isinstance(value, st.SearchStrategy) else value for name, value in own.items()}
    if "beta1" not in fixed:
        low = 1 - 0.95 / abs(fixed["alpha"]) if fixed.get("alpha") else 0.0
        drawn["beta1"] = draw(_between(max(0.0, low), max(0.995, low), (0.0, 0.5, 0.9, 0.99)))
    if "alpha" not in fixed:
        beta1 = {**drawn, **fixed}["beta1"]
        drawn["alpha"] = round(-draw(_between(-0.95, 0.95, (0.5, -0.5, 0.05, 0.0))) / (1 - beta1), 6)
    strategies = {
        "beta2": _between(0.0, 0.99, (0.0, 0.9)),
        "beta3": _between(0.1, 0.999, (0.5, 0.99)),
        "lr": st.sampled_from((0.02, 0.1, 0.001)),
        "eps": st.sampled_from(((1e-6, 1e-6, 1e-10), (1e-3, 1e-2, 1e-2), (1e-8, 1e-6, 1e-4))),
        "weight_decay": st.sampled_from((0.01, 0.3)),
        "base": st.sampled_from(("SGD", "AdamW") if adaptor else ("SGD",)),
        "shapes": SHAPES,
        "steps": st.integers(1, 12),
        "seed": st.integers(0, 1000),
    }
    drawn |= {name: draw(strategy) for name, strategy in strategies.items() if name not in own}
    return Case(**{**drawn, **fixed})


def _between(low: float, high: float, known: tuple[float, ...]) -> "st.SearchStrategy[float]":
    simple = [value for value in known if low <= value <= high]
    drawn = st.floats(low, high)
    return st.sampled_from(simple) | drawn if simple else drawn
