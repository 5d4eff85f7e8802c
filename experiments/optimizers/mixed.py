"""Optimizers that get a mixture of gradients: E around NAdamW and Muon, and three published methods around LAMB.

Grokfast and MARS are written as their authors write them, not as E: tests show that they take E's steps at matched
settings. torch's Muon refuses convolution kernels, so Muon is pytorch_optimizer's, which takes a kernel as a matrix.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

import alto


def e_nadamw(
    params: Iterable[Any],
    lr: float,
    *,
    alpha: float = -5.0,
    beta1: float = 0.99,
    betas: tuple[float, float] = (0.9, 0.999),
    weight_decay: float = 0.0,
) -> alto.E:
    """E around torch's NAdam with decoupled weight decay.

    Args:
        params: Parameters or groups.
        lr: Learning rate.
        alpha: E's strength.
        beta1: Decay rate of E's average.
        betas: NAdam's decay rates. Default: torch's.
        weight_decay: Of the groups that set none.

    Returns:
        The optimizer.
    """
    base = torch.optim.NAdam(params, lr, betas, weight_decay=weight_decay, decoupled_weight_decay=True)
    return alto.E(base, alpha, beta1)


def e_muon(params: Iterable[Any], lr: float, *, alpha: float = -5.0, beta1: float = 0.99) -> alto.E:
    """E around Muon with decoupled weight decay; the AdamW of its other parameters gets the mixed gradient too.

    Args:
        params: Groups, each with ``use_muon``.
        lr: Learning rate; each group has its own.
        alpha: E's strength.
        beta1: Decay rate of E's average.

    Returns:
        The optimizer.
    """
    import pytorch_optimizer

    return alto.E(pytorch_optimizer.Muon(params, lr, weight_decouple=True), alpha, beta1)


class _Filtered(alto.LAMB):
    """LAMB with another gradient: ``_filter`` gives it, and keeps what it needs in the parameter's state."""

    def _filter(self, grad: Tensor, state: dict[str, Any]) -> Tensor:
        raise NotImplementedError

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step of LAMB on the filtered gradients; ``.grad`` is the user's own afterwards."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        own = [(p, p.grad) for group in self.param_groups for p in group["params"] if p.grad is not None]
        with torch.no_grad():
            for param, grad in own:
                param.grad = self._filter(grad, self.state[param])
        try:
            super().step()
        finally:
            for param, grad in own:
                param.grad = grad
        return loss


class GrokfastLAMB(_Filtered):
    r"""LAMB on Grokfast's gradient :math:`g_k + \lambda \mu_k`, :math:`\mu_k` an average that begins at :math:`g_1`.

    Args:
        params: Parameters or groups.
        lr: Learning rate.
        lamb: The amplification. Default: the authors'.
        beta: Decay rate of the average. Default: the authors'.
        eps: As in `alto.LAMB`. The amplified gradient is 1 + lambda times E's, so that the same eps acts less.
        weight_decay: As in `alto.LAMB`.

    Raises:
        ValueError: a number outside its range.

    References:
        Lee et al., *Grokfast: Accelerated grokking by amplifying slow gradients*, arXiv 2405.20233.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        *,
        lamb: float = 2.0,
        beta: float = 0.98,
        eps: tuple[float, float, float] = (1e-6, 1e-6, 1e-10),
        weight_decay: float = 1e-4,
    ):
        self.lamb, self.beta = _not_negative("lamb", lamb), _in_unit("beta", beta)
        super().__init__(params, lr, eps=eps, weight_decay=weight_decay)

    def _filter(self, grad: Tensor, state: dict[str, Any]) -> Tensor:
        if "grokfast" not in state:
            state["grokfast"] = grad.clone()
        else:
            state["grokfast"].lerp_(grad, 1 - self.beta)
        return grad + self.lamb * state["grokfast"]


class MARSLAMB(_Filtered):
    r"""LAMB on MARS's gradient :math:`g_k + \gamma \beta / (1 - \beta) (g_k - g_{k-1})`, :math:`g_0 = 0`.

    MARS clips this to norm 1 per parameter. LAMB does not depend on the scale of all its gradients together, but on the
    scale of one step's against another's; here nothing is clipped, so that the correction alone differs from LAMB.

    Args:
        params: Parameters or groups.
        lr: Learning rate.
        gamma: Strength of the correction. Default: the authors'.
        beta: The decay rate in its factor. Default: the authors' first decay rate.
        weight_decay: As in `alto.LAMB`.

    Raises:
        ValueError: a number outside its range.

    References:
        Yuan et al., *MARS: Unleashing the power of variance reduction for training large models*, arXiv 2411.10438.
    """

    def __init__(
        self, params: Iterable[Any], lr: float, *, gamma: float = 0.025, beta: float = 0.95, weight_decay: float = 1e-4
    ):
        self.factor = _not_negative("gamma", gamma) * _in_unit("beta", beta) / (1 - beta)
        super().__init__(params, lr, weight_decay=weight_decay)

    def _filter(self, grad: Tensor, state: dict[str, Any]) -> Tensor:
        before = state.get("last_grad")
        state["last_grad"] = grad.clone()
        return grad + self.factor * (grad if before is None else grad - before)


class EMANesterovLAMB(alto.LAMB):
    r"""LAMB with a look-ahead along an average of its own movements.

    With :math:`y_1 = \theta_1` and :math:`m_1 = 0`, LAMB moves :math:`y_k` to :math:`\theta_{k+1}`; then
    :math:`m_{k+1} = \gamma m_k + (1 - \gamma)(\theta_{k+1} - \theta_k)` and
    :math:`y_{k+1} = \theta_{k+1} + B m_{k+1}`. The parameters are the :math:`y_k`, also where a network is evaluated.
    Around SGD it is E with alpha < 0; around LAMB it is a method of its own.

    Args:
        params: Parameters or groups.
        lr: Learning rate.
        gamma: Decay rate of the average.
        B: Length of the look-ahead.
        weight_decay: As in `alto.LAMB`.

    Raises:
        ValueError: a number outside its range.
    """

    def __init__(
        self, params: Iterable[Any], lr: float, *, gamma: float = 0.98, B: float = 0.5, weight_decay: float = 1e-4
    ):
        self.gamma, self.B = _in_unit("gamma", gamma), _in_unit("B", B)
        super().__init__(params, lr, weight_decay=weight_decay)

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step of LAMB, then the look-ahead."""
        moving = [p for group in self.param_groups for p in group["params"] if p.requires_grad]
        reached = [param.detach().clone() for param in moving]
        loss = super().step(closure)
        with torch.no_grad():
            for param, before in zip(moving, reached, strict=True):
                if param.grad is None:
                    continue
                state = self.state[param]
                average = state.get("movement", torch.zeros_like(param))
                theta = before - self.B * average
                state["movement"] = torch.lerp(param - theta, average, self.gamma)
                param.add_(state["movement"], alpha=self.B)
        return loss


def _in_unit(name: str, value: float) -> float:
    if not 0 <= value < 1:
        raise ValueError(f"{name} = {value!r}: must be in [0, 1)")
    return value


def _not_negative(name: str, value: float) -> float:
    if not 0 <= value < math.inf:
        raise ValueError(f"{name} = {value!r}: must be finite and at least 0")
    return value
