"""What is known of a torch optimizer: its momentum filter, and the diagonal matrix Q of theta' = theta - Q m."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from theory.method.filters import Filter

ADAM = {"Adam", "AdamW"}
SETTINGS = (
    "explore_alpha", "explore_beta1", "alpha", "beta1", "momentum", "dampening", "nesterov", "amsgrad",
    "maximize", "weight_decay", "layerwise", "bias_correction",
)  # fmt: skip
"""What :func:`read` reads of a group, beside ``betas``."""


@dataclass(frozen=True)
class Known:
    """One parameter group, read at a step.

    Attributes:
        filter: E and the momentum, with weights that sum to 1; None where they are not known.
        gain: the factor between lr and the step size of that normalised momentum: 1 / (1 - momentum) for torch's SGD.
        adam: whether Q has Adam's denominator; otherwise Q = lr times the identity.
        corrected: whether m and v are divided by 1 - beta^k.
        decay: the weight decay.
        unknown: why ``filter`` and Q are not known; empty where they are.
    """

    filter: Filter | None
    gain: float = 1.0
    adam: bool = False
    corrected: bool = True
    decay: float = 0.0
    unknown: str = ""

    def step_matrix(
        self, group: Mapping[str, Any], states: Sequence[Mapping[str, Any]], out: Tensor, parts: Sequence[Tensor]
    ) -> float:
        """The diagonal of Q = scale / S for parameters of one group after a step, this process's shards.

        Args:
            group: the parameter group.
            states: the optimizer's state of each parameter.
            out: where S goes, (count,).
            parts: the views of ``out`` that belong to the parameters, in their shapes.

        Returns:
            The scale, which has the learning rate in it; nan before the first step.
        """
        rate = float(group["lr"]) * self.gain
        if not self.adam:
            out.fill_(1.0)
            return rate
        for state, part in zip(states, parts, strict=True):
            torch.sqrt(local(state["exp_avg_sq"]), out=part)
        eps = group["eps"][0] if isinstance(group["eps"], tuple | list) else group["eps"]
        if not self.corrected:
            out.add_(eps)
            return rate
        # rate / (1 - beta2^k) / (sqrt(v / (1 - beta3^k)) + eps), in few passes over the memory
        beta2, beta3 = (float(beta) for beta in group["betas"])
        steps = [state["step"] for state in states]
        steps = numbers(steps) if isinstance(steps[0], Tensor) else steps
        if not all(steps):
            return math.nan  # a fused optimizer skipped its first step
        alike = len(set(steps)) == 1  # a parameter without a gradient stays behind
        roots = [math.sqrt(1 - beta3**k) for k in (steps[:1] if alike else steps)]
        factors = [root / (1 - beta2**k) for k, root in zip(steps, roots, strict=not alike)]
        for root, factor, part in zip(roots, factors, [out] if alike else parts, strict=True):
            part.add_(eps * root)
            if not alike:
                part.mul_(factors[0] / factor)
        return rate * factors[0]


def local(tensor: Any) -> Tensor:
    """This process's shard of a DTensor, or the tensor itself."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


def numbers(scalars: Sequence[Tensor]) -> list[float]:
    """Their values, with one transfer from an accelerator."""
    if scalars and not scalars[0].is_cpu and len({x.device for x in scalars}) == 1:
        return torch.stack([x.double() for x in scalars]).tolist()
    return [x.item() for x in scalars]


def unwrapped(optimizer: Any) -> torch.optim.Optimizer:
    """The optimizer inside Accelerate's, Lightning's and similar wrappers.

    Raises:
        TypeError: there is no torch optimizer in it.
    """
    for name in ("optimizer", "_optimizer"):
        inner = vars(optimizer).get(name) if hasattr(optimizer, "__dict__") else None
        if isinstance(inner, torch.optim.Optimizer):
            return unwrapped(inner)
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise TypeError(f"optimizer is a {type(optimizer).__name__}: allowed are torch optimizers and wrappers of one")
    return optimizer


def read(optimizer: Any, group: Mapping[str, Any]) -> Known:
    """What is known of a group of this optimizer; exact class names only, as a subclass may do anything."""
    base, alpha, beta1, start = optimizer, 0.0, 0.0, "zero"
    if type(optimizer).__module__.split(".")[0] == "alto" and hasattr(optimizer, "base"):
        base, start = optimizer.base, optimizer.start
        alpha, beta1 = float(group["explore_alpha"]), float(group["explore_beta1"])
    kind, home = type(base).__name__, type(base).__module__.split(".")[0]
    decay = float(group.get("weight_decay", 0.0))
    if start != "zero":
        return Known(None, decay=decay, unknown=f"start = {start!r}: the theorems have a slow average that begins at 0")
    if group.get("maximize"):
        return Known(None, decay=decay, unknown="it maximizes")
    if home == "torch" and kind == "SGD":
        momentum = float(group["momentum"])
        if group["nesterov"]:
            return Known(None, decay=decay, unknown="its momentum is Nesterov's, which the theorems do not have")
        if momentum and group["dampening"]:
            return Known(None, decay=decay, unknown="dampening leaves the first gradient out: it is no average from 0")
        return Known(Filter(alpha, beta1, momentum), 1 / (1 - momentum), decay=decay)
    if home == "torch" and kind in ADAM:
        if group.get("amsgrad"):
            return Known(None, decay=decay, unknown="amsgrad keeps the largest second moment, which is not read here")
        return Known(Filter(alpha, beta1, float(group["betas"][0])), adam=True, decay=decay)
    if home == "alto" and kind in {"ALTO", "LAMB"}:
        if group["layerwise"]:
            return Known(None, decay=decay, unknown="ALTO's layer factor is not read; see theory.monitor.literal")
        if base is not optimizer and group["alpha"] != 0:
            return Known(None, decay=decay, unknown="E is around an optimizer that has an alpha of its own")
        if base is optimizer:
            alpha, beta1 = float(group["alpha"]), float(group["beta1"])
        F = Filter(alpha, beta1, float(group["betas"][0]))
        return Known(F, adam=True, corrected=bool(group["bias_correction"]), decay=decay)
    return Known(None, decay=decay, unknown=f"the update of {type(base).__module__}.{kind} is not known")
