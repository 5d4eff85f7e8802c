"""What an experiment is: frozen dataclasses, complete and checked before anything runs."""

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from experiments.config.parse import build
from experiments.io import own
from experiments.io.errors import ConfigError, require

Tier = Literal["laptop", "gpu", "paper"]
TIERS: tuple[Tier, ...] = ("laptop", "gpu", "paper")
Metric = Literal["accuracy", "loss", "f1", "reward"]
Schedule = Literal["constant", "step", "cosine", "polynomial", "linear"]
Precision = Literal["float32", "bfloat16", "float16"]

_MOST_EPOCHS = 10**9  # of what any machine can do in a lifetime; steps are counted in 64 bits
_MOST_RATES = 10_000
_RATES = (1e-12, 1e6)  # beyond, float32 takes no step, or no finite one

_C = TypeVar("_C")
_LABEL = re.compile(r"[A-Za-z0-9](?: ?[A-Za-z0-9.,_+()=-])*")
_LONGEST = 60  # letters of a label: two of them are in the name of a run's folder
_CLIPS = (1e-12, 1e12)  # beyond, float32 takes no step, or clips nothing


@dataclass(frozen=True)
class DataConfig:
    """The data set and how it is split.

    Attributes:
        name: A name that `experiments.data` knows.
        validation: Share of the training examples that is held out to choose learning rates, in [0, 0.5]; 0 only where
            every setting has one learning rate, so that nothing is chosen.
        limit: Use only this many training examples (before the validation split), or ``"all"``; in a simulated task,
            the number of transitions per rollout.
        test_limit: Evaluate on this many test examples, or ``"all"``; in a simulated task, episodes (``"all"`` is 10).
        augment: Random crops and mirror images of training images.
        context: Length of a training sequence of text; largest number of word pieces in a sentence.
        size: Side of the images of a folder; the published CIFAR files and the digits have their own.
        shrink: Replace squares of ``shrink`` x ``shrink`` pixels of the CIFAR images by their mean.
        pieces: Cut words into the pieces of this tokenizer (a folder, or a name of the Hugging Face hub); empty takes
            words as they are.
    """

    name: str = "digits"
    validation: float = 0.1
    limit: int | Literal["all"] = "all"
    test_limit: int | Literal["all"] = "all"
    augment: bool = False
    context: int = 64
    size: int = 64
    shrink: int = 1
    pieces: str = ""

    def __post_init__(self):
        require(0 <= self.validation <= 0.5, "validation", self.validation, "in [0, 0.5]")
        require(self.limit == "all" or self.limit >= 10, "limit", self.limit, '"all" or at least 10')
        require(self.test_limit == "all" or self.test_limit >= 1, "test_limit", self.test_limit, '"all" or at least 1')
        require(1 <= self.context <= 2**20, "context", self.context, "in [1, 2^20]")
        require(8 <= self.size <= 4096, "size", self.size, "in [8, 4096]")
        require(self.shrink in {1, 2, 4}, "shrink", self.shrink, "1, 2 or 4")


@dataclass(frozen=True)
class ModelConfig:
    """The network: a name that `experiments.models` knows, and the keyword arguments of its constructor."""

    name: str = "convnet"
    options: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingConfig:
    """One training run's recipe, the same for every optimizer.

    Attributes:
        epochs: Passes over the training examples; in a simulated task, rollouts.
        steps: Steps of the optimizer, in place of ``epochs``; ``"epochs"`` leaves it to them.
        batch_size: Examples per step, or ``"full"`` for all of them.
        microbatch: Examples in one forward and backward pass; the gradient of a batch is accumulated over them.
        schedule: Course of the learning rate after the warm-up; ``"step"`` multiplies by 0.1 after every quarter
            (the paper's CIFAR recipe).
        warmup: Epochs of linear warm-up; a fraction is allowed.
        weight_decay: The same for every optimizer; norm and bias parameters get none. Default 1e-4, the paper's lambda.
        clip: Clip the global gradient norm to this value before the step, or ``"none"``. Some published code clips
            inside the optimizer's step (the official ALTO and NUS's LAMB, to 1), so clipping is an explicit setting.
        precision: Arithmetic of the forward and backward pass.
        evaluations: Number of evaluations during a final run, evenly spaced, the last one at its end.
        channels_last: Memory format of convolutional networks.
        compile: Pass the network through ``torch.compile``.
        loss: ``FILE.py:NAME``, a function of the network's outputs and the targets to a scalar, the mean over the
            examples; empty is the cross-entropy.
        curvature: Number of training examples on which each evaluation of a final run measures the curvature; 0
            measures none.
    """

    epochs: int = 10
    steps: int | Literal["epochs"] = "epochs"
    batch_size: int | Literal["full"] = 128
    microbatch: int | Literal["batch"] = "batch"
    schedule: Schedule = "constant"
    warmup: float = 0.0
    weight_decay: float = 1e-4
    clip: float | Literal["none"] = "none"
    precision: Precision = "float32"
    evaluations: int = 10
    channels_last: bool = False
    compile: bool = False
    curvature: int = 0
    loss: str = ""

    def __post_init__(self):
        require(1 <= self.epochs <= _MOST_EPOCHS, "epochs", self.epochs, f"in [1, {_MOST_EPOCHS}]")
        require(
            self.steps == "epochs" or 1 <= self.steps <= _MOST_EPOCHS,
            "steps",
            self.steps,
            f'"epochs" or in [1, {_MOST_EPOCHS}]',
        )
        require(
            self.batch_size == "full" or self.batch_size >= 1, "batch_size", self.batch_size, '"full" or at least 1'
        )
        require(
            self.microbatch == "batch" or self.microbatch >= 1, "microbatch", self.microbatch, '"batch" or at least 1'
        )
        longest = self.epochs if self.steps == "epochs" else math.inf  # how many epochs the steps are, the data say
        require(0 <= self.warmup <= longest, "warmup", self.warmup, f"in [0, epochs = {self.epochs}]")
        require(0 <= self.weight_decay <= _RATES[1], "weight_decay", self.weight_decay, f"in [0, {_RATES[1]:g}]")
        low, high = _CLIPS
        allowed = f'"none" or in [{low:g}, {high:g}]'
        require(self.clip == "none" or low <= self.clip <= high, "clip", self.clip, allowed)
        require(self.curvature >= 0, "curvature", self.curvature, "at least 0")
        require(not self.loss or own.is_own(self.loss), "loss", self.loss, "empty or FILE.py:NAME")
        require(1 <= self.evaluations <= _MOST_RATES, "evaluations", self.evaluations, f"in [1, {_MOST_RATES}]")


@dataclass(frozen=True)
class OptimizerConfig:
    """One competitor.

    Attributes:
        name: A name that `experiments.optimizers.competitors` knows; empty means the competitor's label.
        preset: ``"batch"`` takes alpha and beta1 from ``alto.for_batch(batch size)``, the paper's two presets;
            ``"none"`` leaves them to ``options``.
        options: Keyword arguments of the optimizer. The learning rate is tuned and the weight decay is shared, so
            neither is allowed here.
        clip: As in `TrainingConfig`, for this competitor alone; ``"shared"`` takes the clip that all have.
        rates: Factor on the grid of learning rates. Methods whose steps are of other sizes need other rates; the number
            of rates, and their ratios, stay the same for all.
        tuned: Values of options that are tuned together with the learning rate. A competitor with m combinations gets
            the middle one of every m rates, so that all have as many trials.
    """

    name: str = ""
    preset: Literal["none", "batch"] = "none"
    options: dict[str, object] = field(default_factory=dict)
    clip: float | Literal["none", "shared"] = "shared"
    rates: float = 1.0
    tuned: dict[str, tuple[object, ...]] = field(default_factory=dict)

    def __post_init__(self):
        for key, values in self.tuned.items():
            allowed = "a list of at least two different values, of an option that is not set in options"
            varied = len(values) > 1 and len({repr(value) for value in values}) == len(values)
            require(varied and key not in self.options, f"tuned.{key}", list(values), allowed)
        require(0 < self.rates < math.inf, "rates", self.rates, "finite and above 0")
        low, high = _CLIPS
        allowed = f'"shared", "none" or in [{low:g}, {high:g}]'
        require(isinstance(self.clip, str) or low <= self.clip <= high, "clip", self.clip, allowed)
        for key in ("lr", "weight_decay"):
            where = "tuning.learning_rates" if key == "lr" else "training.weight_decay"
            require(key not in self.options, f"options.{key}", self.options.get(key), f"set for all alike in {where}")


@dataclass(frozen=True)
class GridConfig:
    """Log-spaced learning rates, the same for every competitor."""

    low: float = 1e-3
    high: float = 1.0
    count: int = 7

    def __post_init__(self):
        least, most = _RATES
        require(least <= self.low <= most, "low", self.low, f"in [{least:g}, {most:g}]")
        require(self.low <= self.high <= most, "high", self.high, f"in [low = {self.low:g}, {most:g}]")
        require(1 <= self.count <= _MOST_RATES, "count", self.count, f"in [1, {_MOST_RATES}]")
        different = len(set(self.values()))
        allowed = (
            f"at most {different}: of {self.count} rates between low = {self.low} and high = {self.high} as many differ"
        )
        require(different == self.count, "count", self.count, f"{allowed} to three digits")

    def values(self) -> tuple[float, ...]:
        """The learning rates, rounded to three significant digits so that they read well."""
        if self.count == 1:
            return (self.low,)
        ratio = math.log(self.high / self.low) / (self.count - 1)
        return tuple(float(f"{self.low * math.exp(i * ratio):.3g}") for i in range(self.count))


@dataclass(frozen=True)
class TuningConfig:
    """How a learning rate is chosen: the best mean score on the validation split over the tuning seeds."""

    learning_rates: GridConfig = field(default_factory=GridConfig)
    seeds: tuple[int, ...] = (101,)
    metric: Metric = "accuracy"

    def __post_init__(self):
        _check_seeds(self.seeds)


@dataclass(frozen=True)
class FinalConfig:
    """The runs that are reported: their seeds differ from the tuning seeds."""

    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)

    def __post_init__(self):
        _check_seeds(self.seeds)


@dataclass(frozen=True)
class SettingConfig:
    """One condition under which all competitors are compared: its changes to the shared data, model, training and grid.

    A grid of one learning rate is a comparison at equal learning rates: nothing is chosen.
    """

    data: dict[str, object] = field(default_factory=dict)
    model: dict[str, object] = field(default_factory=dict)
    training: dict[str, object] = field(default_factory=dict)
    learning_rates: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A whole experiment at one tier.

    Attributes:
        name: The config file's stem, and ``+key=value`` for each change of it.
        tier: Whose sizes these are: a laptop's, one GPU's, or the paper's.
        title: One line for humans.
        source: The paper's table or figure, or "ours".
        baseline: The competitor to which the difference of every other one is reported.
        data: Shared by all settings, unless a setting changes it.
        model: Likewise.
        training: Likewise.
        tuning: How learning rates are chosen.
        final: The runs that are reported.
        settings: Conditions by label.
        optimizers: Competitors by label.
    """

    name: str
    tier: Tier
    title: str
    source: str
    baseline: str
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    tuning: TuningConfig = field(default_factory=TuningConfig)
    final: FinalConfig = field(default_factory=FinalConfig)
    settings: dict[str, SettingConfig]
    optimizers: dict[str, OptimizerConfig]

    def __post_init__(self):
        require(bool(self.settings), "settings", {}, "a table with at least one setting")
        require(bool(self.optimizers), "optimizers", {}, "a table with at least one optimizer")
        for kind in ("settings", "optimizers"):
            for label in getattr(self, kind):
                allowed = f"at most {_LONGEST} letters, digits, . , _ + - ( ) = and single blanks between them"
                require(bool(_LABEL.fullmatch(label)) and len(label) <= _LONGEST, kind, label, allowed)
        known = ", ".join(self.optimizers)
        require(self.baseline in self.optimizers, "baseline", self.baseline, f"one of the optimizers: {known}")
        shared = sorted(set(self.tuning.seeds) & set(self.final.seeds))
        require(not shared, "final.seeds", list(self.final.seeds), f"disjoint from tuning.seeds (shared: {shared})")
        for label, optimizer in self.optimizers.items():
            combinations = math.prod(len(values) for values in optimizer.tuned.values())
            for setting in self.settings:
                count = len(self.grid(setting).values())
                possible = combinations == 1 or (count % combinations == 0 and count > combinations)
                allowed = f"several times the {combinations} combinations that {label} tunes"
                require(possible, f"settings.{setting}.learning_rates.count", count, allowed)
                self._check_rates(label, setting)
        for label in self.settings:
            held = self.resolve(label)[0].validation
            chosen = len(self.grid(label).values()) > 1
            require(
                held > 0 or not chosen, "data.validation", held, f"above 0: setting {label} chooses a learning rate"
            )

    def rates(self, label: str, setting: str) -> tuple[float, ...]:
        """The learning rates that a competitor may have under one setting, ascending."""
        grid, factor = self.grid(setting).values(), self.optimizers[label].rates
        return grid if factor == 1 else tuple(float(f"{factor * rate:.3g}") for rate in grid)

    def _check_rates(self, label: str, setting: str) -> None:
        """Refuse a factor that takes rates out of range, or that makes two of them equal."""
        rates, factor, (least, most) = self.rates(label, setting), self.optimizers[label].rates, _RATES
        different = len(set(rates)) == len(rates) and least <= rates[0] and rates[-1] <= most
        allowed = f"such that its rates under {setting} differ to three digits and are in [{least:g}, {most:g}]"
        require(different, f"optimizers.{label}.rates", factor, allowed)

    @property
    def stem(self) -> str:
        """The config file's stem, whatever was changed."""
        return self.name.partition("+")[0]

    @property
    def runs(self) -> int:
        """How many runs there are, tuning and final ones."""
        grids = [len(self.grid(label).values()) for label in self.settings]
        tuning = sum(count for count in grids if count > 1) * len(self.tuning.seeds)
        return len(self.optimizers) * (tuning + len(self.settings) * len(self.final.seeds))

    def grid(self, setting: str) -> GridConfig:
        """The learning rates of one setting, the same for all its competitors.

        Args:
            setting: Its label.

        Returns:
            The grid.

        Raises:
            ConfigError: the setting changes an unknown key or to an impossible value.
        """
        changes = self.settings[setting].learning_rates
        return _changed(self.tuning.learning_rates, changes, f"settings.{setting}.learning_rates")

    def resolve(self, setting: str) -> tuple[DataConfig, ModelConfig, TrainingConfig]:
        """The data, model and training of one setting.

        Args:
            setting: Its label.

        Returns:
            The three, complete.

        Raises:
            ConfigError: the setting changes an unknown key or to an impossible value.
        """
        changes = self.settings[setting]
        return (
            _changed(self.data, changes.data, f"settings.{setting}.data"),
            _changed(self.model, changes.model, f"settings.{setting}.model"),
            _changed(self.training, changes.training, f"settings.{setting}.training"),
        )


def _changed(base: _C, changes: Mapping[str, object], where: str) -> _C:
    """``base`` with some fields replaced, checked as if it had been written so in full."""
    try:
        return build(type(base), {**dataclasses.asdict(base), **changes})  # type: ignore[call-overload]
    except ConfigError as error:
        raise error.under(where) from None


def _check_seeds(seeds: tuple[int, ...]) -> None:
    require(bool(seeds), "seeds", list(seeds), "at least one integer")
    require(all(seed >= 0 for seed in seeds), "seeds", list(seeds), "integers of at least 0")
    require(len(set(seeds)) == len(seeds), "seeds", list(seeds), "without repetition")
