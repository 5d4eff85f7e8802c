"""What each setting is trained on: how many examples, and a digest of them, kept beside the runs.

So a report needs no data, and rows of other data are not taken for rows of these.
"""

import dataclasses
import json
from dataclasses import dataclass

from experiments import data, models
from experiments.config.parse import build
from experiments.config.schema import DataConfig, Experiment
from experiments.io.environment import Environment
from experiments.io.errors import ConfigError
from experiments.io.files import write_json

FILE = "data.json"


@dataclass(frozen=True)
class Source:
    """The data of one setting.

    Attributes:
        data: How they were asked for.
        examples: Number of training examples: what ``batch_size = "full"`` stands for.
        fingerprint: Digest of every example.
    """

    data: DataConfig
    examples: int
    fingerprint: str


Sources = dict[str, Source]  # by setting


def look(experiment: Experiment, place: Environment) -> Sources:
    """Read the data of every setting, and see that its network can take them.

    Args:
        experiment: The experiment.
        place: Where the data are.

    Returns:
        What they are.

    Raises:
        ConfigError: an unknown data set, a package is absent, or a network cannot take the data.
        DataError: the data are absent or damaged.
    """
    found = {}
    for setting in experiment.settings:
        config, model, _ = experiment.resolve(setting)
        count = data.examples(config, place.data_dir)
        found[setting] = Source(config, count, data.fingerprint(config, place.data_dir))
        if config.name not in data.SIMULATED:
            models.fits(model, data.load(config, place.data_dir))
    return found


def write(sources: Sources, place: Environment) -> None:
    """Keep them beside the runs, atomically."""
    write_json(place.out / FILE, {setting: dataclasses.asdict(source) for setting, source in sources.items()})


def recall(experiment: Experiment, place: Environment) -> Sources:
    """What the last invocation of `run` was given, without the data; where that is not known, the data are read.

    Args:
        experiment: The experiment.
        place: Where it was run.

    Returns:
        What the data were.

    Raises:
        DataError: it is not known, and the data are absent or damaged.
    """
    wanted = {setting: experiment.resolve(setting)[0] for setting in experiment.settings}
    try:
        table = json.loads((place.out / FILE).read_text())
        kept = {setting: build(Source, table[setting]) for setting in wanted}
    except (OSError, ValueError, LookupError, TypeError, ConfigError):
        return look(experiment, place)  # no run has ended its preparations here
    if any(kept[setting].data != config for setting, config in wanted.items()):
        return look(experiment, place)
    return kept
