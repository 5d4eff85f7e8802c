"""From an experiment to its runs. A run's identity is a digest of everything that decides its result."""

import dataclasses
import hashlib
import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from experiments.config.parse import build
from experiments.config.schema import DataConfig, Experiment, ModelConfig, TrainingConfig
from experiments.optimizers import competitors

Phase = Literal["tune", "final"]

# Raise it when the meaning of a run changes (a default, or the training loop), so that old rows are not taken for new.
_FORMAT = 1
_LATER = 2  # likewise, of runs with augmentation and of the BiLSTM


@dataclass(frozen=True)
class Run:
    """One training run, with everything that decides its result.

    Attributes:
        phase: A tuning run is judged on the validation split and never sees the test set.
        setting: Label of the condition.
        label: Label of the competitor.
        optimizer: Name of its optimizer.
        options: The optimizer's keyword arguments, presets resolved.
        lr: Learning rate.
        seed: Decides initial weights, data order and dropout; the same seed gives all competitors the same ones.
        data: The data set.
        model: The network.
        training: The recipe.
    """

    phase: Phase
    setting: str
    label: str
    optimizer: str
    options: dict[str, object]
    lr: float
    seed: int
    data: DataConfig
    model: ModelConfig
    training: TrainingConfig

    @property
    def digest(self) -> str:
        """Hexadecimal digest of the run's content.

        Fields at their default are left out: a new option whose default changes nothing keeps the old rows valid.
        """
        meaning = _LATER if self.data.augment or self.model.name == "bilstm" else _FORMAT
        content = json.dumps([meaning, _content(self)], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @property
    def id(self) -> str:
        """The name of the run's folder: readable, and unique through the digest."""
        words = f"{self.setting}-{self.label}-{self.phase}-lr{self.lr:g}-seed{self.seed}"
        return f"{re.sub(r'[^A-Za-z0-9.-]+', '_', words)}-{self.digest[:8]}"

    @staticmethod
    def read(table: dict[str, object]) -> "Run":
        """The inverse of ``dataclasses.asdict``, checked."""
        return build(Run, table)


def _content(value: object) -> object:
    """The value as plain tables, without the dataclass fields that are at their default."""
    if not dataclasses.is_dataclass(value):
        return value
    kept = {}
    for field in dataclasses.fields(value):
        own, default = getattr(value, field.name), field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if default is dataclasses.MISSING or own != default:
            kept[field.name] = _content(own)
    return kept


@dataclass(frozen=True)
class Cell:
    """One competitor under one condition."""

    setting: str
    label: str


def cells(experiment: Experiment) -> list[Cell]:
    """All pairs of condition and competitor, in the config's order."""
    return [Cell(setting, label) for setting in experiment.settings for label in experiment.optimizers]


def trials(experiment: Experiment, cell: Cell) -> list[tuple[dict[str, object], float]]:
    """What a cell's tuning tries: options and a learning rate; every cell of a setting has as many trials."""
    tuned = experiment.optimizers[cell.label].tuned
    combinations = [dict(zip(tuned, values, strict=True)) for values in itertools.product(*tuned.values())]
    few = experiment.rates(cell.label, cell.setting)[len(combinations) // 2 :: len(combinations)]
    return [(options, lr) for options in combinations for lr in few]


def tuning_runs(experiment: Experiment, cell: Cell, examples: int) -> list[Run]:
    """The runs that choose a cell's learning rate.

    Args:
        experiment: The experiment.
        cell: The cell.
        examples: Number of training examples, which is the batch size where that is ``"full"``.

    Returns:
        One run per trial and tuning seed; none where there is one trial.
    """
    tried = trials(experiment, cell)
    if len(tried) == 1:
        return []
    return [
        _run(experiment, cell, "tune", lr, seed, examples, options)
        for options, lr in tried
        for seed in experiment.tuning.seeds
    ]


def final_runs(
    experiment: Experiment, cell: Cell, lr: float, examples: int, options: Mapping[str, object] | None = None
) -> list[Run]:
    """The runs that are reported, at the chosen learning rate: one per final seed.

    Args:
        experiment: The experiment.
        cell: The cell.
        lr: The chosen learning rate.
        examples: As in `tuning_runs`.
        options: The chosen values of the options that were tuned too.

    Returns:
        The runs.
    """
    return [_run(experiment, cell, "final", lr, seed, examples, options or {}) for seed in experiment.final.seeds]


def _run(
    experiment: Experiment, cell: Cell, phase: Phase, lr: float, seed: int, examples: int, options: Mapping[str, object]
) -> Run:
    data_config, model_config, training = experiment.resolve(cell.setting)
    batch = examples if training.batch_size == "full" else training.batch_size
    competitor = experiment.optimizers[cell.label]
    name, fixed = competitors.resolved(cell.label, competitor, batch)
    if competitor.clip != "shared":
        training = dataclasses.replace(training, clip=competitor.clip)
    return Run(
        phase, cell.setting, cell.label, name, {**fixed, **options}, lr, seed, data_config, model_config, training
    )
