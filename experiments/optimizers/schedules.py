"""The schedule of the learning rate: a pure function of the step."""

import math

from experiments.config.schema import Schedule


def factor(schedule: Schedule, step: int, total: int, warmup: int) -> float:
    """What the peak learning rate is multiplied by at one step.

    Args:
        schedule: Its form after the warm-up: ``constant``; ``step``, x 0.1 after every quarter of all steps (the
            paper's CIFAR recipe); ``cosine``, half a period down to 0; ``polynomial``, (1 - t)^2; ``linear``,
            1 - t, the polynomial of power 1 (the paper's large-batch ImageNet recipe is polynomial; the public code of
            the same recipe has this power).
        step: From 0.
        total: Number of steps.
        warmup: Steps of linear warm-up; the first step has 1/warmup, because a step of 0 would do nothing.

    Returns:
        A factor in [0, 1].
    """
    if step < warmup:
        return (step + 1) / warmup
    if schedule == "step":
        return 0.1 ** min(3, 4 * step // total)
    # From 1 at the first step after the warm-up to just above 0 at the last one.
    progress = (step - warmup) / max(1, total - warmup)
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * progress))
    if schedule == "polynomial":
        return (1 - progress) ** 2
    if schedule == "linear":
        return 1 - progress
    return 1.0
