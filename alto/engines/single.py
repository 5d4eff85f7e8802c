"""One tensor at a time, as pure functions: the specification of the other engines, and the differentiable one."""

from collections.abc import Callable

import torch
from torch import Tensor

from alto._counter import advance_
from alto._rule import Rule, Tensors
from alto.engines._layout import Kept
from alto.engines._maths import bias_correction, layer_factor, norm
from alto.engines._rounding import store_


def explore(g: Tensor, h: Tensor, *, alpha: float, beta1: float) -> tuple[Tensor, Tensor]:
    r"""The adaptor E in its one-buffer form (the paper's Section 2, with :math:`a_k = h_k - h_{k-1}`).

    .. math:: u = (1 - c)\, g + c\, h, \qquad h' = \beta_1 h + (1 - \beta_1)\, g, \qquad c = -\alpha (1 - \beta_1)

    Args:
        g: gradient, any shape.
        h: slow average of the gradients before it, same shape.
        alpha: exploration strength.
        beta1: decay of the slow average.

    Returns:
        ``(u, h')``, in the dtype of ``h``.

    Example:
        >>> import torch
        >>> u, h = explore(torch.tensor(1.0), torch.tensor(0.0), alpha=-5.0, beta1=0.9)
        >>> round(u.item(), 6), round(h.item(), 6)
        (0.5, 0.1)
    """
    g = g.to(h.dtype)
    return torch.lerp(g, h, -alpha * (1 - beta1)), torch.lerp(h, g, 1 - beta1)


def explore_(
    grads: list[Tensor], slow_avgs: list[Tensor], *, alpha: float, beta1: float, kept: Kept | None = None
) -> list[Tensor]:
    """:func:`explore` for each pair; writes the new averages, returns the ``u`` in the gradients' dtypes."""
    del kept  # autograd may remember what is written to
    us = []
    for grad, slow_avg in zip(grads, slow_avgs, strict=True):
        u, h = explore(grad, slow_avg, alpha=alpha, beta1=beta1)
        slow_avg.copy_(h)
        us.append(u.to(grad.dtype))
    return us


def alto_step_(
    tensors: Tensors,
    rule: Rule,
    lr: float | Tensor,
    whole_norms: Callable[[Tensor], Tensor],
    *,
    capturable: bool = False,
) -> None:
    """Algorithm 2 (Algorithm 1 without bias correction), layer by layer; see :mod:`alto.engines`."""
    advance_(tensors.steps)
    for i, param in enumerate(tensors.params):
        m, v = tensors.exp_avgs[i], tensors.exp_avg_sqs[i]
        g = tensors.grads[i].to(m.dtype)
        u = -g if rule.maximize else g
        if tensors.slow_avgs:
            u, h = explore(u, tensors.slow_avgs[i].to(m.dtype), alpha=rule.alpha, beta1=rule.beta1)
            store_(tensors.slow_avgs[i], h, tensors.steps[i], tensors.positions[i])

        # New tensors, copied back at the end: autograd may have saved the old ones, which must not be overwritten.
        new_m = torch.lerp(m, u, 1 - rule.beta2)
        new_v = rule.beta3 * v + (1 - rule.beta3) * u * u
        m.copy_(new_m)
        v.copy_(new_v)

        divisor = new_v.sqrt()
        scale = 1.0
        if rule.bias_correction:
            # of the root and of the divisor: v and m themselves may overflow
            scale = bias_correction(rule.beta2, tensors.steps[i], m.dtype, capturable=capturable)
            divisor = divisor / bias_correction(rule.beta3, tensors.steps[i], v.dtype, capturable=capturable) ** 0.5
        theta = param.to(m.dtype, copy=True)
        r = new_m / (scale * (divisor + rule.eps1)) + rule.weight_decay * theta
        if rule.layerwise:
            theta_norm, r_norm = whole_norms(torch.stack((norm(theta), norm(r))))
            r = r * layer_factor(theta_norm, r_norm, eps2=rule.eps2, eps3=rule.eps3).to(r.dtype)
        param.copy_(theta - lr * r)
