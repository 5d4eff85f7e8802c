"""The calls of engines that make a step of ALTO: which tensors go together, their state, and what it must be like."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from alto import _checks, _memory, _sharding, engines
from alto._counter import counter, is_counter
from alto._plan import params_of
from alto._rule import Rule, Tensors
from alto._state import state_dtype

# Parameters whose state has been begun or changed, and the state that they had.
Undo = list[tuple[Tensor, dict[str, Any] | None]]


@dataclass(slots=True)
class Call:
    """One call of an engine: tensors, and the options that hold for all of them."""

    tensors: Tensors
    rule: Rule
    layout: Any
    groups: list[dict[str, Any]]

    @property
    def lr(self) -> float | Tensor:
        lr = self.groups[0]["lr"]
        return lr.reshape(()) if isinstance(lr, Tensor) else lr

    def split(self) -> bool:
        """Whether the groups have no longer the same learning rate."""
        lr, *others = [group["lr"] for group in self.groups]
        return any(other is not lr and (isinstance(lr, Tensor) or other != lr) for other in others)

    @property
    def capturable(self) -> bool:
        # Without numbers none can be read: the formulas that leave them where they are work on shapes alone.
        return self.groups[0]["capturable"] or _checks.is_fake(self.tensors.params[0])

    def engine(self) -> engines.Engine:
        group = self.groups[0]
        return engines.choose(
            self.tensors.params[0],
            foreach=group["foreach"],
            fused=group["fused"],
            differentiable=group["differentiable"],
        )


def gather(optimizer: Optimizer, undo: Undo) -> list[Call]:
    """The tensors that have gradients, of groups with equal options together, as lists that one engine call takes.

    Args:
        optimizer: whose step it is.
        undo: receives each parameter whose state is begun or changed here, with what it was.
    """
    calls: dict[Any, Call] = {}
    position = -1
    for number, group in enumerate(optimizer.param_groups):
        rule = Rule.of(group)
        # A compiler merges what it can by itself, and would have to guard against each change of an option.
        options = number if torch.compiler.is_compiling() else _same_call(rule, group)
        for param in group["params"]:
            position += 1
            if param.grad is None:
                continue
            state = _state_of(optimizer, param, group, undo)
            slow_avg = state.get("slow_avg")
            layout = _sharding.layout(param)
            slow = None if slow_avg is None else slow_avg.dtype
            key = (param.device, param.dtype, param.grad.dtype, layout, slow, options)
            if key not in calls:
                calls[key] = Call(Tensors([], [], [], [], [], [], []), rule, layout, [])
            if not any(each is group for each in calls[key].groups[-1:]):
                calls[key].groups.append(group)
            tensors = calls[key].tensors
            h = () if slow_avg is None else (slow_avg,)
            grad = _sharding.grad_like(param).resolve_conj()  # a conjugate may be only a flag on the memory
            row = param, grad, state["exp_avg"], state["exp_avg_sq"], *h
            theta, g, m, v, *h = _plain(param, row)
            tensors.params.append(theta)
            tensors.grads.append(g)
            tensors.exp_avgs.append(m)
            tensors.exp_avg_sqs.append(v)
            tensors.steps.append(state["step"])
            tensors.positions.append(position)
            tensors.slow_avgs.extend(h)
    return list(calls.values())


def _state_of(optimizer: Optimizer, param: Tensor, group: dict[str, Any], undo: Undo) -> dict[str, Any]:
    """A parameter's state with everything that this step needs, in the right dtypes."""
    state = optimizer.state.get(param, {})
    full = state_dtype(param)
    new: dict[str, Any] = {}
    step, capturable = state.get("step", 0), group["capturable"]
    if not is_counter(step) or (capturable and step.device != param.device):  # the switch may have been set since
        new["step"] = counter(step, param.device if capturable else "cpu")
    # alpha may be scheduled: the slow average exists from the first step on which it is used.
    for name in ("exp_avg", "exp_avg_sq", "slow_avg"):
        average = state.get(name)
        if average is None:
            if name != "slow_avg" or group["alpha"] != 0:
                dtype = state_dtypes(group, param)[name]
                new[name] = torch.zeros_like(param, dtype=dtype, memory_format=torch.preserve_format)
        # A model that changed its dtype: as a load would do it, so that a resumed run equals an unbroken one.
        elif average.dtype != full and not (name == "slow_avg" and average.dtype is torch.bfloat16):
            new[name] = average.to(full)
    if new:
        undo.append((param, optimizer.state.get(param)))
        state = optimizer.state[param] = {**state, **new}
    return state


def take_back(optimizer: Optimizer, undo: Undo) -> None:
    """Put back the states that were begun or changed."""
    for param, before in undo:
        if before is None:
            del optimizer.state[param]
        else:
            optimizer.state[param] = before


def check(calls: list[Call], groups: list[dict[str, Any]], separate: _memory.Separate) -> None:
    """Check that the tensors of a step fit each other and share no memory.

    Args:
        calls: those of the step.
        groups: the optimizer's.
        separate: its check of memory.

    Raises:
        RuntimeError: if one does not fit its parameter, or cannot be written here.
        ValueError: if two share memory, or a parameter is listed twice.
    """
    name_of = partial(_memory.label, groups)
    _memory.refuse_repeated(list(params_of(groups)), name_of)
    columns: list[_memory.Column] = []
    for tensors in (call.tensors for call in calls):
        for what, column in tensors.averages():
            columns.append((what, column, tensors.positions))
        for what, column in (("the gradient", tensors.grads), *tensors.averages()):
            if [x.shape for x in column] != [x.shape for x in tensors.params] or {x.device for x in column} != {
                tensors.params[0].device
            }:
                for tensor, param, position in zip(column, tensors.params, tensors.positions, strict=True):
                    _checks.alike(what, tensor, param, name_of(position))
        of_params = (_memory.PARAMETER, tensors.params), (_memory.GRADIENT, tensors.grads), ("step", tensors.steps)
        columns += [(what, column, tensors.positions) for what, column in of_params]
    _memory.refuse_unwritable(columns, name_of)
    separate.check(columns, name_of)


def _same_call(rule: Rule, group: dict[str, Any]) -> tuple[Any, ...]:
    """What groups have in common if one call of an engine can take them together."""
    lr = group["lr"]
    switches = [group[key] for key in ("foreach", "fused", "capturable", "differentiable")]
    return (rule, id(lr) if isinstance(lr, Tensor) else lr, *switches)


def state_dtypes(group: dict[str, Any], param: Tensor) -> dict[str, torch.dtype]:
    """The dtypes of a parameter's averages, by their names."""
    full = state_dtype(param)
    return {"exp_avg": full, "exp_avg_sq": full, "slow_avg": group["slow_avg_dtype"] or full}


def _plain(param: Tensor, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The tensors of a parameter as engines take them: the shard that this rank holds, a complex number as two reals.

    That is how ``torch.optim`` counts complex numbers; the norm is the same.
    """
    if _sharding.is_sharded(param):
        tensors = tuple(_sharding.local(tensor) for tensor in tensors)
    return tuple(torch.view_as_real(tensor) for tensor in tensors) if param.is_complex() else tensors
