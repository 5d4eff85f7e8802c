"""A run in progress: the loop, and the state that a checkpoint holds."""

import contextlib
import dataclasses
import hashlib
import json
import math
import os
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from experiments import (
    batches,
    checkpoint,
    curvature,
    data,
    environment,
    models,
    optimizers,
    parallel,
    schedules,
    store,
)
from experiments.environment import Environment
from experiments.errors import CheckpointError
from experiments.evaluate import cross_entropy_sum, evaluate, finite
from experiments.plan import Run
from experiments.store import Point, Row

Notify = Callable[[int, int], None]  # (steps done, steps in all)


class Session:
    """A run in progress: everything that a checkpoint holds, and everything that follows from the run alone.

    Randomness is a function of (seed, purpose, step), so a checkpoint holds no random state.
    """

    def __init__(self, run: Run, place: Environment, folder: Path, team: parallel.Team | None = None):
        place.prepare()
        self.run, self.place, self.folder, self.team = run, place, folder, team or parallel.Team()
        self.device = place.resolve_device()
        self.data = data.load(run.data, place.data_dir)
        self.train_split = self.data.train.to(self.device)
        # Initial weights are drawn on the CPU, so they are the same on every device.
        torch.manual_seed(batches.derive_seed(run.seed, "init"))
        self.model: nn.Module = models.create(run.model, self.data).to(self.device)
        if run.training.channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model = parallel.synchronised(self.model, self.team, self.device)
        self.optimizer = optimizers.create(
            run.optimizer, run.options, self.model, lr=run.lr, weight_decay=run.training.weight_decay
        )
        self.wrapped = self.team.wrap(self.model)
        self.forward: Callable[[Tensor], Tensor] = torch.compile(self.wrapped) if run.training.compile else self.wrapped
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=run.training.precision == "float16")

        examples = len(self.data.train)
        size = run.training.batch_size
        self.batch_size = examples if size == "full" else min(size, examples)
        self.per_epoch = batches.steps_per_epoch(examples, self.batch_size)
        self.total = self.per_epoch * run.training.epochs
        self.evaluated_at = self._evaluation_steps()

        self.origin = self._weights() if run.training.curvature else None
        self.lately: Tensor | None = None  # the weights of ten steps before the next evaluation, once they are known

        self.step = 0
        self.seconds = 0.0
        self.training_seconds = 0.0
        self.examples = 0
        self.resumed = 0
        self.loss_sum = torch.zeros((), device=self.device, dtype=torch.float64)
        self.loss_steps = 0
        self.curve: list[Point] = []
        self.order = torch.empty(0)
        self.order_of = -1

    def finish(self, notify: Notify) -> Row:
        """Train to the end, or to divergence.

        Args:
            notify: Is told the progress after each step.

        Returns:
            The row.
        """
        diverged = False
        begin = saved = time.monotonic()
        before = self.seconds
        with open(self.folder / "metrics.jsonl" if self.team.leads else os.devnull, "a") as metrics:
            while self.step < self.total and not diverged:
                started = time.monotonic()
                if self.origin is not None and self.step + _LAG in self.evaluated_at:
                    self.lately = self._weights()
                self.advance()
                self.training_seconds += time.monotonic() - started
                self.seconds = before + time.monotonic() - begin
                if self.step in self.evaluated_at:
                    point = self._evaluate()
                    diverged = point.train_loss is None
                    self.curve.append(point)
                    metrics.write(json.dumps(dataclasses.asdict(point)) + "\n")
                    metrics.flush()
                notify(self.step, self.total)
                due = time.monotonic() - saved >= self.place.checkpoint_seconds
                if due and self.team.leads and not diverged:
                    os.fsync(metrics.fileno())
                    checkpoint.save(self.folder / "checkpoint.bin", self.run.digest, self._state(metrics.tell()))
                    saved = time.monotonic()
        return self._row(diverged)

    def advance(self) -> None:
        """One step: the gradient of one batch, accumulated over micro-batches, and the optimizer's update."""
        training = self.run.training
        warmup = round(training.warmup * self.per_epoch)
        lr = self.run.lr * schedules.factor(training.schedule, self.step, self.total, warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        torch.manual_seed(batches.derive_seed(self.run.seed, "dropout", self.step, self.team.rank))
        whole = self._indices()
        counted = self._counted(whole)
        mine, weight = self.team.part(whole)
        micro = len(mine) if training.microbatch == "batch" else training.microbatch
        self.optimizer.zero_grad(set_to_none=True)
        step_loss = torch.zeros_like(self.loss_sum)
        for start in range(0, len(mine), micro):
            part = self.train_split.take(mine[start : start + micro])
            with self._synchronised(start + micro >= len(mine)):
                with self._autocast():
                    logits = self.forward(self._prepared(part.inputs, start))
                loss = weight * cross_entropy_sum(logits, part.targets)[0] / counted
                # the average of the team's gradients is to be the gradient of the whole batch
                self.scaler.scale(loss * self.team.size).backward()
            step_loss += loss.detach()
        self.loss_sum += self.team.total(step_loss)
        if training.clip != "none":
            self.scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), training.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.step += 1
        self.loss_steps += 1
        self.examples += len(whole)

    def resume(self) -> None:
        """Take up the state of the run's checkpoint, if there is one, and cut the metrics back to it."""
        file, metrics = self.folder / "checkpoint.bin", self.folder / "metrics.jsonl"
        if not self.team.share(file.exists):
            if self.team.leads:
                metrics.unlink(missing_ok=True)
            return
        state = checkpoint.load(file, self.run.digest, self.device)
        if self.team.leads:
            with metrics.open("r+") as lines:
                lines.truncate(state["metrics_bytes"])
                self.curve = [store.read_point(json.loads(line)) for line in lines]
        if self.team.size != state["processes"]:
            raise CheckpointError(
                f"{file} was written by {state['processes']} processes, and these are {self.team.size}: go on with as "
                f"many, or delete it to start this run anew"
            )
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.lately = state["lately"]
        for name in _COUNTERS:
            setattr(self, name, state[name])
        self.resumed += 1

    def _state(self, metrics_bytes: int) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "metrics_bytes": metrics_bytes,
            "processes": self.team.size,
            "lately": self.lately,
            **{name: getattr(self, name) for name in _COUNTERS},
        }

    def _indices(self) -> Tensor:
        """The examples of this step's whole batch."""
        epoch, position = divmod(self.step, self.per_epoch)
        if self.order_of != epoch:
            self.order = batches.order(len(self.train_split), self.run.seed, epoch).to(self.device)
            self.order_of = epoch
        return self.order[position * self.batch_size : (position + 1) * self.batch_size]

    def _counted(self, indices: Tensor) -> int:
        """How many targets of these examples count."""
        if self.data.kind == "tags":
            return int((self.train_split.targets[indices] != data.IGNORED).sum())
        return len(indices) * self.train_split.targets[0].numel()

    def _synchronised(self, last: bool) -> contextlib.AbstractContextManager[Any]:
        """Gradients are averaged over the team once a step, with the last micro-batch."""
        if isinstance(self.wrapped, DistributedDataParallel) and not last:
            return self.wrapped.no_sync()
        return contextlib.nullcontext()

    def _prepared(self, inputs: Tensor, start: int) -> Tensor:
        prepared = batches.prepare(self.data, inputs)
        if self.run.data.augment:
            part = batches.derive_seed(self.run.seed, "part", start, self.team.rank)
            prepared = batches.augment(prepared, part, self.step)
        if self.run.training.channels_last:
            prepared = prepared.contiguous(memory_format=torch.channels_last)
        return prepared

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if self.run.training.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=getattr(torch, self.run.training.precision))

    def _evaluation_steps(self) -> frozenset[int]:
        if self.run.phase == "tune":  # it is judged by its end, and by nothing on the way
            return frozenset({self.total})
        count = min(self.run.training.evaluations, self.total)
        return frozenset(math.ceil(i * self.total / count) for i in range(1, count + 1))

    def _evaluate(self) -> Point:
        train_loss = finite((self.loss_sum / self.loss_steps).item())
        self.loss_sum.zero_()
        self.loss_steps = 0
        final = self.run.phase == "final"
        extras = self._movement() if final and self.origin is not None else {}
        return Point(
            step=self.step,
            epoch=self.step / self.per_epoch,
            seconds=self.seconds,
            lr=self.optimizer.param_groups[0]["lr"],
            train_loss=train_loss,
            validation=evaluate(self.model, self.data, self.data.validation.to(self.device)),
            test=evaluate(self.model, self.data, self.data.test.to(self.device)) if final else None,
            **extras,
        )

    def _movement(self) -> dict[str, Any]:
        """Where the weights are, and how curved the loss is there."""
        assert self.origin is not None
        weights, lately = self._weights(), self.lately
        self.lately = None
        return {
            "moved": finite(float((weights - self.origin).norm())),
            "moved_lately": None if lately is None else finite(float((weights - lately).norm())),
            "curvature": curvature.measure(self.model, self.data, self.run.training.curvature),
        }

    def _weights(self) -> Tensor:
        return torch.cat([p.detach().reshape(-1).double() for p in self.model.parameters()])

    def _row(self, diverged: bool) -> Row:
        on_gpu = self.device.type == "cuda"
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return Row(
            run=self.run,
            curve=tuple(self.curve),
            diverged=diverged,
            steps=self.step,
            parameters=sum(p.numel() for p in self.model.parameters() if p.requires_grad),
            weights=_digest(self.model),
            data=self.data.fingerprint(),
            note=self.data.note,
            seconds=self.seconds,
            resumed=self.resumed,
            examples_per_second=self.examples / max(self.training_seconds, 1e-9),
            peak_memory=torch.cuda.max_memory_allocated(self.device) if on_gpu else resident,
            versions=environment.versions(),
            hardware=environment.hardware(self.place, self.team.size),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
        )


_LAG = 10  # Figure 3 draws |theta_k - theta_{k-10}|
_COUNTERS = ("step", "seconds", "training_seconds", "examples", "resumed", "loss_sum", "loss_steps")


def _digest(model: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
