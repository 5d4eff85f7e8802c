"""E: the adaptor around any torch optimizer (the paper's Algorithm 5)."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, overload

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.optimizer import _use_grad_for_differentiable

from alto import _checks
from alto._alto import ALTO
from alto._base import (
    ALPHA,
    BETA1,
    SLOW_AVG,
    check_loaded,
    given_options,
    remember_options,
    step_base,
    take_over_groups,
)
from alto._memory import Separate, label, refuse_repeated, without_names
from alto._mixing import Mixing
from alto._plan import params_of
from alto._sharding import refuse_replaced
from alto._state import keep_precision, loading, state_dtype

# What E shares with its base, and torch keeps in an optimizer's __getstate__.
_OF_BASE = frozenset({"state", "param_groups", "defaults"})

STARTS = ("zero", "first", "corrected")


class E(Optimizer):
    r"""Feed any optimizer a gradient that is mixed with a slow average of past gradients.

    With :math:`g_k` the gradient, :math:`c = -\alpha (1 - \beta_1)` and :math:`h_0 = 0`, the base optimizer gets

    .. math:: u_k = (1 - c)\, g_k + c\, h_{k-1}, \qquad h_k = \beta_1 h_{k-1} + (1 - \beta_1)\, g_k

    in place of :math:`g_k`. The paper writes :math:`u_k = g_k + \alpha a_k` with :math:`a_k` an average of gradient
    differences; :math:`a_k = h_k - h_{k-1}`, so it is the same. Around plain SGD this is quasi-hyperbolic momentum with
    :math:`\nu = c / \beta_1`.

    Admissible region: :math:`|\alpha| (1 - \beta_1) < 1` (the paper's Section 2), that is :math:`|c| < 1`; it is not
    the stability region. :math:`\alpha < 0` looks :math:`|\alpha|` steps back, :math:`\alpha > 0` extrapolates;
    :math:`\alpha = 0` is the base optimizer bit for bit and keeps no slow average.

    ``E(base)`` is a true Optimizer whose ``param_groups`` and ``state`` *are* the base's: hand it (not the base) to
    schedulers, scalers, checkpoints and trainers. Its state dict is the base's with one more key per parameter
    (``explore_slow_avg``; with ``start="corrected"`` also ``explore_weight``) and two more per group
    (``explore_alpha``, ``explore_beta1``: settable per group), so it also loads the checkpoint of a bare base. Read
    groups from ``param_groups`` after the call: E gives its base dictionaries of its own.

    Args:
        base: an optimizer of dense gradients whose ``step`` needs no closure. Its own weight decay, clipping and so on
            act on ``u``.
        alpha: exploration strength. Default: -5, the paper's for batches of 1K and more; see :func:`alto.for_batch`.
        beta1: decay rate of the slow average. Default: 0.99, the paper's for batches of 1K and more. Both hold in every
            group in which the user has set no ``explore_alpha`` or ``explore_beta1``, also where an earlier E was
            around the same base: what that E had in its groups at the end, or what a checkpoint of E has brought into a
            bare base, counts as set by an E.
        start: what a slow average begins with. "zero", the paper's: :math:`h_0 = 0`. "first": :math:`h_0 = g_1`, as
            in Grokfast. "corrected": as "zero", and the average is divided by the sum of its weights: for constant
            :math:`\beta_1` this is :math:`u_k = (1 - \nu)\, g_k + \nu\, h_k / (1 - \beta_1^k)` with
            :math:`\nu = c / \beta_1`. In the last two :math:`u_1 = g_1`. Default: "zero". A loaded average goes on as
            it was begun.
        foreach: how E mixes, whatever the base does: True takes plain torch over all tensors together, False one tensor
            at a time. Default: ``fused`` decides.
        fused: True mixes by the fused kernels (Numba on a CPU, Triton on CUDA and ROCm: the extra ``fused``), False by
            plain torch. Default: fused on a CPU where Numba is installed.

    Memory: one slow average beside the base's state (4 bytes per parameter in float32; float32 for half-precision
    parameters, also after a load; "corrected" adds one number per tensor), and the mixed gradients during ``step()``;
    on a CPU their memory is kept from step to step, because page faults on new memory would cost as much as the mixing.

    Distributed: elementwise; gradients must be equal on all ranks (as DDP leaves them); DTensor parameters (FSDP2) are
    sharded as they are.

    Raises:
        TypeError: if ``base`` is no optimizer, needs a closure (LBFGS), explores already, or saves another optimizer's
            state in place of its own (ZeroRedundancyOptimizer: put E inside).
        ValueError: for ``alpha`` or ``beta1`` outside the region, another ``start``, ``foreach`` with ``fused``, or
            parameters that are listed twice or share memory.
        RuntimeError: in ``step()``, if ``fused`` is True and there are no fused kernels for a gradient's device, or if
            a CUDA graph captures a first step or one with ``start="corrected"``.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> optimizer = E(torch.optim.SGD([w], lr=0.1), alpha=-5.0, beta1=0.9)
        >>> for _ in range(2):
        ...     w.grad = torch.tensor([1.0])
        ...     optimizer.step()  # steps: 0.1 * u with u = 0.5, then 0.5 + 0.5 * 0.1
        >>> w.detach()
        tensor([0.8950])

    References:
        Zhao et al., *Exploring Landscapes for Better Minima along Valleys*, NeurIPS 2025, Algorithm 5.
        Ma and Yarats, *Quasi-hyperbolic momentum and Adam for deep learning*, ICLR 2019.
    """

    # A fused base may unscale by itself; it would then do so after E has mixed scaled gradients of different scales.
    _step_supports_amp_scaling = False

    base: Optimizer
    start: str = "zero"

    def __init__(
        self,
        base: Optimizer,
        alpha: float = -5.0,
        beta1: float = 0.99,
        *,
        start: str = "zero",
        foreach: bool | None = None,
        fused: bool | None = None,
    ) -> None:
        _check_base(base)
        alpha, beta1 = _checks.plain(alpha), _checks.plain(beta1)
        _checks.exploration(alpha, beta1)
        if start not in STARTS:
            raise ValueError(f"start = {start!r}: must be one of {', '.join(map(repr, STARTS))}")
        _checks.flag("foreach", foreach, optional=True)
        _checks.flag("fused", fused, optional=True)
        _checks.one_way(foreach, fused)
        # Optimizer.__init__ would make groups and state of its own. An unpickled optimizer is built this way instead.
        mixing = {"foreach": foreach, "fused": fused}
        self.__setstate__({"base": base, "alpha": alpha, "beta1": beta1, "start": start, "_mixing": mixing})
        take_over_groups(base)
        for number, group in enumerate(base.param_groups):
            self._complete(group, number)
        remember_options(base)

    @staticmethod
    def from_grokfast(base: Optimizer, lamb: float, beta: float, **mixing: Any) -> "E":
        r"""E in place of Grokfast's gradient filter (EMA), with the same start.

        Grokfast gives its optimizer :math:`g_k + \lambda \mu_k`; with these settings that is :math:`(1 + \lambda) u_k`.
        Adam, LAMB and other bases that are free of the gradient's scale then take Grokfast's steps, their eps and an
        L2 penalty apart. For SGD multiply the base's learning rate by :math:`1 + \lambda`.

        Args:
            base: the optimizer behind the filter.
            lamb: Grokfast's amplification :math:`\lambda \ge 0`.
            beta: Grokfast's decay rate ("alpha" in its code).
            **mixing: ``foreach`` and ``fused``, as in E.

        Returns:
            E with :math:`c = \lambda \beta / (1 + \lambda)`, :math:`\beta_1 = \beta` and ``start="first"``.

        Raises:
            ValueError: if ``lamb`` is negative or ``beta`` outside [0, 1).

        Example:
            >>> import torch
            >>> w = torch.nn.Parameter(torch.tensor([1.0]))
            >>> E.from_grokfast(torch.optim.AdamW([w], lr=1e-3), lamb=2.0, beta=0.75).alpha
            -2.0

        References:
            Lee et al., *Grokfast: Accelerated grokking by amplifying slow gradients*, arXiv:2405.20233.
        """
        _checks.number("lamb", lamb, low=0.0)
        _checks.number("beta", beta, low=0.0, high=1.0)
        return E(base, -lamb * beta / ((1 + lamb) * (1 - beta)), beta, start="first", **mixing)

    def __setstate__(self, state: dict[str, Any]) -> None:
        own = {key: value for key, value in state.items() if key not in _OF_BASE}
        self._kept, self._separate, self._admitted = None, Separate(), []
        self._moved = False  # whether a step has found gradients since the optimizer was built or loaded
        super().__setstate__(own)
        for key in _OF_BASE & state.keys():
            setattr(self.base, key, state[key])

    def __getstate__(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("base", "alpha", "beta1", "start", "_mixing")}
        return own | {key: getattr(self.base, key) for key in sorted(_OF_BASE)}

    # Read at each use: load_state_dict gives the base new lists and dictionaries.
    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The base's parameter groups."""
        return self.base.param_groups

    @param_groups.setter
    def param_groups(self, groups: list[dict[str, Any]]) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self.base.param_groups = groups

    @property
    def state(self) -> Any:
        """The base's state."""
        return self.base.state

    @state.setter
    def state(self, state: Any) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self.base.state = state

    @property
    def defaults(self) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The base's defaults."""
        return self.base.defaults

    @defaults.setter
    def defaults(self, defaults: dict[str, Any]) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self.base.defaults = defaults

    def __getattr__(self, name: str) -> Any:
        # For bases with methods of their own, such as train() and eval(). "base" itself is missing while unpickling.
        if name.startswith("_") or name == "base":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.base, name)

    def __setattr__(self, name: str, value: Any) -> None:
        # What is read from the base is written to the base.
        own = name.startswith("_") or name in self.__dict__ or hasattr(type(self), name) or "base" not in self.__dict__
        object.__setattr__(self if own or not hasattr(self.base, name) else self.base, name, value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base!r})"

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters to the base; ``explore_alpha`` and ``explore_beta1`` may be set for them.

        Raises:
            ValueError: for a value outside the region; nothing is added then.
        """
        if isinstance(param_group, dict):
            params = param_group["params"]
            if not isinstance(params, (Tensor, set)):
                param_group["params"] = params = list(params)  # it may be a generator
                bare, named = without_names(params)
                refuse_repeated(bare, partial(label, [named]))
            number, own = len(self.param_groups), dict(param_group)  # what E writes into it is not the user's
            self._complete(own, number)
            try:
                self.base.add_param_group(own)
            except BaseException:
                given_options(self.base).pop(number, None)
                raise
            return
        self.base.add_param_group(param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Reset the gradients, as the base does."""
        if "set_to_none" in inspect.signature(self.base.zero_grad).parameters:
            self.base.zero_grad(set_to_none=set_to_none)
        else:  # an older optimizer, with one way to do it
            self.base.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        """The base's state dict, in which the slow averages and the exploration options lie."""
        for before in self._optimizer_state_dict_pre_hooks.values():
            before(self)
        state_dict = self.base.state_dict()
        for after in self._optimizer_state_dict_post_hooks.values():
            replaced = after(self, state_dict)
            state_dict = state_dict if replaced is None else replaced
        return state_dict

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state dict of E, or one of the bare base: exploration then starts here with the present options.

        Raises:
            ValueError: for a checkpoint of another optimizer, an option outside the region, or a slow average that does
                not fit its parameter; nothing is loaded then.
        """
        for before in self._optimizer_load_state_dict_pre_hooks.values():
            replaced = before(self, state_dict)
            state_dict = state_dict if replaced is None else replaced
        self._kept, self._moved = None, False  # a plan holds the state that is replaced
        before = self.param_groups
        with loading(self.base, state_dict, f"{type(self).__name__} or {type(self.base).__name__}"):
            with keep_precision(self.base, lambda _, param: {SLOW_AVG: state_dtype(param)}):
                self.base.load_state_dict(state_dict)
            for group, earlier in zip(self.param_groups, before, strict=True):
                group.setdefault(ALPHA, earlier.get(ALPHA, self.alpha))
                group.setdefault(BETA1, earlier.get(BETA1, self.beta1))
            check_loaded(self, before, self._check_group)
            for after in self._optimizer_load_state_dict_post_hooks.values():
                after(self)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    # A compiler gets what the base computes, and not what E does: it would guard the identity of each gradient that E
    # puts in place, and compile anew in every step.
    @_use_grad_for_differentiable
    @partial(torch._disable_dynamo, recursive=False)
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Let the base take one step on the mixed gradients; afterwards ``.grad`` is the user's own, come what may.

        Args:
            closure: reevaluates the model and returns the loss; called once, first, with gradients enabled.

        Returns:
            What the closure returned, or None.

        Raises:
            ValueError: for an option outside the region, parameters that share memory, or that FSDP1 has replaced.
            RuntimeError: for a sparse gradient, or a gradient or an average that does not fit its parameter. In all
                these cases nothing has changed. What the base or one of its hooks raises goes through; the slow
                averages are then as before, so that the step may be tried once more: exactly if the base has hooks
                before its step or ``beta1`` is below .01, else but for the rounding of an average with these gradients
                in it (so a base that itself refuses gradients which are not finite needs such a hook).
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        return self._step(loss)

    @partial(torch._disable_dynamo, recursive=False)
    def _step(self, loss: float | None) -> float | None:
        mixing = self._mixed()
        try:
            step_base(self.base)
        except BaseException:
            mixing.take_back()
            raise
        finally:
            mixing.end()
        self._kept = mixing.kept
        return loss

    @torch._disable_dynamo
    def _mixed(self) -> Mixing:
        """Begin a step: put mixed gradients in the place of the user's; after an error nothing has changed."""
        if not self._moved:
            params = list(params_of(self.param_groups))
            self._moved = any(param.grad is not None for param in params)
            if not self._moved:
                refuse_replaced(params, partial(label, self.param_groups))
        mixing = Mixing(self, self._exploring_groups())
        try:
            if _checks.capturing():
                mixing.refuse_capture()
            mixing.begin()
        except BaseException:
            mixing.take_back()
            mixing.end()
            raise
        return mixing

    def _exploring_groups(self) -> list[dict[str, Any]]:
        """The groups whose gradients are mixed: those with an alpha, and those whose averages an earlier alpha left."""
        groups = []
        for number, group in enumerate(self.param_groups):
            if isinstance(self.base, ALTO) and group["alpha"] != 0:
                raise TypeError(f"alpha = {group['alpha']} in a group of the base: it would explore as well as E does")
            if ALPHA not in group or BETA1 not in group:
                self._complete(group, number)  # it may have been added to, or loaded into, the base itself
            self._admit(group, number)
            if group[ALPHA] != 0 or any(SLOW_AVG in self.state.get(param, ()) for param in group["params"]):
                groups.append(group)
        return groups

    def _admit(self, group: dict[str, Any], number: int) -> None:
        """Check a group's options, if they have changed since the last time."""
        for key in (ALPHA, BETA1):
            if type(group[key]) is not float:
                group[key] = _checks.plain(group[key])
        options = self._options_of(group)
        if number >= len(self._admitted) or self._admitted[number] != options:
            self._check_group(group)
            self._admitted[number : number + 1] = [options]

    def _options_of(self, group: dict[str, Any]) -> tuple[Any, ...]:
        """The options whose changes are checked before the next step."""
        return group[ALPHA], group[BETA1]

    def _check_group(self, group: dict[str, Any]) -> None:
        _checks.exploration(group[ALPHA], group[BETA1], names=(ALPHA, BETA1))

    def _complete(self, group: dict[str, Any], number: int) -> None:
        """Give a group the exploration options that it lacks, and check them."""
        near = {key: value for key, value in group.items() if isinstance(key, str) and key.startswith("explore_")}
        _checks.group_keys(near, (ALPHA, BETA1))
        options = {ALPHA: self.alpha, BETA1: self.beta1} | {key: _checks.plain(value) for key, value in near.items()}
        self._check_group(options)
        given = given_options(self.base).setdefault(number, set())
        for key in (ALPHA, BETA1):
            if key not in group:
                group[key] = options[key]
                given.add(key)


def _check_base(base: object) -> None:
    if not isinstance(base, Optimizer):
        raise TypeError(f"base = {base!r}: must be a torch.optim.Optimizer instance (build it first, then wrap it)")
    name = type(base).__name__
    for group in base.param_groups:
        refuse_repeated(group["params"], partial(label, [group]))
    if isinstance(base, E) or (isinstance(base, ALTO) and any(group["alpha"] != 0 for group in base.param_groups)):
        raise TypeError(
            f"base = {name}: explores already; wrap its own base (for ALTO: LAMB), or change its alpha instead"
        )
    if any(kind.__name__ == "ZeroRedundancyOptimizer" for kind in type(base).__mro__):
        raise TypeError(
            f"base = {name}: its state dict holds the state of an optimizer inside it, without E's slow averages; "
            "put E there: ZeroRedundancyOptimizer(params, lambda params, **options: E(AdamW(params, **options)))"
        )
    for argument in list(inspect.signature(type(base).step).parameters.values())[1:]:
        if argument.default is argument.empty and argument.kind not in {argument.VAR_POSITIONAL, argument.VAR_KEYWORD}:
            raise TypeError(
                f"base = {name}: its step needs {argument.name!r}; E calls it with nothing but mixed gradients "
                "in place (one that needs a closure evaluates it several times, each time with new gradients)"
            )
