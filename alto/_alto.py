"""ALTO: the adaptor E on LAMB."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, overload

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer, ParamsT, _use_grad_for_differentiable

from alto import _calls, _checks, _memory, _options, _plan, _sharding
from alto._counter import counter
from alto._state import check_loaded_averages, check_loaded_counter, keep_precision, loading, state_dtype


class ALTO(Optimizer):
    r"""LAMB on a gradient that is mixed with a slow average of past gradients.

    LAMB (You et al., 2020, arXiv 1904.00962) is Adam whose step is scaled to the norm of each layer.

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
    it is the same. Where :math:`\|\theta_k\|` or :math:`\|r_k\|` is 0 the layer factor is 1: the literal one would
    hardly move a layer that starts at zero. It is 1 also where one of them is not finite.

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
        eps: ``(eps1, eps2, eps3)``. One number is eps1, the term that Adam calls epsilon; the others are then at their
            defaults. Default: (1e-6, 1e-6, 1e-10), the paper's.
        weight_decay: decoupled, inside the layer factor: :math:`\gamma`, the paper's lambda. Default: 1e-4, as there.
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
        slow_avg_dtype: ``torch.bfloat16`` keeps the slow average in 2 bytes per number, rounded at random. Rounding to
            the nearest would lose small changes; random rounding keeps them on average. The random bits follow from the
            step counter and the place of the number in the optimizer: runs repeat, resume and stay equal on all ranks
            bit for bit. Read when an average begins and at a load. Costs time on a CPU and with ``foreach``. Default:
            None, the dtype of the other averages.

    Memory: ``slow_avg``, ``exp_avg``, ``exp_avg_sq``: 12 bytes per parameter in float32, 10 with ``slow_avg_dtype =
    torch.bfloat16``, 8 with ``alpha=0``. Half-precision parameters have float32 averages, also after a load. On a CPU
    the fused engine keeps 4 bytes per parameter more where there are at most 2^20 parameters.

    Counters: steps are counted in float32 (torch's convention), exactly up to 2^24 = 16.8 million. There a counter
    stands still. The bias corrections are 1 to the last digit long before, so a step does not change; with
    ``slow_avg_dtype`` the random bits repeat from there on.

    Range: in float32 an element whose gradient is beyond 1e20 has :math:`v_k = \infty`, as in Adam, and its
    :math:`r_k` is the decay alone; near 3e38, the largest number, :math:`m_k` overflows, too, and :math:`r_k` is NaN.
    Norms do not overflow, and the layer factor is at most 1e37.

    Distributed: gradients must be equal on all ranks (as DDP leaves them). DTensor parameters (FSDP2) work on the local
    shard; the norms are those of the whole parameter, by one small all-reduce for all groups with equal options. FSDP1,
    ZeRO and Megatron's distributed optimizer flatten parameters or put flat buffers in their place; they are refused,
    because the norm of a whole layer is then unknown.

    Raises:
        ValueError: for a hyper-parameter outside its range, here, in a group and in ``step()`` after a change (but not
            in a step that torch.compile has compiled: change options before, in their full form); for
            parameters that are listed twice or share memory, or that FSDP1 or ZeRO-3 has flattened.
        RuntimeError: in ``step()``, for a sparse gradient, or if a CUDA graph captures it without ``capturable`` or as
            the first step.

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
        _options.normalize(defaults)
        self._check_options(defaults)  # before the parameters are looked at
        self._forget_steps()
        self._dimensions: dict[int, int] = {}  # by the number of a group, as it was added
        self._added: set[int] = set()  # ids of parameters
        super().__init__(_own_groups(params), defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._forget_steps()
        super().__setstate__(state)
        if "_dimensions" not in vars(self):  # a copy, or unpickled
            self._dimensions, self._added = {}, set()
            for number in range(len(self.param_groups)):
                self._note(number)
        for group in self.param_groups:
            for key, value in _options.SWITCHES.items():  # an older checkpoint may lack some
                group.setdefault(key, value)

    def _forget_steps(self) -> None:
        self._changes, self._separate, self._kept = _options.Changes(), _memory.Separate(), None
        self._moved = False  # whether a step has found gradients since the optimizer was built or loaded

    def _check_options(self, options: dict[str, Any]) -> None:
        """Check the options of a group; a subclass may allow fewer."""
        _options.check(options)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, with options of their own where given, at any time.

        Warns of a key that is nearly an option's name; other keys are carried along.

        Raises:
            ValueError: for an option outside its range, a parameter that is listed twice, or one that FSDP1 or ZeRO-3
                has flattened (unless ``layerwise = False``); nothing is added then.
        """
        if isinstance(param_group, dict):
            _checks.group_keys(param_group, self.defaults)
            options = {**self.defaults, **param_group}
            _options.normalize(options)
            self._check_options(options)
            if not isinstance(param_group["params"], (Tensor, set)):
                param_group["params"] = list(param_group["params"])  # it may be a generator
                self._check_params(param_group["params"], options)
            param_group.update({key: options[key] for key in options.keys() & param_group.keys() - {"params"}})
        super().add_param_group(param_group)
        self._note(len(self.param_groups) - 1)

    def _note(self, number: int) -> None:
        params = self.param_groups[number]["params"]
        self._dimensions[number] = _sharding.dimensions(params)
        self._added.update(map(id, params))

    def _check_params(self, params: list[Any], options: dict[str, Any]) -> None:
        bare, group = _memory.without_names(params)
        groups = [*self.param_groups, group]
        first = sum(len(group["params"]) for group in self.param_groups)

        def name_of(place: int) -> str:
            return _memory.label(groups, first + place)

        _memory.refuse_repeated(bare, name_of)
        if options["layerwise"]:
            _sharding.refuse_flattened(bare, name_of)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what ``state_dict()`` returned: a resumed run equals an unbroken one bit for bit.

        Checkpoints of older versions load too: they may lack switches, and their step counters may be numbers.

        Raises:
            ValueError: for a checkpoint of another optimizer, or with an option outside its range or an average that
                does not fit its parameter; nothing is loaded then.
        """
        self._kept = None  # it holds the state that is replaced
        with loading(self, state_dict, type(self).__name__), keep_precision(self, _calls.state_dtypes):
            handle = self.register_load_state_dict_post_hook(_check_loaded, prepend=True)
            try:
                super().load_state_dict(state_dict)
            finally:
                handle.remove()

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
            ValueError: for an option outside its range, or tensors that share memory.
            RuntimeError: for a sparse gradient, an average or a gradient that does not fit its parameter, a CUDA graph
                that captures this without ``capturable`` or as the first step, or a complex parameter with
                ``slow_avg_dtype``. In all these cases nothing has changed, step counters included.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        _checks.capture(self)
        if torch.compiler.is_compiling():
            calls = self._first_calls()
        else:
            calls = self._same_calls()
            if calls is None:
                calls = self._first_calls()
                if calls:
                    self._keep(calls)
        engines_of = [call.engine() for call in calls]
        try:
            for call, engine in zip(calls, engines_of, strict=True):
                norms = _sharding.whole_norms(call.layout)
                engine.alto_step_(call.tensors, call.rule, call.lr, norms, capturable=call.capturable)
        finally:
            for call in calls:
                call.tensors.grads.clear()  # they are the user's, who may want their memory
        return loss

    def _same_calls(self) -> list[_calls.Call] | None:
        """The calls of the step before, with the new gradients and learning rates; None if anything else is new."""
        kept, self._kept = self._kept, None  # only what this step has checked is there for the next one
        if not self._changes.check(self.param_groups, self._check_group) or kept is None:
            return None
        plan, groups, calls = kept
        if not _plan.same(self.param_groups, groups) or any(call.split() for call in calls):
            return None
        grads = plan.grads(self)
        if grads is None:
            return None
        for call in calls:
            call.tensors.grads[:] = grads[: len(call.tensors.params)]
            del grads[: len(call.tensors.params)]
        self._kept = kept
        return calls

    def _keep(self, calls: list[_calls.Call]) -> None:
        lists = [call.tensors for call in calls]
        params, grads, steps = ([x for xs in lists for x in getattr(xs, name)] for name in ("params", "grads", "steps"))
        averages = [x for xs in lists for _, column in xs.averages() for x in column]
        # A complex or sharded one is here as another tensor. Tensors made in inference mode can be written only there.
        if (
            not torch.is_inference_mode_enabled()
            and _plan.Plan.possible([*params, *grads, *averages, *steps])
            and all(p.grad is g for p, g in zip(params, grads, strict=True))
        ):
            plan = _plan.Plan(self, params, grads, [*params, *averages, *steps])
            self._kept = plan, list(self.param_groups), calls

    def _first_calls(self) -> list[_calls.Call]:
        """The calls of this step, with new state where there is none, all of it checked."""
        for group in self.param_groups:
            if group["layerwise"]:  # FSDP1 may have wrapped the model since the group was checked
                _sharding.refuse_flattened(group["params"], partial(_memory.label, [group]))
            for param in group["params"]:
                if param.grad is not None:
                    _checks.dense(param.grad, type(self).__name__)
                    _checks.roundable(param, group["slow_avg_dtype"])
        undo: _calls.Undo = []
        try:
            calls = _calls.gather(self, undo)
            for call in calls:
                call.engine()  # there may be none
            if not torch.compiler.is_compiling():
                _calls.check(calls, self.param_groups, self._separate)
                if not (calls or self._moved):
                    params = [param for group in self.param_groups for param in group["params"]]
                    _sharding.refuse_replaced(params, partial(_memory.label, self.param_groups))
        except BaseException:
            _calls.take_back(self, undo)
            raise
        self._moved = self._moved or bool(calls)
        return calls

    def _check_group(self, group: dict[str, Any]) -> None:
        self._check_options(group)
        _checks.representable(group["eps"][0], {state_dtype(param) for param in group["params"]})
        name_of = partial(_memory.label, [group])
        _memory.refuse_repeated(group["params"], name_of)
        if group["layerwise"]:
            _sharding.refuse_flattened(group["params"], name_of)
            number = next(n for n, each in enumerate(self.param_groups) if each is group)
            # Groups may have been removed or sorted, and layers taken out: what was added before is no flat buffer.
            if not self._added.issuperset(map(id, group["params"])):
                _sharding.refuse_flat_buffers(group["params"], self._dimensions.get(number, 0), name_of)


def _own_groups(params: Any) -> Any:
    """The groups as dictionaries of their own: a second optimizer of the same ones has its own options."""
    if isinstance(params, (Tensor, dict)) or not isinstance(params, Iterable):
        return params  # torch says what is wrong
    return [dict(group) if isinstance(group, dict) else group for group in params]


def _check_loaded(optimizer: Optimizer) -> None:
    """Check what has been loaded, before anyone else sees it, and give it the form that a step takes."""
    assert isinstance(optimizer, ALTO)
    name = type(optimizer).__name__
    for number, group in enumerate(optimizer.param_groups):
        missing = [key for key in _options.REQUIRED if key not in group]
        if missing:
            raise ValueError(
                f"state_dict: its parameter group {number} lacks {', '.join(map(repr, missing))}, so it was not saved "
                f"by {name}"
            )
        _options.normalize(group)
        optimizer._check_options(group)
    name_of = partial(_memory.label, optimizer.param_groups)
    params = [(group, param) for group in optimizer.param_groups for param in group["params"]]
    for place, (group, param) in enumerate(params):
        state = optimizer.state.get(param)
        if not state:
            continue
        check_loaded_averages(state, param, name_of(place), ("exp_avg", "exp_avg_sq"), ("slow_avg",))
        check_loaded_counter(state, name_of(place))
        # torch leaves the counter to the state dict's owner, or moves it to the device, where reading it waits.
        state["step"] = counter(state["step"], param.device if group["capturable"] else "cpu")
