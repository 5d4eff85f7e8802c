"""A network that learns from a data set: the steps and evaluations of its run."""

import contextlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from experiments import data, models
from experiments.data import Split
from experiments.distributed import sharding, teams
from experiments.io.environment import Environment
from experiments.optimizers import competitors, schedules
from experiments.runs.plan import Run
from experiments.runs.rows import Point, finite
from experiments.training import batches
from experiments.training.evaluate import evaluate, loss_of
from experiments.training.loop import TrainingLoop


class SupervisedLoop(TrainingLoop):
    """A run on a data set. Every argument is `TrainingLoop`'s."""

    def __init__(self, run: Run, place: Environment, folder: Path, team: teams.Team | None = None):
        super().__init__(run, place, folder, team)
        self.data = data.load(run.data, place.data_dir)
        self.note = self.data.note
        self.loss_of = loss_of(run.training.loss)
        self.train_split = _resident(self.data.train, self.device)
        # Initial weights are drawn on the CPU, so they are the same on every device.
        torch.manual_seed(batches.derive_seed(run.seed, "init"))
        self.model = models.create(run.model, self.data).to(self.device)
        if run.training.channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model = teams.synchronised(self.model, self.team, self.device)
        self.wrapped = teams.wrap(self.model, self.team, place.parallel)
        # After the wrapping: sharding replaces the parameters.
        self.optimizer = competitors.create(
            run.optimizer, run.options, self.model, lr=run.lr, weight_decay=run.training.weight_decay
        )
        self.forward: Callable[[Tensor], Tensor] = torch.compile(self.wrapped) if run.training.compile else self.wrapped
        self.parameters = list(self.model.parameters())  # to find them takes longer than their gradient's norm
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=run.training.precision == "float16")

        examples = len(self.data.train)
        size = run.training.batch_size
        self.per_example = 1 if run.training.loss else math.prod(self.train_split.targets.shape[1:])
        self.batch_size = examples if size == "full" else min(size, examples)
        self.per_epoch = batches.steps_per_epoch(examples, self.batch_size)
        steps = run.training.steps
        self.total = self.per_epoch * run.training.epochs if steps == "epochs" else steps
        self.evaluated_at = self._evaluation_steps()

        self.origin = self._weights() if run.training.curvature else None
        self.generator = _generator(self.device)
        self.order = torch.empty(0)
        self.order_of = -1

    def advance(self) -> None:
        """One step: the gradient of one batch, accumulated over micro-batches, and the optimizer's update."""
        training = self.run.training
        if self.origin is not None and self.step + _LAG in self.evaluated_at:
            self.lately[self.step + _LAG] = self._weights()
        warmup = round(training.warmup * self.per_epoch)
        lr = self.run.lr * schedules.factor(training.schedule, self.step, self.total, warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.generator.manual_seed(batches.derive_seed(self.run.seed, "dropout", self.step, self.team.rank))
        whole = self._indices()
        counted = self._counted(whole)
        micro = None if training.microbatch == "batch" else training.microbatch
        parts = self.team.parts(len(whole), micro)
        self.optimizer.zero_grad(set_to_none=True)
        step_loss = torch.zeros_like(self.loss_sum)
        moves = self._moves(len(whole))
        for number, (places, weight) in enumerate(parts, 1):
            part = self.train_split.take(whole[places]).to(self.device)
            with self._synchronised(number == len(parts)):
                with self._autocast():
                    logits = self.forward(self._prepared(part.inputs, moves and moves.take(places)))
                loss = self.loss_of(logits, part.targets) / counted
                if weight != 1:  # a product with 1 would be one more operation, and another in the backward pass
                    loss = weight * loss
                # so that the average of the team's gradients is the gradient of the whole batch
                self.scaler.scale(loss if self.team.size == 1 else loss * self.team.size).backward()
            step_loss += loss.detach()
        self.loss_sum += self.team.total(step_loss)
        self.norms.append(self._clip(training.clip))
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.step += 1
        self.loss_steps += 1
        self.examples += len(whole)

    def _clip(self, most: float | Literal["none"]) -> Tensor:
        """Clip the gradient; its norm before that, a scalar."""
        self.scaler.unscale_(self.optimizer)
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        # What torch.nn.utils.get_total_norm computes, which first sorts the gradients by device and type.
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        if most != "none":
            torch.nn.utils.clip_grads_with_norm_(self.parameters, most, norm)
        return sharding.whole(norm).detach()

    def _indices(self) -> Tensor:
        """The examples of this step's whole batch."""
        epoch, position = divmod(self.step, self.per_epoch)
        if self.order_of != epoch:
            self.order = self._order(epoch).to(self.device)
            self.order_of = epoch
        return self.order[position * self.batch_size : (position + 1) * self.batch_size]

    def _order(self, epoch: int) -> Tensor:
        """The order of the examples in this epoch."""
        if self.run.model.name == "bilstm" and self.per_epoch == 1 and self.team.size == 1:
            # The gradient of a full batch does not depend on the order, and this network reads equal lengths faster.
            return batches.by_length(self.train_split.inputs)
        return batches.order(len(self.train_split), self.run.seed, epoch)

    def _counted(self, indices: Tensor) -> int:
        """How many targets of these examples count."""
        if self.data.kind == "tags" or (self.data.kind == "own" and not self.run.training.loss):
            return int((self.train_split.take(indices).targets != data.IGNORED).sum())
        return len(indices) * self.per_example

    def _synchronised(self, last: bool) -> contextlib.AbstractContextManager[Any]:
        """Average gradients over the team once per step, with the last micro-batch."""
        if sharding.is_sharded(self.wrapped):
            cast("Any", self.wrapped).set_requires_gradient_sync(last)
        if isinstance(self.wrapped, DistributedDataParallel) and not last:
            return self.wrapped.no_sync()
        return contextlib.nullcontext()

    def _moves(self, count: int) -> batches.Moves | None:
        """How this step's images are augmented: a function of the run and the step, not of the process."""
        if not self.run.data.augment:
            return None
        moves = batches.moves(count, self.run.seed, self.step, padding=self._padding())
        return moves.to(self.device)

    def _padding(self) -> int:
        """The largest shift: 4 of CIFAR's 32 pixels, and the same share of other sides."""
        return max(4 // self.run.data.shrink, self.data.shape[-1] // 8)

    def _prepared(self, inputs: Tensor, moves: batches.Moves | None) -> Tensor:
        prepared = batches.prepare(self.data, inputs)
        if moves is not None:
            prepared = batches.augment(prepared, moves)
        if self.run.training.channels_last:
            prepared = prepared.contiguous(memory_format=torch.channels_last)
        return prepared

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if self.run.training.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=getattr(torch, self.run.training.precision))

    def _evaluate(self) -> Point:
        train_loss = finite(self._mean_loss().item())
        final = self.run.phase == "final"
        held = self.data.validation
        extras = self._movement() if final and self.origin is not None else {}
        return Point(
            step=self.step,
            epoch=self.step / self.per_epoch,
            seconds=self.seconds,
            lr=self.optimizer.param_groups[0]["lr"],
            train_loss=train_loss,
            validation=evaluate(self.model, self.data, held.to(self.device), self.loss_of) if len(held) else None,
            test=evaluate(self.model, self.data, self.data.test.to(self.device), self.loss_of) if final else None,
            **extras,
        )

    def _movement(self) -> dict[str, Any]:
        """Where the weights are, and how curved the loss is there."""
        from experiments.training import curvature  # scipy is slow to import, and few runs measure curvature

        assert self.origin is not None
        weights, lately = self._weights(), self.lately.pop(self.step, None)
        return {
            "moved": finite(float((weights - self.origin).norm())),
            "moved_lately": None if lately is None else finite(float((weights - lately).norm())),
            "curvature": curvature.measure(self._replica(), self.data, self.run.training.curvature),
        }

    def _replica(self) -> nn.Module:
        """The network with whole parameters, for what cannot work on shards."""
        if not sharding.is_sharded(self.model):
            return self.model
        replica = models.create(self.run.model, self.data).to(self.device)
        replica.load_state_dict({name: sharding.whole(value) for name, value in self.model.state_dict().items()})
        return replica

    def _weights(self) -> Tensor:
        return torch.cat([sharding.whole(p.detach()).reshape(-1).double() for p in self.model.parameters()])


def _generator(device: torch.device) -> torch.Generator:
    """The one that dropout draws from; torch.manual_seed would set all devices' and take longer than a small step."""
    if device.type != "cuda":
        return torch.default_generator
    return torch.cuda.default_generators[torch.cuda.current_device() if device.index is None else device.index]


def _resident(split: Split, device: torch.device) -> Split:
    """The training examples on the device, as one tensor; where they would fill a GPU's memory, they stay outside."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        if split.inputs.nbytes > free // 2:
            return split
    return split.to(device)


_LAG = 10  # Figure 3 draws |theta_k - theta_{k-10}|
