"""Alpha over the run: a scheduler beside torch's, and the factors that it multiplies.

scheduler = ChainedScheduler([CosineAnnealingLR(optimizer, 1000), AlphaScheduler(optimizer, switch_off(800))])
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from alto import _checks
from alto._base import ALPHA, BETA1

Factor = Callable[[int], float]
"""From the number of steps taken, 0 before the first, to what alpha is multiplied by in the next."""


class AlphaScheduler(LRScheduler):
    r"""Set :math:`\alpha_k = \alpha_0 \prod_i f_i(k)` after each step, where :math:`k` steps have been taken.

    It is a scheduler of ``torch.optim`` that leaves the learning rate as it is. So it goes beside any other one, and
    into ``ChainedScheduler``. Call ``step()`` once per optimizer step, after it. Where alpha is 0 the base optimizer
    gets the gradient itself; the slow average, once there, goes on. A compiled ``step()`` compiles again for each new
    alpha.

    Args:
        optimizer: :class:`alto.ALTO` or :class:`alto.E` (also its variants); each group has its own :math:`\alpha_0`.
        factors: such as :func:`inverse_sqrt`, :func:`warm_up` and :func:`switch_off`, or functions of yours.
        last_epoch: as in torch: -1 for a new run, or the steps taken by one whose groups have ``initial_alpha``.

    Raises:
        TypeError: if ``optimizer`` has no alpha of ours, or no factor is given.
        ValueError: in ``step()``, if alpha leaves the region :math:`|\alpha| < 1/(1-\beta_1)`.

    Example:
        >>> import torch
        >>> from alto import ALTO
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> optimizer = ALTO([w], alpha=-6.0)
        >>> scheduler = AlphaScheduler(optimizer, warm_up(3), switch_off(4))
        >>> seen = []
        >>> for _ in range(5):
        ...     seen.append(optimizer.param_groups[0]["alpha"])
        ...     optimizer.step()
        ...     scheduler.step()
        >>> seen
        [-2.0, -4.0, -6.0, -6.0, 0.0]
    """

    def __init__(self, optimizer: Optimizer, *factors: Factor, last_epoch: int = -1) -> None:
        if not factors or not all(callable(factor) for factor in factors):
            raise TypeError(f"factors = {factors!r}: give at least one function, such as inverse_sqrt")
        groups = getattr(optimizer, "param_groups", [])
        if all(ALPHA in group for group in groups):  # RMSprop, and ALTO under E, have an alpha besides
            keys = (ALPHA, BETA1)
        elif all({"alpha", "beta1"} <= group.keys() for group in groups):
            keys = ("alpha", "beta1")
        else:
            raise TypeError(f"optimizer = {type(optimizer).__name__}: must be ALTO or E, whose groups have an alpha")
        self._alpha, self._beta1 = keys
        for group in groups:
            if last_epoch == -1:
                group.setdefault("initial_alpha", group[self._alpha])
        self.base_alphas: list[float] = [group["initial_alpha"] for group in groups]
        self.factors = factors
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """The learning rates as they are; alpha is set, as this is what torch calls wherever a schedule moves on."""
        self._set()
        return [group["lr"] for group in self.optimizer.param_groups]

    def get_alpha(self) -> list[float]:
        """Each group's alpha for the next step."""
        groups = self.optimizer.param_groups
        if len(groups) != len(self.base_alphas):  # some were added or removed
            self.base_alphas = [group.setdefault("initial_alpha", group[self._alpha]) for group in groups]
        factor = math.prod(one(self.last_epoch) for one in self.factors)
        return [alpha * factor + 0.0 for alpha in self.base_alphas]  # no -0

    def state_dict(self) -> dict[str, Any]:
        """All but the optimizer and the factors, which the constructor gets again."""
        return {key: value for key, value in super().state_dict().items() if key != "factors"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take a saved state, and set the alpha that it had."""
        super().load_state_dict(state_dict)
        self._set()

    def _set(self) -> None:
        for group, alpha in zip(self.optimizer.param_groups, self.get_alpha(), strict=True):
            _checks.exploration(alpha, group[self._beta1], names=(self._alpha, self._beta1))
            group[self._alpha] = alpha


@dataclass(frozen=True)
class _WarmUp:
    steps: int

    def __call__(self, step: int) -> float:
        return min(1.0, (step + 1) / self.steps)


@dataclass(frozen=True)
class _SwitchOff:
    after: int

    def __call__(self, step: int) -> float:
        return float(step < self.after)


def inverse_sqrt(step: int) -> float:
    r""":math:`1/\sqrt{k}` for step :math:`k = 1, 2, \dots`, as the paper's Theorem 2 requires of alpha.

    Example:
        >>> [round(inverse_sqrt(k), 3) for k in range(4)]
        [1.0, 0.707, 0.577, 0.5]
    """
    return (step + 1) ** -0.5


def warm_up(steps: int) -> Factor:
    """From ``1/steps`` in the first step to 1 in step ``steps``, in equal parts.

    Raises:
        ValueError: if ``steps`` is not at least 1.
    """
    return _WarmUp(_at_least_one("steps", steps))


def switch_off(after: int) -> Factor:
    """1 in the first ``after`` steps, then 0; for a fraction of the run: ``switch_off(int(0.8 * total))``.

    Raises:
        ValueError: if ``after`` is not at least 1.
    """
    return _SwitchOff(_at_least_one("after", after))


def _at_least_one(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} = {value!r}: must be an integer of at least 1 (steps)")
    return value
