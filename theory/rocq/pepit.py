"""From a solved problem of PEPit to the JSON of a dual; PEPit itself is not imported."""

from collections.abc import Sequence
from typing import Any


def dual(function: Any, iterates: Sequence[Any], *, performance: str, initial: str, tau: float) -> dict[str, Any]:
    """What ``python -m theory certify`` reads, of a method with fixed steps on one function with L = 1.

    Args:
        function: of PEPit: a SmoothConvexFunction, SmoothStronglyConvexFunction or SmoothFunction with L = 1, after
            ``PEP.solve``. A minimiser is its ``stationary_point()``.
        iterates: the points x_0 ... x_N at which its gradient was taken, each x_0 plus multiples of earlier gradients.
        performance: ``final value``, ``final gradient`` or ``smallest gradient``.
        initial: ``distance``, ``value`` or ``fall``.
        tau: the worst case that PEPit found.

    Returns:
        The dual, for ``json.dump``.

    Raises:
        ValueError: the function has L other than 1, a point is no iterate and no minimiser, or a step is no multiple
            of gradients.
    """
    if function.L != 1:
        raise ValueError(f"L = {function.L}: allowed is L = 1; scale the problem")
    mu = float(getattr(function, "mu", 0))
    kind = {"SmoothFunction": "smooth"}.get(type(function).__name__, "strongly convex" if mu else "convex")
    named: dict[int, int] = {id(point): k for k, point in enumerate(iterates)}
    found, gradients = [], {}
    for point, gradient, _ in function.list_of_points:
        if id(point) in named:
            gradients[named[id(point)]] = gradient
            found.append(named[id(point)])
        elif not gradient.decomposition_dict:  # its gradient is 0
            found.append(-1)
        else:
            raise ValueError("the function has a point that is neither an iterate nor a minimiser")
    weights = {
        f"{found[i]},{found[j]}": float(table.iloc[i, j])
        for table in function.get_class_constraints_duals().values()
        for i in range(len(found))
        for j in range(len(found))
        if i != j
    }
    steps = [[_weight(iterates, k, gradients[j]) for j in range(k)] for k in range(1, len(iterates))]
    extra = {"mu": mu} if kind == "strongly convex" else {}
    return {
        "class": kind, **extra, "steps": steps, "performance": performance, "initial": initial, "tau": float(tau),
        "multipliers": weights,
    }  # fmt: skip


def _weight(iterates: Sequence[Any], k: int, gradient: Any) -> float:
    """How often x_0 - x_k has this gradient, which is a variable of PEPit's own."""
    (leaf,) = gradient.decomposition_dict
    return -float((iterates[k] - iterates[0]).decomposition_dict.get(leaf, 0.0))
