"""DDP and FSDP2 on two gloo processes: the same report as one process with the whole batch."""

import contextlib
import socket

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

import theory

NAMED = ("DDP", "FSDP2")
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


def variance(kind, x, y):
    """Of clipped gradients, with two micro-batches per process; alone, with all of them in one process."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    model = DistributedDataParallel(net, gradient_as_bucket_view=kind == "view") if kind != "one" else net
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    run = theory.watch(optimizer, every=1, ddp=None if kind == "one" else model)
    parts = list(zip(x.split(2), y.split(2), strict=True))
    for _ in range(5):
        optimizer.zero_grad()
        for number, (inputs, targets) in enumerate(parts):
            last = number == len(parts) - 1
            with contextlib.nullcontext() if kind == "one" or last else model.no_sync():
                (nn.functional.mse_loss(model(inputs), targets) / len(parts)).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
    return [row["variance"] for row in run.rows if row["step"] > 2]


def batch():
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return x, x.sum(1, keepdim=True)


def _one(rank, kind, port, queue):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    try:
        queue.put((report if kind in NAMED else variance)(kind, *(part.chunk(2)[rank] for part in batch())))
    finally:
        dist.destroy_process_group()


@pytest.mark.parametrize("kind", [*NAMED, "copied", "view"])
def test_two_processes_report_as_one(kind):
    """With ``ddp=``, "copied" and "view" of DDP's buckets: the noise is that of all micro-batches in one process."""
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
    alone = (report if kind in NAMED else variance)("one", *batch())
    assert alone
    for values in found:
        assert values == pytest.approx(alone, rel=1e-9)
