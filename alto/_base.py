"""What E keeps in its base optimizer, and the step of the base itself."""

import inspect
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Optimizer

# Keys in the base's own state and groups. Prefixed: RMSprop and ASGD have an "alpha" of their own.
SLOW_AVG = "explore_slow_avg"
WEIGHT = "explore_weight"
ALPHA = "explore_alpha"
BETA1 = "explore_beta1"


def given_options(base: Optimizer) -> dict[int, set[str]]:
    """The exploration options that an E, and not the user, has put into each group of its base."""
    return vars(base).setdefault("_explore_given", {})


# An attribute of a group's first parameter: the id of the group into which an E has put options, and these, since two
# bases may have been made of the same dictionaries. (torch swaps no parameter to which there are weak references.)
_PUT = "_explore_put"


def remember_options(base: Optimizer) -> None:
    """Note which options of the base's groups come from an E, for an E around another base with the same groups."""
    for number, group in enumerate(base.param_groups):
        for param in group["params"][:1]:
            setattr(param, _PUT, (id(group), tuple(given_options(base).get(number, ()))))


def forget_earlier_options(base: Optimizer) -> None:
    """Take out the options that an earlier E put into the base's groups: they would hold instead of the new one's.

    Options that the user has set in a group stay. A group that another base has as well is copied for this one.
    """
    wrapped = "_explore_given" in vars(base)
    for number, group in enumerate(base.param_groups):
        for param in group["params"][:1]:
            where, keys = getattr(param, _PUT, (0, ()))
            if not wrapped and where == id(group):
                base.param_groups[number] = {key: value for key, value in group.items() if key not in keys}
    for number, group in enumerate(base.param_groups):
        # A base that was loaded or copied carries no list of them. Slow averages tell that there was an E.
        explored = not wrapped and any(SLOW_AVG in base.state.get(param, ()) for param in group["params"])
        for key in (ALPHA, BETA1) if explored else given_options(base).get(number, ()):
            group.pop(key, None)
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
