"""What a run that diverged counts as: the result of guessing."""

import math

from experiments.config.schema import Experiment

_CLASSES = {
    "digits": 10, "cifar10": 10, "cifar100": 100, "imagenet": 1000, "mrpc": 2, "imdb": 2, "made-pairs": 2,
    "made-reviews": 2, "tinyshakespeare": 65,
}  # fmt: skip
"""Classes of a data set; of a text, its different characters."""


def chance(experiment: Experiment, setting: str) -> float | None:
    """The result of guessing, in the report's unit.

    Args:
        experiment: The experiment.
        setting: The condition, which decides the data.

    Returns:
        Accuracy 100 / classes, F1 0, loss ln(classes); None for a return, which only a simulator knows, and where the
        classes are not known: a run that diverged is then left out, and counted as diverged.
    """
    metric = experiment.tuning.metric
    classes = _CLASSES.get(experiment.resolve(setting)[0].name)
    if metric == "f1":
        return 0.0
    if metric == "reward" or classes is None:
        return None
    return 100 / classes if metric == "accuracy" else math.log(classes)


def result(experiment: Experiment, setting: str, value: float | None, *, diverged: bool) -> float | None:
    """What a run counts as.

    Args:
        experiment: The experiment.
        setting: The condition.
        value: The run's last test result; of a return and a run that diverged, the untrained policy's.
        diverged: Whether it diverged.

    Returns:
        The value, or that of guessing; None where neither is known.
    """
    return chance(experiment, setting) if diverged and experiment.tuning.metric != "reward" else value
