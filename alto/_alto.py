"""ALTO (the adaptor E on LAMB) and LAMB itself."""

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any, overload

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer, ParamsT, _use_grad_for_differentiable

from alto import _checks, _sharding, engines
from alto._rule import Rule, Tensors
from alto._state import keep_precision, state_dtype


class ALTO(Optimizer):
    r"""LAMB on a gradient that is mixed with a slow average of past gradients.

    With :math:`g_k` the gradient, :math:`c = -\alpha (1 - \beta_1)` and :math:`h_0 = m_0 = v_0 = 0`:

    .. math::
        u_k &= (1 - c)\, g_k + c\, h_{k-1}, \qquad h_k = \beta_1 h_{k-1} + (1 - \beta_1)\, g_k \\
        m_k &= \beta_2 m_{k-1} + (1 - \beta_2)\, u_k, \qquad v_k = \beta_3 v_{k-1} + (1 - \beta_3)\, u_k^2 \\
        r_k &= \hat m_k / (\sqrt{\hat v_k} + \epsilon_1) + \gamma \theta_k \\
        \theta_{k+1} &= \theta_k - \eta\, r_k\, \phi / (\|r_k\| + \epsilon_2 \phi), \qquad \phi = \|\theta_k\| +
        \epsilon_3

    where the norms are those of one parameter tensor (a "layer") as a whole, over all shards of it, and
    :math:`\hat m_k = m_k / (1 - \beta_2^k)`, :math:`\hat v_k = v_k / (1 - \beta_3^k)`. The paper writes
    :math:`u_k = g_k + \alpha a_k` with an average :math:`a_k` of gradient differences; :math:`a_k = h_k - h_{k-1}`, so
    it is the same. Where :math:`\|\theta_k\|` or :math:`\|r_k\|` is 0 the layerwise factor is 1: the literal one would
    all but freeze a layer that starts at zero.

    Admissible region: :math:`|\alpha| (1 - \beta_1) < 1` (the paper's Section 2), that is :math:`|c| < 1`. It keeps the
    first step downhill; it is not the stability region. :math:`\alpha < 0` looks :math:`|\alpha|` steps back (large
    batches), :math:`\alpha > 0` extrapolates (small batches), :math:`\alpha = 0` is LAMB and keeps no slow average.

    Args:
        params: parameters or parameter groups; every option below may be set per group. See :func:`alto.decay_groups`.
        lr: learning rate :math:`\eta`, a number or a one-element tensor (never changed in place). Default: 1e-2, the
            paper's for large batches (Table 5c).
        alpha: exploration strength. Default: -5, the paper's for batches of 1K and more; see :func:`alto.for_batch`.
        beta1: decay rate of the slow average. Default: 0.99, the paper's for batches of 1K and more.
        betas: ``(beta2, beta3)``, decay rates of the first and second moment, in torch's order: schedulers that cycle
            momentum write ``betas[0]``. Default: (0.9, 0.99), the paper's.
        eps: ``(eps1, eps2, eps3)``. Default: (1e-6, 1e-6, 1e-10), the paper's.
        weight_decay: decoupled, inside the trust ratio: :math:`\gamma`, the paper's lambda. Default: 1e-4, the paper's.
        bias_correction: True is Algorithm 2, False is Algorithm 1 ("vanilla"). Default: True.
        layerwise: whether to scale each tensor's update to its norm. False takes the plain step :math:`\eta r_k`.
        maximize: ascend instead.
        foreach: True takes plain torch over all tensors together, False one tensor at a time. Default: ``fused``
            decides.
        fused: True takes the fused kernels (Numba on a CPU, Triton on CUDA and ROCm: the extra ``fused``), False plain
            torch, which also takes what the kernels cannot walk (float16 on a CPU, unlike layouts). Default: fused on a
            CPU where Numba is installed; the Triton kernels have not yet run on a GPU.
        capturable: keep every number on the parameters' device, so that a step can be captured in a CUDA graph.
        differentiable: let autograd record the step (parameters must then be no leaves).
        slow_avg_dtype: ``torch.bfloat16`` keeps the slow average in 2 bytes per number, rounded at random: to the
            nearest, small changes would vanish; so they are kept on average. The random bits follow from the step
            counter and the place of the number in the optimizer: runs repeat, resume and stay equal on all ranks bit
            for bit. Read when an average begins and at a load. Costs time on a CPU and with ``foreach``. Default: None,
            the dtype of the other averages.

    Memory: ``slow_avg``, ``exp_avg``, ``exp_avg_sq``: 12 bytes per parameter in float32, 10 with ``slow_avg_dtype =
    torch.bfloat16``, 8 with ``alpha=0``. Half-precision parameters have float32 averages, also after a load.

    Range: norms are roots of sums of squares in the averages' dtype. In float32, a layer whose norm is beyond 1e19 may
    become NaN, and one whose elements are all below 1e-23 counts as zero (its factor is 1).

    Distributed: gradients must be equal on all ranks (as DDP leaves them). DTensor parameters (FSDP2) work on the local
    shard; the norms are those of the whole parameter, by one small all-reduce per group.

    Raises:
        ValueError: for a hyper-parameter outside its range or an unknown group key.
        RuntimeError: in ``step()``, for a sparse gradient, or if a CUDA graph captures it without ``capturable``.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
        >>> optimizer = ALTO([w], lr=0.1, weight_decay=0.0)
        >>> w.grad = torch.tensor([2.0, -2.0])
        >>> optimizer.step()  # |w| = 5 and |r| = sqrt 2: each entry moves by 0.1 * 5 / sqrt 2
        >>> w.detach()
        tensor([2.6464, 4.3536])

    References:
        Zhao et al., *Exploring Landscapes for Better Minima along Valleys*, NeurIPS 2025, Algorithms 1 and 2.
        You et al., *Large Batch Optimization for Deep Learning: Training BERT in 76 minutes* (LAMB), ICLR 2020.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        *,
        alpha: float = -5.0,
        beta1: float = 0.99,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: tuple[float, float, float] = (1e-6, 1e-6, 1e-10),
        weight_decay: float = 1e-4,
        bias_correction: bool = True,
        layerwise: bool = True,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        slow_avg_dtype: torch.dtype | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "beta1": beta1,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "bias_correction": bias_correction,
            "layerwise": layerwise,
            "maximize": maximize,
            "foreach": foreach,
            "fused": fused,
            "capturable": capturable,
            "differentiable": differentiable,
            "slow_avg_dtype": slow_avg_dtype,
        }
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # older checkpoints know nothing of it
            group.setdefault("slow_avg_dtype", None)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, with options of their own where given, at any time.

        Raises:
            ValueError: for an option outside its range or an unknown key; nothing is added then.
        """
        if isinstance(param_group, dict):
            _checks.group_keys(param_group, self.defaults)
            _check_group({**self.defaults, **param_group})
        super().add_param_group(param_group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what ``state_dict()`` returned: a resumed run equals an unbroken one bit for bit.

        Raises:
            ValueError: for options that are none of this optimizer's; nothing is loaded then.
        """
        with keep_precision(self, _state_dtypes):
            handle = self.register_load_state_dict_pre_hook(_check_loaded)
            try:
                super().load_state_dict(state_dict)
            finally:
                handle.remove()
        for group in self.param_groups:
            if not group["capturable"]:  # torch moves the counter of a fused optimizer to the device: reading it waits
                for param in group["params"]:
                    if param in self.state:
                        self.state[param]["step"] = self.state[param]["step"].cpu()

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @_use_grad_for_differentiable
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Take one step with the gradients in ``.grad``, which are left as they are.

        Args:
            closure: reevaluates the model and returns the loss; called once, first, with gradients enabled.

        Returns:
            What the closure returned, or None.

        Raises:
            RuntimeError: for a sparse gradient, a CUDA graph that captures this without ``capturable``, or a complex
                parameter with ``slow_avg_dtype``; no parameter has moved then.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        _checks.capture(self)
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is not None:
                    _checks.dense(param.grad, type(self).__name__)
                    _checks.roundable(param, group["slow_avg_dtype"])
        position = 0
        for group in self.param_groups:
            rule = Rule.of(group)
            lr = group["lr"].reshape(()) if isinstance(group["lr"], Tensor) else group["lr"]
            positions = count(position)
            position += len(group["params"])
            for layout, tensors in self._buckets(group, positions):
                engine = engines.choose(
                    tensors.params[0],
                    foreach=group["foreach"],
                    fused=group["fused"],
                    differentiable=group["differentiable"],
                )
                _advance_(tensors.steps)
                engine.alto_step_(tensors, rule, lr, _sharding.whole_norms(layout), capturable=group["capturable"])
        return loss

    def _buckets(self, group: dict[str, Any], positions: Iterable[int]) -> Iterator[tuple[Any, Tensors]]:
        """The group's tensors that have gradients, split into lists that one engine call can take."""
        buckets: dict[Any, Tensors] = {}
        for position, param in zip(positions, group["params"], strict=False):
            if param.grad is None:
                continue
            state = self._state_of(param, group)
            slow_avg = state.get("slow_avg")
            layout = _sharding.layout(param)
            key = (param.device, param.dtype, layout, None if slow_avg is None else slow_avg.dtype)
            if key not in buckets:
                buckets[key] = Tensors([], [], [], [], [], [], [])
            bucket = buckets[key]
            h = () if slow_avg is None else (slow_avg,)
            row = param, _sharding.grad_like(param), state["exp_avg"], state["exp_avg_sq"], *h
            theta, g, m, v, *h = _plain(param, row)
            bucket.params.append(theta)
            bucket.grads.append(g)
            bucket.exp_avgs.append(m)
            bucket.exp_avg_sqs.append(v)
            bucket.steps.append(state["step"])
            bucket.positions.append(position)
            bucket.slow_avgs.extend(h)
        for (_, _, layout, _), tensors in buckets.items():
            yield layout, tensors

    def _state_of(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state = self.state[param]
        fresh = [] if state else ["exp_avg", "exp_avg_sq"]
        if not state:
            on = param.device if group["capturable"] else "cpu"
            state["step"] = torch.zeros((), dtype=torch.float32, device=on)
        # alpha may be scheduled: the slow average exists from the first step on which it is used.
        if group["alpha"] != 0 and "slow_avg" not in state:
            fresh.append("slow_avg")
        if fresh:
            dtypes = _state_dtypes(group, param)
            for name in fresh:
                state[name] = torch.zeros_like(param, dtype=dtypes[name], memory_format=torch.preserve_format)
        return state


class LAMB(ALTO):
    """LAMB: :class:`ALTO` with ``alpha = 0``, which keeps no slow average (8 bytes per parameter in float32).

    The switches in which LAMB implementations differ, and this one's choice: decay inside the trust ratio and decoupled
    from the moments, as published; bias correction on (``bias_correction=False`` is the first version of the paper);
    trust ratio 1 where either norm is 0; trust ratio independent of ``weight_decay`` (``layerwise=False`` in a group
    turns it off); no clipping of the gradient, none of the ratio.

    Args:
        params: parameters or parameter groups.
        lr: learning rate.
        betas: decay rates of the first and second moment; all defaults as in :class:`ALTO`.
        eps: ``(eps1, eps2, eps3)``.
        weight_decay: decoupled, inside the trust ratio.
        bias_correction: of both moments.
        layerwise: False turns the trust ratio off.
        maximize: ascend instead.
        foreach: as in :class:`ALTO`.
        fused: as in :class:`ALTO`.
        capturable: as in :class:`ALTO`.
        differentiable: as in :class:`ALTO`.

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
        betas: tuple[float, float] = (0.9, 0.99),
        eps: tuple[float, float, float] = (1e-6, 1e-6, 1e-10),
        weight_decay: float = 1e-4,
        bias_correction: bool = True,
        layerwise: bool = True,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr,
            alpha=0.0,
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
        )


def _check_loaded(optimizer: Optimizer, state_dict: dict[str, Any]) -> None:
    for group in state_dict["param_groups"]:
        _check_group({**optimizer.defaults, **group})


def _check_group(group: dict[str, Any]) -> None:
    _checks.learning_rate(group["lr"])
    _checks.exploration(group["alpha"], group["beta1"])
    _checks.numbers("betas", group["betas"], 2, low=0.0, high=1.0, why=_checks.FORGETS)
    _checks.numbers("eps", group["eps"], 3, low=0.0, why="a negative one could turn the sign of a step")
    _checks.number("eps[0]", group["eps"][0], low=0.0, open_low=True, why="it alone keeps 0 / 0 away")
    _checks.number("weight_decay", group["weight_decay"], low=0.0, why="a negative one makes weights grow")
    for name in ("bias_correction", "layerwise", "maximize", "capturable", "differentiable"):
        _checks.flag(name, group[name])
    for name in ("foreach", "fused"):
        _checks.flag(name, group[name], optional=True)
    if group["foreach"] and group["fused"]:
        raise ValueError("foreach = True with fused = True: they are two ways to take a step; drop one of them")
    for name in ("foreach", "fused"):
        if group[name] and group["differentiable"]:
            raise ValueError(f"{name} = True with differentiable = True: it cannot be recorded; drop one of them")
    _checks.slow_avg_dtype(group["slow_avg_dtype"], group["differentiable"])


def _state_dtypes(group: dict[str, Any], param: Tensor) -> dict[str, torch.dtype]:
    full = state_dtype(param)
    return {"exp_avg": full, "exp_avg_sq": full, "slow_avg": group["slow_avg_dtype"] or full}


def _advance_(steps: list[Tensor]) -> None:
    """Count one more step; on a CPU with a tensor, for torch would make one of a number again for each counter."""
    if steps[0].is_cpu and not torch.compiler.is_compiling():
        torch._foreach_add_(steps, torch.ones((), dtype=torch.float32, device="cpu"), alpha=1.0)
    else:
        torch._foreach_add_(steps, 1.0)


def _plain(param: Tensor, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The tensors of a parameter as engines take them: the shard that this rank holds, a complex number as two reals.

    That is how ``torch.optim`` counts complex numbers; the norm is the same.
    """
    if _sharding.is_sharded(param):
        tensors = tuple(_sharding.local(tensor) for tensor in tensors)
    return tuple(torch.view_as_real(tensor) for tensor in tensors) if param.is_complex() else tensors
