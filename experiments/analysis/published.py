"""The paper's own numbers, for comparison with ours. They are data: `published.toml`."""

import functools
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from experiments.config import catalog
from experiments.config.parse import build, read_toml
from experiments.config.schema import Experiment
from experiments.io.files import write_atomic

FILE = Path(__file__).parent / "published.toml"


@dataclass(frozen=True)
class Published:
    """One row of numbers of the paper.

    Attributes:
        experiment: The config that is nearest to it; empty for numbers that are not the paper's.
        setting: The setting of that config; empty where the paper does not tell which.
        source: The paper's table.
        what: The paper's own setting.
        values: Number by competitor.
        unit: Of the numbers.
        data: The data set, where the config can take several; empty for the config's own.
        batch: Batch size; 0 where the paper does not tell.
        n: Number of test examples; 0 where the numbers are no accuracies.
    """

    experiment: str
    setting: str
    source: str
    what: str
    values: dict[str, float]
    unit: str = "%"
    data: str = ""
    batch: int = 0
    n: int = 0


@dataclass(frozen=True)
class _File:
    table: tuple[Published, ...] = field(default_factory=tuple)
    differs: dict[str, str] = field(default_factory=dict)


@functools.cache
def _read(path: Path) -> _File:
    return build(_File, tomllib.loads(path.read_text(encoding="utf-8")))


def read(path: Path = FILE) -> tuple[Published, ...]:
    """All rows of the data file.

    Args:
        path: The file.

    Returns:
        The rows.

    Raises:
        ConfigError: an unknown key or a wrong type.
    """
    return _read(path).table


def write(results: Path) -> Path:
    """Write the rows to ``published.json``, where the claims about the paper's numbers read them.

    Args:
        results: Folder of the results.

    Returns:
        The file.
    """
    kept = ("source", "what", "setting", "batch", "n", "unit", "values")
    table = [{name: getattr(row, name) for name in kept} for row in read()]
    path = results / "published.json"
    write_atomic(path, ("[\n" + ",\n".join(map(json.dumps, table)) + "\n]\n").encode())
    return path


def differs(path: Path = FILE) -> dict[str, str]:
    """What the tier "paper" does differently from the paper, by experiment.

    Args:
        path: The data file.

    Returns:
        Words by experiment.

    Raises:
        ConfigError: an unknown key or a wrong type.
    """
    return _read(path).differs


def beside(experiment: Experiment) -> list[Published]:
    """The paper's rows that belong beside an experiment's cells: same network, data and unit.

    Args:
        experiment: The experiment, at any tier.

    Returns:
        At most one row per setting, in the settings' order.
    """
    if experiment.tuning.metric not in {"accuracy", "f1"}:  # the paper has no table of its losses and returns
        return []
    rows = []
    for setting in filter(lambda label: _as_in_paper(experiment, label), experiment.settings):
        name = experiment.resolve(setting)[0].name
        matching = [row for row in read() if (row.experiment, row.setting, row.unit) == (experiment.stem, setting, "%")]
        special = [row for row in matching if row.data == name]
        rows += (special or [row for row in matching if not row.data])[:1]
    return rows


def has_numbers(experiment: Experiment, *units: str) -> bool:
    """Whether the paper has numbers for an experiment in one of these units."""
    return any(row.experiment == experiment.stem and row.unit in units for row in read())


def sentences(experiment: Experiment, *units: str) -> str:
    """The paper's numbers in other units, in words, where network and data are the paper's.

    Args:
        experiment: The experiment, at any tier.
        *units: Which units.

    Returns:
        Sentences, or nothing.
    """
    if not all(_as_in_paper(experiment, setting) for setting in experiment.settings):
        return ""
    found = [row for row in read() if row.experiment == experiment.stem and row.unit in units]
    return " ".join(
        f"{row.source} of the paper{f' ({row.setting})' if row.setting else ''}: {row.what}: "
        f"{', '.join(f'{label} {number:g}' for label, number in row.values.items())} {row.unit}."
        for row in found
    )


def caveat(experiment: Experiment, row: Published) -> str:
    """What a reader must know before comparing our numbers with the paper's.

    Args:
        experiment: The experiment at its tier.
        row: The paper's row.

    Returns:
        One sentence.
    """
    said = f"{row.source} of the paper ({row.setting}): {row.what}, in {row.unit}"
    if experiment.tier != "paper":
        return f"{said}; the tier {experiment.tier} is another setting, so only signs may be compared."
    other = differs().get(experiment.stem)
    return f"{said}; what differs here: {other}." if other else f"{said}."


def _as_in_paper(experiment: Experiment, setting: str) -> bool:
    """Whether a setting ran the network of the tier "paper", on as many examples."""
    if experiment.tier == "paper":
        return True
    if experiment.stem not in catalog.names():
        return False
    if "paper" not in read_toml(catalog.file_of(experiment.stem)).get("tiers", {}):
        return False  # an experiment of ours
    there = catalog.load(experiment.stem, "paper")
    if setting not in there.settings:
        return False
    (ours, model, _), (theirs, named, _) = experiment.resolve(setting), there.resolve(setting)
    return (ours.name, ours.limit, model) == (theirs.name, theirs.limit, named)
