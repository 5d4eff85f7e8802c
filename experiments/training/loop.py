"""The training loop, whatever is trained: steps, evaluations, checkpoints, resumption, and the row at the end."""

import contextlib
import dataclasses
import hashlib
import json
import math
import os
import resource
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from experiments import data
from experiments.distributed import sharding, teams
from experiments.io import environment
from experiments.io.environment import Environment
from experiments.io.errors import CheckpointError, ConfigError
from experiments.runs import checkpoint, rows
from experiments.runs.plan import Run
from experiments.runs.rows import Point, Row
from experiments.training import tensorboard

Notify = Callable[[int, int], None]  # (steps done, steps in all)


class TrainingLoop(ABC):
    """A run in progress: everything that a checkpoint holds, and everything that follows from the run alone.

    Randomness is a function of (seed, purpose, step), so a checkpoint holds no random state. A subclass builds the
    network, the optimizer and the scaler, says how many steps there are and when to evaluate, and takes the steps.

    Args:
        run: What to run.
        place: Where.
        folder: The run's own folder.
        team: The processes that share the run.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    total: int
    evaluated_at: frozenset[int]
    note: str  # on the data

    def __init__(self, run: Run, place: Environment, folder: Path, team: teams.Team | None = None):
        place.prepare()
        self.run, self.place, self.folder, self.team = run, place, folder, team or teams.Team()
        self.device = place.resolve_device()
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)  # so that the peak is this run's, not the process's
        self.fingerprint = data.fingerprint(run.data, place.data_dir)
        self.step = 0
        self.seconds = 0.0
        self.training_seconds = 0.0
        self.examples = 0
        self.resumed = 0
        self.loss_sum = torch.zeros((), device=self.device, dtype=torch.float64)
        self.loss_steps = 0
        self.lately: dict[int, Tensor] = {}  # by the step of an evaluation: the weights of ten steps before it
        self.curve: list[Point] = []
        self.norms: list[Tensor] = []  # of the gradients, one scalar per step
        self.commits = [environment.versions()["commit"]]  # of the code that has trained it, in this order

    @abstractmethod
    def advance(self) -> None:
        """Take one step, and count it."""

    @abstractmethod
    def _evaluate(self) -> Point:
        """Score the network as it is."""

    def finish(self, notify: Notify) -> Row:
        """Train to the end, or to divergence.

        Args:
            notify: Called with the number of steps done, and of all steps, after each step.

        Returns:
            The row.
        """
        diverged = False
        begin = saved = time.monotonic()
        before = self.seconds
        board = tensorboard.open_log(self.place, self.run, self.curve, self.team.leads)
        metrics_path = self.folder / "metrics.jsonl" if self.team.leads else os.devnull
        with open(metrics_path, "a", encoding="utf-8") as metrics, contextlib.closing(board):
            while self.step < self.total and not diverged:
                started = time.monotonic()
                self.advance()
                due = self._due(saved)
                if due or self.step in self.evaluated_at:
                    self._settle()
                self.training_seconds += time.monotonic() - started
                self.seconds = before + time.monotonic() - begin
                if self.step in self.evaluated_at:
                    point = self._evaluate()
                    diverged = point.train_loss is None
                    self.curve.append(point)
                    metrics.write(json.dumps(dataclasses.asdict(point)) + "\n")
                    metrics.flush()
                    board.add(point)
                notify(self.step, self.total)
                if due and not diverged:
                    state = self._state(metrics.tell())
                    if self.team.leads:
                        os.fsync(metrics.fileno())
                        checkpoint.save(self.folder / "checkpoint.bin", self.run.digest, state)
                    saved = time.monotonic()
        return self._row(diverged)

    def resume(self) -> None:
        """Load the state of the run's checkpoint, if there is one, and cut the metrics back to it.

        Raises:
            CheckpointError: the checkpoint is damaged, of another run, of other data, or of another team; or the
                metrics that go with it are not there.
        """
        file, metrics = self.folder / "checkpoint.bin", self.folder / "metrics.jsonl"
        if not self.team.share(file.exists):
            if self.team.leads:
                metrics.unlink(missing_ok=True)
            return
        state = self.team.agree(lambda: self._loaded(file))
        self.curve = self.team.share(lambda: _cut_back(metrics, state["metrics_bytes"], file))
        try:
            self.model.load_state_dict(sharding.scattered(state["model"], self.model))
            self.optimizer.load_state_dict(sharding.scattered_state(state["optimizer"], self.optimizer))
            self.scaler.load_state_dict(state["scaler"])
        except (RuntimeError, ValueError, LookupError, TypeError) as error:
            words = " ".join(f"{error}".split())
            raise CheckpointError(
                f"{file} is of another network or optimizer ({words}): take their code back, or delete the file to "
                "start this run anew"
            ) from error
        self.lately = state["lately"] or {}
        for name in _COUNTERS:
            setattr(self, name, state[name])
        self.norms = list(state["norms"])
        self.commits = list(dict.fromkeys([*state["commits"], *self.commits]))
        self.resumed += 1

    def _loaded(self, file: Path) -> dict[str, Any]:
        """The checkpoint's state, if it is this run's, on these data, with this team."""
        state = checkpoint.load(file, self.run.digest, self.device)
        anew = f"delete {file} to start this run anew"
        if absent := _KEYS - state.keys():
            raise CheckpointError(f"{file} was written by another version (it has no {min(absent)}): {anew}")
        theirs, ours = (state["processes"], state["parallel"]), (self.team.size, self.place.parallel)
        if theirs != ours:
            raise CheckpointError(
                f"{file} was written by {theirs[0]} processes ({theirs[1]}), and these are {ours[0]} ({ours[1]}): go "
                f"on with as many of that kind, or {anew}"
            )
        if state["data"] != self.fingerprint:
            raise CheckpointError(
                f"{file}: run {self.run.id} was begun on other data (digest {state['data']}) than those there are now "
                f"({self.fingerprint}): bring the old data back, or {anew}"
            )
        return state

    def _settle(self) -> None:
        """Wait for the GPU, which works behind the Python code: a clock that is read before would show too little."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def _due(self, saved: float) -> bool:
        """Whether it is time for a checkpoint; with sharded weights all take part in it, so the leader decides."""
        due = time.monotonic() - saved >= self.place.checkpoint_seconds
        return self.team.share(lambda: due) if sharding.is_sharded(self.model) else due

    def _state(self, metrics_bytes: int) -> dict[str, Any]:
        return {
            "model": sharding.gathered(self.model.state_dict(), self.team.leads),
            "optimizer": sharding.gathered(self.optimizer.state_dict(), self.team.leads),
            "scaler": self.scaler.state_dict(),
            "metrics_bytes": metrics_bytes,
            "processes": self.team.size,
            "parallel": self.place.parallel,
            "data": self.fingerprint,
            "lately": self.lately,
            "norms": torch.stack(self.norms) if self.norms else torch.empty(0),
            "commits": self.commits,
            **{name: getattr(self, name) for name in _COUNTERS},
        }

    def _evaluation_steps(self) -> frozenset[int]:
        if self.run.phase == "tune":  # only its end is used
            return frozenset({self.total})
        count = min(self.run.training.evaluations, self.total)
        return frozenset(math.ceil(i * self.total / count) for i in range(1, count + 1))

    def _mean_loss(self) -> Tensor:
        """The mean training loss since the last call, a scalar."""
        mean = self.loss_sum / self.loss_steps
        self.loss_sum = torch.zeros_like(self.loss_sum)
        self.loss_steps = 0
        return mean

    def _row(self, diverged: bool) -> Row:
        on_gpu = self.device.type == "cuda"
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return Row(
            run=self.run,
            curve=tuple(self.curve),
            diverged=diverged,
            steps=self.step,
            parameters=sum(p.numel() for p in self.model.parameters() if p.requires_grad),
            weights=_digest(sharding.gathered(self.model.state_dict(), self.team.leads)),
            data=self.fingerprint,
            note=self.note,
            seconds=self.seconds,
            resumed=self.resumed,
            examples_per_second=self.examples / max(self.training_seconds, 1e-9),
            peak_memory=torch.cuda.max_memory_allocated(self.device) if on_gpu else resident,
            versions=environment.versions() | {"commit": ", then ".join(self.commits)},
            hardware=environment.hardware(self.place, self.team.size),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            gradient_norms=_digits(self.norms),
        )


_COUNTERS = ("step", "seconds", "training_seconds", "examples", "resumed", "loss_sum", "loss_steps")
_KEYS = frozenset({
    "model", "optimizer", "scaler", "metrics_bytes", "processes", "parallel", "data", "lately", "norms", "commits",
    *_COUNTERS
})  # fmt: skip


def _digits(norms: list[Tensor]) -> tuple[float | None, ...]:
    """The norms, to four digits."""
    return tuple(rows.finite(float(f"{norm:.4g}")) for norm in torch.stack(norms).tolist()) if norms else ()


def _cut_back(metrics: Path, length: int, file: Path) -> list[Point]:
    """The evaluations up to a checkpoint; what was written after it is deleted.

    Args:
        metrics: The file of the metrics.
        length: Its bytes when the checkpoint was written.
        file: The checkpoint.

    Returns:
        The evaluations.

    Raises:
        CheckpointError: the metrics are not there, are too short, or are damaged.
    """
    anew = f"delete {file} to start this run anew"
    there = metrics.stat().st_size if metrics.is_file() else 0
    if there < length:
        raise CheckpointError(f"{metrics} has {there} bytes, and its checkpoint goes with {length}: {anew}")
    if not length:
        metrics.write_bytes(b"")
        return []
    try:
        with metrics.open("r+", encoding="utf-8") as lines:
            lines.truncate(length)
            return [rows.read_point(json.loads(line)) for line in lines]
    except (ValueError, TypeError, ConfigError) as error:
        raise CheckpointError(f"{metrics} is damaged ({error}): {anew}") from error


def _digest(state: dict[str, Tensor]) -> str:
    """Of parameters and buffers by name; of nothing where another process holds them."""
    digest = hashlib.sha256()
    for name, tensor in state.items():
        if tensor is not None:
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
