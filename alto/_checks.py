"""Validation of hyper-parameters: each error names the argument, its value, the allowed range and the consequence."""

import math
import sys
import warnings
from collections.abc import Collection, Mapping, Set
from difflib import get_close_matches
from numbers import Real
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

# What torch's schedulers and checkpoints, and an E around the optimizer, keep in a parameter group beside its options.
_BOOKKEEPING = frozenset({
    "params", "param_names", "name", "initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum", "swa_lr",
    "explore_alpha", "explore_beta1",
})  # fmt: skip


# How alike a key and an option must be (difflib's ratio) to be taken for a slip: weight_decy, but not no_decay.
_NEAR = 0.8

# Consequences of values outside a range.
_UPHILL = "a negative one would go uphill (to ascend, set maximize)"
_ROUNDING = 1e-12  # 20 * (1 - .95) is 1.0000000000000009 and 10 * (1 - .9) is 0.9999999999999998: both are 1
_AVERAGES = "change all of its averages together with the parameter, or delete its state"
FADES = "with a decay rate of 1 or more, old gradients would keep their full weight"


def number(
    name: str, value: object, *, low: float, high: float = math.inf, open_low: bool = False, why: str = ""
) -> None:
    """Check ``low <= value < high`` (``low < value`` if ``open_low``) for a finite real number.

    ``why`` tells the consequence of a value outside the range.

    Raises:
        ValueError: if it is not.
    """
    left = "(" if open_low or low == -math.inf else "["
    limits = "" if (low, high) == (-math.inf, math.inf) else f" in {left}{low:g}, {high:g})"
    allowed = f"a finite number{limits}" + (why and f"; {why}")
    if not isinstance(value, Real) or isinstance(value, bool) or not _is_finite(value):
        raise ValueError(f"{name} = {value!r}: must be {allowed}")
    x = float(value)
    if x < low or (open_low and x == low) or x >= high:
        raise ValueError(f"{name} = {value!r}: must be {allowed}")


def _is_finite(value: Real) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer or a fraction beyond all floating-point numbers
        return False


def plain(value: Any) -> Any:
    """The number in a tensor or array of no dimensions, and a real number of any other type (a fraction) as a float.

    Engines and checkpoints take plain numbers only. Anything else is returned as it is.
    """
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()
    if type(value) in {float, int, bool} or not isinstance(value, Real) or not _is_finite(value):
        return value
    return float(value)


def sequence(name: str, values: Any, length: int) -> tuple[Any, ...]:
    """A tuple of exactly ``length`` members, from a tuple, list, array, tensor or another sequence.

    Raises:
        ValueError: if ``values`` is no sequence of that length.
    """
    try:
        found = None if isinstance(values, (str, bytes, Mapping, Set)) else tuple(values)
    except TypeError:  # one number, or nothing
        found = None
    if found is None or len(found) != length:
        raise ValueError(f"{name} = {values!r}: must be a tuple of {length} numbers (or a list, array or tensor)")
    return tuple([plain(x) for x in found])


def numbers(name: str, values: object, length: int, **limits: Any) -> None:
    """Check a sequence of exactly ``length`` numbers, each as :func:`number` does.

    Raises:
        ValueError: if the length or a member is wrong.
    """
    for i, value in enumerate(sequence(name, values, length)):
        number(f"{name}[{i}]", value, **limits)


def learning_rate(lr: object) -> None:
    """Check a learning rate: a finite number >= 0, or a tensor that holds exactly one.

    Raises:
        ValueError: if it is not.
    """
    if not isinstance(lr, Tensor):
        return number("lr", lr, low=0.0, why=_UPHILL)
    if lr.numel() != 1:
        raise ValueError(f"lr = a tensor of {lr.numel()} elements: Tensor lr must be 1-element")
    if lr.device.type == "cpu" and not is_fake(lr):  # reading it elsewhere would wait for the device
        number("lr", float(lr.detach()), low=0.0, why=_UPHILL)
    return None


def exploration(alpha: float, beta1: float, *, names: tuple[str, str] = ("alpha", "beta1")) -> None:
    """Check the paper's admissible region ``|alpha| (1 - beta1) < 1``, ``0 <= beta1 < 1`` (Section 2).

    Raises:
        ValueError: if it is left; the text says what the first step would do there.
    """
    number(names[0], alpha, low=-math.inf)
    number(names[1], beta1, low=0.0, high=1.0, why=FADES)
    reach = abs(alpha) * (1 - beta1)
    if reach >= 1 - _ROUNDING:
        factor = 0.0 if alpha < 0 and reach <= 1 + _ROUNDING else 1 + alpha * (1 - beta1)
        consequence = (
            f"the first step would take {factor:g} times the gradient, uphill or nowhere"
            if alpha < 0
            else f"the first step would overshoot with {factor:g} times the gradient"
        )
        raise ValueError(
            f"|{names[0]}| (1 - {names[1]}) = {reach:g} >= 1 "
            f"({names[0]}={alpha:g}, {names[1]}={beta1:g}): {consequence}; "
            f"need |{names[0]}| < 1 / (1 - {names[1]}) = {1 / (1 - beta1):g}"
        )


def flag(name: str, value: object, *, optional: bool = False) -> None:
    """Check a switch: True or False (or None where the library may choose).

    Raises:
        ValueError: if it is anything else.
    """
    if not isinstance(value, bool) and not (optional and value is None):
        raise ValueError(f"{name} = {value!r}: must be True or False{' or None' if optional else ''}")


def slow_avg_dtype(dtype: object, differentiable: bool) -> None:
    """Check the dtype for the slow average: None or bfloat16, the latter not with ``differentiable``.

    Raises:
        ValueError: if it is not.
    """
    if dtype is not None and dtype is not torch.bfloat16:
        raise ValueError(f"slow_avg_dtype = {dtype!r}: must be torch.bfloat16 or None (as the other averages)")
    if dtype is not None and differentiable:
        raise ValueError(
            f"slow_avg_dtype = {dtype} with differentiable = True: random rounding has no derivative; drop one of them"
        )


def roundable(param: Tensor, slow_avg_dtype: torch.dtype | None) -> None:
    """Refuse a slow average in bfloat16 of a complex parameter.

    Raises:
        RuntimeError: if the options say so.
    """
    if slow_avg_dtype is not None and param.is_complex():
        raise RuntimeError(
            f"slow_avg_dtype = {slow_avg_dtype} with a parameter of dtype {param.dtype}: there are no complex numbers "
            "in bfloat16; put complex parameters in a group with slow_avg_dtype = None"
        )


def group_keys(group: Mapping[str, object], known: Collection[str]) -> None:
    """Warn of a parameter-group key that is nearly one of the options: it is probably a misspelt one.

    Other unknown keys are left alone, as by every torch optimizer: trainers keep notes of their own in groups.
    """
    for key in group:
        if not isinstance(key, str) or key in known or key in _BOOKKEEPING:
            continue
        near = get_close_matches(key.lower(), known, n=1, cutoff=_NEAR)
        if near and not _extends(key.lower(), near[0]):
            warnings.warn(
                f"parameter-group key {key!r} is not an option, and has no effect here; did you mean {near[0]!r}?",
                UserWarning,
                stacklevel=_depth(),
            )


def _depth() -> int:
    """How many frames above its caller the first one is that is neither ours nor torch's: the user's line."""
    frame, depth = sys._getframe(1), 1
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in {"alto", "torch"}:
        frame, depth = frame.f_back, depth + 1
    return depth


def _extends(key: str, option: str) -> bool:
    """Whether ``key`` is an option's name with a word before or after it, such as ``weight_decay_scale``."""
    return key.startswith(f"{option}_") or key.endswith(f"_{option}")


def representable(eps1: float, dtypes: Set[torch.dtype]) -> None:
    """Refuse an eps1 that is 0, or nearly so, in the dtype of the averages.

    Raises:
        ValueError: if a step would compute 0 / 0 where a gradient is 0.
    """
    for dtype in dtypes:
        if (dtype.is_floating_point or dtype.is_complex) and eps1 < torch.finfo(dtype).tiny:
            raise ValueError(
                f"eps[0] = {eps1!r}: it rounds to 0 in {dtype}, the dtype of the averages, and a gradient of 0 would "
                f"make its parameter NaN; take at least {torch.finfo(dtype).tiny:.2g}, or parameters in float64"
            )


def is_fake(tensor: object) -> bool:
    """Whether a tensor has a shape but no numbers, as under torch's ``FakeTensorMode`` (which plans memory)."""
    return type(tensor).__name__ == "FakeTensor"


def alike(what: str, tensor: Tensor, param: Tensor, name: str) -> None:
    """Refuse a gradient or an average that does not fit its parameter.

    Raises:
        RuntimeError: for another shape or device.
    """
    if tensor.shape != param.shape:
        raise RuntimeError(
            f"{what} of {name} has shape {tuple(tensor.shape)}, the parameter {tuple(param.shape)}: "
            + ("compute it again, or set it to None" if what == "the gradient" else _AVERAGES)
        )
    if tensor.device != param.device:
        raise RuntimeError(
            f"{what} of {name} is on {tensor.device}, the parameter on {param.device}: move the state with the "
            "parameter, or load a checkpoint, which moves it"
        )


def dense(grad: Tensor, optimizer: str) -> None:
    """Refuse a sparse gradient: the slow average of sparse gradients is dense.

    Raises:
        RuntimeError: if ``grad`` is sparse.
    """
    if grad.layout is not torch.strided:
        raise RuntimeError(
            f"{optimizer} does not support sparse gradients (got {grad.layout}): its averages are dense; "
            "use sparse=False in the embedding, or a sparse optimizer for that parameter"
        )


def capturing() -> bool:
    """Whether a CUDA graph is capturing what is called now."""
    return (
        not torch.compiler.is_compiling() and torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing()
    )


def capture(optimizer: Optimizer) -> None:
    """Refuse to be captured in a CUDA graph with counters on the CPU, which each replay would find as they were.

    Raises:
        RuntimeError: if a group with ``capturable = False`` would be captured, or a state that begins in this step.
    """
    if not capturing():
        return
    for i, group in enumerate(optimizer.param_groups):
        if not group["capturable"]:
            raise RuntimeError(
                f"capturable = False in parameter group {i}: a CUDA graph is capturing this step of "
                f"{type(optimizer).__name__}, and each replay would repeat the bias corrections of this one; "
                "set capturable = True, and take one step before the capture"
            )
        for param in group["params"]:
            step = optimizer.state.get(param, {}).get("step")
            if param.grad is not None and (step is None or step.device != param.device):
                raise RuntimeError(
                    f"parameter group {i} has no step counter on {param.device} yet: a CUDA graph is capturing this "
                    f"step of {type(optimizer).__name__}, and each replay would begin with the same one; take one step "
                    "before the capture"
                )


def one_way(foreach: object, fused: object) -> None:
    """Refuse two ways to take a step at once.

    Raises:
        ValueError: if both are True.
    """
    if foreach and fused:
        raise ValueError("foreach = True with fused = True: they are two ways to take a step; drop one of them")
