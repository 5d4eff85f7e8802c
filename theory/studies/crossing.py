"""Table 1 of the paper: the signs of four quantities along a crossing of a well, in its four stages."""

from typing import Any

import numpy as np

from theory.ledger.effort import Effort

STEP = 0.01
EXPECTED = {"-g": "--++", "-grad |g|^2": "+-+-", "g - g before": "+--+", "<move, change>": "-++-"}
"""The paper's signs in stages 1-2, 2-3, 3-4 and 4-5; every move is to the left."""


def compute(_: Effort) -> dict[str, Any]:
    """Quantities along -exp(-x^2/2) from 2.5 to -2.5, scaled to 1, and the share of agreeing steps by stage."""
    x = np.arange(2.5, -2.5, -STEP) + STEP / 3  # never on an inflection
    slope, curvature = x * np.exp(-(x**2) / 2), (1 - x**2) * np.exp(-(x**2) / 2)
    change = np.diff(slope)
    rows = {
        "-g": -slope[1:], "-grad |g|^2": -2 * slope[1:] * curvature[1:], "g - g before": change,
        "<move, change>": -STEP * change,
    }  # fmt: skip
    stage = np.digitize(-x[1:], [-1, 0, 1])
    inside = np.minimum(np.abs(np.abs(x[1:]) - 1), np.abs(x[1:])) > STEP  # steps that straddle two stages have no sign
    quantities = []
    for name, values in rows.items():
        wanted = np.array([1 if sign == "+" else -1 for sign in EXPECTED[name]])
        agree = [
            float((np.sign(values) == wanted[s])[inside & (stage == s)].mean()) for s in range(4)
        ]  # fmt: skip
        quantities.append({
            "name": name, "expected": EXPECTED[name], "agree": agree, "values": (values / np.abs(values).max())[::4],
        })  # fmt: skip
    f = -np.exp(-(x**2) / 2)
    return {"config": {"step": STEP}, "seeds": [], "x": x[1::4], "f": f[1::4], "quantities": quantities}
