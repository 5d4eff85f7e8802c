"""How often a clip acted in the kept runs: the shares that `experiments.cli.measure_clipping` wrote."""

from dataclasses import dataclass
from pathlib import Path

from experiments.analysis.statistics import t_interval
from experiments.config.parse import build
from experiments.io import stored
from experiments.io.errors import ConfigError, DataError

FILE = "clipped.json"


@dataclass(frozen=True)
class Share:
    """One final run's steps.

    Attributes:
        setting: The condition.
        label: The competitor.
        seed: Its seed.
        steps: How many there were.
        clipped: Share of them whose gradient, before any clipping, was longer than the clip, or than 1 without one.
        median: Median length of the gradients.
    """

    setting: str
    label: str
    seed: int
    steps: int
    clipped: float
    median: float


@dataclass(frozen=True)
class Shares:
    """What is kept: the shares, and the versions that ran."""

    shares: tuple[Share, ...]
    versions: dict[str, str]


def read(path: Path) -> Shares:
    """Read what the command wrote.

    Args:
        path: The file.

    Returns:
        The shares.

    Raises:
        DataError: there is no such file, or it is another one.
    """
    try:
        with stored.own(path):
            return build(Shares, stored.read(path))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; python -m experiments.cli.measure_clipping writes it") from None


def phrase(kept: Shares, setting: str, label: str) -> str:
    """One cell's share in words: ``61 % [55, 66] of the steps``.

    Args:
        kept: The shares.
        setting: The condition.
        label: The competitor.

    Returns:
        The words, with the interval over the seeds.

    Raises:
        ConfigError: there is no such cell.
    """
    found = [100 * share.clipped for share in kept.shares if (share.setting, share.label) == (setting, label)]
    if len(found) < 2:
        raise ConfigError("template", f"there are {len(found)} shares of {label!r} under {setting!r}; two are needed")
    interval = t_interval(found)
    assert interval.low is not None
    assert interval.high is not None
    low, high = max(0.0, interval.low), min(100.0, interval.high)
    return f"{interval.mean:.0f} % [{low:.0f}, {high:.0f}] of the steps"
