"""DDP and FSDP2 on two gloo processes: the same report as one process with the whole batch."""

import socket

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

import theory

NAMES = ("L", "G", "D", "gradient", "secant_x", "monotone", "first_gradient")


def report(kind, x, y):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1)).double()  # 5 rows are 3 + 2, one row is 1 + 0
    if kind == "DDP":
        model = DistributedDataParallel(model)
    elif kind == "FSDP2":
        for layer in (model[0], model[2]):
            fully_shard(layer)
        fully_shard(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    run = theory.watch(optimizer, every=2, variance=0.0)
    for _ in range(7):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
    found = run.report()
    return [getattr(found, name) for name in NAMES] + [found.Q.smallest, found.Q.largest]


def batch():
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return x, x.sum(1, keepdim=True)


def _one(rank, kind, port, queue):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    try:
        queue.put(report(kind, *(part.chunk(2)[rank] for part in batch())))
    finally:
        dist.destroy_process_group()


@pytest.mark.parametrize("kind", ["DDP", "FSDP2"])
def test_two_processes_report_as_one(kind):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = mp.get_context("spawn")
    queue = context.Queue()
    processes = [context.Process(target=_one, args=(rank, kind, port, queue)) for rank in range(2)]
    for process in processes:
        process.start()
    try:
        found = [queue.get(timeout=120) for _ in processes]
    finally:
        for process in processes:
            process.join(30)
            process.kill()
    alone = report("one", *batch())
    for values in found:
        assert values == pytest.approx(alone, rel=1e-9)
