"""A submission of ALTO to AlgoPerf's external tuning ruleset, for PyTorch.

The interface is that of github.com/mlcommons/algorithmic-efficiency at commit 2c90454 (September 2025). In a checkout
of it, with ``alto-optim`` installed:

    torchrun --standalone --nproc_per_node 8 submission_runner.py --framework=pytorch --workload=ogbg \
        --submission_path=.../algoperf/submission.py --tuning_search_space=.../algoperf/tuning_search_space.json ...

The search space has ranges that we chose. It was never tuned, and no workload of the benchmark was run: the tests run a
small workload with the same interface. Batch sizes are those of the benchmark's own baselines.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from algoperf import spec  # pyright: ignore[reportMissingImports, reportAttributeAccessIssue]

import alto

BATCH_SIZES = {
    "criteo1tb": 262_144, "fastmri": 32, "imagenet_resnet": 1024, "imagenet_resnet_silu": 512,
    "imagenet_resnet_gelu": 512, "imagenet_vit": 1024, "librispeech_conformer": 256, "librispeech_deepspeech": 256,
    "ogbg": 512, "wmt": 128,
}  # fmt: skip
"""Samples per update over all devices. A variant without an entry has that of its base workload."""


def get_batch_size(workload_name: str) -> int:
    """The number of samples per update.

    Raises:
        ValueError: the workload is unknown.
    """
    known = [name for name in BATCH_SIZES if workload_name == name or workload_name.startswith(f"{name}_")]
    if not known:
        raise ValueError(f"workload_name = {workload_name!r} must be, or begin with, one of {', '.join(BATCH_SIZES)}")
    return BATCH_SIZES[max(known, key=len)]


def init_optimizer_state(
    workload: Any, model_params: Any, model_state: Any, hyperparameters: Any, rng: Any
) -> dict[str, torch.optim.Optimizer]:
    """The optimizer. Its state dict is the whole state: the learning rate follows from the step."""
    del workload, model_state, rng
    given = hyperparameters._asdict()
    name = given.get("optimizer", "alto")
    exploration = {} if name == "lamb" else getattr(alto, given.get("exploration", "large_batch"))()
    optimizer = alto.create(
        name, model_params, lr=given["learning_rate"], weight_decay=given["weight_decay"], **exploration
    )
    return {"optimizer": optimizer}


def rate(step: int, steps: int, warmup: float) -> float:
    """What the peak learning rate is multiplied by: linear up to the fraction ``warmup``, then half a cosine."""
    first = math.ceil(warmup * steps)
    if step < first:
        return (step + 1) / first
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - first) / max(1, steps - first))))


def update_params(
    workload: Any, current_param_container: Any, current_params_types: Any, model_state: Any, hyperparameters: Any,
    batch: dict[str, Any], loss_type: Any, optimizer_state: dict[str, Any], eval_results: Any, global_step: int,
    rng: Any, train_state: Any = None,
) -> tuple[dict[str, Any], Any, Any]:  # fmt: skip
    """One step."""
    del current_params_types, loss_type, eval_results, train_state
    given, model, optimizer = hyperparameters._asdict(), current_param_container, optimizer_state["optimizer"]
    model.train()
    optimizer.zero_grad()
    logits, model_state = workload.model_fn(
        params=model, augmented_and_preprocessed_input_batch=batch, model_state=model_state,
        mode=spec.ForwardPassMode.TRAIN, rng=rng, update_batch_norm=True, dropout_rate=given.get("dropout_rate", 0.0),
    )  # fmt: skip
    loss = workload.loss_fn(
        label_batch=batch["targets"], logits_batch=logits, mask_batch=batch.get("weights"),
        label_smoothing=given.get("label_smoothing", 0.0),
    )  # fmt: skip
    examples, world = loss["n_valid_examples"], 1
    if dist.is_available() and dist.is_initialized():  # DDP averages gradients over processes
        examples, world = examples.clone(), dist.get_world_size()
        dist.all_reduce(examples)
    (loss["summed"] * world / examples).backward()
    if given.get("grad_clip"):
        torch.nn.utils.clip_grad_norm_(model.parameters(), given["grad_clip"])
    for group in optimizer.param_groups:
        group["lr"] = given["learning_rate"] * rate(global_step, workload.step_hint, given.get("warmup_factor", 0.0))
    optimizer.step()
    return optimizer_state, model, model_state


def prepare_for_eval(
    workload: Any, current_param_container: Any, current_params_types: Any, model_state: Any, hyperparameters: Any,
    loss_type: Any, optimizer_state: dict[str, Any], eval_results: Any, global_step: int, rng: Any,
) -> tuple[dict[str, Any], Any, Any]:  # fmt: skip
    """Nothing: the trained parameters are those to evaluate."""
    del workload, current_params_types, hyperparameters, loss_type, eval_results, global_step, rng
    return optimizer_state, current_param_container, model_state


def data_selection(
    workload: Any, input_queue: Iterator[dict[str, Any]], optimizer_state: dict[str, Any], current_param_container: Any,
    model_state: Any, hyperparameters: Any, global_step: int, rng: Any,
) -> dict[str, Any]:  # fmt: skip
    """The next batch."""
    del workload, optimizer_state, current_param_container, model_state, hyperparameters, global_step, rng
    return next(input_queue)
