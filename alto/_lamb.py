"""LAMB: ALTO without exploration."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from alto._alto import ALTO


class LAMB(ALTO):
    r"""Adam with decoupled weight decay, each layer's step scaled to the layer's norm (You et al., arXiv 1904.00962).

    With :math:`g_k` the gradient and :math:`m_0 = v_0 = 0`:

    .. math::
        m_k &= \beta_2 m_{k-1} + (1 - \beta_2)\, g_k, \qquad v_k = \beta_3 v_{k-1} + (1 - \beta_3)\, g_k^2 \\
        r_k &= \hat m_k / (\sqrt{\hat v_k} + \epsilon_1) + \gamma \theta_k, \qquad \theta_{k+1} = \theta_k - \eta\,
        r_k\, \phi / (\|r_k\| + \epsilon_2 \phi), \qquad \phi = \|\theta_k\| + \epsilon_3

    The factor of :math:`\eta r_k` is the layer factor, which LAMB's authors call the trust ratio. This is
    :class:`ALTO` with ``alpha = 0``, and stays so: another alpha is refused, in a group and in a checkpoint too.

    The switches in which LAMB implementations differ, and this one's choice: decay inside the trust ratio and decoupled
    from the moments, as published; bias correction on (``bias_correction=False`` is the first version of the paper);
    trust ratio 1 where either norm is 0; trust ratio independent of ``weight_decay`` (``layerwise=False`` in a group
    turns it off); no clipping of the gradient, none of the ratio.

    Args:
        params: parameters or parameter groups.
        lr: learning rate :math:`\eta`. Default: 1e-2, as in :class:`ALTO`.
        betas: ``(beta2, beta3)``, decay rates of the first and second moment. Default: (0.9, 0.99), as in
            :class:`ALTO`; You et al. use 0.9 and 0.999.
        eps: ``(eps1, eps2, eps3)``, or ``eps1`` alone. Default: as in :class:`ALTO`.
        weight_decay: decoupled, inside the trust ratio: :math:`\gamma`. Default: 1e-4, as in :class:`ALTO`.
        bias_correction: of both moments. Default: True.
        layerwise: False turns the trust ratio off. Default: True.
        maximize: ascend instead.
        foreach: as in :class:`ALTO`.
        fused: as in :class:`ALTO`.
        capturable: as in :class:`ALTO`.
        differentiable: as in :class:`ALTO`.
        alpha: must be 0. This and the next two are here so that ``LAMB(params, **optimizer.defaults)`` works.
        beta1: without effect.
        slow_avg_dtype: without effect.

    Memory: ``exp_avg``, ``exp_avg_sq``: 8 bytes per parameter in float32; no slow average.

    Distributed: as :class:`ALTO`.

    Raises:
        ValueError: for a hyper-parameter outside its range, or an ``alpha`` other than 0.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
        >>> w.grad = torch.tensor([2.0, -2.0])
        >>> optimizer = LAMB([w], lr=0.1, weight_decay=0.0)
        >>> optimizer.step()
        >>> sorted(optimizer.state[w])
        ['exp_avg', 'exp_avg_sq', 'step']

    References:
        You et al., *Large Batch Optimization for Deep Learning: Training BERT in 76 minutes*, ICLR 2020.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        *,
        betas: Sequence[float] = (0.9, 0.99),
        eps: float | Sequence[float] = (1e-6, 1e-6, 1e-10),
        weight_decay: float = 1e-4,
        bias_correction: bool = True,
        layerwise: bool = True,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        alpha: float = 0.0,
        beta1: float = 0.99,
        slow_avg_dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            alpha=alpha,
            beta1=beta1,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            bias_correction=bias_correction,
            layerwise=layerwise,
            maximize=maximize,
            foreach=foreach,
            fused=fused,
            capturable=capturable,
            differentiable=differentiable,
            slow_avg_dtype=slow_avg_dtype,
        )

    def _check_options(self, options: dict[str, Any]) -> None:
        super()._check_options(options)
        if options["alpha"] != 0:
            raise ValueError(
                f"alpha = {options['alpha']!r}: {type(self).__name__} does not explore, so its alpha is 0; use ALTO"
            )
