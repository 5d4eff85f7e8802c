"""One step of E: mixed gradients in the place of the user's, and everything back again after the base's step."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from alto import _checks, _sharding, engines
from alto._base import ALPHA, BETA1, SLOW_AVG, WEIGHT
from alto._memory import GRADIENT, PARAMETER, Column, label, refuse_repeated, refuse_unwritable
from alto._plan import Plan, params_of, same
from alto._state import state_dtype

if TYPE_CHECKING:
    from alto._adaptor import E


@dataclass(slots=True)
class Call:
    """One call of an engine: what is mixed alike, in parallel lists.

    Attributes:
        groups: whose options hold; each has the same alpha and beta1.
        params: the parameters.
        states: of each, with the slow average and perhaps its weight, the same for all.
        slow_avgs: as engines take them: of a sharded parameter, this rank's shard.
        places: of the parameters in the optimizer.
        grads: as engines take them; only during a step.
        kept: what the engine keeps for the next step.
    """

    groups: list[dict[str, Any]]
    params: list[Tensor] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    slow_avgs: list[Tensor] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    grads: list[Tensor] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)

    def split(self) -> bool:
        """Whether the options or the weights are no longer the same."""
        options = {(group[ALPHA], group[BETA1]) for group in self.groups}
        return len(options) > 1 or len({state.get(WEIGHT) for state in self.states}) > 1


# The least beta1 for which the average before a step is computed from the one after it: rounding grows by 1 / beta1.
_SOLVABLE = 1e-2

# A plan, the groups that explored in its step, and the calls.
Kept = tuple[Plan, list[dict[str, Any]], list[Call]]


class Mixing:
    """What one step of E does beside the base's, and what takes it back.

    Args:
        optimizer: whose step it is.
        groups: those that explore.
    """

    def __init__(self, optimizer: "E", groups: list[dict[str, Any]]) -> None:
        self._optimizer, self._groups = optimizer, groups
        self._calls: list[Call] = []
        self._own: list[tuple[Tensor, Tensor]] = []  # the user's gradients
        self._begun: dict[Tensor, dict[str, Any]] = {}
        self._alone: dict[Tensor, dict[str, Any]] = {}
        self._changed: dict[Tensor, Tensor] = {}
        self._undo: list[Callable[[], None]] = []
        self.kept: Kept | None = None  # for the next step
        if not self._same_calls():
            self._first_calls()

    def _same_calls(self) -> bool:
        """Take the calls of the step before with the new gradients, if nothing else is new."""
        # Only what this step has checked is there for the next one; the memory of anything else may be taken now.
        kept, self._optimizer._kept = self._optimizer._kept, None
        if kept is None or torch.is_inference_mode_enabled():  # new memory could not be written outside of it
            return False
        plan, groups, calls = kept
        if not same(self._groups, groups) or any(call.split() for call in calls):
            return False
        grads = plan.grads(self._optimizer)
        if grads is None:
            return False
        for call in calls:
            call.grads[:] = grads[: len(call.params)]
            del grads[: len(call.params)]
        self._calls, self.kept = calls, kept
        return True

    def _first_calls(self) -> None:
        """Gather the calls of this step, with new averages where there is none, and check them."""
        optimizer = self._optimizer
        params = list(params_of(optimizer.param_groups))
        places = {param: place for place, param in enumerate(params)}
        if len(places) < len(params):
            refuse_repeated(params, partial(label, optimizer.param_groups))
        calls: dict[Any, Call] = {}
        for group in self._groups:
            for param in group["params"]:
                if param.grad is None:
                    continue
                _checks.dense(param.grad, "E")
                state = optimizer.state.get(param, {})
                slow_avg = state.get(SLOW_AVG)
                if slow_avg is None:
                    if group[ALPHA] == 0:
                        continue
                    state = self._begun[param] = _beginning(param, optimizer.start)
                    slow_avg = state[SLOW_AVG]
                elif slow_avg.dtype != state_dtype(param):  # as a load would do it
                    slow_avg = self._changed[param] = slow_avg.to(state_dtype(param))
                kind = param.device, param.grad.dtype, slow_avg.dtype, group[ALPHA], group[BETA1], state.get(WEIGHT)
                if kind not in calls:
                    calls[kind] = Call([])
                call = calls[kind]
                if not same(call.groups[-1:], [group]):
                    call.groups.append(group)
                call.params.append(param)
                call.states.append(state)
                call.slow_avgs.append(_sharding.local(slow_avg))
                call.places.append(places[param])
                call.grads.append(_sharding.local(_sharding.grad_like(param)))
        self._calls = list(calls.values())
        self._check(params)
        grads, slow_avgs = ([x for call in self._calls for x in getattr(call, name)] for name in ("grads", "slow_avgs"))
        plain = Plan.possible([*params, *grads, *slow_avgs]) and not torch.is_inference_mode_enabled()
        if grads and plain and not self._begun and not optimizer.defaults.get("differentiable", False):
            moving = [param for call in self._calls for param in call.params]
            plan = Plan(optimizer, moving, grads, [*params, *slow_avgs], self._groups, _explored)
            self.kept = plan, self._groups, self._calls

    def _check(self, params: list[Tensor]) -> None:
        """Check that the tensors fit each other and share no memory."""
        name_of = partial(label, self._optimizer.param_groups)
        columns: list[Column] = [(PARAMETER, [_sharding.local(param) for param in params], range(len(params)))]
        for call in self._calls:
            for param, grad, slow_avg, place in zip(call.params, call.grads, call.slow_avgs, call.places, strict=True):
                if not grad.shape == slow_avg.shape == param.shape or slow_avg.device != grad.device:
                    own = _sharding.local(param)
                    _checks.alike("the gradient", grad, own, name_of(place))
                    _checks.alike(f"state {SLOW_AVG!r}", slow_avg, own, name_of(place))
            columns += [(SLOW_AVG, call.slow_avgs, call.places), (GRADIENT, call.grads, call.places)]
        refuse_unwritable(columns[1:], name_of)  # the base writes the parameters
        self._optimizer._separate.check(columns, name_of)

    def refuse_capture(self) -> None:
        """Refuse what a CUDA graph would repeat in each replay: the beginning of an average, and its weight.

        Raises:
            RuntimeError: if there is something of the kind.
        """
        if self._begun:
            raise RuntimeError(
                "a CUDA graph is capturing the first step of E, and each replay would begin the slow averages anew; "
                "take one step before the capture"
            )
        if any(WEIGHT in state for call in self._calls for state in call.states):
            raise RuntimeError(
                'start = "corrected": a CUDA graph is capturing this step of E, and each replay would repeat the '
                'weight that the slow average has in this one; begin with start = "zero" or "first"'
            )

    def begin(self) -> None:
        """Put ``u`` in the place of each gradient, and take the averages that stand alone out of the state."""
        optimizer = self._optimizer
        options = optimizer._mixing | {"differentiable": optimizer.defaults.get("differentiable", False)}
        chosen = [engines.choose(call.grads[0], **options) for call in self._calls]  # there may be none
        for param, slow_avg in self._changed.items():
            optimizer.state[param][SLOW_AVG] = slow_avg
        for call, engine in zip(self._calls, chosen, strict=True):
            alpha, beta1 = call.groups[0][ALPHA], call.groups[0][BETA1]
            weight = call.states[0].get(WEIGHT)
            if weight is not None:
                # A weighted mean is an average, too: its decay rate beta1 W_{k-1} / W_k grows from 0 to beta1.
                new = beta1 * weight + (1 - beta1)
                alpha, beta1 = alpha * weight, beta1 * weight / new
                self._undo.append(partial(_weigh, call.states, weight))
                _weigh(call.states, new)
            before = self._copies(call, beta1)
            us: Any = engine.explore_(call.grads, call.slow_avgs, alpha=alpha, beta1=beta1, kept=call.kept)
            self._undo.append(partial(_take_back, call.grads, call.slow_avgs, before, beta1))
            plain = self.kept is not None  # a plan is kept of such tensors alone
            grads: Any = call.grads if plain else [param.grad for param in call.params]
            self._own += zip(call.params, grads, strict=True)
            for param, u in zip(call.params, us if plain else map(_sharding.like, us, call.params), strict=True):
                param.grad = u
        # Beside them the base has kept nothing so far: most bases take an empty state for "not initialised yet".
        for param, state in list(optimizer.state.items()):
            if isinstance(state, dict) and len(state) <= 2 and {SLOW_AVG} <= state.keys() <= {SLOW_AVG, WEIGHT}:
                self._alone[param] = optimizer.state.pop(param)

    def _copies(self, call: Call, beta1: float) -> list[Tensor] | None:
        """The slow averages before the step, where they could not be computed from those after it; else None.

        A hook may refuse a gradient that is not finite, and that gradient would not come out of an average again.
        """
        if beta1 >= _SOLVABLE and not getattr(self._optimizer.base, "_optimizer_step_pre_hooks", None):
            return None
        return [slow_avg.detach().clone() for slow_avg in call.slow_avgs]

    @torch._disable_dynamo
    def take_back(self) -> None:
        """After an error: put the slow averages back as they were before the step."""
        self._begun.clear()
        for undo in self._undo:
            undo()

    @torch._disable_dynamo
    def end(self) -> None:
        """Give the parameters their own gradients again, and the state the averages that were taken out or begun."""
        for param, grad in self._own:
            param.grad = grad
        for param, own in chain(self._alone.items(), self._begun.items()):
            state = self._optimizer.state.setdefault(param, own)
            if state is not own:  # the base's
                state.update(own)
        for call in self._calls:
            call.grads.clear()  # they are the user's, who may want their memory


def _explored(state: Mapping[Any, Any]) -> Iterable[object]:
    """The parameters that have a state, these states, and their slow averages: the rest is the base's."""
    states = list(state.values())
    return chain(state, states, [each.get(SLOW_AVG) if isinstance(each, dict) else None for each in states])


def _beginning(param: Tensor, start: str) -> dict[str, Any]:
    """The state of an average before its first gradient."""
    slow_avg = torch.zeros_like(param, dtype=state_dtype(param), requires_grad=False)
    if start == "first":
        slow_avg.copy_(_sharding.grad_like(param))
    return {SLOW_AVG: slow_avg, WEIGHT: 0.0} if start == "corrected" else {SLOW_AVG: slow_avg}


def _weigh(states: list[dict[str, Any]], weight: float) -> None:
    for state in states:
        state[WEIGHT] = weight


@torch.no_grad()
def _take_back(grads: list[Tensor], slow_avgs: list[Tensor], before: list[Tensor] | None, beta1: float) -> None:
    """Put h back: from copies, or solved for what an engine has done, h' = beta1 h + (1 - beta1) g."""
    if before is not None:
        torch._foreach_copy_(slow_avgs, before)
        return
    for grad, slow_avg in zip(grads, slow_avgs, strict=True):
        slow_avg.sub_(grad, alpha=1 - beta1).div_(beta1)
