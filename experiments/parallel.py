"""Several processes on one run (``torchrun``), by DDP or FSDP2: data parallel, with the gradient of the whole batch.

Every process draws the same batch and takes its share of it; the loss is divided by the count of the whole batch, so
the sum of the gradients is the gradient that one process would have. Batch norm is synchronised on GPUs; on CPUs torch
cannot do that, and each process normalises its own share.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from experiments import sharding
from experiments.environment import Parallel

T = TypeVar("T")


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
        """Compute something on the leader, and give it to all.

        Args:
            compute: Runs on the leader alone.

        Returns:
            What it returned, on every process.
        """
        box: list[T | None] = [compute() if self.leads else None]
        if self.size > 1:
            dist.broadcast_object_list(box, src=0)
        return cast("T", box[0])

    def total(self, value: Tensor) -> Tensor:
        """The sum of a tensor over the processes; the argument is left as it is."""
        if self.size == 1:
            return value
        summed = value.clone()
        dist.all_reduce(summed)
        return summed

    def part(self, indices: Tensor) -> tuple[Tensor, float]:
        """This process's share of a batch, and its weight.

        Args:
            indices: Of the whole batch, (n,).

        Returns:
            Every ``size``-th index, and 1. A process for which none is left gets the first one with weight 0, because
            each process must take part in the gradient's sum.
        """
        mine = indices[self.rank :: self.size]
        return (mine, 1.0) if len(mine) else (indices[:1], 0.0)


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
    """The network with batch norms that see the whole batch, where that is possible and needed.

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


def team() -> Team:
    """This process's team; the first call joins it.

    Returns:
        The team.
    """
    if size() == 1:
        return Team()
    if not dist.is_initialized():
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    return Team(dist.get_rank(), dist.get_world_size())


def _follow(launcher: int) -> None:
    """End this process when its launcher has gone: a killed ``torchrun`` leaves its processes behind, training on."""
    while os.getppid() == launcher:
        time.sleep(0.2)
    os._exit(1)


def leave() -> None:
    """Leave the team in good order; without a team, do nothing."""
    if dist.is_initialized():
        dist.destroy_process_group()
