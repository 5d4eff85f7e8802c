"""All tensors of a list together, with ``torch._foreach_*``: one launch for many tensors on an accelerator.

At any moment a step holds at most two temporary lists of the parameters' size beside the state. Per-layer scalars stay
on the device: no step waits for it.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from alto import _counter
from alto._rule import Rule, Tensors
from alto.engines._layout import Kept
from alto.engines._maths import TensorList, bias_correction, cast, layer_factor, norms
from alto.engines._rounding import store_


def explore_(
    grads: TensorList, slow_avgs: TensorList, *, alpha: float, beta1: float, kept: Kept | None = None
) -> TensorList:
    """Return ``u = (1 - c) g + c h`` in the gradients' dtypes, then write ``h = beta1 h + (1 - beta1) g``."""
    del kept  # these operations bring their own memory
    wide = cast(grads, slow_avgs)
    us = torch._foreach_lerp(wide, slow_avgs, -alpha * (1 - beta1))
    torch._foreach_lerp_(slow_avgs, wide, 1 - beta1)
    return cast(us, grads)


def alto_step_(
    tensors: Tensors,
    rule: Rule,
    lr: float | Tensor,
    whole_norms: Callable[[Tensor], Tensor],
    *,
    capturable: bool = False,
) -> None:
    """Algorithm 2 (Algorithm 1 without bias correction) for all layers; see :mod:`alto.engines`."""
    _counter.advance_(tensors.steps)
    rs = advance_(tensors, rule, capturable=capturable)
    if rule.layerwise:
        thetas = cast(tensors.params, tensors.exp_avgs)
        theta_norms, r_norms = whole_norms(torch.stack((norms(thetas), norms(rs))))
        factors = layer_factor(theta_norms, r_norms, eps2=rule.eps2, eps3=rule.eps3)
        torch._foreach_mul_(rs, factors.to(rs[0].dtype).unbind())
    if isinstance(lr, Tensor):
        torch._foreach_mul_(rs, lr)
        torch._foreach_sub_(tensors.params, rs)
    else:
        torch._foreach_add_(tensors.params, rs, alpha=-lr)


def advance_(tensors: Tensors, rule: Rule, *, capturable: bool) -> TensorList:
    """Write the averages; return r, the updates before the layer factor, in new tensors of the averages' dtype."""
    ms, vs = tensors.exp_avgs, tensors.exp_avg_sqs
    us = cast(tensors.grads, ms)
    if rule.maximize:
        us = torch._foreach_neg(us)
    if tensors.slow_avgs:
        hs = cast(tensors.slow_avgs, ms)
        us = explore_(us, hs, alpha=rule.alpha, beta1=rule.beta1)
        if hs is not tensors.slow_avgs:
            for row in zip(tensors.slow_avgs, hs, tensors.steps, tensors.positions, strict=True):
                store_(*row)
        del hs
    torch._foreach_lerp_(ms, us, 1 - rule.beta2)
    torch._foreach_mul_(vs, rule.beta3)
    torch._foreach_addcmul_(vs, us, us, 1 - rule.beta3)
    del us
    rs = _directions(ms, vs, tensors.steps, rule, capturable)
    if rule.weight_decay:
        torch._foreach_add_(rs, tensors.params, alpha=rule.weight_decay)
    return rs


def _directions(ms: TensorList, vs: TensorList, steps: list[Tensor], rule: Rule, capturable: bool) -> TensorList:
    """``m̂ / (sqrt(v̂) + eps1)``, the corrections folded into the denominator: (1/c2) m / (sqrt(v / c3) + eps1)."""
    denominators = torch._foreach_sqrt(vs)
    if not rule.bias_correction:
        torch._foreach_add_(denominators, rule.eps1)
        return torch._foreach_div(ms, denominators)
    c2 = [bias_correction(rule.beta2, step, ms[0].dtype, capturable=capturable) for step in steps]
    c3 = [bias_correction(rule.beta3, step, vs[0].dtype, capturable=capturable) for step in steps]
    # Numbers, or, if capturable, 0-dim tensors: torch has an overload for either.
    scales: Any = [a / b**0.5 for a, b in zip(c2, c3, strict=True)]
    shifts: Any = [a * rule.eps1 for a in c2]
    torch._foreach_mul_(denominators, scales)
    torch._foreach_add_(denominators, shifts)
    return torch._foreach_div(ms, denominators)
