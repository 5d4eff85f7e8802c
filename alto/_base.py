"""What E keeps in its base optimizer, and the step of the base itself."""

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor
from torch.optim import SGD, Optimizer

from alto import _checks, _sharding
from alto._memory import label
from alto._state import check_loaded_averages, check_loaded_counter

# Keys in the base's own state and groups. Prefixed: RMSprop and ASGD have an "alpha" of their own.
SLOW_AVG = "explore_slow_avg"
WEIGHT = "explore_weight"
ALPHA = "explore_alpha"
BETA1 = "explore_beta1"


def given_options(base: Optimizer) -> dict[int, set[str]]:
    """The exploration options that an E, and not the user, has put into each group of its base."""
    return vars(base).setdefault("_explore_given", {})


# The bases of all E that live: another base may have been made of the groups of one of them.
_BASES: "WeakSet[Optimizer]" = WeakSet()


class _Defaults(dict[str, Any]):
    """The base's defaults, with the options in its groups that come from an E: all that a copy of a base keeps."""

    explore_given: dict[int, set[str]]


def remember_options(base: Optimizer) -> None:
    """Note which options of the base's groups come from an E: for an E around a copy, or a base with these groups."""
    with suppress(AttributeError):  # a base that has another one's defaults
        base.defaults = _Defaults(base.defaults)
        base.defaults.explore_given = given_options(base)
    _BASES.add(base)


def take_over_groups(base: Optimizer) -> None:
    """Give the base groups of its own, without the options that an earlier E put there: they would hold before the new.

    Options that the user has set in a group stay. The dictionaries that the user has made the base of stay as they are,
    too: another base may be made of them.
    """
    wrapped = "_explore_given" in vars(base)
    given = given_options(base) if wrapped else getattr(base.defaults, "explore_given", {})
    for number, group in enumerate(base.param_groups):
        put = set(given.get(number, ()))
        # A base that was loaded carries no list of them. Slow averages tell that there was an E.
        if not wrapped and not given and any(SLOW_AVG in base.state.get(param, ()) for param in group["params"]):
            put = {ALPHA, BETA1}
        for other in _BASES:
            for place, theirs in enumerate(other.param_groups):
                if other is not base and theirs is group:
                    put |= given_options(other).get(place, set())
        base.param_groups[number] = {key: value for key, value in group.items() if key not in put}
    given_options(base).clear()


@partial(torch._disable_dynamo, recursive=False)
def step_base(base: Optimizer) -> None:
    """One step of the base with its own hooks, but without those for all optimizers: they fire around E's step."""
    patch = vars(base).get("step")
    scheduled = getattr(patch, "_wrapped_by_lr_sched", False)
    step = type(base).step
    if (patch is not None and not scheduled) or not hasattr(step, "hooked"):
        base.step()
        return
    if scheduled:  # a scheduler on the base counts its steps
        base._opt_called = True  # pyright: ignore[reportAttributeAccessIssue]
    arguments: Any = (base,), {}
    for hook in base._optimizer_step_pre_hooks.values():
        changed = hook(base, *arguments)
        arguments = arguments if changed is None else changed
    step.__wrapped__(*arguments[0], **arguments[1])  # pyright: ignore[reportFunctionMemberAccess]
    for hook in base._optimizer_step_post_hooks.values():
        hook(base, *arguments)


# Ways to take the same step; not all of them can on a CPU.
_WAYS = frozenset({"foreach", "fused", "capturable", "differentiable"})


def needed_state(kind: type[Optimizer], options: Mapping[str, Any], dimensions: int) -> dict[str, bool]:
    """What torch's own optimizers keep of a parameter once a step was taken, found out by a step on a small one.

    Args:
        kind: the optimizer's class.
        options: those of a parameter group; the class checks them.
        dimensions: how many the parameter has.

    Returns:
        From each key to whether its value has the parameter's shape. Nothing for other libraries' optimizers.
    """
    if not kind.__module__.startswith("torch.optim."):
        return {}
    left_out = _WAYS | {"params"} | ({"lr"} if isinstance(options.get("lr"), Tensor) else set())  # or on another device
    taken = (inspect.signature(kind).parameters.keys() & options.keys()) - left_out
    param = torch.zeros((2,) * dimensions, device="cpu", requires_grad=True)
    param.grad = torch.zeros_like(param)
    optimizer: Any = kind([param], **{name: options[name] for name in taken})
    if kind is SGD:  # whose momentum may begin at any step
        return {}
    with suppress(RuntimeError):  # of those that take no dense gradients
        step_base(optimizer)
    return {key: getattr(value, "shape", None) == param.shape for key, value in optimizer.state[param].items()}


def check_loaded(optimizer: Any, before: list[dict[str, Any]], check_group: Callable[[dict[str, Any]], None]) -> None:
    """Check what an E has loaded into its base.

    Args:
        optimizer: the E.
        before: the groups that it had.
        check_group: checks the options of a group.

    Raises:
        ValueError: if it cannot have been saved by E around this kind of base, or by such a base.
    """
    place = 0
    for number, group in enumerate(optimizer.param_groups):
        missing = [key for key in optimizer.defaults if key in before[number] and key not in group]
        if missing:
            raise ValueError(
                f"state_dict: its parameter group {number} lacks {', '.join(map(repr, missing))}, so it was not "
                f"saved by {type(optimizer).__name__} or {type(optimizer.base).__name__}"
            )
        check_group(group)
        needed: dict[int, dict[str, bool]] = {}
        for param in group["params"]:
            state, name = optimizer.state.get(param, {}), label(optimizer.param_groups, place)
            place += 1
            dimensions = _sharding.dimensions([param])
            if dimensions not in needed:
                needed[dimensions] = _needed_of_loaded(optimizer, number, dimensions)
            of_base = needed[dimensions] if state.keys() - {SLOW_AVG, WEIGHT} else {}
            lost = [key for key in of_base if key not in state]
            if lost:
                raise ValueError(
                    f"state_dict: the state of {name} lacks {', '.join(map(repr, lost))}, which "
                    f"{type(optimizer.base).__name__} needs"
                )
            shaped = [key for key, whole in of_base.items() if whole]
            check_loaded_averages(state, param, name, shaped, (SLOW_AVG,))
            if "step" in of_base:
                check_loaded_counter(state, name)
            if WEIGHT in state:
                _checks.number(f"state_dict: {WEIGHT!r}", state[WEIGHT], low=0.0, high=1 + 1e-9)


def _needed_of_loaded(optimizer: Any, number: int, dimensions: int) -> dict[str, bool]:
    """What the base needs with the options of a group that has been loaded.

    Raises:
        ValueError: if it can do nothing with them.
    """
    base = type(optimizer.base)
    try:
        return needed_state(base, optimizer.param_groups[number], dimensions)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"state_dict: {base.__name__} refuses the options of its parameter group {number} ({error})"
        ) from error
