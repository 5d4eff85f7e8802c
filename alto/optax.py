"""E for optax: a gradient transformation to chain before any other. It needs ``pip install optax``.

optimizer = optax.chain(alto.optax.explore(-5.0, 0.99), optax.adamw(1e-3))
"""

from importlib import import_module
from typing import Any, NamedTuple

from alto import _checks


class ExploreState(NamedTuple):
    """The state of :func:`explore`: h, a tree like the parameters, in float32 where they have half precision."""

    slow_avg: Any


def explore(alpha: float = -5.0, beta1: float = 0.99) -> Any:
    r"""Replace the gradient g by :math:`u = (1-c) g + c h`, :math:`c = -\alpha(1-\beta_1)`, with h the slow average.

    The same as :class:`alto.E` before any base. Elementwise, so it works on sharded trees. It keeps one number per
    parameter; none for ``alpha = 0``, which changes nothing.

    Args:
        alpha: negative to mix in past gradients. Default: -5, the paper's for large batches.
        beta1: decay rate of the slow average. Default: 0.99, the paper's.

    Returns:
        An ``optax.GradientTransformation``.

    Raises:
        ValueError: if :math:`|\alpha| (1-\beta_1) \ge 1` or beta1 is not in [0, 1).
        ModuleNotFoundError: if optax is not installed.
    """
    _checks.exploration(alpha, beta1)
    try:
        jax, jnp, optax = map(import_module, ("jax", "jax.numpy", "optax"))  # type checkers need not find them
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{error}: alto.optax.explore needs it; pip install optax", name=error.name
        ) from error
    if alpha == 0:
        return optax.identity()
    c = -alpha * (1 - beta1)

    def zeros(p: Any) -> Any:
        return jnp.zeros(p.shape, jnp.promote_types(p.dtype, jnp.float32))

    def update(updates: Any, state: ExploreState, params: Any = None) -> tuple[Any, ExploreState]:
        del params

        def mixed(g: Any, h: Any) -> Any:
            return None if g is None else ((1 - c) * g.astype(h.dtype) + c * h).astype(g.dtype)

        def moved(g: Any, h: Any) -> Any:
            return h if g is None else beta1 * h + (1 - beta1) * g.astype(h.dtype)

        def absent(leaf: Any) -> bool:
            return leaf is None

        old = state.slow_avg
        return (
            jax.tree.map(mixed, updates, old, is_leaf=absent),
            ExploreState(jax.tree.map(moved, updates, old, is_leaf=absent)),
        )

    return optax.GradientTransformation(lambda params: ExploreState(jax.tree.map(zeros, params)), update)
