"""Names for readers, computed from what ran: at a small tier, a setting called "VGG-16" may have run another network.

The names of settings in a config are part of a run's identity and never change; these are for titles, panels and rows.
"""

import re
from collections.abc import Sequence

from experiments.config.schema import DataConfig, Experiment, ModelConfig, TrainingConfig

_DATA = {
    "digits": ("digits", "digits"),
    "cifar10": ("CIFAR-10", "images of CIFAR-10"),
    "cifar100": ("CIFAR-100", "images of CIFAR-100"),
    "imagenet": ("ImageNet", "images of ImageNet"),
    "mrpc": ("MRPC", "pairs of MRPC"),
    "imdb": ("IMDB", "reviews of IMDB"),
    "conll2003": ("CoNLL-2003", "sentences of CoNLL-2003"),
    "made-pairs": ("made sentence pairs", "made sentence pairs"),
    "made-reviews": ("made reviews", "made reviews"),
    "made-sentences": ("made tagged sentences", "made tagged sentences"),
    "tinyshakespeare": ("tiny Shakespeare", "sequences"),
    "swimmer": ("Swimmer", ""),
    "ant": ("Ant", ""),
    "humanoid": ("Humanoid", ""),
}
"""The name of a data set, and the unit in which a part of it is counted; a simulated task has no parts."""

OWN_PART = frozenset({"tinyshakespeare", "text", "conll2003", "conll", "made-sentences"})
"""Data sets with a validation part of their own: the limit counts the training examples alone."""
_NETWORKS = {
    "resnet8": "ResNet-8",
    "resnet20": "ResNet-20",
    "vgg16": "VGG-16",
    "densenet169": "DenseNet-169",
    "ppo": "PPO",
}
_CIFAR_SIDE = 32  # pixels; only CIFAR's images are shrunk
_PUBLIC = re.compile(r"(?:ResNet|VGG|DenseNet|CIFAR|CoNLL)-\d+|ImageNet|MRPC|IMDB|BERT|GPT|BiLSTM|batch \d+")
_MANY = 3  # more batch sizes are counted, not listed


def data(config: DataConfig) -> str:
    """The data set, and how many training examples of it were used where that is not all.

    Args:
        config: The data.

    Returns:
        Words such as ``450 digits`` or ``CIFAR-10 at 16 pixels``.
    """
    whole, unit = _DATA.get(config.name, (config.name, f"examples of {config.name}"))
    smaller = f" at {_CIFAR_SIDE // config.shrink} pixels" if config.shrink > 1 else ""
    if config.limit == "all" or not unit:
        return whole + smaller
    none = config.name in OWN_PART or config.validation == 0  # held out of those that the limit leaves
    count = f"{config.limit - (0 if none else max(1, round(config.validation * config.limit))):,}"
    return (f"{whole} ({count} {unit})" if unit == "sequences" else f"{count} {unit}") + smaller


def tested(config: DataConfig) -> str:
    """On how many test examples, or episodes of a simulated task; empty where on all or on the usual number."""
    if config.test_limit == "all":
        return ""
    unit = "test examples" if _DATA.get(config.name, ("", "examples"))[1] else "test episodes"
    return f"{config.test_limit:,} {unit}"


def network(config: ModelConfig) -> str:
    """The network with its sizes.

    Args:
        config: The network.

    Returns:
        Words such as ``ResNet-20`` or ``2-layer BERT (width 64)``.
    """
    options = config.options
    if config.name == "convnet":
        widths = options.get("widths", (16, 32))
        assert isinstance(widths, Sequence)
        return f"convnet {'-'.join(map(str, widths))}"
    if config.name == "resnet":
        return f"ResNet-{options.get('depth', '')}".rstrip("-")
    if config.name in _NETWORKS:
        return _NETWORKS[config.name]
    if options.get("weights"):
        return f"BERT ({options['weights']})"
    name = {"gpt": "GPT", "bilstm": "BiLSTM", "bert-tagger": "BERT", "bert-classifier": "BERT"}.get(
        config.name, config.name
    )
    layers = f"{options['layers']}-layer " if "layers" in options else ""
    width = options.get("width", options.get("hidden"))
    return f"{layers}{name}" + (f" (width {width})" if width is not None else "")


def batch(config: TrainingConfig) -> str:
    """The batch: ``full batch`` or ``batch 32``."""
    return "full batch" if config.batch_size == "full" else f"batch {config.batch_size}"


def length(config: TrainingConfig) -> str:
    """How long a run was: ``10 epochs`` or ``500 steps``, in which case ``epochs`` says nothing."""
    return f"{config.epochs} epochs" if config.steps == "epochs" else f"{config.steps} steps"


def settings(experiment: Experiment) -> dict[str, str]:
    """A name for each setting from what it ran: its batch, and whatever else differs between the settings.

    Args:
        experiment: The experiment at its tier.

    Returns:
        Names by the config's label, all different.
    """
    parts = {label: _parts(experiment, label) for label in experiment.settings}
    differ = [len({part[place] for part in parts.values()}) > 1 for place in range(4)]
    names = {
        label: ", ".join(word for place, word in enumerate(part) if word and (place == 2 or differ[place]))
        for label, part in parts.items()
    }
    found = list(names.values())
    return {label: name if found.count(name) == 1 else f"{name} ({label})" for label, name in names.items()}


def what_ran(experiment: Experiment) -> str:
    """The networks and their data: ``ResNet-20 on 490 digits; convnet 16-32 on digits``.

    Args:
        experiment: The experiment at its tier.

    Returns:
        The words.
    """
    data_of: dict[str, dict[str, None]] = {}
    for label in experiment.settings:
        source, model, _ = experiment.resolve(label)
        data_of.setdefault(network(model), {})[data(source)] = None
    return "; ".join(f"{model} on {_listed(list(sources))}" for model, sources in data_of.items())


def one(experiment: Experiment, setting: str) -> str:
    """One setting in full, for a figure of several experiments: ``ResNet-20 on 490 digits, full batch``.

    Args:
        experiment: The experiment at its tier.
        setting: The config's label.

    Returns:
        The words; they name the clipping only where it varies.
    """
    source, model, _ = experiment.resolve(setting)
    *_, size, rest = _parts(experiment, setting)
    several = len({_parts(experiment, label)[3] for label in experiment.settings}) > 1
    return ", ".join([f"{network(model)} on {data(source)}", size, *([rest] if several and rest else [])])


def title(experiment: Experiment) -> str:
    """A title that is true of what ran.

    It is the config's, unless that names a network, data set or batch which this tier did not run; then the competitors
    are named instead. What ran follows.

    Args:
        experiment: The experiment at its tier.

    Returns:
        The title.
    """
    ran = what_ran(experiment)
    batches = list(dict.fromkeys(batch(experiment.resolve(label)[2]) for label in experiment.settings))
    if all(word in ran or word in batches for word in _PUBLIC.findall(experiment.title)):
        topic = experiment.title
    else:
        topic = _listed(list(experiment.optimizers))
    sizes = _listed(batches) if len(batches) <= _MANY else f"{len(batches)} batch sizes"
    return f"{topic} ({ran}, {sizes})"


def _listed(words: Sequence[str]) -> str:
    return " and ".join([*([", ".join(words[:-1])] if len(words) > 1 else []), words[-1]])


def _parts(experiment: Experiment, label: str) -> tuple[str, str, str, str]:
    """Network, data, batch, and the rest: clipping, and whether all have one learning rate."""
    source, model, training = experiment.resolve(label)
    clips = {experiment.resolve(other)[2].clip for other in experiment.settings}
    clip = "no clipping" if training.clip == "none" else f"clip {training.clip:g}"
    equal = len(experiment.grid(label).values()) == 1 < len(experiment.tuning.learning_rates.values())
    rest = [*([clip] if len(clips) > 1 else []), *(["equal learning rates"] if equal else [])]
    return network(model), data(source), batch(training), ", ".join(rest)
