"""E over torch.optim's own SGD, Adam and AdamW (the paper's Algorithms 3 and 4), under one constructor each."""

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from numbers import Real
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.optimizer import ParamsT

from alto import _checks
from alto._adaptor import E

_EXPLORATION = ("alpha", "beta1", "start")
_NUMBERS = ("weight_decay", "momentum", "dampening", "eps")
_OPTIONS = {*inspect.signature(SGD).parameters, *inspect.signature(AdamW).parameters, "alpha", "beta1"} - {"params"}


class _Variant(E):
    """E whose groups and defaults may say ``alpha`` and ``beta1``, as its constructor does."""

    @property
    def defaults(self) -> Any:
        """The base's defaults and the exploration's, as the constructor takes them; what is written goes there."""
        return _Defaults(self)

    @defaults.setter
    def defaults(self, defaults: Mapping[str, Any]) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self.base.defaults = {key: value for key, value in defaults.items() if key not in _EXPLORATION}
        self.defaults.update(defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(_named(param_group))

    def _options_of(self, group: dict[str, Any]) -> tuple[Any, ...]:
        lr = _normalize(group)["lr"]
        rate = (id(lr), lr._version) if isinstance(lr, Tensor) and not lr.is_inference() else lr
        return (*super()._options_of(group), rate, *[group.get(key) for key in (*_NUMBERS, "betas")])

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        _check_base_options(_normalize(group))


class _Defaults(MutableMapping[str, Any]):
    """A view of a variant's defaults: those of its base, and its own."""

    def __init__(self, variant: _Variant) -> None:
        self._variant = variant

    def __getitem__(self, key: str) -> Any:
        return getattr(self._variant, key) if key in _EXPLORATION else self._variant.base.defaults[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if key in _EXPLORATION:
            setattr(self._variant, key, value)
        else:
            self._variant.base.defaults[key] = value

    def __delitem__(self, key: str) -> None:
        del self._variant.base.defaults[key]

    def __iter__(self) -> Iterator[str]:
        return iter([*self._variant.base.defaults, *_EXPLORATION])

    def __len__(self) -> int:
        return len(self._variant.base.defaults) + len(_EXPLORATION)

    def copy(self) -> dict[str, Any]:
        return dict(self)

    def __reduce__(self) -> Any:  # a deep copy stands alone, too
        return dict, (dict(self),)

    def __repr__(self) -> str:
        return repr(dict(self))


def _check_arguments(base: Callable[..., Optimizer], options: Mapping[str, Any]) -> None:
    """Check a constructor's arguments before parameters are looked at: as torch does, then as in groups."""
    base([torch.zeros(1, device="cpu")], **options)
    _check_base_options(options)


def _check_base_options(options: Mapping[str, Any]) -> None:
    """Check options of torch's SGD, Adam and AdamW: torch takes some that are NaN, and in a group any."""
    if "lr" in options:
        _checks.learning_rate(options["lr"])
    for name in (name for name in _NUMBERS if name in options):
        value = options[name]
        low = -math.inf if name == "dampening" else 0.0
        _checks.number(name, value.item() if isinstance(value, Tensor) else value, low=low)
    if "betas" in options:
        _checks.numbers("betas", options["betas"], 2, low=0.0, high=1.0, why=_checks.FADES)


def _normalize(options: dict[str, Any]) -> dict[str, Any]:
    """The options, in which numbers in arrays of no dimensions have become numbers, and betas a tuple, in place."""
    for name in ("lr", *_NUMBERS):
        if name in options and type(options[name]) is not float and not isinstance(options[name], Tensor):
            options[name] = _checks.plain(options[name])
    if "betas" in options:
        options["betas"] = _betas(options["betas"])
    return options


def _betas(betas: Any) -> tuple[Any, ...]:
    """Decay rates from any sequence as torch takes them: both floats or, as a capturable step may, both tensors."""
    if type(betas) is tuple and all(type(beta) is float for beta in betas):  # nearly always
        return betas
    if isinstance(betas, (tuple, list)) and any(isinstance(beta, Tensor) for beta in betas):
        return tuple(betas)
    return tuple([float(beta) if isinstance(beta, Real) else beta for beta in _checks.sequence("betas", betas, 2)])


def _named(group: Any) -> Any:
    """A parameter group with E's own keys for ``alpha`` and ``beta1``; anything else as it is."""
    if not isinstance(group, dict):
        return group
    _checks.group_keys(group, _OPTIONS)
    named = {f"explore_{key}" if key in {"alpha", "beta1"} else key: value for key, value in group.items()}
    _check_base_options(_normalize(named))
    return named


def _groups(params: ParamsT) -> Any:
    if isinstance(params, Tensor) or not isinstance(params, Iterable):
        return params  # torch says what is wrong
    return [_named(group) for group in params]


class ESGD(_Variant):
    r"""Momentum SGD on a gradient that is mixed with a slow average of past gradients (Algorithm 3).

    With :math:`c = -\alpha (1 - \beta_1)` and :math:`h_0 = 0`, the optimizer gets

    .. math:: u_k = (1 - c)\, g_k + c\, h_{k-1}, \qquad h_k = \beta_1 h_{k-1} + (1 - \beta_1)\, g_k

    in place of the gradient :math:`g_k`, and takes

    .. math:: m_k = \beta_2 m_{k-1} + u_k, \qquad \theta_{k+1} = \theta_k - \eta\, m_k

    With ``momentum=0`` this is quasi-hyperbolic momentum, :math:`\nu = c / \beta_1`.

    Admissible region: :math:`|\alpha| (1 - \beta_1) < 1` (the paper's Section 2).

    Args:
        params: parameters or parameter groups; ``alpha`` and ``beta1`` may be set per group.
        lr: learning rate :math:`\eta`. Default: 1e-3, torch's.
        alpha: exploration strength. Default: -5, the paper's for batches of 1K and more.
        beta1: decay rate of the slow average. Default: 0.99, the paper's for batches of 1K and more.
        momentum: the paper's :math:`\beta_2`. Default: 0.9, the paper's.
        start: what the slow average begins with, as in :class:`E`. Default: "zero", the paper's.
        **sgd: further keyword arguments of ``torch.optim.SGD``, with torch's defaults.

    Memory: slow average and momentum: 8 bytes per parameter in float32.

    Distributed: elementwise, as :class:`E`.

    Raises:
        ValueError: for ``alpha`` or ``beta1`` outside the region, or an option that ``torch.optim.SGD`` cannot use (a
            NaN, decay rates that are not two).

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> w.grad = torch.tensor([1.0])
        >>> ESGD([w], lr=0.1, alpha=-5.0, beta1=0.9).step()  # u = (1 - 0.5) g
        >>> w.detach()
        tensor([0.9500])

    References:
        Zhao et al., *Exploring Landscapes for Better Minima along Valleys*, NeurIPS 2025, Algorithm 3.
        Ma and Yarats, *Quasi-hyperbolic momentum and Adam for deep learning*, ICLR 2019.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        *,
        alpha: float = -5.0,
        beta1: float = 0.99,
        momentum: float = 0.9,
        start: str = "zero",
        **sgd: Any,
    ) -> None:
        options = _normalize({"lr": lr, "momentum": momentum, **sgd})
        _check_arguments(SGD, options)
        super().__init__(SGD(_groups(params), **options), alpha, beta1, start=start)


class EAdam(_Variant):
    r"""Adam on a gradient that is mixed with a slow average of past gradients (Algorithm 4).

    With :math:`c = -\alpha (1 - \beta_1)` and :math:`h_0 = 0`, the optimizer gets

    .. math:: u_k = (1 - c)\, g_k + c\, h_{k-1}, \qquad h_k = \beta_1 h_{k-1} + (1 - \beta_1)\, g_k

    in place of the gradient :math:`g_k`, and takes

    .. math::
        m_k &= \beta_2 m_{k-1} + (1 - \beta_2)\, u_k, \qquad v_k = \beta_3 v_{k-1} + (1 - \beta_3)\, u_k^2 \\
        \theta_{k+1} &= \theta_k - \eta\, \hat m_k / (\sqrt{\hat v_k} + \epsilon)

    with :math:`\hat m_k = m_k / (1 - \beta_2^k)` and :math:`\hat v_k = v_k / (1 - \beta_3^k)`.

    Admissible region: :math:`|\alpha| (1 - \beta_1) < 1` (the paper's Section 2).

    Args:
        params: parameters or parameter groups; ``alpha`` and ``beta1`` may be set per group.
        lr: learning rate :math:`\eta`. Default: 1e-3, torch's.
        alpha: exploration strength. Default: -5, the paper's for batches of 1K and more.
        beta1: decay rate of the slow average. Default: 0.99, the paper's for batches of 1K and more.
        betas: the paper's ``(beta2, beta3)``, decay rates of the moments. Default: (0.9, 0.99), the paper's (torch's:
            0.9, 0.999).
        start: what the slow average begins with, as in :class:`E`. Default: "zero", the paper's.
        **adam: further keyword arguments of ``torch.optim.Adam``, with torch's defaults.

    Memory: slow average and two moments: 12 bytes per parameter in float32.

    Distributed: elementwise, as :class:`E`.

    Raises:
        ValueError: for ``alpha`` or ``beta1`` outside the region, or an option that ``torch.optim.Adam`` cannot use (a
            NaN, decay rates that are not two).

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> EAdam([w], alpha=0.5, beta1=0.01).param_groups[0]["explore_alpha"]
        0.5

    References:
        Zhao et al., *Exploring Landscapes for Better Minima along Valleys*, NeurIPS 2025, Algorithm 4.
        Kingma and Ba, *Adam: A method for stochastic optimization*, ICLR 2015.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        *,
        alpha: float = -5.0,
        beta1: float = 0.99,
        betas: Sequence[float] = (0.9, 0.99),
        start: str = "zero",
        **adam: Any,
    ) -> None:
        options = _normalize({"lr": lr, "betas": betas, **adam})
        _check_arguments(Adam, options)
        super().__init__(Adam(_groups(params), **options), alpha, beta1, start=start)


class EAdamW(_Variant):
    r"""AdamW on a gradient that is mixed with a slow average of past gradients.

    With :math:`c = -\alpha (1 - \beta_1)` and :math:`h_0 = 0`, the optimizer gets

    .. math:: u_k = (1 - c)\, g_k + c\, h_{k-1}, \qquad h_k = \beta_1 h_{k-1} + (1 - \beta_1)\, g_k

    in place of the gradient :math:`g_k`, and takes

    .. math::
        m_k &= \beta_2 m_{k-1} + (1 - \beta_2)\, u_k, \qquad v_k = \beta_3 v_{k-1} + (1 - \beta_3)\, u_k^2 \\
        \theta_{k+1} &= (1 - \eta \lambda)\, \theta_k - \eta\, \hat m_k / (\sqrt{\hat v_k} + \epsilon)

    with :math:`\hat m_k = m_k / (1 - \beta_2^k)` and :math:`\hat v_k = v_k / (1 - \beta_3^k)`.
    The weight decay :math:`\lambda` is torch's default, 1e-2, unless ``weight_decay`` is given: parameters shrink also
    where the gradient is 0.

    Admissible region: :math:`|\alpha| (1 - \beta_1) < 1` (the paper's Section 2).

    Args:
        params: parameters or parameter groups; ``alpha`` and ``beta1`` may be set per group.
        lr: learning rate :math:`\eta`. Default: 1e-3, torch's.
        alpha: exploration strength. Default: -5, the paper's for batches of 1K and more.
        beta1: decay rate of the slow average. Default: 0.99, the paper's for batches of 1K and more.
        betas: the paper's ``(beta2, beta3)``, decay rates of the moments. Default: (0.9, 0.99), the paper's (torch's:
            0.9, 0.999).
        start: what the slow average begins with, as in :class:`E`. Default: "zero", the paper's.
        **adamw: further keyword arguments of ``torch.optim.AdamW``, with torch's defaults.

    Memory: slow average and two moments: 12 bytes per parameter in float32.

    Distributed: elementwise, as :class:`E`.

    Raises:
        ValueError: for ``alpha`` or ``beta1`` outside the region, or an option that ``torch.optim.AdamW`` cannot use (a
            NaN, decay rates that are not two).

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> EAdamW([w], weight_decay=0.1, fused=True).defaults["weight_decay"]
        0.1

    References:
        Zhao et al., *Exploring Landscapes for Better Minima along Valleys*, NeurIPS 2025, Algorithm 5.
        Loshchilov and Hutter, *Decoupled weight decay regularization*, ICLR 2019.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        *,
        alpha: float = -5.0,
        beta1: float = 0.99,
        betas: Sequence[float] = (0.9, 0.99),
        start: str = "zero",
        **adamw: Any,
    ) -> None:
        if adamw.get("decoupled_weight_decay"):  # in AdamW's defaults, but not in its constructor
            del adamw["decoupled_weight_decay"]
        options = _normalize({"lr": lr, "betas": betas, **adamw})
        _check_arguments(AdamW, options)
        super().__init__(AdamW(_groups(params), **options), alpha, beta1, start=start)
