"""The paper's own numbers, to stand beside ours. They are data: `published.toml`."""

import functools
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from experiments.config import Experiment
from experiments.parse import build

FILE = Path(__file__).parent / "published.toml"


@dataclass(frozen=True)
class Published:
    """One row of numbers of the paper.

    Attributes:
        experiment: The config that is nearest to it.
        setting: The setting of that config.
        source: The paper's table.
        what: The paper's own setting.
        values: Number by competitor.
        unit: Of the numbers.
        data: The data set, where the config can take several; empty for the config's own.
    """

    experiment: str
    setting: str
    source: str
    what: str
    values: dict[str, float]
    unit: str = "%"
    data: str = ""


@dataclass(frozen=True)
class _File:
    table: tuple[Published, ...] = field(default_factory=tuple)


@functools.cache
def read(path: Path = FILE) -> tuple[Published, ...]:
    """All rows of the data file.

    Args:
        path: The file.

    Returns:
        The rows.

    Raises:
        ConfigError: an unknown key or a wrong type.
    """
    return build(_File, tomllib.loads(path.read_text(encoding="utf-8"))).table


def beside(experiment: Experiment) -> list[Published]:
    """The paper's rows that belong beside an experiment's cells.

    Args:
        experiment: The experiment, at any tier.

    Returns:
        At most one row a setting, in the settings' order.
    """
    rows = []
    for setting in experiment.settings:
        name = experiment.resolve(setting)[0].name
        matching = [row for row in read() if (row.experiment, row.setting) == (experiment.name, setting)]
        special = [row for row in matching if row.data == name]
        rows += (special or [row for row in matching if not row.data])[:1]
    return rows


def caveat(experiment: Experiment, row: Published) -> str:
    """What a reader must know before comparing our numbers with the paper's.

    Args:
        experiment: The experiment at its tier.
        row: The paper's row.

    Returns:
        One sentence.
    """
    said = f"{row.source} of the paper ({row.setting}): {row.what}, in {row.unit}"
    if experiment.tier == "paper":
        return f"{said}."
    return f"{said}; the tier {experiment.tier} is another setting, so only signs may be compared."
