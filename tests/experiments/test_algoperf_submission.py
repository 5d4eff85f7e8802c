"""The AlgoPerf submission, run as the benchmark's runner does, on a small workload with the benchmark's interface."""

import copy
import enum
import importlib.util
import inspect
import json
import math
import sys
import types
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

FOLDER = Path(__file__).parents[2] / "experiments" / "scripts" / "algoperf"
COMMON = ["workload", "current_param_container", "current_params_types", "model_state", "hyperparameters"]
INTERFACE = {
    "get_batch_size": ["workload_name"],
    "init_optimizer_state": ["workload", "model_params", "model_state", "hyperparameters", "rng"],
    "update_params": [*COMMON, "batch", "loss_type", "optimizer_state", "eval_results", "global_step", "rng",
                      "train_state"],
    "prepare_for_eval": [*COMMON, "loss_type", "optimizer_state", "eval_results", "global_step", "rng"],
    "data_selection": ["workload", "input_queue", "optimizer_state", "current_param_container", "model_state",
                       "hyperparameters", "global_step", "rng"],
}  # fmt: skip
"""The arguments of algorithms/template/submission.py, which the runner names."""


class Mode(enum.Enum):
    TRAIN = 0
    EVAL = 1


@pytest.fixture
def submission(monkeypatch):
    package = types.ModuleType("algoperf")
    package.spec = types.ModuleType("algoperf.spec")
    package.spec.ForwardPassMode = Mode
    monkeypatch.setitem(sys.modules, "algoperf", package)
    monkeypatch.setitem(sys.modules, "algoperf.spec", package.spec)
    spec = importlib.util.spec_from_file_location("submission", FOLDER / "submission.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Workload:
    """Two classes of points in the plane; the last example of each batch is padding."""

    loss_type, model_params_types, step_hint = "softmax", {}, 40

    def init_model_fn(self, rng):
        torch.manual_seed(rng)
        return torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)), None

    def queue(self):
        for k in range(1000):
            generator = torch.Generator().manual_seed(k)
            inputs = torch.randn(16, 2, generator=generator)
            targets = (inputs.sum(1) > 0).long()
            targets[-1] = 1 - targets[-1]
            yield {"inputs": inputs, "targets": targets, "weights": torch.tensor([1.0] * 15 + [0.0])}

    def model_fn(self, params, augmented_and_preprocessed_input_batch, model_state, mode, rng, update_batch_norm,
                 dropout_rate):  # fmt: skip
        assert (mode, update_batch_norm) == (Mode.TRAIN, True)
        self.dropout = dropout_rate
        return params(augmented_and_preprocessed_input_batch["inputs"]), model_state

    def loss_fn(self, label_batch, logits_batch, mask_batch=None, label_smoothing=0.0):
        losses = (
            F.cross_entropy(logits_batch, label_batch, reduction="none", label_smoothing=label_smoothing) * mask_batch
        )
        return {"summed": losses.sum(), "n_valid_examples": mask_batch.sum(), "per_example": losses}


def settings(**options):
    given = {"learning_rate": 0.05, "weight_decay": 1e-3, "warmup_factor": 0.1} | options
    return namedtuple("Hyperparameters", given)(**given)


def start(submission, hyperparameters):
    workload = Workload()
    model, state = workload.init_model_fn(0)
    return workload, model, state, submission.init_optimizer_state(workload, model, state, hyperparameters, 0)


def step(submission, workload, model, state, optimizer_state, hyperparameters, queue, k):
    """One round of the runner's loop, every argument by its name; returns the batch."""
    common = {"workload": workload, "current_param_container": model, "model_state": state,
              "hyperparameters": hyperparameters, "optimizer_state": optimizer_state, "global_step": k,
              "rng": 0}  # fmt: skip
    more = {"current_params_types": {}, "loss_type": workload.loss_type, "eval_results": []}
    batch = submission.data_selection(**common, input_queue=queue)
    for call in (
        lambda: submission.update_params(**common, **more, batch=batch, train_state=types.MappingProxyType({})),
        lambda: submission.prepare_for_eval(**common, **more),
    ):
        assert call() == (optimizer_state, model, state)
    return batch


def run(submission, hyperparameters, steps=40):
    workload, model, state, optimizer_state = start(submission, hyperparameters)
    queue = workload.queue()
    for k in range(steps):
        step(submission, workload, model, state, optimizer_state, hyperparameters, queue, k)
    return model, optimizer_state


def test_the_functions_have_the_benchmarks_arguments(submission):
    for name, arguments in INTERFACE.items():
        assert list(inspect.signature(getattr(submission, name)).parameters) == arguments


@pytest.mark.parametrize("options", [
    {}, {"exploration": "small_batch"}, {"optimizer": "lamb"}, {"optimizer": "e_adamw", "grad_clip": 1.0},
], ids=["large-batch", "small-batch", "lamb", "e-adamw"])  # fmt: skip
def test_it_trains(submission, options):
    model, _ = run(submission, settings(**options))
    inputs = torch.randn(500, 2, generator=torch.Generator().manual_seed(1))
    right = (model(inputs).argmax(1) == (inputs.sum(1) > 0)).float().mean()
    assert right > 0.9


def test_padding_counts_nothing_and_processes_add_up(submission, monkeypatch):
    hyperparameters = settings(weight_decay=0.0)

    def gradients(batch):
        workload, model, state, optimizer_state = start(submission, hyperparameters)
        step(submission, workload, model, state, optimizer_state, hyperparameters, iter([batch]), 0)
        return [p.grad for p in model.parameters()]

    batch = next(Workload().queue())
    whole = gradients(batch)
    model = Workload().init_model_fn(0)[0]
    F.cross_entropy(model(batch["inputs"][:15]), batch["targets"][:15]).backward()
    for mine, mean in zip(whole, model.parameters(), strict=True):
        torch.testing.assert_close(mine, mean.grad)

    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 2)
    monkeypatch.setattr("torch.distributed.all_reduce", lambda count: count.fill_(15))
    parts = [gradients({key: value[part] for key, value in batch.items()}) for part in (slice(0, 4), slice(4, 16))]
    for one, first, second in zip(whole, *parts, strict=True):
        torch.testing.assert_close(one, (first + second) / 2)  # DDP's average


def test_a_run_goes_on_from_the_state_dicts_that_the_runner_keeps(submission):
    hyperparameters = settings()
    whole, made = run(submission, hyperparameters, 10)
    assert {group["lr"] for group in made["optimizer"].param_groups} == {0.05 * submission.rate(9, 40, 0.1)}
    half, kept = run(submission, hyperparameters, 5)
    kept = copy.deepcopy({key: value.state_dict() for key, value in kept.items()})
    workload, model, state, optimizer_state = start(submission, hyperparameters)
    model.load_state_dict(half.state_dict())
    for key, value in optimizer_state.items():
        value.load_state_dict(kept[key])
    queue = workload.queue()
    for _ in range(5):
        next(queue)
    for k in range(5, 10):
        step(submission, workload, model, state, optimizer_state, hyperparameters, queue, k)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), model.parameters(), strict=True))


def test_the_rate_rises_to_the_peak_and_falls_to_zero(submission):
    rates = [submission.rate(k, 20, 0.2) for k in range(30)]
    assert rates[:5] == pytest.approx([0.25, 0.5, 0.75, 1, 1])
    assert rates[12] == pytest.approx(0.5)
    assert rates[20:] == pytest.approx([0] * 10)


def test_batch_sizes_are_of_the_workload_or_its_base(submission):
    assert submission.get_batch_size("imagenet_resnet_silu") == 512
    assert submission.get_batch_size("imagenet_resnet_large_bn_init") == 1024
    assert submission.get_batch_size("imagenet_vit_glu") == 1024
    with pytest.raises(ValueError, match=r"workload_name = 'mnist' must be.*criteo1tb"):
        submission.get_batch_size("mnist")


def test_every_point_of_the_search_space_makes_an_optimizer(submission):
    space = json.loads((FOLDER / "tuning_search_space.json").read_text())
    for k in range(4):
        point = {name: one["feasible_points"][k % len(one["feasible_points"])] if "feasible_points" in one else
                 math.sqrt(one["min"] * one["max"]) for name, one in space.items()}  # fmt: skip
        workload, model, *_, made = start(submission, settings(**point))
        assert type(made["optimizer"]).__name__ == "ALTO"
        step(submission, workload, model, None, made, settings(**point), workload.queue(), 0)
        assert workload.dropout == point["dropout_rate"]
