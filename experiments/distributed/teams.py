"""Several processes on one run (``torchrun``), by DDP or FSDP2: data parallel, with the gradient of the whole batch.

Every process draws the same batch and computes on its share of it; the loss is divided by the count of the whole batch,
so the sum of the gradients is the gradient that one process would have. Batch norm is synchronised on GPUs; on CPUs
torch cannot do that, and each process normalises its own share, so a network with batch norm differs slightly from the
one that a single process trains. So does one with dropout, whose draws differ between processes.

A failure inside `Team.share` or `Team.agree` is raised on every process, and the next run can begin. After any other
failure the other processes wait in a sum that is never complete: the process ends, and ``torchrun`` ends the others.
"""

import contextlib
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from experiments.distributed import sharding
from experiments.io.environment import Parallel
from experiments.io.errors import TeamError
from experiments.io.files import locked

T = TypeVar("T")

_COMMON = "This failed on every process of the team."


@dataclass(frozen=True)
class Team:
    """The processes that share a run; without ``torchrun``, a team of one.

    Attributes:
        rank: This process.
        size: Number of processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and text."""
        return self.rank == 0

    def share(self, compute: Callable[[], T]) -> T:
        """Compute something on the leader and send it to all; an exception there is raised by all.

        Args:
            compute: Runs on the leader alone.

        Returns:
            What it returned, on every process.
        """
        if self.size == 1:
            return compute()
        box: list[tuple[T | None, Exception | None] | None] = [_tried(compute) if self.leads else None]
        dist.broadcast_object_list(box, src=0)
        value, error = cast("tuple[T, Exception | None]", box[0])
        if error is not None:
            raise error
        return value

    def agree(self, compute: Callable[[], T]) -> T:
        """Compute something on every process; an exception on any of them is raised by all.

        Args:
            compute: May not wait for the other processes.

        Returns:
            What it returned on this process.
        """
        if self.size == 1:
            return compute()
        value, error = _tried(compute)
        errors: list[Exception | None] = [None] * self.size
        dist.all_gather_object(errors, error)
        for raised in errors:
            if raised is not None:
                raise raised
        return cast("T", value)

    @contextlib.contextmanager
    def holding(self, folder: Path, wait: float = 0.0) -> Iterator[None]:
        """Let the leader lock a folder; where it cannot, `BusyError` is raised by all."""
        with contextlib.ExitStack() as stack:
            self.share(lambda: stack.enter_context(locked(folder, wait)))
            yield

    def total(self, value: Tensor) -> Tensor:
        """The sum of a tensor over the processes; the argument is left as it is."""
        if self.size == 1:
            return value
        summed = value.clone()
        dist.all_reduce(summed)
        return summed

    def parts(self, count: int, micro: int | None) -> list[tuple[slice, float]]:
        """This process's share of a batch, in micro-batches, with their weights.

        Args:
            count: Examples of the whole batch.
            micro: Most examples of a micro-batch; None for no bound.

        Returns:
            Every ``size``-th place, with weight 1. All processes have equally many parts, because each takes part in
            every gathering and sum: where none is left, the part is the first place with weight 0.
        """
        mine, largest = range(count)[self.rank :: self.size], -(-count // self.size)
        step = micro or largest
        parts = (mine[start : start + step] for start in range(0, largest, step))
        return [(slice(part.start, part.stop, part.step), 1.0) if part else (slice(1), 0.0) for part in parts]


def wrap(model: nn.Module, team: Team, parallel: Parallel) -> nn.Module:
    """The network to call in training, whose gradients are averaged over the processes.

    Args:
        model: The network, the same on every process.
        team: The processes.
        parallel: ``"ddp"``: each process holds the whole network. ``"fsdp2"``: a slice of each parameter.

    Returns:
        The network itself (with ``"fsdp2"``, sharded in place), or a wrapper of it.
    """
    if team.size == 1:
        return model
    return sharding.shard(model) if parallel == "fsdp2" else DistributedDataParallel(model)


def synchronised(model: nn.Module, team: Team, device: torch.device) -> nn.Module:
    """The network with batch norms over the whole batch, where that is possible and needed.

    Args:
        model: The network.
        team: The processes.
        device: Where it is trained.

    Returns:
        The same network on one process or on CPUs.
    """
    if team.size == 1 or device.type != "cuda":
        return model
    return nn.SyncBatchNorm.convert_sync_batchnorm(model)


def size() -> int:
    """Number of processes that ``torchrun`` started; 1 without it. It starts nothing."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def team(device: torch.device) -> Team:
    """This process's team; the first call joins it.

    Args:
        device: Where the team trains; it decides between NCCL and Gloo.

    Returns:
        The team.
    """
    if size() == 1:
        return Team()
    if not dist.is_initialized():
        from torch.distributed.nn import functional  # noqa: F401 - imported after the group, it keeps it: see `leave`

        if device.type == "cuda":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    return Team(dist.get_rank(), dist.get_world_size())


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Turn a failure of this process alone into a `TeamError`, which ends all runs.

    Yields:
        Nothing.

    Raises:
        TeamError: the block raised an exception that the other processes did not.
    """
    try:
        yield
    except Exception as error:
        if size() == 1 or _COMMON in getattr(error, "__notes__", ()):
            raise
        rank = os.environ.get("RANK", "?")
        raise TeamError(f"process {rank} of {size()} failed: {type(error).__name__}: {error}") from error


def _tried(compute: Callable[[], T]) -> tuple[T | None, Exception | None]:
    """The returned value, or the exception, marked and in a form that can be sent."""
    try:
        return compute(), None
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # an exception can refuse this with anything
            error = RuntimeError(f"{type(error).__name__}: {error}")
        error.add_note(_COMMON)
        return None, error


def _follow(launcher: int) -> None:
    """End this process when its launcher has ended: the processes of a killed ``torchrun`` would go on training."""
    while os.getppid() == launcher:
        time.sleep(0.2)
    os._exit(1)


def leave() -> None:
    """Leave the team once all processes are done; without a team, do nothing.

    A thread of Gloo that still holds a tensor when Python shuts down aborts the process (PyTorch's pull request
    179291). Destroying a group waits for its threads if nothing else refers to the group. The default arguments of
    `torch.distributed.nn.functional` would, hence its early import; FSDP2's caches do, so the threads get 0.5 s.
    """
    if dist.is_initialized():
        if dist.get_backend() == "gloo":
            time.sleep(0.5)
        dist.destroy_process_group()
