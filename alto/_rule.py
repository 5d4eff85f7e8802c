"""The hyper-parameters of one parameter group, and the tensors that a step reads and writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Rule:
    """The constants of Algorithms 1 and 2, in the paper's letters; the learning rate travels beside them."""

    alpha: float
    beta1: float
    beta2: float
    beta3: float
    eps1: float
    eps2: float
    eps3: float
    weight_decay: float
    bias_correction: bool
    layerwise: bool
    maximize: bool

    @classmethod
    def of(cls, group: Mapping[str, Any]) -> "Rule":
        """Read a parameter group of :class:`alto.ALTO`."""
        beta2, beta3 = group["betas"]
        eps1, eps2, eps3 = group["eps"]
        return cls(
            group["alpha"], group["beta1"], beta2, beta3, eps1, eps2, eps3,
            group["weight_decay"], group["bias_correction"], group["layerwise"], group["maximize"],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tensors:
    """Parallel lists, one entry per parameter (this rank's shard of it): same device, same dtype, real.

    ``params`` and ``grads`` have the parameter's dtype, the averages have the state's (float32 for half-precision
    parameters), but slow averages may be in bfloat16; then ``positions`` holds each parameter's place in the optimizer.
    ``slow_avgs`` is empty where nothing explores; ``steps`` holds 0-dim counters (float32; float64 where that is
    torch's default dtype) of the steps before, which the engine advances. ``kept`` is where
    an engine keeps what it has prepared for these lists: given once more, only the gradients are new, and laid out like
    the ones before.
    """

    params: list[Tensor]
    grads: list[Tensor]
    exp_avgs: list[Tensor]
    exp_avg_sqs: list[Tensor]
    slow_avgs: list[Tensor]
    steps: list[Tensor]
    positions: list[int]
    kept: dict[str, Any] = field(default_factory=dict, compare=False)

    def averages(self) -> list[tuple[str, list[Tensor]]]:
        """The lists of averages that there are, by their names in an optimizer's state."""
        named = [("exp_avg", self.exp_avgs), ("exp_avg_sq", self.exp_avg_sqs), ("slow_avg", self.slow_avgs)]
        return [(name, column) for name, column in named if column]

    def pick(self, rows: list[int]) -> "Tensors":
        """The entries of these parameters."""
        columns = {name: getattr(self, name) for name in self.__slots__ if name != "kept"}
        chosen: dict[str, Any] = {
            name: [column[row] for row in rows] if column else [] for name, column in columns.items()
        }
        return Tensors(**chosen)
