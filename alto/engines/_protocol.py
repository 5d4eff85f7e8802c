"""What every engine module offers, as a type."""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from alto._rule import Rule, Tensors
from alto.engines._layout import Kept
from alto.engines._maths import TensorList


class Engine(Protocol):
    """A module with the two operations of the optimizers, on lists of tensors."""

    @staticmethod
    def explore_(
        grads: list[Tensor], slow_avgs: list[Tensor], *, alpha: float, beta1: float, kept: Kept | None = None
    ) -> TensorList:
        """Mix: return ``u = (1 - c) g + c h`` and write ``h = beta1 h + (1 - beta1) g`` into ``slow_avgs``.

        Args:
            grads: the gradients ``g``.
            slow_avgs: the slow averages ``h``, one per gradient, of its shape.
            alpha: exploration strength; ``c = -alpha (1 - beta1)``.
            beta1: decay rate of the slow average.
            kept: empty at first; the same dictionary for later calls with the same slow averages, at the same
                addresses, and gradients like the first ones. ``u`` is then only valid up to the next call, unless
                something else refers to it.
        """
        ...

    @staticmethod
    def alto_step_(
        tensors: Tensors,
        rule: Rule,
        lr: float | Tensor,
        whole_norms: Callable[[Tensor], Tensor],
        *,
        capturable: bool = False,
    ) -> None:
        """Take one whole step of Algorithm 1 or 2 (the paper's Section 2), in the parameters and their averages.

        Args:
            tensors: the parameters, their gradients, averages and step counters.
            rule: the hyper-parameters.
            lr: learning rate.
            whole_norms: turns the norms of the shards held here, shape (2, number of tensors) or (2,), into those of
                the whole parameters (the identity, if nothing is sharded).
            capturable: whether every number stays on the parameters' device, for CUDA graphs.
        """
        ...
