"""Checks before anything runs: names, options and their values, and combinations that have no meaning."""

import torch
from torch import nn

from experiments import data, models
from experiments.config.schema import DataConfig, Experiment, Metric, ModelConfig, TrainingConfig
from experiments.data import Kind
from experiments.distributed import teams
from experiments.io import own
from experiments.io.errors import DataError, require
from experiments.optimizers import competitors
from experiments.runs import plan
from experiments.training.batches import prepare
from experiments.training.evaluate import loss_of
from experiments.training.simulators import Simulators

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


def trial(experiment: Experiment, setting: str, dataset: data.Dataset | None) -> None:
    """Where a part is the user's, take a few examples' loss and gradient, and a step of each optimizer of theirs.

    Args:
        experiment: The experiment.
        setting: One of its settings.
        dataset: Its data; None for a simulated task, where the agent acts once and its gradient is one everywhere.

    Raises:
        ConfigError: a simulated task, and gymnasium is absent.
        DataError: a target is beyond the network's outputs.
        OwnCodeError: the network, the loss or an optimizer fails on these data.
    """
    task, model, training = experiment.resolve(setting)
    optimizers = [label for label, one in experiment.optimizers.items() if own.is_own(one.name or label)]
    if not (optimizers or own.is_own(model.name) or training.loss):
        return
    with torch.random.fork_rng():
        network = _with_gradient(model, training, dataset) if dataset else _agent(model, task.name)
        for label in optimizers:
            options, lr = plan.trials(experiment, plan.Cell(setting, label))[0]
            name, fixed = competitors.resolved(label, experiment.optimizers[label], _FEW)
            optimizer = competitors.create(name, fixed | options, network, lr=lr, weight_decay=training.weight_decay)
            with own.theirs(f"optimizers.{label}: {name}"):
                optimizer.step()


def _with_gradient(model: ModelConfig, training: TrainingConfig, dataset: data.Dataset) -> nn.Module:
    """A network with the gradient of a few examples."""
    few = dataset.train.take(torch.arange(min(_FEW, len(dataset.train))))
    torch.manual_seed(0)
    network = models.create(model, dataset)
    with own.theirs(f"{model.name} on {dataset.name}"):
        outputs = network(prepare(dataset, few.inputs))
        classes = 0 if training.loss else outputs.shape[-1]
    if not training.loss:
        _within(dataset, classes)
    with own.theirs(f"{model.name} on {dataset.name}"):
        total = loss_of(training.loss)(outputs, few.targets)
        if total.numel() != 1:
            raise ValueError(f"the loss has shape {tuple(total.shape)}, and must be one number")
        total.backward()
    return network


def _agent(model: ModelConfig, task: str) -> nn.Module:
    """An agent that has acted once, with a gradient of ones."""
    torch.manual_seed(0)
    simulators = Simulators(task, 1)
    agent = models.create_agent(model, simulators.observations, simulators.actions)
    with own.theirs(f"{model.name} on {task}"):
        agent.act(simulators.reset([0]), torch.Generator().manual_seed(0))
    simulators.close()
    for parameter in agent.parameters():
        parameter.grad = torch.ones_like(parameter)
    return agent


def _within(dataset: data.Dataset, classes: int) -> None:
    """Refuse targets that the network has no output for, also those of the test, which the last runs read first."""
    for part, split in (("training", dataset.train), ("validation", dataset.validation), ("test", dataset.test)):
        if len(split) and (largest := int(split.targets.max())) >= classes:
            allowed = f"the network has {classes} outputs, so targets must be in 0 to {classes - 1}"
            raise DataError(f"{dataset.name}: a {part} target is {largest}; {allowed}")


def _rollout(data_config: DataConfig, model_config: ModelConfig) -> None:
    """Refuse a rollout that the simulators cannot share equally."""
    count = models.simulators(model_config)
    horizon = data.examples(data_config)
    require(horizon % count == 0, "data.limit", horizon, f"a multiple of simulators = {count}")
