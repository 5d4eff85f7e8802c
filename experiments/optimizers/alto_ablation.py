"""ALTO in parts, for the ablation (Table 7 of the paper): each of its four ideas can be switched off. Simple, slow."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class ALTOParts(torch.optim.Optimizer):
    r"""ALTO (Algorithm 2) with switches; with all of them on it takes the steps of `alto.ALTO`, which a test asserts.

    With :math:`u = g + \alpha a` (E), :math:`m` averages u or g, :math:`v` averages the square of u or of g, each as
    its own switch says. With all switches off it is Adam with decoupled decay and without bias correction; with only
    the two first off it is LAMB.

    Args:
        params: Parameters or groups; a group with ``layerwise`` False is never scaled by layer.
        lr: Learning rate.
        alpha: E's strength. Default of the large-batch preset in the paper.
        beta1: Decay rate of E's average. Likewise.
        betas: Decay rates of m and v. Default: the paper's.
        eps: The paper's eps1, eps2, eps3.
        weight_decay: Decoupled. Default: the paper's lambda.
        in_m: Whether u enters m; otherwise g does.
        in_v: Whether u enters v; otherwise g does.
        bias_correction: Whether m and v are divided by 1 - beta^k.
        layerwise: Whether a step is scaled by phi / (|r| + eps2 phi), phi = |theta| + eps3, norms over a whole
            parameter; 1 where either norm is 0.

    Raises:
        ValueError: ``|alpha| (1 - beta1)`` is 1 or more, where E amplifies without bound.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        *,
        alpha: float = -5.0,
        beta1: float = 0.99,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: tuple[float, float, float] = (1e-6, 1e-6, 1e-10),
        weight_decay: float = 1e-4,
        in_m: bool = True,
        in_v: bool = True,
        bias_correction: bool = True,
        layerwise: bool = True,
    ):
        if not abs(alpha) * (1 - beta1) < 1:
            raise ValueError(f"|alpha| (1 - beta1) = {abs(alpha) * (1 - beta1):g} is not allowed; it must be below 1")
        defaults = {"lr": lr, "alpha": alpha, "beta1": beta1, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        switches = {"in_m": in_m, "in_v": in_v, "bias_correction": bias_correction, "layerwise": layerwise}
        super().__init__(params, {**defaults, **switches})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step.

        Args:
            closure: Evaluates the loss again, or None.

        Returns:
            The closure's loss, or None.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)
        return loss

    def _update(self, parameter: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros(())
            for name in ("exp_avg", "exp_avg_sq", "slow_avg"):
                state[name] = torch.zeros_like(parameter)
        g, m, v, h = parameter.grad, state["exp_avg"], state["exp_avg_sq"], state["slow_avg"]
        assert g is not None
        state["step"] += 1
        beta2, beta3 = group["betas"]
        eps1, eps2, eps3 = group["eps"]
        u = torch.lerp(g, h, -group["alpha"] * (1 - group["beta1"]))
        h.lerp_(g, 1 - group["beta1"])
        m.lerp_(u if group["in_m"] else g, 1 - beta2)
        v.lerp_((u if group["in_v"] else g).square(), 1 - beta3)
        k = float(state["step"])
        scale2, scale3 = (1 - beta2**k, 1 - beta3**k) if group["bias_correction"] else (1.0, 1.0)
        r = m / scale2 / ((v / scale3).sqrt() + eps1) + group["weight_decay"] * parameter
        if group["layerwise"]:
            length, r_length = torch.linalg.vector_norm(parameter), torch.linalg.vector_norm(r)
            if length > 0 and r_length > 0:
                r *= (length + eps3) / (r_length + eps2 * (length + eps3))
        parameter.sub_(group["lr"] * r)
