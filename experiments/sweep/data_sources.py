"""The data of each setting: the number of examples, and a digest of them, stored beside the runs.

So a report needs no data, and rows that were trained on other data are refused.
"""

import dataclasses
import math
from dataclasses import dataclass

from experiments import data, models
from experiments.config.parse import build
from experiments.config.schema import DataConfig, Experiment
from experiments.io import stored
from experiments.io.environment import Environment
from experiments.io.errors import DataError, require
from experiments.io.files import write_json
from experiments.training import admission

FILE = "data.json"


@dataclass(frozen=True)
class Source:
    """The data of one setting.

    Attributes:
        data: Their configuration.
        examples: Number of training examples: what ``batch_size = "full"`` stands for.
        fingerprint: Digest of every example.
    """

    data: DataConfig
    examples: int
    fingerprint: str


Sources = dict[str, Source]  # by setting


def look(experiment: Experiment, place: Environment) -> Sources:
    """Read the data of every setting, and check that its network can take them.

    Args:
        experiment: The experiment.
        place: Where the data are.

    Returns:
        What they are.

    Raises:
        ConfigError: an unknown data set, a package is absent, a network cannot take the data, or a batch is larger than
            the training set.
        DataError: the data are absent or damaged.
    """
    found = {}
    for setting in experiment.settings:
        config, model, training = experiment.resolve(setting)
        count = data.examples(config, place.data_dir)
        if count < 1:
            raise DataError(f"{config.name} leaves no example to train on, once some are held out: bring more")
        # a larger batch would be cut, and reported with a size and a preset that it never had
        fits = training.batch_size == "full" or training.batch_size <= count
        key = f"settings.{setting}.training.batch_size"
        require(fits, key, training.batch_size, f'"full" or at most {count}, the training examples there are')
        per_epoch = 1 if training.batch_size == "full" else math.ceil(count / training.batch_size)
        most = training.epochs if training.steps == "epochs" else training.steps / per_epoch
        key = f"settings.{setting}.training.warmup"  # in a longer one the learning rate would never be reached
        require(training.warmup <= most, key, training.warmup, f"at most {most:g}, the epochs of the whole run")
        found[setting] = Source(config, count, data.fingerprint(config, place.data_dir))
        if config.name in data.SIMULATED:
            admission.trial(experiment, setting, None)
        else:
            dataset = data.load(config, place.data_dir)
            models.fits(model, dataset)
            own_part = dataset.kind in {"text", "tags"}
            whole = count if own_part else count + len(dataset.validation)
            key = f"settings.{setting}.data.limit"  # a larger one would be reported as the number of examples
            fits = config.limit == "all" or config.limit <= whole
            require(fits, key, config.limit, f'"all" or at most {whole}, the examples there are')
            admission.trial(experiment, setting, dataset)
    return found


def write(sources: Sources, place: Environment) -> None:
    """Keep them beside the runs, atomically."""
    table = {setting: dataclasses.asdict(source) for setting, source in sources.items()}
    write_json(place.out / FILE, stored.sealed(table))


def recall(experiment: Experiment, place: Environment) -> Sources:
    """The sources of the last `run`, without the data; where they are not stored, the data are read.

    Args:
        experiment: The experiment.
        place: Where it was run.

    Returns:
        What the data were.

    Raises:
        DataError: they are not stored, and the data are absent or damaged.
    """
    wanted = {setting: experiment.resolve(setting)[0] for setting in experiment.settings}
    try:
        with stored.own(place.out / FILE):
            table = stored.read(place.out / FILE)
            kept = {setting: build(Source, table[setting]) for setting in wanted}
    except (FileNotFoundError, DataError):
        return look(experiment, place)  # no `run` has read its data here
    if any(kept[setting].data != config for setting, config in wanted.items()):
        return look(experiment, place)
    return kept
