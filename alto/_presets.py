"""The paper's recommended settings of the exploration, as keyword dictionaries for :class:`ALTO` and :class:`E`."""

from numbers import Integral
from typing import TypedDict


class Exploration(TypedDict):
    """Keyword arguments ``alpha`` and ``beta1``."""

    alpha: float
    beta1: float


def small_batch() -> Exploration:
    """Batches below 1000 (the paper's default hyper-parameters): extrapolate half a step.

    Example:
        >>> small_batch()
        {'alpha': 0.5, 'beta1': 0.01}
    """
    return {"alpha": 0.5, "beta1": 0.01}


def large_batch() -> Exploration:
    """Batches of 1000 and more (the paper's default hyper-parameters): mix in 5 % of a 100-step average.

    Example:
        >>> large_batch()
        {'alpha': -5.0, 'beta1': 0.99}
    """
    return {"alpha": -5.0, "beta1": 0.99}


def for_batch(batch_size: int) -> Exploration:
    """The preset for a batch of ``batch_size`` samples over all devices and accumulation steps.

    The border is the paper's 1K, taken as 1000.

    Raises:
        ValueError: if ``batch_size`` is not a positive integer.

    Example:
        >>> import torch
        >>> from alto import ALTO
        >>> ALTO([torch.nn.Parameter(torch.ones(2))], **for_batch(16384)).defaults["alpha"]
        -5.0
    """
    if not isinstance(batch_size, Integral) or batch_size < 1:
        raise ValueError(f"batch_size = {batch_size!r}: must be a positive integer (samples per update)")
    return small_batch() if batch_size < 1000 else large_batch()
