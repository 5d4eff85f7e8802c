"""Checks before anything runs: names, options and their values, and combinations that have no meaning."""

import torch

from experiments import data, models
from experiments.config.schema import DataConfig, Experiment, Metric, ModelConfig, TrainingConfig
from experiments.data import Kind
from experiments.distributed import teams
from experiments.io import own
from experiments.io.errors import require
from experiments.optimizers import competitors
from experiments.training.batches import prepare
from experiments.training.evaluate import loss_of

_FEW = 8  # examples of a trial

_METRICS: dict[Kind, tuple[Metric, ...]] = {
    "image": ("accuracy", "loss"),
    "text": ("accuracy", "loss"),
    "tags": ("accuracy", "loss", "f1"),
    "sentence": ("accuracy", "loss"),
    "simulated": ("reward",),
    "own": ("accuracy", "loss"),
}


def check(experiment: Experiment) -> None:
    """Refuse what can be seen to be wrong without the data.

    Args:
        experiment: The experiment.

    Raises:
        ConfigError: an unknown data set, network, optimizer or option, a value that one of them refuses, a network or
            metric for another kind of data, or a switch that has no meaning for these data.
    """
    metric = experiment.tuning.metric
    for setting in experiment.settings:
        data_config, model_config, training = experiment.resolve(setting)
        kind = data.kind(data_config.name)
        models.check(model_config, kind)
        allowed = _METRICS[kind]
        require(metric in allowed, "tuning.metric", metric, f"{' or '.join(allowed)} for {kind} data")
        switches(data_config, training)
        require(metric == "loss" or not training.loss, "tuning.metric", metric, "loss, with a loss of yours")
        if kind == "simulated":
            _rollout(data_config, model_config)
    for label, optimizer in experiment.optimizers.items():
        competitors.check(label, optimizer)


def switches(data_config: DataConfig, training: TrainingConfig) -> None:
    """Refuse switches that have no meaning for the data, rather than ignore them.

    Args:
        data_config: The data set.
        training: The recipe.

    Raises:
        ConfigError: names the switch.
    """
    kind = data.kind(data_config.name)
    of = f"for {kind} data"
    if kind != "image":
        require(not data_config.augment, "data.augment", True, f"false {of}")
        require(not training.channels_last, "training.channels_last", True, f"false {of}")
    if not data_config.name.startswith("cifar"):
        require(data_config.shrink == 1, "data.shrink", data_config.shrink, f"1 for {data_config.name}")
    if kind not in {"tags", "sentence"}:
        require(not data_config.pieces, "data.pieces", data_config.pieces, f"empty {of}")
    if training.loss:
        require(kind == "own", "training.loss", training.loss, f"empty {of}")
        require(training.curvature == 0, "training.curvature", training.curvature, "0 with a loss of yours")
    if kind == "simulated":
        require(teams.size() == 1, "torchrun", teams.size(), f"one process {of}: run several seeds instead")
        require(training.precision == "float32", "training.precision", training.precision, f"float32 {of}")
        require(training.microbatch == "batch", "training.microbatch", training.microbatch, f'"batch" {of}')
        require(not training.compile, "training.compile", True, f"false {of}")
        require(training.steps == "epochs", "training.steps", training.steps, f'"epochs", which are rollouts, {of}')
        require(data_config.validation > 0, "data.validation", data_config.validation, f"above 0 {of}")
        require(training.curvature == 0, "training.curvature", training.curvature, f"0 {of}")


def trial(model: ModelConfig, training: TrainingConfig, dataset: data.Dataset) -> None:
    """Take the loss of a few examples, and its gradient, where the network or the loss is the user's.

    Args:
        model: The network.
        training: The recipe, with the loss.
        dataset: The data.

    Raises:
        OwnCodeError: the network or the loss fails on these data.
    """
    if not (own.is_own(model.name) or training.loss):
        return
    few = dataset.train.take(torch.arange(min(_FEW, len(dataset.train))))
    with torch.random.fork_rng(), own.theirs(f"{model.name} on {dataset.name}"):
        torch.manual_seed(0)
        outputs = models.create(model, dataset)(prepare(dataset, few.inputs))
        total = loss_of(training.loss)(outputs, few.targets)
        if total.numel() != 1:
            raise ValueError(f"the loss has shape {tuple(total.shape)}, and must be one number")
        total.backward()


def _rollout(data_config: DataConfig, model_config: ModelConfig) -> None:
    """Refuse a rollout that the simulators cannot share equally."""
    count = models.simulators(model_config)
    horizon = data.examples(data_config)
    require(horizon % count == 0, "data.limit", horizon, f"a multiple of simulators = {count}")
