"""What the figures of the rate studies share: picking curves, and how a method looks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOOKS = {
    "ESGD": (style.BLACK, "o"),
    "EAdam": (style.BLUE, "s"),
    "ALTO vanilla": (style.GREEN, "^"),
    "ALTO": (style.VERMILION, "D"),
}
LARGE_BATCH, SMALL_BATCH, TWIN = (-5.0, 0.99), (0.5, 0.01), (0.0, 0.99)
"""(alpha, beta1) of the paper's two presets, and of their base."""


def curves(
    study: Mapping[str, Any],
    *,
    objective: str,
    variants: Sequence[str] = (),
    setting: tuple[float, float] | None = None,
) -> Iterator[dict[str, Any]]:
    """The curves on an objective, of these variants (all if none is given) and of one (alpha, beta1)."""
    for curve in study["curves"]:
        if curve["objective"] != objective or (variants and curve["variant"] not in variants):
            continue
        if setting is None or (curve["alpha"], curve["beta1"]) == setting:
            yield curve


def draw(axes: "Axes", curve: Mapping[str, Any], *, colour: str, marker: str, bound: bool = True, **look: Any) -> None:
    """Dots with intervals for what was measured, a dashed line of the same colour for its bound."""
    x, y = style.array(curve["x"]), style.array(curve["measured"])
    low, high = style.array(curve["low"]), style.array(curve["high"])
    every = max(1, len(x) // 10)
    at = np.arange(len(x) - 1, -1, -every)
    shown = at[y[at] > 0]  # a logarithmic axis has no place for the rest
    error = np.nan_to_num(np.stack([y - np.minimum(low, y), np.maximum(high, y) - y]))[:, shown]
    axes.errorbar(x[shown], y[shown], np.minimum(error, np.stack([0.95 * y, np.full_like(y, np.inf)])[:, shown]),
                  fmt=marker, color=colour, elinewidth=0.8, markersize=3, **look)  # fmt: skip
    if bound and curve["bound"] is not None:
        axes.plot(x, style.array(curve["bound"]), "--", color=colour, linewidth=0.8)
