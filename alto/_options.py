"""The options of a parameter group of ALTO: normal form, limits, and which of them a checkpoint may lack."""

from collections.abc import Callable
from numbers import Real
from operator import itemgetter
from typing import Any

from torch import Tensor

from alto import _checks

# What every checkpoint of ALTO holds. A file that lacks one was saved by another optimizer.
REQUIRED = ("lr", "alpha", "beta1", "betas", "eps", "weight_decay")
# What a checkpoint may lack, because an older version or a tool left it out, and what holds then.
SWITCHES: dict[str, Any] = {
    "bias_correction": True,
    "layerwise": True,
    "maximize": False,
    "foreach": None,
    "fused": None,
    "capturable": False,
    "differentiable": False,
    "slow_avg_dtype": None,
}
_OTHERS = itemgetter(*REQUIRED[1:], *SWITCHES)  # than the learning rate
_NUMBERS = ("lr", "alpha", "beta1", "weight_decay")
_PLAIN = frozenset({float, int})
# eps2 and eps3 where eps is one number, as every trainer passes it.
_OTHER_EPS = (1e-6, 1e-10)


def normalize(group: dict[str, Any]) -> None:
    """Turn ``betas`` and ``eps`` into tuples of numbers, and arrays of one number into it (not a tensor lr), in place.

    Raises:
        ValueError: if they are not as many numbers as there should be.
    """
    for name in _NUMBERS:
        if type(group[name]) not in _PLAIN and not (name == "lr" and isinstance(group[name], Tensor)):
            group[name] = _checks.plain(group[name])
    if not (_is_normal(group["betas"]) and _is_normal(group["eps"])):
        eps = _checks.plain(group["eps"])
        if isinstance(eps, Real) and not isinstance(eps, bool):
            eps = (eps, *_OTHER_EPS)
        betas, eps = _checks.sequence("betas", group["betas"], 2), _checks.sequence("eps", eps, 3)
        group["betas"], group["eps"] = betas, eps


def _is_normal(values: object) -> bool:
    return type(values) is tuple and _PLAIN.issuperset(map(type, values))


def check(group: dict[str, Any]) -> None:
    """Check every option of a group.

    Raises:
        ValueError: for a value outside its range, or two that exclude each other.
    """
    _checks.learning_rate(group["lr"])
    _checks.exploration(group["alpha"], group["beta1"])
    _checks.numbers("betas", group["betas"], 2, low=0.0, high=1.0, why=_checks.FADES)
    _checks.numbers("eps", group["eps"], 3, low=0.0, why="a negative one could turn the sign of a step")
    _checks.number("eps[0]", group["eps"][0], low=0.0, open_low=True, why="it alone prevents 0 / 0")
    _checks.number("weight_decay", group["weight_decay"], low=0.0, why="a negative one makes weights grow")
    for name in ("bias_correction", "layerwise", "maximize", "capturable", "differentiable"):
        _checks.flag(name, group[name])
    for name in ("foreach", "fused"):
        _checks.flag(name, group[name], optional=True)
    _checks.one_way(group["foreach"], group["fused"])
    for name in ("foreach", "fused"):
        if group[name] and group["differentiable"]:
            raise ValueError(f"{name} = True with differentiable = True: it cannot be recorded; drop one of them")
    _checks.slow_avg_dtype(group["slow_avg_dtype"], group["differentiable"])


class Changes:
    """The options of each group as they were when last checked: a step checks again only what has changed since."""

    def __init__(self) -> None:
        self._seen: list[tuple[Any, ...]] = []

    def check(self, groups: list[dict[str, Any]], check: Callable[[dict[str, Any]], None]) -> bool:
        """Call ``check`` on each group whose options, number of parameters or first parameter (or its dtype) are new.

        Where only a learning rate has changed, that alone is checked.

        Returns:
            Whether all groups are those checked, their learning rates apart.
        """
        same = len(groups) == len(self._seen)
        for number, group in enumerate(groups):
            normalize(group)
            lr, others = found = _values(group)
            seen = self._seen[number] if number < len(self._seen) else ((), ())
            if others != seen[1]:
                same = False
                check(group)
            elif lr != seen[0]:
                _checks.learning_rate(group["lr"])
            else:
                continue
            self._seen[number : number + 1] = [found]
        del self._seen[len(groups) :]
        return same


def _values(group: dict[str, Any]) -> tuple[Any, Any]:
    """What identifies the learning rate, and the other options."""
    lr, params = group["lr"], group["params"]
    first = (id(params[0]), params[0].dtype) if params else ()
    values = len(params), first, _OTHERS(group)
    if isinstance(lr, Tensor):  # its contents may be on a device: its version tells whether they have changed
        return (id(lr), None if lr.is_inference() else lr._version), values
    return lr, values
